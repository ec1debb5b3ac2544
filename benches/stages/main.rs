//! Cycles per frame of each stage of the path, on `net_null` ports, and what the ports alone cost beside
//! it.
//!
//! `cargo bench --bench stages --features stage-cycles` (as root). In one process and on one core, three
//! things take turns, some milliseconds each: receive and transmit alone (`io`, what `dpdk-testpmd` does
//! in that mode); a protect lane from a `net_null` port to another; and a protect lane joined to a
//! validate lane by `net_ring`. Between the rounds `dpdk-testpmd` runs on ports of the same kind. Lanes
//! run in the worker's own poll loop with a static key, in `must_encrypt`.
//!
//! Of each, a low percentile over all windows is shown: others that use the machine make windows slower
//! and never faster. What reading the clock costs is taken off. `SIZE=64 BURST=32 ROUNDS=200 CORE=1
//! ENGINE=ring TESTPMD=0` set what they say; `WIDTH=10` is the percentile.
#![expect(clippy::unwrap_used, reason = "a benchmark ends where it can't go on")]

mod bed;
mod lanes;
mod testpmd;

use bed::{Bed, Windows};
use lanes::{hugepages, percentile as low, setting};
use macsec_gateway::{bus::Direction, pipeline::Piece, worker::Stage};

/// What is measured.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) size: u16,
    pub(crate) burst: u16,
    pub(crate) rounds: usize,
    pub(crate) core: u32,
    pub(crate) engine: String,
    pub(crate) huge: bool,
    width: f64,
    testpmd: bool,
}

fn main() {
    let plan = Plan {
        size: setting("SIZE", 64),
        burst: setting("BURST", 32),
        rounds: setting("ROUNDS", 200),
        core: setting("CORE", 1),
        engine: setting("ENGINE", "auto".to_owned()),
        huge: hugepages(),
        width: setting("WIDTH", 10.0),
        testpmd: setting("TESTPMD", 1) == 1,
    };
    let mut testpmd = Vec::new();
    if plan.testpmd {
        testpmd.push(testpmd::cycles(&plan));
    }
    let windows = Bed::measure(plan.clone());
    if plan.testpmd {
        testpmd.push(testpmd::cycles(&plan));
    }
    print(&plan, &windows, &testpmd);
}

fn print(plan: &Plan, windows: &Windows, testpmd: &[f64]) {
    let Plan {
        size, burst, width, ..
    } = *plan;
    println!(
        "{size} octets, bursts of {burst}, engine {}, {}; cycles of the time stamp counter per frame, \
         percentile {width}",
        windows.engine,
        if plan.huge {
            "hugepages"
        } else {
            "ordinary pages"
        },
    );
    for direction in Direction::BOTH {
        let rows = &windows.stages[direction as usize];
        let stage = |stage: Stage| low(rows.iter().map(|row| row[stage.index()]), width);
        for each in Stage::ALL {
            println!("{direction:9} {:9} {:7.1}", each.name(), stage(each));
        }
    }
    let io = low(windows.io.iter().copied(), width);
    println!("io in this process              {io:7.1}");
    for cycles in testpmd {
        println!("dpdk-testpmd io                 {cycles:7.1}");
    }
    let crypto = Stage::Lane(Piece::Crypto).index();
    let around = windows
        .protect
        .iter()
        .zip(&windows.stages[0])
        .map(|(all, stages)| all - stages[crypto]);
    let around = low(around, width);
    println!("protect, all but crypto         {around:7.1}");
    println!("protect, all but crypto and io  {:7.1}", around - io);
    let sum = |direction: Direction| -> f64 {
        let rows = &windows.stages[direction as usize];
        let stage = |stage: Stage| low(rows.iter().map(|row| row[stage.index()]), width);
        Stage::ALL.into_iter().skip(1).map(stage).sum()
    };
    // What receiving costs is the ports' affair: theirs are not the same.
    println!(
        "validate against protect, without receive {:.2}",
        sum(Direction::Protect) / sum(Direction::Validate)
    );
}
