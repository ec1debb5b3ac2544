//! Ports, lanes and a worker, and the windows in which they take turns on one core.

use std::sync::mpsc;

use dpdk::{Burst, Mempool, Port, PortConfig, RxQueue, SocketId, Started, TxQueue, headroom};
use macsec_gateway::{
    bus::Direction,
    ieee::An,
    worker::{Stage, stage_cycles},
};

use crate::{
    Plan,
    lanes::{
        Joined, eal, factory, key, protect_lane, rx_secy, sci, source, tx_secy, validate_lane,
    },
};

/// Looks of the poll loop in a window, and bursts of `io`.
const LOOKS: usize = 100;
const BURSTS: usize = 8 * LOOKS;

/// Cycles per frame, a number for each window.
#[derive(Debug, Default)]
pub(crate) struct Windows {
    pub(crate) engine: &'static str,
    pub(crate) io: Vec<f64>,
    pub(crate) protect: Vec<f64>,
    pub(crate) both: Vec<f64>,
    /// By direction, then by stage.
    pub(crate) stages: [Vec<[f64; Stage::ALL.len()]>; 2],
}

/// What takes turns.
pub(crate) struct Bed {
    io: (RxQueue, TxQueue),
    protect: Joined,
    both: Joined,
    plan: Plan,
}

impl Bed {
    /// Brings everything up and measures on the core of the plan.
    pub(crate) fn measure(plan: Plan) -> Windows {
        let mut vdevs = vec!["net_ring0".to_owned()];
        for port in [0, 2, 4] {
            vdevs.push(source(&format!("net_null{port}"), plan.size));
            vdevs.push(format!("net_null{},no-rx=1", port + 1));
        }
        let eal = eal(plan.core, plan.huge, vdevs);
        let factory = factory(&plan.engine);
        let name = factory.name();
        let pool = Mempool::create(&eal, "p", 8191, 256, 2304 + headroom(), SocketId::Any).unwrap();
        let mut ports = Vec::new();
        let mut queues = |name: &str| {
            let port = eal.port_by_name(name).unwrap();
            let mut port = port.configure(PortConfig::wire(&pool)).unwrap();
            let mut queues = port.take_queues().unwrap();
            ports.push(port.start().unwrap());
            let rx = queues.rx.pop().unwrap().with_burst(plan.burst);
            (rx, queues.tx.pop().unwrap())
        };
        let io = (queues("net_null0").0, queues("net_null1").1);
        let an = An::ALL[0];
        let tx = || tx_secy(sci(1), an, key(&*factory));
        let protect = Joined::new(vec![protect_lane(
            0,
            tx(),
            queues("net_null2").0,
            queues("net_null3").1,
        )]);
        let (ring_rx, ring_tx) = queues("net_ring0");
        let both = Joined::new(vec![
            protect_lane(0, tx(), queues("net_null4").0, ring_tx),
            validate_lane(
                0,
                rx_secy([(sci(1), an, key(&*factory))]),
                ring_rx,
                queues("net_null5").1,
            ),
        ]);
        let mut bed = Self {
            io,
            protect,
            both,
            plan: plan.clone(),
        };
        let (send, windows) = mpsc::channel();
        let lcore = eal.workers()[0];
        eal.launch(lcore, move || {
            send.send(bed.windows()).unwrap();
            // The queues leave their ports before these go.
            drop(bed);
            0
        })
        .unwrap();
        assert_eq!(eal.wait(lcore).unwrap(), 0);
        drop::<Vec<Port<Started>>>(ports);
        let mut windows = windows.recv().unwrap();
        windows.engine = name;
        windows
    }

    fn windows(&mut self) -> Windows {
        let mut windows = Windows::default();
        let clock = clock_cost();
        // The first windows warm everything up.
        for round in 0..self.plan.rounds + 5 {
            let io = self.io();
            let (protect, stages) = window(&mut self.protect, Direction::Protect, clock);
            let (both, opened) = window(&mut self.both, Direction::Validate, clock);
            if round >= 5 {
                windows.io.push(io);
                windows.protect.push(protect);
                windows.both.push(both);
                windows.stages[0].push(stages);
                windows.stages[1].push(opened);
            }
        }
        windows
    }

    /// What testpmd does in this mode.
    fn io(&mut self) -> f64 {
        let (rx, tx) = &mut self.io;
        let mut burst = Burst::new();
        let mut frames = 0;
        let before = dpdk::tsc();
        for _ in 0..BURSTS {
            frames += rx.rx_burst(&mut burst);
            tx.tx_burst(&mut burst);
        }
        (dpdk::tsc() - before) as f64 / frames as f64
    }
}

/// Cycles that reading the clock takes.
fn clock_cost() -> f64 {
    let costs = (0..1000).map(|_| {
        let before = dpdk::tsc();
        dpdk::tsc() - before
    });
    costs.min().unwrap() as f64
}

/// Cycles per frame of everything, and of each stage of one direction.
fn window(joined: &mut Joined, direction: Direction, clock: f64) -> (f64, [f64; Stage::ALL.len()]) {
    let table = stage_cycles(direction);
    let read = || table.cycles.each_ref().map(|cycles| cycles.value() as f64);
    let (cycles, frames, turns) = (read(), table.frames.value(), table.turns.value());
    let before = dpdk::tsc();
    for _ in 0..LOOKS {
        joined.look();
    }
    let all = (dpdk::tsc() - before) as f64;
    let turns = (table.turns.value() - turns) as f64;
    let frames = (table.frames.value() - frames) as f64;
    // Seven readings a turn, of both lanes if there are two.
    let all = all - 7.0 * turns * clock * joined.counters.len() as f64;
    let mut stages = read();
    for (stage, before) in stages.iter_mut().zip(cycles) {
        *stage = (*stage - before - turns * clock) / frames;
    }
    (all / frames, stages)
}
