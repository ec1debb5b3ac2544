//! Validation of packet numbers that never came before, with strict replay protection: a protect lane and
//! a validate lane on one worker, joined by `net_ring`, less the protect lane alone in the same rounds.

use crate::lanes::{self, First, Outcome, Second, Work};
use crate::row::{Row, median};
use crate::{FRAMES, Plan, capture, plain_file};

const FRESH: Second = Second {
    channels: 1,
    ans: 1,
    strict: true,
};

pub(crate) fn measure(plan: &Plan) -> Vec<Row> {
    let mut rows = Vec::new();
    for &size in &plan.sizes {
        let file = plain_file(plan, size);
        capture::write(&file, &capture::udp_frames(size, FRAMES));
        let (mut alone, mut joined): (Vec<Outcome>, Vec<Outcome>) = (Vec::new(), Vec::new());
        for round in 0..plan.rounds {
            let run =
                |second| lanes::run(plan, &Work::endless(First::Protect, second, &file), size);
            if round % 2 == 0 {
                alone.push(run(None));
                joined.push(run(Some(FRESH)));
            } else {
                joined.push(run(Some(FRESH)));
                alone.push(run(None));
            }
        }
        eprintln!("validate: {size} octets done");
        let validate: Vec<f64> = alone
            .iter()
            .zip(&joined)
            .map(|(alone, joined)| 1.0 / (1.0 / joined.rate - 1.0 / alone.rate))
            .collect();
        let ratios = validate
            .iter()
            .zip(&alone)
            .map(|(validate, alone)| validate / alone.rate);
        let sum = |of: fn(&Outcome) -> u64| joined.iter().chain(&alone).map(of).sum();
        let row = |what: &str, rate, ratio| Row {
            part: "validate",
            what: what.to_owned(),
            size,
            rate,
            ratio,
            against: "protect lane".to_owned(),
            lost: sum(|outcome| outcome.lost),
            reordered: Some(sum(|outcome| outcome.late)),
            miscounted: Some(sum(|outcome| outcome.miscounted)),
            account: String::new(),
        };
        rows.push(row(
            "protect lane",
            median(alone.iter().map(|one| one.rate)),
            1.0,
        ));
        rows.push(row(
            "validate lane (fresh PNs)",
            median(validate.clone()),
            median(ratios),
        ));
    }
    rows
}
