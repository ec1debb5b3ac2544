//! A burst of frames of mixed lengths with room behind their tags: what an engine does on a frame path.
//!
//! The figures above it come one at a time and without room, which an engine of our own leaves to a library.
//! The tags here were computed by two other implementations, which `tests` asks again.

use alloc::{vec, vec::Vec};

use super::{
    super::{AeadFrame, KeyError, KeyFactory, NONCE_LEN, Sak, TAG_LEN},
    SelfTestError,
};

/// Octets of additional data, octets of text, and the tag under each key.
struct Figure {
    aad_len: usize,
    text_len: usize,
    /// Under the key of 16 octets, and under that of 32.
    tags: [u128; 2],
}

const fn figure(aad_len: usize, text_len: usize, short: u128, long: u128) -> Figure {
    Figure {
        aad_len,
        text_len,
        tags: [short, long],
    }
}

/// Short ones that share steps, one of whole chunks, and some whose rest goes on with the next frame.
static FIGURES: [Figure; 10] = [
    figure(
        20,
        46,
        0x86f9_1537_1c95_84ce_5105_2e8f_1b31_36d5,
        0xbd2c_8ecb_68f7_83c4_f197_fa41_8a20_1d4d,
    ),
    figure(
        28,
        52,
        0x50e5_d574_aec3_e8b9_1bdd_b933_31a7_bde2,
        0x2b9d_8f21_664f_a67e_1f1b_e608_6b4f_ee09,
    ),
    figure(
        28,
        0,
        0x31d6_0cc5_c7e7_7415_0e5b_a746_487b_579f,
        0xfef1_4261_d15b_b8cd_d913_f6d5_1dc8_25e3,
    ),
    figure(
        28,
        100,
        0x9ef2_cf64_120a_63c2_d1d3_a63e_9883_2886,
        0x7e47_524f_50f9_b716_4cfd_1c1b_a814_85fa,
    ),
    figure(
        20,
        271,
        0x0a08_7353_79b2_454c_e392_d7a7_80db_4c54,
        0xbf1d_9014_816f_08f9_f5e0_45ef_4cec_8977,
    ),
    figure(
        28,
        272,
        0x1e89_62de_a356_e0ba_671d_b46a_87f4_e584,
        0x2a45_46d8_e9ff_f85f_28a5_8b02_1de5_5210,
    ),
    figure(
        28,
        564,
        0x884f_35a2_8780_0f54_da6c_056c_979c_c7b6,
        0xc03b_1a8b_fc93_fbc3_fdf3_f218_5b91_e5f6,
    ),
    figure(
        70,
        0,
        0xf69c_bba7_0f7d_3731_1118_2422_514f_3c81,
        0xbe13_15eb_dee1_a849_9bb3_355f_bd02_ce61,
    ),
    figure(
        58,
        1000,
        0x564d_e100_92c2_473a_3be1_5f98_1c71_7787,
        0xa5e9_0a3f_7989_6eeb_c780_315b_404d_b5f9,
    ),
    figure(
        28,
        1506,
        0xbe82_52fb_6929_b507_0cb3_2a59_be31_4500,
        0xe284_5e1e_75a6_f79b_5657_5526_2fc7_24ac,
    ),
];

/// Octets behind the tag.
const ROOM: usize = 64;

/// What an engine got wrong with a burst.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BurstFault {
    /// Other octets were sealed than another implementation has.
    Sealed,
    /// A frame was refused, or came out as something else.
    Opened,
    /// A frame with a bit changed was taken for authentic.
    Tampered,
    /// The text of a refused frame was left standing.
    TextLeft,
    /// Additional data were changed.
    Additional,
}

/// Seals a burst, compares the tags, opens it with some frames changed.
pub(super) fn run(engine: &dyn KeyFactory) -> Result<(), SelfTestError> {
    [16, 32]
        .into_iter()
        .zip(0..)
        .try_for_each(|(sak_len, key)| check(engine, sak_len, key))
}

fn check(engine: &dyn KeyFactory, sak_len: usize, key: usize) -> Result<(), SelfTestError> {
    let key_error = |error| SelfTestError::Key {
        clause: "a burst",
        error,
    };
    let mut octets: Vec<u8> = (0x40..).take(sak_len).collect();
    let sak = Sak::take(&mut octets).map_err(|_| key_error(KeyError::Refused))?;
    let sa_key = engine.make_key(&sak).map_err(key_error)?;
    let fault = |frame, fault| SelfTestError::Burst {
        sak_len,
        frame,
        fault,
    };

    let mut buffers: Vec<_> = FIGURES.iter().zip(0..).map(|(f, n)| f.clear(n)).collect();
    with_burst(&mut buffers, |burst| sa_key.seal(burst));
    for ((number, figure), buffer) in FIGURES.iter().enumerate().zip(&buffers) {
        if figure.tag(buffer) != figure.tags.get(key).map(|tag| tag.to_be_bytes()).as_ref() {
            return Err(fault(number, BurstFault::Sealed));
        }
    }

    // Every third one is changed, each in another part.
    for ((number, figure), buffer) in FIGURES.iter().enumerate().zip(&mut buffers) {
        let places = [0, figure.aad_len, figure.len() - 1];
        if is_changed(number) {
            let place = places.get(number / 3 % 3).copied().unwrap_or(0);
            if let Some(octet) = buffer.get_mut(place) {
                *octet ^= 0x10;
            }
        }
    }
    let opened = with_burst(&mut buffers, |burst| sa_key.open(burst));
    for ((number, figure), buffer) in FIGURES.iter().enumerate().zip(&buffers) {
        let clear = figure.clear(u8::try_from(number).unwrap_or(0));
        let text = |buffer: &[u8]| figure.text(buffer).to_vec();
        match (is_changed(number), opened.is_ok(number)) {
            (true, true) => return Err(fault(number, BurstFault::Tampered)),
            (true, false) if text(buffer).iter().any(|&octet| octet != 0) => {
                return Err(fault(number, BurstFault::TextLeft));
            }
            (false, false) => return Err(fault(number, BurstFault::Opened)),
            (false, true) if text(buffer) != text(&clear) => {
                return Err(fault(number, BurstFault::Opened));
            }
            (false, true)
                if !buffer
                    .iter()
                    .take(figure.aad_len)
                    .eq(clear.iter().take(figure.aad_len)) =>
            {
                return Err(fault(number, BurstFault::Additional));
            }
            _ => {}
        }
    }
    Ok(())
}

const fn is_changed(number: usize) -> bool {
    number % 3 == 1
}

fn with_burst<R>(buffers: &mut [Vec<u8>], work: impl FnOnce(&mut [AeadFrame<'_>]) -> R) -> R {
    let mut burst: Vec<_> = FIGURES
        .iter()
        .zip(0..)
        .zip(buffers)
        .map(|((figure, number), buffer)| AeadFrame {
            nonce: nonce(number),
            aad_len: figure.aad_len,
            len: figure.len(),
            buffer,
        })
        .collect();
    work(&mut burst)
}

fn nonce(number: u8) -> [u8; NONCE_LEN] {
    let mut nonce = [0x5C; NONCE_LEN];
    nonce[NONCE_LEN - 1] = number;
    nonce
}

impl Figure {
    const fn len(&self) -> usize {
        self.aad_len + self.text_len + TAG_LEN
    }

    /// Octets that count up, from another one in each frame, with zeros for the tag and the room.
    fn clear(&self, number: u8) -> Vec<u8> {
        let mut buffer = vec![0; self.len() + ROOM];
        let octets = (0..=u8::MAX).cycle().skip(usize::from(number) * 37);
        for (to, from) in buffer.iter_mut().take(self.len() - TAG_LEN).zip(octets) {
            *to = from;
        }
        buffer
    }

    fn text<'a>(&self, buffer: &'a [u8]) -> &'a [u8] {
        buffer
            .get(self.aad_len..self.len() - TAG_LEN)
            .unwrap_or_default()
    }

    fn tag<'a>(&self, buffer: &'a [u8]) -> Option<&'a [u8; TAG_LEN]> {
        buffer.get(..self.len())?.last_chunk()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::engine::{AesGcmEngine, RingEngine};

    #[test]
    fn both_libraries_have_the_same_tags() {
        assert_eq!(run(&RingEngine), Ok(()));
        assert_eq!(run(&AesGcmEngine), Ok(()));
    }
}
