//! Fifteen links (30 ports, of the 32 that Debian's DPDK has) on one worker against one link.

use crate::gateway::Ports;
use crate::row::{Row, Sample, median, ratio};
use crate::size::Size;
use crate::{FRAMES, Plan, capture, gateway, plain_file};

const LINKS: usize = 15;

pub(crate) fn measure(plan: &Plan) -> Vec<Row> {
    let size = Size::Fixed(64);
    let file = plain_file(plan, size);
    capture::write(&file, &capture::udp_frames(size, FRAMES));
    let mut samples = [Vec::new(), Vec::new()];
    for round in 0..plan.rounds {
        for turn in 0..2 {
            let run = (round + turn) % 2;
            let links = [1, LINKS][run];
            let ports: Vec<_> = (0..links).map(|at| Ports::null(at, &file)).collect();
            samples[run].push(gateway::timed(plan, size, &ports));
        }
    }
    let row = |run: usize, what: &str| Row {
        part: "links",
        what: what.to_owned(),
        size,
        rate: median(samples[run].iter().map(|sample: &Sample| sample.rate)),
        ratio: ratio(&samples[run], &samples[0]),
        against: "1 link".to_owned(),
        lost: samples[run].iter().map(|sample| sample.lost).sum(),
        reordered: None,
        miscounted: Some(0),
        account: String::new(),
    };
    vec![row(0, "1 link"), row(1, "15 links (30 ports)")]
}
