//! Where a frame's parts lie, and the proof that what the kernel touches is inside its buffer.

use super::{
    hash::{CHUNK, ONE_SUM},
    tables::TEXT_MAX,
};
use crate::crypto::{AeadFrame, TAG_LEN};

/// Octets behind the tag that the kernel writes: its last unit may begin with a text's last octet.
pub(super) const ROOM: usize = 16;

/// Blocks of text up to which frames may go side by side.
pub(super) const SIDE_BY_SIDE: u8 = 7;

/// How a frame's GHASH goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Of the many: additional data of two blocks, and a whole block of text, but no chunk.
    Short,
    /// Like that, but with chunks, and yet a power of the hash key for each block.
    Long,
    /// Any other.
    Other,
}

/// A frame that the kernel takes.
///
/// The bound that every access rests on: from `aad` on, `aad_len + text_len + TAG_LEN + ROOM` octets are
/// the frame's buffer, which the burst borrows exclusively. So 32 octets may be read and written from any
/// octet of the text, and 16 from the octet behind it; and 32 may be read from any octet of additional data.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) aad: *const u8,
    pub(super) text: *mut u8,
    pub(super) aad_len: usize,
    pub(super) text_len: usize,
}

impl Place {
    /// The frame's place; `None` where it is left to the library: no room, a text too long, or parts that
    /// its buffer can't hold.
    #[inline(always)]
    pub(super) fn of(frame: &mut AeadFrame<'_>) -> Option<Self> {
        let behind_text = frame.len.checked_sub(TAG_LEN)?;
        let text_len = behind_text.checked_sub(frame.aad_len)?;
        let room = frame.buffer.len().checked_sub(frame.len)?;
        if room < ROOM || text_len > TEXT_MAX {
            return None;
        }
        let start = frame.buffer.as_mut_ptr();
        Some(Self {
            aad: start,
            text: start.wrapping_add(frame.aad_len),
            aad_len: frame.aad_len,
            text_len,
        })
    }

    /// The same of a frame that has a place.
    ///
    /// # Safety
    /// [`Self::of`] gave one for the frame.
    #[inline(always)]
    pub(super) unsafe fn again(frame: *mut AeadFrame<'_>) -> Self {
        // SAFETY: by the caller.
        let frame = unsafe { &mut *frame };
        let start = frame.buffer.as_mut_ptr();
        Self {
            aad: start,
            text: start.wrapping_add(frame.aad_len),
            aad_len: frame.aad_len,
            text_len: frame.len.wrapping_sub(TAG_LEN).wrapping_sub(frame.aad_len),
        }
    }

    /// The blocks of the text if frames like it may go side by side, 1 to 7; of any other that is short or long
    /// the units behind the first one, and 8; 255 where there are too many, and of any other.
    #[inline(always)]
    pub(super) const fn key(&self) -> u8 {
        let blocks = (self.text_len + 15) >> 4;
        let units = 8 + blocks / 2;
        // No branch: frames of all lengths come mixed.
        let short = (blocks <= SIDE_BY_SIDE as usize) as usize;
        let key = units ^ ((units ^ blocks) & short.wrapping_neg());
        let other = (self.aad_len.wrapping_sub(17) >= 16) | (self.text_len < 16) | (key > 255);
        (key | (other as usize).wrapping_neg()).to_le_bytes()[0]
    }

    /// How its GHASH goes.
    #[inline(always)]
    pub(super) const fn kind(&self) -> Kind {
        if self.aad_len.wrapping_sub(17) >= 16 {
            Kind::Other
        } else if self.text_len.wrapping_sub(16) < CHUNK {
            Kind::Short
        } else if self.text_len.wrapping_sub(16) < 16 * ONE_SUM - 15 {
            Kind::Long
        } else {
            Kind::Other
        }
    }

    /// Octets behind the text's first block.
    #[inline(always)]
    pub(super) const fn body_len(&self) -> usize {
        self.text_len.saturating_sub(16)
    }

    /// Where they begin, if there are any.
    #[inline(always)]
    pub(super) const fn body(&self) -> *mut u8 {
        self.text.wrapping_add(16)
    }
}
