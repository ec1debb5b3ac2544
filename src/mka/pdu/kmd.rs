//! The KMD parameter set (802.1X-2020 figure 11-14), and the same text in an announcement.

use alloc::boxed::Box;
use core::fmt;

use super::{
    Frame,
    set::{self, Set, kind, put},
};

/// A key management domain: a text of the peer's, at most 253 octets of UTF-8 by the standard and of
/// anything in truth. Shown escaped.
#[derive(Clone, PartialEq, Eq)]
pub struct Kmd(Box<[u8]>);

impl Kmd {
    /// Octets of the longest name.
    pub const MAX_LEN: usize = 253;

    /// A domain of this name; `None` above [`Self::MAX_LEN`] octets.
    pub fn new(octets: &[u8]) -> Option<Self> {
        (octets.len() <= Self::MAX_LEN).then(|| Self(octets.into()))
    }

    /// The octets.
    pub fn octets(&self) -> &[u8] {
        &self.0
    }

    /// Reads the set. A name that is too long is no reason to refuse a MKPDU: nothing depends on it.
    pub(super) fn parse(set: Set<'_>) -> Option<Self> {
        Self::new(set.body)
    }

    /// Appends the set.
    pub(super) fn emit(&self, out: &mut Frame) -> Option<()> {
        set::emit(out, [kind::KMD, 0, 0], |out| put(out, &self.0))
    }
}

impl fmt::Display for Kmd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0.escape_ascii(), f)
    }
}

impl fmt::Debug for Kmd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kmd({self})")
    }
}
