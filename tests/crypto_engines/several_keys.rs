//! Bursts whose frames come under several keys: each frame is opened under its own, whatever engines the keys
//! are of, and as a call for each key by itself would have it.

use macsec_gateway::crypto::{AeadKey, BURST_CAPACITY, Opened, SaKey, open_each};

use super::frames::{Frame, Octets, engines, key, keys, sealed, with_burst};

/// Keys by each engine from the same octets, the one that seals first.
struct Saks(Vec<Vec<SaKey>>);

impl Saks {
    /// So many of each length.
    fn new(octets: &mut Octets, count: usize, lengths: &[usize]) -> Self {
        let lengths = lengths.iter().cycle().take(count * lengths.len());
        Self(lengths.map(|&len| keys(octets, len)).collect())
    }

    fn engines(&self) -> usize {
        self.0[0].len()
    }

    /// The clear frames sealed, frame `i` under SAK `of[i]`.
    fn seal(&self, clear: &[Frame], of: &[usize]) -> Vec<Frame> {
        let frames = clear.iter().zip(of);
        let seal =
            |(frame, &sak): (&Frame, &usize)| sealed(&self.0[sak][0], std::slice::from_ref(frame));
        frames.flat_map(seal).collect()
    }
}

/// Opens frames under those keys; what a key by itself says of its frame is the same.
fn opened(keys: &[&dyn AeadKey], sealed: &[Frame]) -> (Opened, Vec<Frame>) {
    let mut frames = sealed.to_vec();
    let opened = with_burst(&mut frames, |burst| open_each(keys, burst));
    for (index, (key, frame)) in keys.iter().zip(sealed).enumerate() {
        let mut alone = [frame.clone()];
        let verdict = with_burst(&mut alone, |burst| key.open(burst));
        assert_eq!(
            verdict.is_ok(0),
            opened.is_ok(index),
            "frame {index}: {frame:?}"
        );
        assert!(alone[0].octets()[..frame.len - 16] == frames[index].octets()[..frame.len - 16]);
    }
    (opened, frames)
}

/// All are authentic but those of `wrong`, which are wiped.
fn assert_opened(keys: &[&dyn AeadKey], sealed: &[Frame], clear: &[Frame], wrong: u64) {
    let (verdicts, frames) = opened(keys, sealed);
    for (index, (frame, clear)) in frames.iter().zip(clear).enumerate() {
        let is_wrong = wrong >> index & 1 == 1;
        assert_eq!(verdicts.is_ok(index), !is_wrong, "frame {index}: {clear:?}");
        if is_wrong {
            assert!(
                frame.text().iter().all(|&octet| octet == 0),
                "frame {index}"
            );
        } else {
            assert!(
                frame.aad_and_text() == clear.aad_and_text(),
                "frame {index}"
            );
        }
    }
    assert_eq!(
        verdicts.0.count_ones() as usize + wrong.count_ones() as usize,
        clear.len()
    );
}

/// Which of `count` keys each of `frames` frames is under: each in turn, in stretches, by chance.
fn orders(octets: &mut Octets, count: usize, frames: usize) -> [Vec<usize>; 3] {
    [
        (0..frames).map(|frame| frame % count).collect(),
        (0..frames).map(|frame| frame / 3 % count).collect(),
        (0..frames).map(|_| octets.below(count)).collect(),
    ]
}

#[test]
fn every_frame_is_opened_under_its_own_key() {
    let mut octets = Octets(0xCBBB_9D5D_C105_9ED8);
    for lengths in [&[16][..], &[32], &[16, 32]] {
        let saks = Saks::new(&mut octets, 7, lengths);
        for size in 1..=BURST_CAPACITY {
            for longest in [1, 64, 300, 1600] {
                let clear: Vec<_> = (0..size)
                    .map(|_| {
                        let aad_len = [20, 28, 28, 28, 58][octets.below(5)];
                        let text_len = octets.below(longest);
                        Frame::random(&mut octets, aad_len, text_len)
                    })
                    .collect();
                for of in orders(&mut octets, saks.0.len(), size) {
                    let sealed = saks.seal(&clear, &of);
                    for engine in 0..saks.engines() {
                        let keys: Vec<_> = of.iter().map(|&sak| &*saks.0[sak][engine]).collect();
                        assert_opened(&keys, &sealed, &clear, 0);
                    }
                }
            }
        }
    }
}

#[test]
fn on_every_length_of_text() {
    let mut octets = Octets(0x629A_292A_367C_D507);
    for sak_len in [16, 32] {
        let saks = Saks::new(&mut octets, 4, &[sak_len]);
        for text_len in (0..=600).chain(1480..=1500).chain([8950, 9000]) {
            // One more than go together.
            let clear: Vec<_> = (0..5)
                .map(|_| Frame::random(&mut octets, 28, text_len))
                .collect();
            let of = [0, 1, 2, 3, 1];
            let sealed = saks.seal(&clear, &of);
            for engine in 0..saks.engines() {
                let keys = of.map(|sak| &*saks.0[sak][engine]);
                assert_opened(&keys, &sealed, &clear, 0);
            }
        }
    }
}

#[test]
fn keys_of_several_engines_go_into_one_burst() {
    let mut octets = Octets(0x9159_015A_3070_DD17);
    let saks = Saks::new(&mut octets, 5, &[32, 16]);
    for size in [2, 3, 7, 32, BURST_CAPACITY] {
        for _ in 0..50 {
            let clear: Vec<_> = (0..size)
                .map(|_| {
                    let text_len = octets.below(200);
                    Frame::random(&mut octets, 28, text_len)
                })
                .collect();
            let of: Vec<_> = (0..size).map(|_| octets.below(saks.0.len())).collect();
            let sealed = saks.seal(&clear, &of);
            let keys: Vec<_> = of
                .iter()
                .map(|&sak| &*saks.0[sak][octets.below(saks.engines())])
                .collect();
            assert_opened(&keys, &sealed, &clear, 0);
        }
    }
}

#[test]
fn a_frame_that_was_changed_or_is_another_keys_is_refused_and_its_neighbours_are_not() {
    let mut octets = Octets(0x152F_ECD8_F70E_5939);
    let saks = Saks::new(&mut octets, 6, &[32]);
    for text_len in [1, 48, 52, 64, 100, 200, 256, 300, 1500] {
        let clear: Vec<_> = (0..9)
            .map(|_| Frame::random(&mut octets, 28, text_len))
            .collect();
        let of: Vec<_> = (0..9).map(|frame| frame % 6).collect();
        let sound = saks.seal(&clear, &of);
        for engine in 0..saks.engines() {
            let own: Vec<_> = of.iter().map(|&sak| &*saks.0[sak][engine]).collect();
            for wrong in 0..9 {
                let mut keys = own.clone();
                keys[wrong] = &*saks.0[(of[wrong] + 1) % 6][engine];
                assert_opened(&keys, &sound, &clear, 1 << wrong);
                for bit in [
                    0,
                    28 * 8 + 3,
                    (28 + text_len) * 8,
                    (28 + text_len + 16) * 8 - 1,
                ] {
                    let mut changed = sound.clone();
                    changed[wrong].octets_mut()[bit / 8] ^= 1 << (bit % 8);
                    assert_opened(&own, &changed, &clear, 1 << wrong);
                }
            }
        }
    }
}

#[test]
fn frames_without_a_key_and_frames_that_can_not_be_are_left_alone() {
    let mut octets = Octets(0x4A7D_8C1E_33F0_52B9);
    for engine in engines() {
        let saks: Vec<_> = (0..3).map(|_| octets.vec(32)).collect();
        let keys: Vec<_> = saks.iter().map(|sak| key(&*engine, sak)).collect();
        let clear: Vec<_> = (0..3).map(|_| Frame::random(&mut octets, 28, 50)).collect();
        let sound: Vec<_> = clear
            .iter()
            .zip(&keys)
            .flat_map(|(frame, key)| sealed(key, std::slice::from_ref(frame)))
            .collect();
        let all: Vec<_> = keys.iter().map(|key| &**key).collect();
        for count in 0..=3 {
            let mut frames = sound.clone();
            let opened = with_burst(&mut frames, |burst| open_each(&all[..count], burst));
            assert_eq!(opened.0, (1 << count) - 1);
            assert!((count..3).all(|at| frames[at].octets() == sound[at].octets()));
            // And keys without a frame.
            let mut frames = sound[..count].to_vec();
            let opened = with_burst(&mut frames, |burst| open_each(&all, burst));
            assert_eq!(opened.0, (1 << count) - 1);
        }
        // One in the middle says more than its buffer holds.
        let mut frames = sound.clone();
        let opened = with_burst(&mut frames, |burst| {
            burst[1].len = usize::MAX;
            open_each(&all, burst)
        });
        assert_eq!(opened.0, 0b101);
        assert!(frames[1].octets() == sound[1].octets());
    }
}

#[test]
fn frames_past_the_burst_capacity_are_left_alone() {
    let mut octets = Octets(0x67B4_12CE_9F00_D1A3);
    let count = BURST_CAPACITY + 3;
    let saks = Saks::new(&mut octets, 5, &[32]);
    let clear: Vec<_> = (0..count)
        .map(|_| Frame::random(&mut octets, 28, 60))
        .collect();
    let of: Vec<_> = (0..count).map(|frame| frame % 5).collect();
    let sound = saks.seal(&clear, &of);
    for engine in 0..saks.engines() {
        let keys: Vec<_> = of.iter().map(|&sak| &*saks.0[sak][engine]).collect();
        let mut frames = sound.clone();
        let opened = with_burst(&mut frames, |burst| open_each(&keys, burst));
        assert_eq!(opened.0, u64::MAX);
        assert!((BURST_CAPACITY..count).all(|at| frames[at].octets() == sound[at].octets()));
    }
}
