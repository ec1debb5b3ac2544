//! What all parameter sets but the basic one have in common: four octets of header, then the body,
//! then zeros up to a multiple of four (802.1X-2020 11.11.1, figures 11-9 to 11-16).
//!
//! ```text
//!  +------+-------------+-------------------+--------+------- - - +
//!  | type | of the set  | of the set | length of body |    body    |
//!  +------+-------------+-------------------+--------+------- - - +
//!     8          8             4           12 bits
//! ```

use super::{Frame, icv_indicator};
use crate::mka::Discard;

/// Types of parameter sets (802.1X-2020 11.11.1). They are sent in this order.
pub(super) mod kind {
    pub(in super::super) const LIVE: u8 = 1;
    pub(in super::super) const POTENTIAL: u8 = 2;
    pub(in super::super) const SAK_USE: u8 = 3;
    pub(in super::super) const DISTRIBUTED_SAK: u8 = 4;
    pub(in super::super) const DISTRIBUTED_CAK: u8 = 5;
    pub(in super::super) const KMD: u8 = 6;
    pub(in super::super) const ANNOUNCEMENT: u8 = 7;
    pub(in super::super) const XPN: u8 = 8;
    pub(in super::super) const ICV_INDICATOR: u8 = 255;
}

/// Octets of a parameter set's header.
pub(super) const HEADER_LEN: usize = 4;

/// One received parameter set.
#[derive(Clone, Copy, Debug)]
pub(super) struct Set<'a> {
    /// Its type.
    pub(super) kind: u8,
    /// The second octet: what it says depends on the type.
    pub(super) flags: u8,
    /// The upper half of the third octet, in its place; the lower half is 0.
    pub(super) more_flags: u8,
    /// As long as the header says, without padding. Empty for an ICV Indicator, whose body is the ICV.
    pub(super) body: &'a [u8],
}

/// The sets between the basic one and the ICV, in the order of the wire. Ends behind an error.
#[derive(Clone, Debug)]
pub(super) struct Sets<'a>(pub(super) &'a [u8]);

impl<'a> Iterator for Sets<'a> {
    type Item = Result<Set<'a>, Discard>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let taken = split(self.0);
        self.0 = taken.map_or(&[], |(_, rest)| rest);
        Some(taken.map(|(set, _)| set).ok_or(Discard::Malformed))
    }
}

/// The first set and what follows it; `None` where it does not fit.
fn split(octets: &[u8]) -> Option<(Set<'_>, &[u8])> {
    let (&header, rest) = octets.split_first_chunk::<HEADER_LEN>()?;
    let [kind, flags, more_flags, _] = header;
    let len = body_len(header);
    let set = |body| Set {
        kind,
        flags,
        more_flags: more_flags & 0xf0,
        body,
    };
    if kind == kind::ICV_INDICATOR {
        return icv_indicator::fits(len, rest).then_some((set(&[]), rest));
    }
    let (body, rest) = rest.split_at_checked(len)?;
    let (_, rest) = rest.split_at_checked(padding(len))?;
    Some((set(body), rest))
}

/// The 12 bits that say how long a body is.
pub(super) fn body_len(header: [u8; HEADER_LEN]) -> usize {
    let [_, _, high, low] = header;
    usize::from(u16::from_be_bytes([high & 0x0f, low]))
}

/// Octets from the end of a body to the next multiple of four.
pub(super) const fn padding(len: usize) -> usize {
    len.wrapping_neg() % 4
}

/// Appends a set: its header, what `body` appends, and padding. `None` where there is no room.
pub(super) fn emit(
    out: &mut Frame,
    [kind, flags, more_flags]: [u8; 3],
    body: impl FnOnce(&mut Frame) -> Option<()>,
) -> Option<()> {
    let start = out.len();
    put(out, &[kind, flags, more_flags, 0])?;
    body(out)?;
    let len = out.len().checked_sub(start)?.checked_sub(HEADER_LEN)?;
    set_body_len(out.get_mut(start..)?, len)?;
    put(out, [0; 4].get(..padding(len))?)
}

/// Writes the length of a body into the header at the start of `set`.
fn set_body_len(set: &mut [u8], len: usize) -> Option<()> {
    let [high, low] = u16::try_from(len).ok()?.to_be_bytes();
    let [_, _, upper, lower] = set.first_chunk_mut::<HEADER_LEN>()?;
    *upper |= high;
    *lower = low;
    // Longer than 12 bits is longer than a frame.
    (high <= 0x0f).then_some(())
}

/// Appends octets. `None` where there is no room.
pub(super) fn put(out: &mut Frame, octets: &[u8]) -> Option<()> {
    out.try_extend_from_slice(octets).ok()
}
