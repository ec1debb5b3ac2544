//! The XPN parameter set (802.1X-2020 figure 11-16).

use super::{
    Frame,
    set::{self, Set, kind, put},
};
use crate::mka::Discard;

/// The upper halves of the lowest packet numbers in [`super::SakUse`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Xpn {
    /// MKA suspension time in seconds; 0 without suspension.
    pub suspension: u8,
    /// Bits 63 to 32 of the latest key's.
    pub latest: u32,
    /// Bits 63 to 32 of the old key's.
    pub old: u32,
}

impl Xpn {
    /// Reads the set. A body of other than 8 octets is malformed.
    pub(super) fn parse(set: Set<'_>) -> Result<Self, Discard> {
        let (&[latest, old], []) = set.body.as_chunks() else {
            return Err(Discard::Malformed);
        };
        Ok(Self {
            suspension: set.flags,
            latest: u32::from_be_bytes(latest),
            old: u32::from_be_bytes(old),
        })
    }

    /// Appends the set.
    pub(super) fn emit(&self, out: &mut Frame) -> Option<()> {
        set::emit(out, [kind::XPN, self.suspension, 0], |out| {
            put(out, &self.latest.to_be_bytes())?;
            put(out, &self.old.to_be_bytes())
        })
    }
}
