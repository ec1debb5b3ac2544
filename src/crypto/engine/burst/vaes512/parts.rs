//! A frame as the kernel takes it: checked once, its parts by themselves.

use super::{aes::LONGEST_TEXT, lanes::UNIT, tables::Tables};
use crate::crypto::{AeadFrame, NONCE_LEN, TAG_LEN};

/// The longest additional data: longer than any frame, and few enough for its length in bits.
const LONGEST_AAD: usize = 1 << 20;

/// The parts of a frame.
pub(super) struct Parts<'a> {
    /// Its place in the burst.
    pub(super) index: u8,
    /// Its key's.
    pub(super) tables: &'a Tables,
    pub(super) nonce: &'a [u8; NONCE_LEN],
    pub(super) aad: &'a [u8],
    pub(super) text: &'a mut [u8],
    pub(super) tag: &'a mut [u8; TAG_LEN],
}

impl<'a> Parts<'a> {
    /// The parts of `frame`, which is under the key that `tables` are of; `None` where its buffer can't hold
    /// them.
    #[inline]
    pub(super) fn of(index: u8, tables: &'a Tables, frame: &'a mut AeadFrame<'_>) -> Option<Self> {
        let octets = frame.buffer.get_mut(..frame.len)?;
        let (front, tag) = octets.split_last_chunk_mut()?;
        let (aad, text) = front.split_at_mut_checked(frame.aad_len)?;
        Some(Self {
            index,
            tables,
            nonce: &frame.nonce,
            aad,
            text,
            tag,
        })
    }

    /// How the frame is worked on; `None` where it is too long.
    #[inline]
    pub(super) fn way(&self) -> Option<Way> {
        match (self.text.len(), self.aad.len()) {
            (text @ 1..=MOST_ABREAST, 17..=32) => Some(Way::ABREAST[(text - 1) / UNIT]),
            (0..=LONGEST_TEXT, 0..=LONGEST_AAD) => Some(Way::Alone),
            _ => None,
        }
    }
}

/// The longest text that is worked on beside others.
const MOST_ABREAST: usize = 4 * UNIT;

/// How a frame is worked on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Beside others whose text has as many units, where additional data has two blocks.
    Abreast1,
    Abreast2,
    Abreast3,
    Abreast4,
    /// By itself.
    Alone,
}

impl Way {
    /// How many ways there are.
    pub(super) const COUNT: usize = 5;

    const ABREAST: [Self; 4] = [
        Self::Abreast1,
        Self::Abreast2,
        Self::Abreast3,
        Self::Abreast4,
    ];
}
