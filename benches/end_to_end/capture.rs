//! Capture files: the frames that are sent, and those that came out.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use crate::size::Size;

/// Little-endian, microseconds, no FCS, Ethernet.
const HEADER: [u8; 24] = [
    0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0,
];
const RECORD_LEN: usize = 16;

/// `count` frames of IPv4 and UDP of a size, each a flow of its own.
pub(crate) fn udp_frames(size: Size, count: usize) -> Vec<Vec<u8>> {
    (0..count)
        .map(|flow| {
            let size = size.of(flow);
            let flow = u16::try_from(flow % 65_536).unwrap().to_be_bytes();
            let ip_len = u16::try_from(size - 14).unwrap();
            let mut frame = vec![2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 8, 8, 0];
            let mut ip = vec![0x45, 0];
            ip.extend(ip_len.to_be_bytes());
            ip.extend([
                flow[0], flow[1], 0x40, 0, 64, 17, 0, 0, 198, 18, 0, 1, 198, 19,
            ]);
            ip.extend(flow);
            let sum = checksum(&ip);
            ip[10..12].copy_from_slice(&sum.to_be_bytes());
            frame.extend(ip);
            frame.extend([0x10, 0]);
            frame.extend(flow);
            frame.extend((ip_len - 20).to_be_bytes());
            frame.extend([0, 0]);
            frame.resize(size, 0x5a);
            frame
        })
        .collect()
}

fn checksum(header: &[u8]) -> u16 {
    let words = header
        .chunks_exact(2)
        .map(|pair| u32::from(pair[0]) << 8 | u32::from(pair[1]));
    let mut sum: u32 = words.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap()
}

pub(crate) fn write(path: &Path, frames: &[Vec<u8>]) {
    let mut file = HEADER.to_vec();
    for frame in frames {
        let len = u32::try_from(frame.len()).unwrap().to_le_bytes();
        file.extend([0; 8]);
        file.extend(len);
        file.extend(len);
        file.extend(frame);
    }
    fs::write(path, file).unwrap();
}

/// The frames at the front of a capture file of this machine, 64 MiB of them at most. Its writer may
/// have been killed in the middle of a frame.
pub(crate) fn read(path: &Path) -> Vec<Vec<u8>> {
    let mut file = Vec::new();
    let mut front = File::open(path).unwrap().take(64 << 20);
    front.read_to_end(&mut file).unwrap();
    let mut rest = file.get(HEADER.len()..).unwrap();
    let mut frames = Vec::new();
    while let Some((record, behind)) = rest.split_at_checked(RECORD_LEN) {
        let len = u32::from_le_bytes(record[8..12].try_into().unwrap()) as usize;
        let Some((frame, next)) = behind.split_at_checked(len) else {
            break;
        };
        frames.push(frame.to_vec());
        rest = next;
    }
    frames
}
