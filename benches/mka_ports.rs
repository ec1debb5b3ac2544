//! What key agreement costs a gateway on ports, beside the same gateway with static keys.
//!
//! `cargo bench --bench mka_ports` (as root). First control's CPU time with 1 and with 15 links: two gateways
//! on veth pairs in namespaces, no data, each link secured, in the kernel's own count of nanoseconds. Then what
//! lanes carry: two links of one process on DPDK's rings, as many frames both ways as one worker takes,
//! static keys and agreed ones in turns. `SECONDS=10 ROUNDS=7` sets how long and how often.
#![expect(clippy::unwrap_used, reason = "a benchmark ends where it can't go on")]
#![allow(dead_code, reason = "the test bed has more than this needs")]

#[path = "../tests/lanes/mod.rs"]
mod lanes;
#[path = "../tests/support/mod.rs"]
mod support;

use std::{
    env, fs,
    process::{self, Command},
    time::{Duration, Instant},
};

use lanes::{Lanes, Setup, traffic::Traffic};
use macsec_gateway::crypto::engine::{EngineChoice, select};
use support::{CakPair, Gateway, GatewayConfig, LinkConfig, MkaKeys, Pair, wait_until};

/// DPDK of Debian has 32 ports.
const COUNTS: [u8; 2] = [1, 15];

const SUITE: &str = "cipher_suite = \"gcm-aes-xpn-256\"";

fn setting(name: &str, default: u64) -> u64 {
    env::var(name).map_or(default, |text| text.parse().unwrap())
}

fn main() {
    let words: Vec<String> = env::args().collect();
    if let Some(at) = words.iter().position(|word| word == "--lanes") {
        return carry(words.get(at + 1).is_some_and(|keys| keys == "agreed"));
    }
    assert!(nix::unistd::geteuid().is_root(), "DPDK needs root");
    control();
    throughput();
}

/// CPU of the thread "control", in ns since it began.
fn control_ns(pid: u32) -> u64 {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    let of_control = tasks.flatten().map(|task| task.path()).find(|task| {
        fs::read_to_string(task.join("comm")).is_ok_and(|name| name.trim() == "control")
    });
    let stat = fs::read_to_string(of_control.unwrap().join("schedstat")).unwrap();
    stat.split_whitespace().next().unwrap().parse().unwrap()
}

fn configs(pair: &Pair, links: u8, agreed: bool) -> [GatewayConfig; 2] {
    if !agreed {
        return pair.configs([1500; 2]);
    }
    ["edge", "cloud"].map(|label| {
        let links = (0..links).map(|at| {
            let keys = MkaKeys::new(&[CakPair::long(at + 1)], &[SUITE], &[]);
            let ports = [format!("plain{at}"), format!("secure{at}")];
            let name = format!("dx{at}");
            LinkConfig::agreeing(&name, at.into(), [&*ports[0], &*ports[1]], keys)
        });
        GatewayConfig::new(label, links.collect())
    })
}

fn secured(gateway: &Gateway<'_>) -> bool {
    let status = gateway.status();
    let mut links = status["links"].as_array().unwrap().iter();
    links.all(|link| link["secured"] == true)
}

/// Microseconds of CPU that control takes in a second.
fn control_of(pair: &Pair, links: u8, agreed: bool, seconds: u64) -> f64 {
    let mut gateways = pair.start(&configs(pair, links, agreed));
    wait_until("secured links", Duration::from_secs(20), || {
        gateways.iter().all(secured).then_some(())
    });
    // Past the first exchanges.
    std::thread::sleep(Duration::from_secs(4));
    let [edge, _] = &mut gateways;
    let pid = edge.daemon().pid();
    let (before, begun) = (control_ns(pid), Instant::now());
    std::thread::sleep(Duration::from_secs(seconds));
    let used = (control_ns(pid) - before) as f64 / 1000.0 / begun.elapsed().as_secs_f64();
    assert!(gateways.iter().all(secured), "a link was lost");
    for gateway in gateways {
        assert_eq!(gateway.stop(), 0);
    }
    used
}

fn control() {
    let seconds = setting("SECONDS", 10);
    println!("links  control, us/s: static     agreed   more per link, us/s");
    for links in COUNTS {
        let pair = Pair::new(links.into(), 1508, 1540);
        // In turns, the least of each: what else ran on the machine only adds.
        let mut least = [f64::MAX; 2];
        for _ in 0..2 {
            for (least, agreed) in least.iter_mut().zip([false, true]) {
                *least = least.min(control_of(&pair, links, agreed, seconds));
            }
        }
        let [fixed, agreed] = least;
        let more = (agreed - fixed) / f64::from(links);
        println!("{links:5} {fixed:22.0} {agreed:10.0} {more:22.1}");
    }
}

fn throughput() {
    let (mut static_keys, mut agreed) = (Vec::<[f64; 2]>::new(), Vec::<[f64; 2]>::new());
    for _ in 0..setting("ROUNDS", 7) {
        static_keys.push(child("static"));
        agreed.push(child("agreed"));
    }
    // The best of each: what else ran on the machine only takes away.
    let [fixed, agreed] = [static_keys, agreed].map(|samples| {
        samples.iter().fold([0.0, f64::MAX], |best, sample| {
            [f64::max(best[0], sample[0]), f64::min(best[1], sample[1])]
        })
    });
    println!("keys    Mframes/s   cycles/frame   (the best of each)");
    println!("static  {:9.3} {:14.1}", fixed[0], fixed[1]);
    println!("agreed  {:9.3} {:14.1}", agreed[0], agreed[1]);
    println!(
        "ratio   {:9.3} {:14.3}",
        agreed[0] / fixed[0],
        agreed[1] / fixed[1]
    );
}

/// A process of its own, for EAL starts once in each: millions of frames a second, cycles a frame.
fn child(keys: &str) -> [f64; 2] {
    let child = Command::new(env::current_exe().unwrap())
        .args(["--lanes", keys])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&child.stdout);
    let figures = text.lines().find_map(|line| line.strip_prefix("lanes: "));
    let Some(figures) = figures.filter(|_| child.status.success()) else {
        eprintln!("{text}{}", String::from_utf8_lossy(&child.stderr));
        process::exit(1);
    };
    let mut figures = figures.split(' ').map(|figure| figure.parse().unwrap());
    [figures.next().unwrap(), figures.next().unwrap()]
}

/// Two links that are each other's peers, under as much as their worker takes.
fn carry(agreed: bool) {
    let eal = lanes::eal();
    let pool = lanes::pool(&eal, "frames", 8191);
    let (mut traffic, queues) = Traffic::between(&eal, &pool);
    let setup = Setup {
        factory: select(EngineChoice::Auto).unwrap().factory,
        speed_mbps: 10_000,
    };
    let lanes = if agreed {
        let keys = [8, 16].map(|priority| {
            let priority = format!("key_server_priority = {priority}");
            MkaKeys::new(&[CakPair::long(1)], &[SUITE], &[&priority])
        });
        Lanes::agreeing(&eal, setup, queues, keys)
    } else {
        Lanes::start(&eal, setup, queues)
    };
    let run = |traffic: &mut Traffic, time| {
        let (begun, before) = (Instant::now(), traffic.received());
        while begun.elapsed() < time {
            traffic.turn([32; 2]);
        }
        ((traffic.received() - before) as f64, begun.elapsed())
    };
    run(&mut traffic, Duration::from_millis(500));
    let busy = lanes.worker.busy_cycles.value();
    let (frames, took) = run(
        &mut traffic,
        Duration::from_secs(setting("SECONDS", 10).min(3)),
    );
    let busy = (lanes.worker.busy_cycles.value() - busy) as f64;
    traffic.settle();
    println!(
        "lanes: {} {}",
        frames / took.as_secs_f64() / 1e6,
        // Each frame is protected by one lane and validated by another.
        busy / frames
    );
    lanes.stop(&eal);
}
