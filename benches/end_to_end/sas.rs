//! A thousand receive SAs on one link (channels times association numbers) against one: frames of all of
//! them in turn, so that neighbours never share a key, and in runs of a burst.

use macsec_gateway::crypto::{AeadFrame, NONCE_LEN, TAG_LEN};
use macsec_gateway::macsec::MAX_RX_SCS;

use crate::lanes::{self, First, Outcome, Second, Work};
use crate::row::{Row, median};
use crate::size::Size;
use crate::{Plan, capture};

const CHANNELS: usize = if MAX_RX_SCS < 250 { MAX_RX_SCS } else { 250 };
const ANS: usize = 4;
const FRAMES: usize = 2_000;
const BURST: usize = 32;
const ADDRESSES: usize = 12;
/// Addresses, and a SecTAG with SCI.
const AAD: usize = ADDRESSES + 16;

/// Protected frames; the `n`-th is of the SA that `of` says.
fn frames(size: Size, of: impl Fn(usize) -> (usize, usize)) -> Vec<Vec<u8>> {
    let keys: Vec<_> = (0..CHANNELS * ANS)
        .map(|at| lanes::key(at / ANS, at % ANS))
        .collect();
    let plain = capture::udp_frames(size, FRAMES);
    let frame = |(number, plain): (usize, &Vec<u8>)| {
        let (channel, an) = of(number);
        let (sci, pn) = (
            lanes::sci(channel).octets(),
            (number as u32 + 1).to_be_bytes(),
        );
        let mut frame = plain[..ADDRESSES].to_vec();
        // Version 0, SCI present, encrypted and changed.
        frame.extend([0x88, 0xe5, 0x2c | an as u8, 0]);
        frame.extend(pn);
        frame.extend(sci);
        frame.extend(&plain[ADDRESSES..]);
        frame.extend([0; TAG_LEN]);
        let mut nonce = [0; NONCE_LEN];
        nonce[..8].copy_from_slice(&sci);
        nonce[8..].copy_from_slice(&pn);
        keys[channel * ANS + an].seal(&mut [AeadFrame::exact(nonce, AAD, &mut frame)]);
        frame
    };
    plain.iter().enumerate().map(frame).collect()
}

pub(crate) fn measure(plan: &Plan) -> Vec<Row> {
    let size = Size::Fixed(64);
    let sas = CHANNELS * ANS;
    let second = |channels, ans| {
        Some(Second {
            channels,
            ans,
            strict: false,
        })
    };
    let of = |sa: usize| (sa / ANS, sa % ANS);
    let in_turn = frames(size, |number| of(number % sas));
    let in_runs = frames(size, |number| of(number / BURST * 13 % sas));
    let runs = [
        ("wire".to_owned(), None, frames(size, |_| (0, 0))),
        ("1 SA".to_owned(), second(1, 1), frames(size, |_| (0, 0))),
        (format!("{sas} SAs in turn"), second(CHANNELS, ANS), in_turn),
        (
            format!("{sas} SAs in runs of {BURST}"),
            second(CHANNELS, ANS),
            in_runs,
        ),
    ];
    let works = [0, 1, 2, 3].map(|run| {
        let file = plan.dir.join(format!("sas{run}.pcap"));
        capture::write(&file, &runs[run].2);
        Work::endless(First::Wire, runs[run].1, &file)
    });
    let mut outcomes: [Vec<Outcome>; 4] = Default::default();
    for round in 0..plan.rounds {
        for turn in 0..runs.len() {
            let run = (round + turn) % runs.len();
            outcomes[run].push(lanes::run(plan, &works[run], size));
        }
    }
    // Less what it takes to bring frames to the validate lane.
    let rates = |run: usize| {
        let pairs = outcomes[run].iter().zip(&outcomes[0]);
        let rate = |(run, wire): (&Outcome, &Outcome)| 1.0 / (1.0 / run.rate - 1.0 / wire.rate);
        pairs.map(rate).collect::<Vec<f64>>()
    };
    let row = |run: usize| {
        let (own, one) = (rates(run), rates(1));
        let sum = |of: fn(&Outcome) -> u64| outcomes[run].iter().map(of).sum();
        Row {
            part: "sas",
            what: runs[run].0.clone(),
            size,
            rate: median(own.clone()),
            ratio: median(own.iter().zip(&one).map(|(own, one)| own / one)),
            against: runs[1].0.clone(),
            lost: sum(|outcome| outcome.lost),
            reordered: None,
            miscounted: Some(sum(|outcome| outcome.miscounted)),
            account: String::new(),
        }
    };
    (1..runs.len()).map(row).collect()
}
