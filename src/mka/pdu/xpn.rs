//! The XPN parameter set (802.1X-2020 figure 11-16).

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
