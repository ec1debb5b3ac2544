//! What a validated frame looks like when it leaves: `DA SA | clear tags | user data`, without pad behind
//! a short length and padded anew where that is too short for Ethernet.

use super::mtu::longest_frame;
use super::open_plans::Layout;
use super::{FrameBuf, Reject, RxSecy, ValidateFrames};

/// What the SecY demands of a frame whatever its channel.
pub(super) struct Rules {
    pub(super) validate: ValidateFrames,
    mtu: usize,
    min_plain_frame: usize,
}

impl Rules {
    pub(super) const fn of(secy: &RxSecy) -> Self {
        Self {
            validate: secy.params.validate,
            mtu: secy.params.mtu,
            min_plain_frame: secy.min_plain_frame,
        }
    }
}

/// Takes SecTAG, ICV and pad off, and pads anew to what Ethernet demands.
///
/// Only now all VLAN tags of the plain frame can be seen, so that only now it shows whether the frame
/// is longer than the link allows.
pub(super) fn deliver(
    frame: &mut impl FrameBuf,
    layout: Layout,
    rules: &Rules,
) -> Result<(), Reject> {
    let sectag_len = layout.sectag_len as usize;
    let plain_len = layout.header_len() + layout.data_len as usize;
    let behind = frame
        .octets()
        .len()
        .checked_sub(sectag_len + plain_len)
        .ok_or(Reject::NoRoom)?;
    frame
        .octets_mut()
        .copy_within(..layout.header_len(), sectag_len);
    if !(frame.cut_front(sectag_len) && frame.cut_back(behind)) {
        return Err(Reject::NoRoom);
    }
    if plain_len > longest_frame(frame.octets(), rules.mtu) {
        return Err(Reject::TooLong);
    }
    if !frame.grow_back(rules.min_plain_frame.saturating_sub(plain_len)) {
        return Err(Reject::NoRoom);
    }
    if let Some(pad) = frame.octets_mut().get_mut(plain_len..) {
        pad.fill(0);
    }
    Ok(())
}
