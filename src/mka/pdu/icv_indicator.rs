//! The ICV Indicator (802.1X-2020 11.11.1): a header in front of the ICV. It may be left out, as
//! the one algorithm that there is has an ICV of 16 octets.

use super::{
    Frame,
    set::{kind, put},
};
use crate::crypto::ICV_LEN;

/// Whether the header is that of the ICV, which follows the parameter sets: nothing is between, and it
/// is as long as it says.
pub(super) fn fits(len: usize, rest: &[u8]) -> bool {
    len == ICV_LEN && rest.is_empty()
}

/// Appends the header; the ICV is its body.
pub(super) fn emit(out: &mut Frame) -> Option<()> {
    #[expect(clippy::cast_possible_truncation, reason = "16")]
    put(out, &[kind::ICV_INDICATOR, 0, 0, ICV_LEN as u8])
}
