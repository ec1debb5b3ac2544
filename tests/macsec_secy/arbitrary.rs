//! Arbitrary octets never end in a panic, and every frame is accounted for.
//!
//! Pure noise hardly gets past the EtherType, so most inputs are true frames with a few octets
//! changed, cut or added.

use macsec_gateway::ieee::CipherSuite;
use macsec_gateway::macsec::{
    Confidentiality, FrameBuf, Replay, SecTag, SectagSci, ValidateFrames,
};

use crate::bed::{Channel, Rx, counting};
use crate::frame::VecFrame;

/// Marsaglia's xorshift: the same octets in every run.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % n.max(1) as u64).unwrap()
    }

    fn octet(&mut self) -> u8 {
        self.next().to_be_bytes()[3]
    }
}

#[test]
fn noise_is_no_sectag_or_one_that_is_written_back() {
    let mut noise = Noise(0x9e37_79b9_7f4a_7c15);
    let mut parsed = 0u32;
    for _ in 0..1_000_000 {
        let mut octets = [0; 20];
        octets.fill_with(|| noise.octet());
        if noise.below(8) > 0 {
            octets[..2].copy_from_slice(&[0x88, 0xe5]);
        }
        let len = noise.below(octets.len() + 1);
        let Ok(tag) = SecTag::parse(&octets[..len]) else {
            continue;
        };
        parsed += 1;
        let mut out = [0; 16];
        let written = tag.emit(&mut out).unwrap();
        assert_eq!(out[..written], octets[..written]);
        if let Ok(data_len) = tag.data_len(noise.below(200)) {
            assert!(data_len > 0);
        }
    }
    assert!(parsed > 10_000, "{parsed}");
}

fn mutate(noise: &mut Noise, frame: &mut Vec<u8>) {
    match noise.below(8) {
        0 => frame.truncate(noise.below(frame.len() + 1)),
        1 => frame.extend(vec![0xee; noise.below(40)]),
        2 => {
            let len = noise.below(200);
            frame.clear();
            frame.resize_with(len, || noise.octet());
        }
        _ => {
            for _ in 0..noise.below(4) {
                // Mostly where the header is.
                let reach = if noise.below(3) > 0 { 40 } else { frame.len() };
                let at = noise.below(reach.min(frame.len()));
                let octet = noise.octet();
                if let Some(target) = frame.get_mut(at) {
                    *target = octet;
                }
            }
        }
    }
}

#[test]
fn no_burst_ends_in_a_panic() {
    let mut noise = Noise(42);
    let mut passed = 0;
    for (suite, validate, replay, sectag_sci, clear_vlan_tags) in [
        (
            CipherSuite::GcmAes128,
            ValidateFrames::Strict,
            Replay::Strict,
            SectagSci::Explicit,
            0,
        ),
        (
            CipherSuite::GcmAes256,
            ValidateFrames::Check,
            Replay::Window(50),
            SectagSci::EndStation,
            2,
        ),
        (
            CipherSuite::GcmAesXpn128,
            ValidateFrames::Disabled,
            Replay::Off,
            SectagSci::None,
            1,
        ),
        (
            CipherSuite::GcmAesXpn256,
            ValidateFrames::Check,
            Replay::Off,
            SectagSci::SingleCopyBroadcast,
            2,
        ),
    ] {
        for confidentiality in [Confidentiality::IntegrityOnly, Confidentiality::Offset0] {
            let channel = Channel {
                suite,
                confidentiality,
                validate,
                replay,
                sectag_sci,
                clear_vlan_tags,
                first_pn: 1 << 20,
            };
            let (mut tx, mut rx): (_, Rx) = (channel.tx(), channel.rx());
            for _ in 0..400 {
                let count = noise.below(65);
                let mut frames: Vec<_> = (0..count)
                    .map(|_| VecFrame::new(&counting(14 + noise.below(100), noise.below(3))))
                    .collect();
                tx.burst(&mut frames);
                for frame in &mut frames {
                    let mut octets = frame.octets().to_vec();
                    mutate(&mut noise, &mut octets);
                    let (head, tail) = (noise.below(3), noise.below(70));
                    *frame = VecFrame::with_room(&octets, head, tail);
                }
                passed += rx.burst(&mut frames).passed().len();
                // And plain noise into the other direction.
                for frame in &mut frames {
                    let mut octets = counting(60, 2);
                    mutate(&mut noise, &mut octets);
                    *frame = VecFrame::with_room(&octets, noise.below(20), noise.below(70));
                }
                tx.burst(&mut frames);
            }
        }
    }
    assert!(passed > 10_000, "{passed}");
}
