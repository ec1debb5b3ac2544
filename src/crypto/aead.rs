//! The trait that every AES-GCM engine implements, and what a burst looks like to it.

use alloc::sync::Arc;
use core::{any::Any, fmt};

use super::Sak;

/// Octets of an ICV: the tag of AES-GCM, never shortened (802.1AE-2018 14.5).
pub const TAG_LEN: usize = 16;

/// Octets of an AES-GCM nonce.
pub const NONCE_LEN: usize = 12;

/// The most frames that one call of [`AeadKey::seal`] or [`AeadKey::open`] takes.
pub const BURST_CAPACITY: usize = 64;

/// One frame as an engine sees it: `buffer` is additional data, then text, then [`TAG_LEN`] octets of
/// tag, then room that is nobody's.
///
/// They lie end to end, so an engine needs one pointer and one bound. The exclusive borrow is what lets
/// a wide engine write ahead of what it knows: into the tag's place, and into the room behind it. It
/// leaves additional data as it is when it returns, and anything in the room.
#[derive(Debug)]
pub struct AeadFrame<'a> {
    /// The nonce, made by `macsec` from SCI or SSCI, salt and PN.
    pub nonce: [u8; NONCE_LEN],
    /// Octets at the front of `buffer` that are authenticated but stay as they are.
    pub aad_len: usize,
    /// Octets of additional data, text and tag together: at least `aad_len + TAG_LEN`.
    pub len: usize,
    /// Additional data, text, tag, room: at least `len` octets. Without room an engine may be slower.
    pub buffer: &'a mut [u8],
}

impl<'a> AeadFrame<'a> {
    /// A frame that fills `buffer` and has no room behind it.
    #[must_use]
    pub const fn exact(nonce: [u8; NONCE_LEN], aad_len: usize, buffer: &'a mut [u8]) -> Self {
        Self {
            nonce,
            aad_len,
            len: buffer.len(),
            buffer,
        }
    }

    /// The three parts: additional data, text, tag. `None` where `buffer` or `len` is too short to hold
    /// them.
    pub fn parts(&mut self) -> Option<(&[u8], &mut [u8], &mut [u8; TAG_LEN])> {
        let frame = self.buffer.get_mut(..self.len)?;
        let (front, tag) = frame.split_last_chunk_mut::<TAG_LEN>()?;
        let (aad, text) = front.split_at_mut_checked(self.aad_len)?;
        Some((aad, text, tag))
    }
}

/// Which frames of a burst were authentic: bit `i` for frame `i`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Opened(pub u64);

impl Opened {
    /// Whether frame `index` was authentic.
    pub const fn is_ok(self, index: usize) -> bool {
        index < BURST_CAPACITY && self.0 >> index & 1 == 1
    }

    /// Notes that frame `index` was authentic.
    pub const fn set_ok(&mut self, index: usize) {
        if index < BURST_CAPACITY {
            self.0 |= 1 << index;
        }
    }
}

/// A SAK made ready by one engine: an opaque key object that has no way back to the key's octets.
///
/// Both calls take at most [`BURST_CAPACITY`] frames; later ones are left alone and, in `open`, not
/// set. A frame whose buffer can't hold its parts is left alone in the same way. Neither call
/// allocates, locks or makes a system call.
pub trait AeadKey: Any + Send + Sync {
    /// Encrypts the text of each frame in place and writes its tag.
    fn seal(&self, burst: &mut [AeadFrame<'_>]);

    /// Checks each tag and decrypts the text in place. The text of a frame that fails is wiped.
    fn open(&self, burst: &mut [AeadFrame<'_>]) -> Opened;

    /// The part of [`open_each`] that is this engine's own: `self` is one of `keys`, any of which may be
    /// another engine's. As it stands, each stretch of neighbours under one key is a burst by itself.
    fn open_each(&self, keys: &[&dyn AeadKey], burst: &mut [AeadFrame<'_>]) -> Opened {
        open_in_stretches(keys, burst)
    }
}

/// Opens a burst whose frames come under several keys: frame `i` under `keys[i]`. As [`AeadKey::open`] of
/// each key, whatever engines they are of; frames that have no key are left alone, and not set. The fastest
/// where frames under one key are neighbours.
pub fn open_each(keys: &[&dyn AeadKey], burst: &mut [AeadFrame<'_>]) -> Opened {
    match keys.first() {
        Some(key) => key.open_each(keys, burst),
        None => Opened::default(),
    }
}

/// [`open_each`] by one call of [`AeadKey::open`] for each stretch of neighbours under one key.
pub(super) fn open_in_stretches(keys: &[&dyn AeadKey], burst: &mut [AeadFrame<'_>]) -> Opened {
    let mut opened = Opened::default();
    let mut rest = burst;
    let mut at = 0;
    for stretch in keys.chunk_by(|one, other| is_same(*one, *other)) {
        let len = stretch.len().min(rest.len()).min(BURST_CAPACITY - at);
        let (Some(key), Some((frames, behind))) = (
            stretch.first(),
            core::mem::take(&mut rest).split_at_mut_checked(len),
        ) else {
            break;
        };
        if frames.is_empty() {
            break;
        }
        opened.0 |= key.open(frames).0 << at;
        (rest, at) = (behind, at + len);
    }
    opened
}

/// Whether two references are to one key. The table of functions counts too: a key without any octets has
/// no place of its own. Where there are two such tables, one stretch becomes two, which is only slower.
fn is_same(one: &dyn AeadKey, other: &dyn AeadKey) -> bool {
    core::ptr::eq(one, other)
}

/// A key object as it crosses threads. The thread that made it keeps a reference until the worker's
/// one came home, so that the key is wiped there and never on a frame path.
pub type SaKey = Arc<dyn AeadKey>;

/// Makes key objects: one per engine.
pub trait KeyFactory: Send + Sync + fmt::Debug {
    /// The engine's name in the config, the log, the metrics and `status`.
    fn name(&self) -> &'static str;

    /// A key object for `sak`: AES-128 or AES-256 by its length.
    ///
    /// # Errors
    /// Where memory for the key can't be had or locked. The text says which and what to raise.
    fn make_key(&self, sak: &Sak) -> Result<SaKey, KeyError>;
}

/// Why a key object could not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyError {
    /// No memory that can be locked.
    Memory,
    /// The engine refused the key.
    Refused,
    /// The operating system gave no random octets.
    Randomness,
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => f.write_str(
                "no locked memory for a key; raise the limit (LimitMEMLOCK=infinity, or ulimit -l)",
            ),
            Self::Refused => f.write_str("the engine refused the key"),
            Self::Randomness => f.write_str("the operating system gave no random octets"),
        }
    }
}

impl core::error::Error for KeyError {}
