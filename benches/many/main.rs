//! What many links, and many SAs on a link, cost each frame.
//!
//! `cargo bench --bench many --features stage-cycles` (as root). In windows that take turns on one core:
//!
//! - `links`: one protect lane against fifteen, on `net_null` ports, 30 of them for the fifteen links
//!   (Debian's DPDK has room for 32).
//! - `sas`: a validate lane with one SA against one with 1,000 (250 channels times four ANs), each with a
//!   key object of its own. Frames are protected anew, out of the lane's time, and come to it by `net_ring`:
//!   a burst of each SA in turn (`bursts`), or a frame of each in turn (`frames`), which is as bad as it
//!   gets: an engine has one key at a time. What is compared is the lane's own cycles without receive.
//!
//! A low percentile of the windows is shown. `ROUNDS=200 CORE=1 ENGINE=auto` set what they say.
#![expect(clippy::unwrap_used, reason = "a benchmark ends where it can't go on")]

#[path = "../stages/lanes.rs"]
mod lanes;

use std::{env, process::Command, sync::Arc};

use dpdk::{Burst, Eal, Mempool, Port, PortConfig, RxQueue, SocketId, Started, TxQueue, headroom};
use lanes::{
    Joined, eal, factory, hugepages, key, percentile, protect_lane, rx_secy, sci, setting, source,
    tx_secy, validate_lane,
};
use macsec_gateway::{
    bus::Direction,
    ieee::An,
    macsec::{FrameSet, TxSecy, Verdicts},
    worker::stage_cycles,
};

const LINKS: u16 = 15;
const CHANNELS: u16 = 250;
const SIZE: u16 = 64;
const BURST: u16 = 32;

/// Cycles of one direction's stages without receive, and its frames, so far.
fn so_far(direction: Direction) -> (u64, u64) {
    let table = stage_cycles(direction);
    let cycles = table.cycles.iter().skip(1).map(|cycles| cycles.value());
    (cycles.sum(), table.frames.value())
}

/// Cycles per frame of what `work` moves.
fn window(direction: Direction, work: impl FnOnce()) -> f64 {
    let before = so_far(direction);
    work();
    let after = so_far(direction);
    (after.0 - before.0) as f64 / (after.1 - before.1) as f64
}

type Open<'a> = dyn FnMut(&str) -> (RxQueue, TxQueue) + 'a;

/// Runs what `make` makes of the ports on the second lcore.
fn on_core<W: FnOnce() + Send + 'static>(
    vdevs: Vec<String>,
    make: impl FnOnce(&Eal, &mut Open<'_>) -> W,
) {
    let eal = eal(setting("CORE", 1), hugepages(), vdevs);
    let room = 2304 + headroom();
    let pool = Mempool::create(&eal, "p", 16383, 256, room, SocketId::Any).unwrap();
    let mut ports = Vec::new();
    let work = make(&eal, &mut |name: &str| {
        let port = eal.port_by_name(name).unwrap();
        let mut port = port.configure(PortConfig::wire(&pool)).unwrap();
        let mut queues = port.take_queues().unwrap();
        ports.push(port.start().unwrap());
        let rx = queues.rx.pop().unwrap().with_burst(BURST);
        (rx, queues.tx.pop().unwrap())
    });
    let lcore = eal.workers()[0];
    let launched = eal.launch(lcore, move || {
        work();
        0
    });
    launched.unwrap();
    assert_eq!(eal.wait(lcore).unwrap(), 0);
    drop::<Vec<Port<Started>>>(ports);
}

fn say(what: &str, one: Vec<f64>, many: Vec<f64>) {
    let [one, many] = [one, many].map(|windows| percentile(windows, 10.0));
    println!(
        "{what:24} one {one:7.1}   many {many:7.1} cycles a frame   frames a second {:.2}",
        one / many
    );
}

fn links() {
    let ports = 2 * (LINKS + 1);
    let vdevs = (0..ports).map(|port| {
        let name = format!("net_null{port}");
        if port % 2 == 0 {
            source(&name, SIZE)
        } else {
            format!("{name},no-rx=1")
        }
    });
    on_core(vdevs.collect(), |_, open| {
        let factory = factory(&setting("ENGINE", "auto".to_owned()));
        let mut lanes: Vec<_> = (0..=LINKS)
            .map(|link| {
                let rx = open(&format!("net_null{}", 2 * link)).0;
                let tx = open(&format!("net_null{}", 2 * link + 1)).1;
                let secy = tx_secy(sci(link + 1), An::ALL[0], key(&*factory));
                protect_lane(usize::from(link), secy, rx, tx)
            })
            .collect();
        let mut one = Joined::new(vec![lanes.pop().unwrap()]);
        let mut many = Joined::new(lanes);
        move || {
            let (mut of_one, mut of_many) = (Vec::new(), Vec::new());
            for _ in 0..setting("ROUNDS", 200) {
                of_one.push(window(Direction::Protect, || {
                    (0..10 * LINKS).for_each(|_| one.look());
                }));
                of_many.push(window(Direction::Protect, || {
                    (0..10).for_each(|_| many.look());
                }));
            }
            say("15 links", of_one, of_many);
        }
    });
}

/// Protects frames of the source, each by the SA whose turn it is, and sends them to a lane.
struct Peers {
    source: RxQueue,
    tx: TxQueue,
    secys: Vec<TxSecy>,
    /// Frames until it is the next one's turn.
    each: usize,
    turn: usize,
    verdicts: Verdicts,
}

impl Peers {
    fn send(&mut self) {
        let mut burst = Burst::new();
        self.source.rx_burst(&mut burst);
        for frames in burst.as_mut_slice().chunks_mut(self.each) {
            self.turn = (self.turn + 1) % self.secys.len();
            let (todo, verdicts) = (FrameSet::first(frames.len()), &mut self.verdicts);
            self.secys[self.turn].protect_burst(frames, todo, verdicts);
            assert_eq!(verdicts.passed(), todo);
        }
        self.tx.tx_burst(&mut burst);
        assert!(burst.is_empty());
    }
}

fn sas(each: usize) {
    let mut vdevs = vec![
        source("net_null0", SIZE),
        source("net_null1", SIZE),
        "net_null2,no-rx=1".to_owned(),
        "net_null3,no-rx=1".to_owned(),
    ];
    vdevs.extend(["net_ring0".to_owned(), "net_ring1".to_owned()]);
    on_core(vdevs, |_, open| {
        let factory = factory(&setting("ENGINE", "auto".to_owned()));
        let mut make = |sas: Vec<_>, source: &str, ring: &str, sink: &str| {
            let (rx, tx) = open(ring);
            // The peers' key objects are none of the lane's caches' business: all share one.
            let peers_key = key(&*factory);
            let secy = |(sci, an): &_| tx_secy(*sci, *an, Arc::clone(&peers_key));
            let peers = Peers {
                source: open(source).0,
                tx,
                secys: sas.iter().map(secy).collect(),
                each,
                turn: 0,
                verdicts: Verdicts::new(),
            };
            let sas = sas.into_iter().map(|(sci, an)| (sci, an, key(&*factory)));
            let lane = validate_lane(0, rx_secy(sas), rx, open(sink).1);
            (peers, Joined::new(vec![lane]))
        };
        let mut one = make(
            vec![(sci(1), An::ALL[0])],
            "net_null0",
            "net_ring0",
            "net_null2",
        );
        let all = (1..=CHANNELS).flat_map(|nth| An::ALL.map(|an| (sci(nth), an)));
        let mut many = make(all.collect(), "net_null1", "net_ring1", "net_null3");
        move || {
            let run = |(peers, joined): &mut (Peers, Joined)| {
                window(Direction::Validate, || {
                    for _ in 0..1000 / 8 {
                        for _ in 0..8 {
                            peers.send();
                        }
                        joined.look();
                    }
                })
            };
            let (mut of_one, mut of_many) = (Vec::new(), Vec::new());
            for _ in 0..setting("ROUNDS", 200) {
                of_one.push(run(&mut one));
                of_many.push(run(&mut many));
            }
            let what = if each == 1 { "frames" } else { "bursts" };
            say(&format!("1,000 SAs, {what} in turn"), of_one, of_many);
        }
    });
}

/// EAL starts once in a process: each part has one of its own.
fn main() {
    match env::var("PART").as_deref() {
        Ok("links") => links(),
        Ok("bursts") => sas(usize::from(BURST)),
        Ok("frames") => sas(1),
        _ => {
            for part in ["links", "bursts", "frames"] {
                let mut child = Command::new(env::current_exe().unwrap());
                assert!(child.env("PART", part).status().unwrap().success());
            }
        }
    }
}
