//! What a validated frame looks like when it leaves: `DA SA | clear tags | user data`, without pad behind
//! a short length and padded anew where that is too short for Ethernet.

use super::clear_tags::ADDRESSES_LEN;
use super::mtu::{ETHERNET_HEADER_LEN, longest_frame};
use super::open_plans::{Layout, OpenPlan};
use super::{FrameBuf, Reject, RxSecy, SecTag, ValidateFrames};

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

    /// Delivers frames, each with its plan, as long as they are as [`Self::deliver_usual`] wants them. Says how
    /// many.
    #[inline(never)]
    pub(super) fn deliver_row<B: FrameBuf>(&self, frames: &mut [B], plans: &[OpenPlan]) -> usize {
        let pairs = frames.iter_mut().zip(plans);
        pairs
            .map_while(|(frame, plan)| self.deliver_usual(frame, &plan.layout))
            .count()
    }

    /// As [`deliver`], for the frames that nearly all are: no clear tags, the SCI in the SecTAG, neither
    /// to be padded nor perhaps too long. `None`, and nothing done: it is another.
    #[inline]
    pub(super) fn deliver_usual(&self, frame: &mut impl FrameBuf, layout: &Layout) -> Option<()> {
        const SECTAG_LEN: usize = SecTag::LEN_WITH_SCI;
        let plain_len = ADDRESSES_LEN + layout.data_len as usize;
        if layout.clear_len != 0
            || layout.sectag_len as usize != SECTAG_LEN
            || plain_len < self.min_plain_frame
            || plain_len > self.mtu + ETHERNET_HEADER_LEN
        {
            return None;
        }
        let octets = frame.octets_mut();
        if octets.len() < SECTAG_LEN + plain_len {
            return None;
        }
        let front = octets.first_chunk_mut::<{ ADDRESSES_LEN + SECTAG_LEN }>()?;
        let addresses = *front.first_chunk::<ADDRESSES_LEN>()?;
        *front.last_chunk_mut()? = addresses;
        // The frame gets shorter, which nothing can keep it from.
        frame.recut(SECTAG_LEN, plain_len).map(|_| ())
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
    let header_len = layout.header_len();
    let plain_len = header_len + layout.data_len as usize;
    if frame.octets().len() < sectag_len + plain_len {
        return Err(Reject::NoRoom);
    }
    frame.octets_mut().copy_within(..header_len, sectag_len);
    let plain = frame
        .recut(sectag_len, plain_len.max(rules.min_plain_frame))
        .ok_or(Reject::NoRoom)?;
    let (plain, pad) = plain
        .split_at_mut_checked(plain_len)
        .ok_or(Reject::NoRoom)?;
    if plain_len > longest_frame(plain, rules.mtu) {
        return Err(Reject::TooLong);
    }
    pad.fill(0);
    Ok(())
}
