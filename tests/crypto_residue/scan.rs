//! All of this process's memory that it can write, looked through for what is disguised.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    os::unix::fs::FileExt,
};

use super::needles::{DISGUISE, NEEDLE_LEN};

/// A part of this process's memory, as `/proc/self/smaps` tells it.
#[derive(Debug)]
struct Region {
    start: u64,
    end: u64,
    flags: String,
    heading: String,
}

fn writable_regions() -> Vec<Region> {
    let smaps = fs::read_to_string("/proc/self/smaps").unwrap();
    let mut regions: Vec<Region> = Vec::new();
    for line in smaps.lines() {
        if let Some(flags) = line.strip_prefix("VmFlags: ") {
            regions.last_mut().unwrap().flags = format!(" {flags} ");
        } else if let Some((start, end)) = bounds(line) {
            regions.push(Region {
                start,
                end,
                flags: String::new(),
                heading: line.to_owned(),
            });
        }
    }
    regions.retain(|region| region.flags.contains(" rd ") && region.flags.contains(" wr "));
    assert!(regions.len() > 3, "{smaps}");
    regions
}

fn bounds(line: &str) -> Option<(u64, u64)> {
    let (start, end) = line.split_whitespace().next()?.split_once('-')?;
    Some((
        u64::from_str_radix(start, 16).ok()?,
        u64::from_str_radix(end, 16).ok()?,
    ))
}

/// Everything found: the needle's number, and the regions that it was found in.
pub(crate) type Found = BTreeMap<usize, Vec<String>>;

/// Looks for `needles` in all memory that this process can write. Reads through one buffer, which is
/// not itself looked at: it holds copies.
pub(crate) fn scan(needles: &[[u8; NEEDLE_LEN]]) -> Found {
    const CHUNK: usize = 1 << 16;
    let memory = File::open("/proc/self/mem").unwrap();
    let regions = writable_regions();
    let mut found = Found::new();
    let mut buffer = vec![0u8; CHUNK + NEEDLE_LEN - 1];
    let own_start = buffer.as_ptr().addr() as u64;
    let own = own_start..own_start + buffer.len() as u64;
    let mut octets_read = 0;
    for region in &regions {
        for at in (region.start..region.end).step_by(CHUNK) {
            let end = region.end.min(at + buffer.len() as u64);
            let part = &mut buffer[..usize::try_from(end - at).unwrap()];
            // What can't be read has no pages behind it.
            let Ok(len) = memory.read_at(part, at) else {
                continue;
            };
            octets_read += len;
            for (offset, needle) in matches(&part[..len], needles) {
                if !own.contains(&(at + offset as u64)) {
                    found
                        .entry(needle)
                        .or_default()
                        .push(format!("{} {}", region.heading, region.flags));
                }
            }
            part.fill(0);
        }
    }
    assert!(
        octets_read > 100_000,
        "only {octets_read} octets could be read"
    );
    found
}

fn matches(part: &[u8], needles: &[[u8; NEEDLE_LEN]]) -> Vec<(usize, usize)> {
    let mut first = [false; 256];
    for needle in needles {
        first[usize::from(needle[0] ^ DISGUISE)] = true;
    }
    let mut found = Vec::new();
    for (offset, window) in part.windows(NEEDLE_LEN).enumerate() {
        if !first[usize::from(window[0])] {
            continue;
        }
        for (number, needle) in needles.iter().enumerate() {
            if window
                .iter()
                .zip(needle)
                .all(|(octet, other)| octet ^ DISGUISE == *other)
            {
                found.push((offset, number));
            }
        }
    }
    found
}

pub(crate) fn locked_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmLck:"))
        .unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
