//! Every engine against every other, and against the standard's figures.
//!
//! Lengths: where engines change their stride (0 to 300), around a full frame (1400 to 1520), and a
//! jumbo frame. Additional data: every length that 802.1AE gives rise to here.
#![cfg(feature = "std")]
#![expect(clippy::unwrap_used, reason = "a test ends where it can't go on")]

use macsec_gateway::crypto::{
    AeadFrame, BURST_CAPACITY, KeyFactory, NONCE_LEN, Opened, SaKey, Sak, TAG_LEN, engine,
};
use serde_json::Value;

/// Addresses and SecTAG without and with SCI, each with confidentiality offsets 0, 30 and 50.
const AAD_LENGTHS: [usize; 6] = [20, 28, 50, 58, 70, 78];

fn lengths() -> impl Iterator<Item = usize> {
    (0..=300).chain(1400..=1520).chain([9000])
}

fn engines() -> Vec<Box<dyn KeyFactory>> {
    vec![Box::new(engine::RingEngine), Box::new(engine::AesGcmEngine)]
}

/// Octets that look random and are the same in every run.
struct Octets(u64);

impl Octets {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() >> 16).unwrap() % bound
    }

    fn vec(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.next().to_be_bytes()[3]).collect()
    }
}

#[derive(Clone, Debug, PartialEq)]
struct Frame {
    nonce: [u8; NONCE_LEN],
    aad_len: usize,
    buffer: Vec<u8>,
}

impl Frame {
    fn random(octets: &mut Octets, aad_len: usize, text_len: usize) -> Self {
        Self {
            nonce: octets.vec(NONCE_LEN).try_into().unwrap(),
            aad_len,
            buffer: octets.vec(aad_len + text_len + TAG_LEN),
        }
    }

    fn aad_and_text(&self) -> &[u8] {
        &self.buffer[..self.buffer.len() - TAG_LEN]
    }

    fn text(&self) -> &[u8] {
        &self.aad_and_text()[self.aad_len..]
    }
}

fn with_burst<R>(frames: &mut [Frame], work: impl FnOnce(&mut [AeadFrame<'_>]) -> R) -> R {
    let mut burst: Vec<_> = frames
        .iter_mut()
        .map(|frame| AeadFrame::exact(frame.nonce, frame.aad_len, &mut frame.buffer))
        .collect();
    work(&mut burst)
}

fn sealed(key: &SaKey, clear: &[Frame]) -> Vec<Frame> {
    let mut frames = clear.to_vec();
    with_burst(&mut frames, |burst| key.seal(burst));
    frames
}

fn opened(key: &SaKey, sealed: &[Frame]) -> (Opened, Vec<Frame>) {
    let mut frames = sealed.to_vec();
    let opened = with_burst(&mut frames, |burst| key.open(burst));
    (opened, frames)
}

fn key(engine: &dyn KeyFactory, octets: &[u8]) -> SaKey {
    engine
        .make_key(&Sak::take(&mut octets.to_vec()).unwrap())
        .unwrap()
}

/// Seals `clear` by each engine, compares what comes out, and opens it by each engine.
fn assert_alike(keys: &[SaKey], clear: &[Frame]) {
    let first = sealed(&keys[0], clear);
    for other in &keys[1..] {
        assert_eq!(first, sealed(other, clear));
    }
    for key in keys {
        let (verdicts, frames) = opened(key, &first);
        for (index, (frame, clear)) in frames.iter().zip(clear).enumerate() {
            assert!(
                verdicts.is_ok(index),
                "frame {index} of {}",
                clear.buffer.len()
            );
            assert_eq!(frame.aad_and_text(), clear.aad_and_text());
        }
    }
}

/// Keys of one length by every engine.
fn keys(octets: &mut Octets, sak_len: usize) -> Vec<SaKey> {
    let sak = octets.vec(sak_len);
    engines()
        .iter()
        .map(|engine| key(&**engine, &sak))
        .collect()
}

#[test]
fn engines_agree_on_every_length() {
    let mut octets = Octets(0x9E37_79B9_7F4A_7C15);
    for sak_len in [16, 32] {
        let keys = keys(&mut octets, sak_len);
        for text_len in lengths() {
            let mut clear: Vec<_> = AAD_LENGTHS
                .iter()
                .map(|&aad_len| Frame::random(&mut octets, aad_len, text_len))
                .collect();
            // Integrity only: the whole frame is additional data, and the text is empty.
            clear.push(Frame::random(&mut octets, text_len, 0));
            assert_alike(&keys, &clear);
        }
    }
}

#[test]
fn engines_agree_on_bursts_of_every_size_with_mixed_lengths() {
    let mut octets = Octets(0xD1B5_4A32_D192_ED03);
    for sak_len in [16, 32] {
        let keys = keys(&mut octets, sak_len);
        for size in 1..=BURST_CAPACITY {
            let clear: Vec<_> = (0..size)
                .map(|_| {
                    let aad_len = AAD_LENGTHS[octets.below(AAD_LENGTHS.len())];
                    let text_len = octets.below(1600);
                    Frame::random(&mut octets, aad_len, text_len)
                })
                .collect();
            assert_alike(&keys, &clear);
        }
    }
}

#[test]
fn sealing_changes_text_and_tag_and_nothing_else() {
    let mut octets = Octets(0x1234_5678_9ABC_DEF1);
    for key in keys(&mut octets, 32) {
        let clear = [Frame::random(&mut octets, 28, 100)];
        let after = sealed(&key, &clear);
        assert_eq!(after[0].buffer[..28], clear[0].buffer[..28]);
        assert_ne!(after[0].text(), clear[0].text());
        assert_ne!(after[0].buffer[128..], clear[0].buffer[128..]);
    }
}

#[test]
fn any_single_bit_changed_is_refused_and_the_text_wiped() {
    let mut octets = Octets(0xBF58_476D_1CE4_E5B9);
    for sak_len in [16, 32] {
        let keys = keys(&mut octets, sak_len);
        for (aad_len, text_len) in [
            (20, 0),
            (20, 1),
            (28, 16),
            (50, 17),
            (28, 46),
            (60, 0),
            (28, 260),
        ] {
            let sound =
                sealed(&keys[0], &[Frame::random(&mut octets, aad_len, text_len)]).remove(0);
            for key in &keys {
                assert_bits_matter(key, &sound);
            }
        }
    }
}

/// Opens a burst of 63 frames with one bit changed each and one that is sound among them, until
/// every bit was changed.
fn assert_bits_matter(key: &SaKey, sound: &Frame) {
    let bits: Vec<_> = (0..sound.buffer.len() * 8).collect();
    for chunk in bits.chunks(BURST_CAPACITY - 1) {
        let mut burst: Vec<_> = chunk
            .iter()
            .map(|bit| {
                let mut frame = sound.clone();
                frame.buffer[bit / 8] ^= 1 << (bit % 8);
                frame
            })
            .collect();
        let place = chunk.len() / 2;
        burst.insert(place, sound.clone());
        let (verdicts, frames) = opened(key, &burst);
        assert_eq!(verdicts.0, 1 << place);
        for (index, frame) in frames
            .iter()
            .enumerate()
            .filter(|(index, _)| *index != place)
        {
            assert!(
                frame.text().iter().all(|&octet| octet == 0),
                "frame {index}"
            );
        }
    }
}

#[test]
fn another_nonce_or_key_is_refused() {
    let mut octets = Octets(0x94D0_49BB_1331_11EB);
    for sak_len in [16, 32] {
        let sak = octets.vec(sak_len);
        for engine in engines() {
            let key_a = key(&*engine, &sak);
            let sound = sealed(&key_a, &[Frame::random(&mut octets, 28, 64)]);
            for bit in 0..NONCE_LEN * 8 {
                let mut changed = sound.clone();
                changed[0].nonce[bit / 8] ^= 1 << (bit % 8);
                assert_eq!(opened(&key_a, &changed).0, Opened(0));
            }
            for bit in 0..sak_len * 8 {
                let mut other = sak.clone();
                other[bit / 8] ^= 1 << (bit % 8);
                assert_eq!(opened(&key(&*engine, &other), &sound).0, Opened(0));
            }
        }
    }
}

#[test]
fn a_buffer_that_is_too_short_is_left_alone_and_its_neighbours_are_not() {
    let mut octets = Octets(0x2545_F491_4F6C_DD1D);
    for key in keys(&mut octets, 16) {
        for short in 0..28 + TAG_LEN {
            let mut cut = Frame::random(&mut octets, 28, 0);
            cut.buffer.truncate(short);
            let clear = [
                Frame::random(&mut octets, 28, 50),
                cut,
                Frame::random(&mut octets, 20, 9),
            ];
            let after = sealed(&key, &clear);
            assert_eq!(after[1], clear[1]);
            let (verdicts, back) = opened(&key, &after);
            assert_eq!(verdicts.0, 0b101);
            assert_eq!(back[1], clear[1]);
            assert_eq!(back[2].text(), clear[2].text());
        }
    }
}

#[test]
fn frames_past_the_burst_capacity_are_left_alone() {
    let mut octets = Octets(0xA076_1D64_78BD_642F);
    for key in keys(&mut octets, 32) {
        let clear: Vec<_> = (0..BURST_CAPACITY + 3)
            .map(|_| Frame::random(&mut octets, 28, 60))
            .collect();
        let after = sealed(&key, &clear);
        assert_ne!(after[BURST_CAPACITY - 1], clear[BURST_CAPACITY - 1]);
        assert_eq!(after[BURST_CAPACITY..], clear[BURST_CAPACITY..]);
        let (verdicts, back) = opened(&key, &after);
        assert_eq!(verdicts.0, u64::MAX);
        assert_eq!(back[BURST_CAPACITY..], clear[BURST_CAPACITY..]);
    }
}

#[test]
fn an_empty_burst_is_nothing() {
    let mut octets = Octets(1);
    for key in keys(&mut octets, 16) {
        key.seal(&mut []);
        assert_eq!(key.open(&mut []), Opened(0));
    }
}

fn hex(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap();
    let mut out = vec![0; text.len() / 2];
    macsec_gateway::ieee::decode_hex(text.as_bytes(), &mut out).unwrap();
    out
}

/// IEEE Std 802.1AE-2018 Annex C: all frames, in both directions.
#[test]
fn engines_give_the_figures_of_the_standard() {
    let file = include_str!("vectors/ieee-802.1ae-annex-c.json");
    let file: Value = serde_json::from_str(file).unwrap();
    let vectors = file["vectors"].as_array().unwrap();
    assert_eq!(vectors.len(), 16);
    for vector in vectors {
        let (plain, protected) = (hex(&vector["plaintext"]), hex(&vector["secured"]));
        let tci_an = u8::from_str_radix(vector["tci_an"].as_str().unwrap(), 16).unwrap();
        let (addresses, explicit_sci, encrypted) = (12, tci_an & 0x20 != 0, tci_an & 0x0C != 0);
        let sec_tag_end = addresses + if explicit_sci { 16 } else { 8 };
        let aad_len = if encrypted {
            sec_tag_end
        } else {
            protected.len() - TAG_LEN
        };
        let clear = Frame {
            nonce: hex(&vector["iv"]).try_into().unwrap(),
            aad_len,
            buffer: [
                &protected[..sec_tag_end],
                &plain[addresses..],
                &[0; TAG_LEN],
            ]
            .concat(),
        };
        for engine in engines() {
            let key = key(&*engine, &hex(&vector["sak"]));
            let after = sealed(&key, std::slice::from_ref(&clear));
            let what = format!("{} by {}", vector["ieee_annex_c"], engine.name());
            assert_eq!(after[0].buffer, protected, "{what}");
            let (verdicts, back) = opened(&key, &after);
            assert!(verdicts.is_ok(0), "{what}");
            assert_eq!(back[0].aad_and_text(), clear.aad_and_text(), "{what}");
        }
    }
}
