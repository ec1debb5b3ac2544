//! The plain frames that nearly all are: in one piece, neither to be padded nor perhaps too long, on a link
//! with the SCI in its SecTAGs and no clear tags.
//!
//! They are laid out in a loop of their own that calls nothing, so that all it needs is in registers. What
//! it does is what [`protect`](super::protect) does for any frame, in a fifth of the time; before a frame
//! that is another in any way it ends.
#![warn(clippy::indexing_slicing)]

use core::slice::IterMut;

use super::clear_tags::ADDRESSES_LEN;
use super::mtu::ETHERNET_HEADER_LEN;
use super::nonce::NonceBase;
use super::protect::Shape;
use super::seal_plans::{LaidOut, SealPlan};
use super::usual::FRONT_LEN;
use super::{FrameBuf, SecTag, TxSa};
use crate::crypto::{BURST_CAPACITY, TAG_LEN};
use crate::ieee::Pn;

/// What a frame must be like, and what it then needs.
pub(super) struct UsualPlain {
    /// The SecTAG without short length and PN, as its octets stand in words whose first octet is the lowest:
    /// EtherType, TCI and AN; the first half of the SCI; the second.
    tag: u64,
    sci: u64,
    sci_end: [u8; 4],
    shortest: usize,
    /// How many lengths from `shortest` on are usual.
    lengths: usize,
    clear_data_len: usize,
    nonce: NonceBase,
}

/// What became of a row of frames.
pub(super) struct Row<'a, B> {
    /// Those that nobody looked at.
    pub(super) rest: IterMut<'a, B>,
    /// How many were laid out.
    pub(super) count: usize,
    /// Octets of user data in them.
    pub(super) octets: u64,
    pub(super) end: End<'a, B>,
}

/// Why no more were laid out.
pub(super) enum End<'a, B> {
    /// There are no more.
    Whole,
    /// This one is not as usual. It is unchanged.
    Other(&'a mut B),
    /// This one's buffer is not what it said.
    Broken,
}

impl UsualPlain {
    #[expect(clippy::cast_possible_truncation, reason = "cut into halves")]
    pub(super) fn new(shape: &Shape, sa: &TxSa) -> Self {
        let is_usual = shape.sectag_len == SecTag::LEN_WITH_SCI && shape.clear_vlan_tags == 0;
        let shortest = shape.min_plain_frame.max(ETHERNET_HEADER_LEN);
        let longest = shape.mtu + ETHERNET_HEADER_LEN;
        Self {
            tag: u64::from(((shape.tag >> 32) as u32).swap_bytes()) << 32,
            sci: u64::from(((shape.sci.0 >> 32) as u32).swap_bytes()) << 32,
            sci_end: (shape.sci.0 as u32).to_be_bytes(),
            shortest,
            lengths: if is_usual {
                (longest + 1).saturating_sub(shortest)
            } else {
                0
            },
            clear_data_len: shape.clear_data_len,
            nonce: sa.nonce_base(),
        }
    }

    /// Lays out `frames`, the first of which has place `first` and number `pn`, as long as they are usual, and
    /// hands each to `to`.
    #[inline(never)]
    pub(super) fn lay_out<'a, B: FrameBuf>(
        &self,
        frames: IterMut<'a, B>,
        (first, pn): (usize, Pn),
        plans: &mut [SealPlan; BURST_CAPACITY],
        to: &mut impl LaidOut<'a>,
    ) -> Row<'a, B> {
        let mut rest = frames;
        let begin = pn.0.wrapping_sub(first as u64);
        #[expect(clippy::cast_possible_truncation, reason = "a place in a burst")]
        let place = |pn: u64| pn.wrapping_sub(begin) as usize;
        let (mut pn, mut octets) = (pn.0, 0);
        let mut end = End::Whole;
        for frame in rest.by_ref() {
            let given = frame.octets().len();
            let is_usual = given.wrapping_sub(self.shortest) < self.lengths;
            if !is_usual || !frame.is_contiguous() {
                end = End::Other(frame);
                break;
            }
            let buffer = match frame.grow_in_room(SecTag::LEN_WITH_SCI, TAG_LEN) {
                Ok(buffer) => buffer,
                Err(frame) => {
                    end = End::Other(frame);
                    break;
                }
            };
            let Some(front) = buffer.first_chunk_mut() else {
                end = End::Broken;
                break;
            };
            let data_len = given - ADDRESSES_LEN;
            self.lead(front, data_len, Pn(pn));
            to.take(plans, place(pn), self.plan(data_len, Pn(pn)), buffer);
            octets += data_len as u64;
            pn = pn.wrapping_add(1);
        }
        Row {
            rest,
            count: place(pn).wrapping_sub(first),
            octets,
            end,
        }
    }

    /// Moves the addresses to the front and writes the SecTAG behind them: in words that begin where the
    /// frame does, so that none is split where a cache line ends.
    #[inline]
    fn lead(&self, front: &mut [u8; FRONT_LEN], data_len: usize, pn: Pn) {
        let [.., a, b, c, d, e, f, g, h, i, j, k, l] = *front;
        let short_length = u64::from(SecTag::short_length_of(data_len));
        let tag = self.tag | short_length << 56;
        let words = [
            u64::from_le_bytes([a, b, c, d, e, f, g, h]),
            u64::from(u32::from_le_bytes([i, j, k, l])) | tag,
            self.sci | u64::from(pn.wire().swap_bytes()),
        ];
        let (places, last) = front.as_chunks_mut();
        for (place, word) in places.iter_mut().zip(words) {
            *place = word.to_le_bytes();
        }
        last.copy_from_slice(&self.sci_end);
    }

    #[inline]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a frame that was compared with the MTU is far shorter than 4 GiB"
    )]
    fn plan(&self, data_len: usize, pn: Pn) -> SealPlan {
        SealPlan {
            nonce: self.nonce.nonce(pn),
            clear_len: 0,
            aad_len: (FRONT_LEN + self.clear_data_len.min(data_len)) as u32,
            len: (FRONT_LEN + data_len + TAG_LEN) as u32,
        }
    }
}
