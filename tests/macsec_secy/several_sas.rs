//! A burst whose frames are of many channels and SAs ends as its frames do one by one.

use macsec_gateway::{
    crypto::{SaKey, Sak, engine},
    ieee::{An, CipherSuite, KeyIdentifier, MacAddr, Sci},
    macsec::{
        FrameBuf, Replay, RxSa, RxSaParams, RxSecy, TxSa, TxSaParams, TxSecy, ValidateFrames,
    },
};

use crate::{
    bed::{Channel, Rx, SOURCE, Tx, counting},
    bursts::{Noise, tamper},
    frame::VecFrame,
};

const CHANNELS: u8 = 9;
const ANS: [An; 2] = [An::ALL[0], An::ALL[3]];

fn sci(nth: u8) -> Sci {
    let MacAddr([a, b, c, d, e, _]) = SOURCE;
    Sci::new(MacAddr([a, b, c, d, e, nth]), 0x1234)
}

/// A key of the fastest engine that this CPU can run.
fn key(suite: CipherSuite, nth: u8) -> SaKey {
    let candidates = engine::candidates();
    let engine = candidates.iter().find(|candidate| candidate.fast).unwrap();
    let sak = Sak::take(&mut vec![nth; suite.sak_len()]).unwrap();
    engine.factory.make_key(&sak).unwrap()
}

/// Every SA: its channel, its number, its key.
fn sas(suite: CipherSuite) -> impl Iterator<Item = (Sci, An, SaKey)> {
    let all = (1..=CHANNELS).flat_map(|nth| ANS.map(|an| (nth, an)));
    all.map(move |(nth, an)| (sci(nth), an, key(suite, 4 * nth + an.value())))
}

const KI: KeyIdentifier = KeyIdentifier([0x22; 16]);

/// Frames of every SA, shuffled, and some of them changed.
fn secured(noise: &mut Noise, channel: &Channel) -> Vec<Vec<u8>> {
    let lens = [60, 64, 64, 64, 130, 300, 1518];
    let mut frames = Vec::new();
    for (sci, an, key) in sas(channel.suite) {
        let mut params = channel.tx_params();
        params.sci = sci;
        let mut tx = Tx::new(TxSecy::new(params));
        let sa = TxSa::new(TxSaParams {
            sci,
            ..channel.tx_sa_params(an, KI, key)
        });
        assert!(tx.secy.install_sa(Box::new(sa.unwrap())).is_none());
        assert!(tx.secy.encode_with(an, KI));
        frames.extend((0..1 + noise.below(12)).map(|_| {
            let len = lens[noise.below(lens.len())];
            tx.protect(&counting(len, 0))
        }));
    }
    for _ in 0..frames.len() {
        // Neighbours in the order, mostly: windows are to see both.
        let at = noise.below(frames.len());
        let other = noise.below(frames.len());
        frames.swap(at, other);
    }
    if noise.below(3) > 0 {
        tamper(noise, &mut frames);
    }
    frames
}

/// What bursts of them give, what of each SA is counted, and how far its window is.
fn validated(
    channel: &Channel,
    octets: &[Vec<u8>],
    burst: usize,
) -> (Vec<Option<Vec<u8>>>, Vec<u64>) {
    let mut rx = Rx::new(RxSecy::new(channel.rx_params()));
    let mut shared = Vec::new();
    for (sci, an, key) in sas(channel.suite) {
        if rx.secy.sc(sci).is_none() {
            rx.add_sc(sci);
        }
        let params = RxSaParams {
            sci,
            ..channel.rx_sa_params(an, KI, key)
        };
        shared.push(std::sync::Arc::clone(&params.shared));
        assert!(rx.install(RxSa::new(params).unwrap()).is_none());
    }
    let mut out = Vec::new();
    for octets in octets.chunks(burst) {
        let mut frames: Vec<_> = octets.iter().map(|octets| VecFrame::new(octets)).collect();
        let passed = rx.burst(&mut frames).passed();
        let one =
            |(at, frame): (usize, &VecFrame)| passed.contains(at).then(|| frame.octets().to_vec());
        out.extend(frames.iter().enumerate().map(one));
    }
    let mut counts = Vec::new();
    for sc in &rx.scs {
        // Why a frame is dropped may differ: one that is late in its burst alone is opened all the same.
        counts.extend([sc.in_pkts_ok.value(), sc.in_pkts_delayed.value()]);
        counts.extend(sc.sas.iter().map(|sa| sa.in_pkts_ok.value()));
    }
    for sa in shared {
        counts.extend([sa.next_pn().0, sa.lowest_pn().0]);
    }
    (out, counts)
}

#[test]
fn a_burst_of_many_sas_is_validated_as_its_frames_are() {
    let mut noise = Noise(0x9216_d5d9_8979_fb1b);
    for suite in [CipherSuite::GcmAes128, CipherSuite::GcmAesXpn256] {
        for replay in [Replay::Strict, Replay::Window(3), Replay::Off] {
            for validate in [ValidateFrames::Strict, ValidateFrames::Check] {
                let channel = Channel {
                    suite,
                    replay,
                    validate,
                    ..Channel::default()
                };
                for _ in 0..20 {
                    let secured = secured(&mut noise, &channel);
                    let alone = validated(&channel, &secured, 1);
                    assert!(alone.0.iter().flatten().count() > 10);
                    for burst in [2, 31, 64] {
                        let together = validated(&channel, &secured, burst);
                        for (at, (together, alone)) in together.0.iter().zip(&alone.0).enumerate() {
                            assert_eq!(together, alone, "frame {at}, {burst}, {channel:?}");
                        }
                        assert_eq!(together.1, alone.1, "bursts of {burst}, {channel:?}");
                    }
                }
            }
        }
    }
}
