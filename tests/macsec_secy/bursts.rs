//! What becomes of a frame does not depend on the frames around it: a burst ends as its frames do one by
//! one, and frames of the usual form as they do where none is looked at as usual.

use macsec_gateway::ieee::{CipherSuite, Pn};
use macsec_gateway::macsec::{
    Confidentiality, FrameBuf, FrameSet, Replay, SealPlans, TxCounters, Verdicts,
};

use crate::bed::{AN, Channel, counting};
use crate::frame::VecFrame;

const CONFIDENTIALITIES: [Confidentiality; 4] = [
    Confidentiality::IntegrityOnly,
    Confidentiality::Offset0,
    Confidentiality::Offset30,
    Confidentiality::Offset50,
];

/// Marsaglia's xorshift: the same numbers in every run.
pub(crate) struct Noise(pub(crate) u64);

impl Noise {
    fn octet(&mut self, n: u8) -> u8 {
        u8::try_from(self.below(n.into())).unwrap()
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % n as u64).unwrap()
    }
}

/// Channels of every kind that changes the way of a frame.
fn channels() -> impl Iterator<Item = Channel> {
    let suites = [CipherSuite::GcmAes128, CipherSuite::GcmAesXpn256];
    let replays = [Replay::Strict, Replay::Window(5), Replay::Off];
    suites.into_iter().flat_map(move |suite| {
        CONFIDENTIALITIES
            .into_iter()
            .filter(move |confidentiality| !suite.is_xpn() || matches!(confidentiality.offset(), 0))
            .flat_map(move |confidentiality| {
                replays.into_iter().flat_map(move |replay| {
                    [0, 1].map(move |clear_vlan_tags| Channel {
                        suite,
                        confidentiality,
                        replay,
                        clear_vlan_tags,
                        ..Channel::default()
                    })
                })
            })
    })
}

/// Plain frames of many lengths: too short, short, at the short length's edge, with tags and without.
fn plain(noise: &mut Noise, count: usize) -> Vec<Vec<u8>> {
    let lens = [
        14, 17, 20, 46, 58, 59, 60, 61, 64, 78, 130, 1518, 9015, 9016,
    ];
    (0..count)
        .map(|_| {
            let tags = if noise.below(4) == 0 {
                noise.below(3)
            } else {
                0
            };
            counting(lens[noise.below(lens.len())].max(14 + 4 * tags), tags)
        })
        .collect()
}

fn frames(octets: &[Vec<u8>]) -> Vec<VecFrame> {
    octets.iter().map(|octets| VecFrame::new(octets)).collect()
}

/// What a burst of them gives, frame by frame.
fn protected(channel: &Channel, octets: &[Vec<u8>], burst: usize) -> Vec<Option<Vec<u8>>> {
    let mut tx = channel.tx();
    let mut out = Vec::new();
    for octets in octets.chunks(burst) {
        let mut frames = frames(octets);
        let passed = tx.burst(&mut frames).passed();
        let one =
            |(at, frame): (usize, &VecFrame)| passed.contains(at).then(|| frame.octets().to_vec());
        out.extend(frames.iter().enumerate().map(one));
    }
    out
}

fn validated(channel: &Channel, octets: &[Vec<u8>], burst: usize) -> Vec<Option<Vec<u8>>> {
    let mut rx = channel.rx();
    let mut out = Vec::new();
    for octets in octets.chunks(burst) {
        let mut frames = frames(octets);
        let passed = rx.burst(&mut frames).passed();
        let one =
            |(at, frame): (usize, &VecFrame)| passed.contains(at).then(|| frame.octets().to_vec());
        out.extend(frames.iter().enumerate().map(one));
    }
    let ok = out.iter().flatten().count() as u64;
    let counters = &rx.scs[0];
    assert_eq!(
        counters.in_pkts_ok.value() + counters.in_pkts_delayed.value(),
        ok
    );
    out
}

#[test]
fn a_burst_is_protected_as_its_frames_are() {
    let mut noise = Noise(0x9e37_79b9_7f4a_7c15);
    for channel in channels() {
        let plain = plain(&mut noise, 64);
        let alone = protected(&channel, &plain, 1);
        assert!(alone.iter().flatten().count() > 40);
        for burst in [2, 33, 64] {
            assert_eq!(protected(&channel, &plain, burst), alone, "{channel:?}");
        }
    }
}

/// Some of a burst's frames, with chained ones and ones without room among them, up to the end of the
/// numbers: sealed at once and in pieces.
#[test]
fn a_burst_is_protected_in_pieces_as_it_is_at_once() {
    let mut noise = Noise(0x2545_f491_4f6c_dd1d);
    for channel in channels() {
        let (mut whole, mut pieces) = (channel.tx_until(Pn(150)), channel.tx_until(Pn(150)));
        let mut plans = SealPlans::new();
        let (mut passed, mut refused) = (0, 0);
        for _ in 0..6 {
            let mut frames = frames(&plain(&mut noise, 64));
            frames[noise.below(64)] = VecFrame::chained(&[1; 60]);
            frames[noise.below(64)] = VecFrame::with_room(&[2; 60], 64, 15);
            frames[noise.below(64)] = VecFrame::with_room(&[3; 60], 7, 64);
            let todo = FrameSet(noise.0 | 0xffff << noise.below(48));
            let mut later = frames.clone();
            let (mut verdicts, mut verdicts_later) = (Verdicts::new(), Verdicts::new());
            whole.protect_burst(&mut frames, todo, &mut verdicts);
            pieces.prepare(&mut later, todo, &mut plans, &mut verdicts_later);
            if let Some(key) = pieces.key(&plans).cloned() {
                plans.seal(&*key, &mut later);
            }
            pieces.finish(&mut later, &plans);
            assert_eq!(verdicts.passed(), verdicts_later.passed());
            for at in 0..64 {
                let (reason, reason_later) = (verdicts.reject_of(at), verdicts_later.reject_of(at));
                assert_eq!(reason, reason_later, "{at}");
                if reason.is_none() {
                    assert_eq!(frames[at].octets(), later[at].octets(), "{at}, {channel:?}");
                }
            }
            passed += verdicts.passed().len();
            refused += verdicts.rejected().len();
        }
        // The first number is 1, and 150 is the first that is not the SA's.
        assert_eq!(passed, 149, "{channel:?}");
        assert!(refused > 50);
        let (at_once, in_pieces) = (whole.counters(), pieces.counters());
        for entry in TxCounters::CATALOGUE {
            let counts = (entry.read(&at_once), entry.read(&in_pieces));
            assert_eq!(counts.0, counts.1, "{}", entry.name);
        }
        assert_eq!(whole.sa(AN).unwrap().next_pn(), Pn(150));
    }
}

/// A link with clear tags looks at each frame closely; frames without tags must not show it.
#[test]
fn the_usual_frame_is_protected_as_any_other() {
    let mut noise = Noise(7);
    for channel in channels().filter(|channel| channel.clear_vlan_tags == 0) {
        let mut plain = plain(&mut noise, 64);
        plain.retain(|frame| frame[12..14] == [8, 0]);
        let closely = Channel {
            clear_vlan_tags: 2,
            ..channel
        };
        assert_eq!(
            protected(&channel, &plain, 64),
            protected(&closely, &plain, 64),
            "{channel:?}"
        );
    }
}

/// Changes some frames and their order, each in a way that a look at the header may miss.
pub(crate) fn tamper(noise: &mut Noise, secured: &mut [Vec<u8>]) {
    for _ in 0..noise.below(12) {
        let at = noise.below(secured.len());
        let other = noise.below(secured.len());
        if secured[at].len() < 28 {
            continue;
        }
        match noise.below(8) {
            0 => secured.swap(at, other),
            1 => secured[at] = secured[other].clone(),
            2 => {
                let bit = noise.below(8 * secured[at].len());
                secured[at][bit / 8] ^= 1 << (bit % 8);
            }
            // Within the SecTAG.
            3 => {
                let bit = 8 * 12 + noise.below(8 * 16);
                secured[at][bit / 8] ^= 1 << (bit % 8);
            }
            4 => {
                let len = 12 + noise.below(secured[at].len() - 12);
                secured[at].truncate(len);
            }
            5 => secured[at].extend(vec![0; 1 + noise.below(30)]),
            // The number, far ahead or 0.
            6 => secured[at][16..20].copy_from_slice(&[0, noise.octet(2), 0, 0]),
            _ => secured[at][15] = noise.octet(64),
        }
    }
}

#[test]
fn a_burst_is_validated_as_its_frames_are() {
    let mut noise = Noise(0x2545_f491_4f6c_dd1d);
    for channel in channels() {
        for _ in 0..12 {
            let plain = plain(&mut noise, 64);
            let mut secured: Vec<_> = protected(&channel, &plain, 64)
                .into_iter()
                .flatten()
                .collect();
            tamper(&mut noise, &mut secured);
            let alone = validated(&channel, &secured, 1);
            assert!(alone.iter().flatten().count() > 0);
            for burst in [2, 31, 64] {
                let together = validated(&channel, &secured, burst);
                for (at, (together, alone)) in together.iter().zip(&alone).enumerate() {
                    assert_eq!(
                        together, alone,
                        "frame {at} of bursts of {burst}, {channel:?}"
                    );
                }
            }
        }
    }
}
