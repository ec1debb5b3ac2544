//! The number of the one file of SAKs that is good, kept apart from it.

use std::path::{Path, PathBuf};

use core::fmt::Write as _;

use super::super::KeptError;
use super::super::disk::{self, Disk, Failed};
use super::super::lines;
use crate::crypto::{KeyError, random};
use crate::ieee::decode_hex;

const VERSION: u32 = 1;

const MAGIC: &str = "macsecgw-mka-seal";

/// What tells a file from every other: random, and no secret.
pub(super) type Nonce = [u8; 16];

/// The number of a new file.
pub(super) fn fresh() -> Result<Nonce, KeptError> {
    let mut nonce = Nonce::default();
    random::fill(&mut nonce).map_err(|_| KeyError::Randomness)?;
    Ok(nonce)
}

/// Says that of `link`'s files the one of this number is good, and no other.
pub(super) fn put(disk: &impl Disk, state: &Path, link: &str, nonce: Nonce) -> Result<(), Failed> {
    let mut text = format!("{MAGIC} {VERSION}\nlink {link}\nnumber ");
    for octet in nonce {
        // Writing to a string can't fail.
        let _ = write!(text, "{octet:02x}");
    }
    text.push('\n');
    let text = lines::sealed(text);
    disk::replace_unsynced(disk, &path(state, link), text.as_bytes())
}

/// The number of the file that is good; `None` where that isn't clear, and then none is.
pub(super) fn read(disk: &impl Disk, state: &Path, link: &str) -> Option<Nonce> {
    let content = disk.read(&path(state, link)).ok()??;
    let body = lines::opened(MAGIC, VERSION, &content).ok()?;
    let (first, second) = body.trim_end().split_once('\n')?;
    if first.strip_prefix("link ")? != link {
        return None;
    }
    let mut nonce = Nonce::default();
    decode_hex(second.strip_prefix("number ")?.as_bytes(), &mut nonce).ok()?;
    Some(nonce)
}

/// From now on none is good.
pub(super) fn remove(disk: &impl Disk, state: &Path, link: &str) -> Result<(), Failed> {
    let path = path(state, link);
    match disk.remove(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        removed => removed.map_err(Failed::at("remove", &path)),
    }
}

fn path(state: &Path, link: &str) -> PathBuf {
    state.join(format!("mka.{link}.seal"))
}
