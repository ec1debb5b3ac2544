//! Whatever is changed, a frame is refused, its text is wiped, and its neighbours are not touched.

use macsec_gateway::crypto::{BURST_CAPACITY, NONCE_LEN, Opened, SaKey, TAG_LEN};

use super::frames::{Frame, Octets, engines, key, keys, opened, sealed};

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
            (28, 48),
            (60, 0),
            (28, 260),
        ] {
            let sound =
                sealed(&keys[0], &[Frame::random(&mut octets, aad_len, text_len)]).remove(0);
            for key in &keys {
                assert_bits_matter(key, &sound, 1);
            }
        }
    }
}

#[test]
fn a_bit_changed_anywhere_in_a_long_frame_is_refused_and_the_text_wiped() {
    let mut octets = Octets(0x8525_308A_9B1F_77E1);
    for sak_len in [16, 32] {
        let keys = keys(&mut octets, sak_len);
        for (text_len, stride) in [(1506, 97), (8988, 1511)] {
            let sound = sealed(&keys[0], &[Frame::random(&mut octets, 28, text_len)]).remove(0);
            for key in &keys {
                assert_bits_matter(key, &sound, stride);
            }
        }
    }
}

/// Opens bursts of frames with one bit changed each and one that is sound among them, until every
/// `stride`th bit was changed.
fn assert_bits_matter(key: &SaKey, sound: &Frame, stride: usize) {
    let bits: Vec<_> = (0..sound.len * 8).step_by(stride).collect();
    for chunk in bits.chunks(BURST_CAPACITY - 1) {
        let mut burst: Vec<_> = chunk
            .iter()
            .map(|bit| {
                let mut frame = sound.clone();
                frame.octets_mut()[bit / 8] ^= 1 << (bit % 8);
                frame
            })
            .collect();
        let place = chunk.len() / 2;
        burst.insert(place, sound.clone());
        let (verdicts, frames) = opened(key, &burst);
        assert_eq!(verdicts.0, 1 << place, "{sound:?}");
        for (index, frame) in frames.iter().enumerate() {
            let wiped = frame.text().iter().all(|&octet| octet == 0);
            assert!(index == place || wiped, "frame {index} of {sound:?}");
            // Additional data is not the engine's to change, whatever it finds.
            assert_eq!(
                frame.octets()[..frame.aad_len],
                burst[index].octets()[..frame.aad_len]
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
fn sealing_changes_text_and_tag_and_nothing_else() {
    let mut octets = Octets(0x1234_5678_9ABC_DEF1);
    for key in keys(&mut octets, 32) {
        let clear = [Frame::random(&mut octets, 28, 100)];
        let after = sealed(&key, &clear);
        assert_eq!(after[0].octets()[..28], clear[0].octets()[..28]);
        assert_ne!(after[0].text(), clear[0].text());
        assert_ne!(after[0].octets()[128..], clear[0].octets()[128..]);
    }
}

#[test]
fn a_frame_that_is_too_short_is_left_alone_and_its_neighbours_are_not() {
    let mut octets = Octets(0x2545_F491_4F6C_DD1D);
    for key in keys(&mut octets, 16) {
        for short in 0..28 + TAG_LEN {
            let content = octets.vec(short);
            let clear = [
                Frame::random(&mut octets, 28, 50),
                Frame::new([7; NONCE_LEN], 28, &content),
                Frame::random(&mut octets, 20, 9),
            ];
            let after = sealed(&key, &clear);
            assert_eq!(after[1].octets(), clear[1].octets());
            let (verdicts, back) = opened(&key, &after);
            assert_eq!(verdicts.0, 0b101);
            assert_eq!(back[1].octets(), clear[1].octets());
            assert_eq!(back[2].text(), clear[2].text());
        }
    }
}

/// A length that the buffer can't hold, or additional data that the length can't: neither is believed.
#[test]
fn a_frame_that_says_more_than_its_buffer_holds_is_left_alone() {
    let mut octets = Octets(0x1F83_D9AB_FB41_BD6B);
    for key in keys(&mut octets, 32) {
        let clear = vec![Frame::random(&mut octets, 28, 50); 3];
        let content = clear[1].octets().to_vec();
        for (aad_len, len) in [
            (28, content.len() + 1000),
            (28, usize::MAX),
            (usize::MAX, content.len()),
            (content.len() - TAG_LEN + 1, content.len()),
            (0, TAG_LEN - 1),
        ] {
            let mut frames = clear.clone();
            let mut burst: Vec<_> = frames.iter_mut().map(Frame::as_aead).collect();
            (burst[1].aad_len, burst[1].len) = (aad_len, len);
            key.seal(&mut burst);
            let verdicts = key.open(&mut burst);
            assert_eq!(verdicts.0, 0b101, "{aad_len} {len}");
            assert_eq!(frames[1].octets(), content);
            assert_eq!(frames[2].aad_and_text(), clear[2].aad_and_text());
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
        let same = |at: usize| after[at].octets() == clear[at].octets();
        assert!((0..BURST_CAPACITY).all(|at| !same(at)));
        assert!((BURST_CAPACITY..after.len()).all(same));
        let (verdicts, back) = opened(&key, &after);
        assert_eq!(verdicts.0, u64::MAX);
        assert!((BURST_CAPACITY..back.len()).all(|at| back[at].octets() == clear[at].octets()));
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
