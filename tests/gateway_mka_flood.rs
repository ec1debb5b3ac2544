//! Key agreement on a wire on which someone else sends too: floods of MKPDUs that look right, of some that
//! do not, of recordings, and of junk data. The session holds, a rekey goes through, and what a flood cost is
//! counted by its reason.
//!
//! Control, worker, lanes, configuration and key files are the gateway's own; DPDK's rings take the place of
//! wires, and the wire towards link "b" is the attacker's as well (`tests/lanes/tap.rs`).
//! `MACSECGW_LONG=1` floods for a minute each.

#![expect(
    clippy::expect_used,
    reason = "this is test code: a broken step must end the test and say why"
)]

mod lanes;
mod support;

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use lanes::alone::alone;
use lanes::tap::{Tap, ethertype};
use lanes::traffic::{Paced, Traffic, assert_nothing_lost};
use lanes::{Lanes, Setup};
use macsec_gateway::bus::{DropReason, LinkSnapshot, MkaParticipantView, MkaView};
use macsec_gateway::crypto::engine::{EngineChoice, select};
use support::{CakPair, MkaKeys};

/// Frames of data a second each way.
const RATE: f64 = 10_000.0;

/// Frames of a flood a second that are aimed at.
const FLOOD: f64 = 100_000.0;

/// Frames at once at twice what the lane takes: half of the ring.
const MOST: u64 = 512;

/// Data without a flood, before and after.
const CALM: Duration = Duration::from_millis(1500);

/// What a flood may cost in memory: many times less than what it brings.
const GROWTH: u64 = 16 << 20;

fn long() -> bool {
    std::env::var_os("MACSECGW_LONG").is_some()
}

/// Longer than MKA Life Time: a session that heard nothing of its peer in all that time would be over.
fn flood_time() -> Duration {
    Duration::from_secs(if long() { 60 } else { 7 })
}

/// Both ends with the same pair; "a" is the key server.
fn keys(seed: u8, knobs: &[&str]) -> [MkaKeys; 2] {
    [8, 16].map(|priority| {
        let priority = format!("key_server_priority = {priority}");
        let knobs = [knobs, &[&priority]].concat();
        let pairs = [CakPair::long(seed)];
        MkaKeys::new(&pairs, &["cipher_suite = \"gcm-aes-xpn-256\""], &knobs)
    })
}

/// What is sent on the wire towards "b".
struct Attack {
    /// Frames, made of what the wires carried of late: towards "b", and back.
    frames: fn([&Tap; 2]) -> Vec<Vec<u8>>,
    /// At twice what the lane takes, without regard for the link's own frames; else beside them.
    twice: bool,
}

/// An attack while it runs.
struct Running {
    attack: Attack,
    frames: Vec<Vec<u8>>,
    /// When the frames were made.
    made: Option<Instant>,
    begun: Instant,
    /// Frames that were offered, and may be yet.
    offered: u64,
    /// What the lane had validated at the last look.
    taken: u64,
    /// Frames to begin with.
    credit: u64,
}

impl Running {
    fn new(attack: Attack, taken: u64) -> Self {
        Self {
            attack,
            frames: Vec::new(),
            made: None,
            begun: Instant::now(),
            offered: 0,
            taken,
            credit: MOST,
        }
    }

    fn turn(&mut self, taps: &mut [Tap], taken: u64) {
        let [tap, back] = taps else { return };
        let now = Instant::now();
        let old = |made| now.saturating_duration_since(made) > Duration::from_millis(100);
        if self.made.is_none_or(old) {
            self.made = Some(now);
            self.frames = (self.attack.frames)([tap, back]);
            assert!(!self.frames.is_empty(), "nothing to send");
        }
        if self.attack.twice {
            // A test that was kept from running does not make up for all of it at once.
            let all = (2 * taken.saturating_sub(self.taken))
                .min(MOST)
                .max(self.credit);
            (self.taken, self.credit) = (taken.max(self.taken), 0);
            tap.crowd(&self.frames, usize::try_from(all).unwrap_or(0));
            self.offered += all;
            return;
        }
        let due = self.begun.elapsed().as_secs_f64() * FLOOD;
        for _ in 0..64 {
            if self.offered as f64 >= due {
                break;
            }
            let at = usize::try_from(self.offered % self.frames.len() as u64).unwrap_or(0);
            tap.inject(&self.frames[at]);
            self.offered += 1;
        }
    }
}

/// How many lines went to the log.
#[derive(Clone, Default)]
struct Lines(Arc<AtomicU64>);

impl Write for Lines {
    fn write(&mut self, octets: &[u8]) -> std::io::Result<usize> {
        let lines = octets.iter().filter(|octet| **octet == b'\n').count();
        self.0.fetch_add(lines as u64, Ordering::Relaxed);
        Ok(octets.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Sets a flag when it goes.
struct Flag<'a>(&'a AtomicBool);

impl Drop for Flag<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Starts both links while their wires carry.
fn start(eal: &dpdk::Eal, pool: &dpdk::Mempool, keys: [MkaKeys; 2]) -> (Lanes, Traffic) {
    let (mut traffic, queues) = Traffic::tapped(eal, pool);
    let setup = Setup {
        factory: select(EngineChoice::Auto).expect("an engine").factory,
        speed_mbps: 10_000,
    };
    let started = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let carrying = scope.spawn(|| {
            while !started.load(Ordering::Relaxed) {
                traffic.turn([0, 0]);
                std::thread::yield_now();
            }
            traffic
        });
        let flag = Flag(&started);
        let lanes = Lanes::agreeing(eal, setup, queues, keys);
        drop(flag);
        (lanes, carrying.join().expect("the wires"))
    })
}

fn mka(link: &LinkSnapshot) -> &MkaView {
    link.mka.as_ref().expect("key agreement")
}

fn participant(link: &LinkSnapshot) -> &MkaParticipantView {
    let cak = mka(link).caks.first().expect("a CAK");
    cak.participant.as_ref().expect("a participant")
}

/// MKPDUs that link "b" discarded for this reason.
fn discarded(lanes: &mut Lanes, why: &str) -> u64 {
    let links = lanes.links();
    let counters = &participant(&links[1]).counters;
    let of = counters.discarded.iter().find(|(name, _)| *name == why);
    of.map_or(0, |(_, count)| *count)
}

/// Frames that the attacked lane dropped for this reason.
fn dropped(lanes: &Lanes, why: DropReason) -> u64 {
    lanes.counted[1].validate.dropped(why).value()
}

/// One rekey after the other in the midst of the flood, each through, and then as long as the flood lasts.
fn meanwhile(lanes: &mut Lanes) -> u64 {
    let end = Instant::now() + flood_time();
    let rekeys = if long() { 3 } else { 1 };
    std::thread::sleep(Duration::from_millis(500));
    for time in 1..=rekeys {
        let answer = lanes.rekey("a");
        assert!(answer.is_ok(), "{answer:?}");
        // The gap of 6 s between two SAKs is a part of it.
        let limit = Instant::now() + Duration::from_secs(25);
        while !lanes.links().iter().all(|link| mka(link).rekeys >= time) {
            assert!(Instant::now() < limit, "a rekey\n{}", lanes.account());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    std::thread::sleep(end.saturating_duration_since(Instant::now()));
    rekeys
}

/// Pages of this process in memory, in octets.
fn memory() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = text.split_whitespace().nth(1);
    pages.and_then(|pages| pages.parse().ok()).unwrap_or(0) * 4096
}

/// Ticks of CPU that the thread "control" used, of 10 ms each.
fn control_ticks() -> u64 {
    let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten();
    let stats = tasks.flatten().map(|task| task.path().join("stat"));
    let texts = stats.filter_map(|path| std::fs::read_to_string(path).ok());
    let of_control = texts.filter(|text| text.contains("(control)"));
    let ticks = of_control.map(|text| {
        let times = text.split_whitespace().skip(13).take(2);
        times
            .filter_map(|ticks| ticks.parse::<u64>().ok())
            .sum::<u64>()
    });
    ticks.sum()
}

/// Calm, the flood, calm; the session holds all the while. `after` looks at what the flood left, with the
/// number of frames that the wire took of it.
fn under_flood(
    name: &str,
    keys: [MkaKeys; 2],
    attack: Attack,
    after: impl FnOnce(&mut Lanes, u64),
) {
    alone(name, || {
        let lines = Lines::default();
        let writer = lines.clone();
        let log = tracing_subscriber::fmt().with_writer(move || writer.clone());
        log.init();
        let eal = lanes::eal();
        let pool = lanes::pool(&eal, "frames", 16_383);
        let (mut lanes, traffic) = start(&eal, &pool, keys);
        let mut paced = Paced::new(traffic, RATE);
        calm(&mut paced);
        let (ticks, begun) = (control_ticks(), Instant::now());
        let (told, before) = (lines.0.load(Ordering::Relaxed), memory());
        let rekeys = flood(&mut lanes, &mut paced, attack);
        let took = begun.elapsed();
        let told = lines.0.load(Ordering::Relaxed) - told;
        let grown = memory().saturating_sub(before);
        let share = (control_ticks() - ticks) as f64 / took.as_secs_f64();
        paced.traffic.taps[0].crowded = false;
        calm(&mut paced);
        finish(&mut paced.traffic);
        let tap = &paced.traffic.taps[0];
        println!(
            "{name}: {:.0} frames a second of {:.0} offered, control {share:.0} % of a core, {told} lines, {grown} \
             octets; {} of {} frames of data lost on the wire, {} MKPDUs",
            tap.injected as f64 / took.as_secs_f64(),
            (tap.injected + tap.missed_junk) as f64 / took.as_secs_f64(),
            tap.missed_data,
            paced.traffic.ways[0].sent,
            tap.missed_agreement,
        );
        println!("{name}: {}", ends(&lanes));
        assert_held(&mut lanes, rekeys);
        assert!(grown < GROWTH, "{grown} octets more");
        // A burst of each kind, and two a second of each; other parts of control say little.
        let most = 100 + 8 * took.as_secs();
        assert!(told < most, "{told} lines in {took:?}");
        assert_carried(&lanes, &paced.traffic);
        after(&mut lanes, tap.injected);
        lanes.stop(&eal);
        drop(paced);
        assert_eq!(pool.in_use(), 0, "frames that nobody freed");
    });
}

fn calm(paced: &mut Paced) {
    let end = Instant::now() + CALM;
    while Instant::now() < end {
        paced.turn();
    }
}

/// The attack, for as long as `meanwhile` runs; the rekeys that it asked for.
fn flood(lanes: &mut Lanes, paced: &mut Paced, attack: Attack) -> u64 {
    let validate = Arc::clone(&lanes.counted[1].validate);
    // A worker that the machine does not run for some milliseconds has a full ring, and drops of it.
    let way = &mut paced.traffic.ways[0];
    way.may_lose = true;
    if attack.twice {
        way.most = u64::MAX;
        paced.traffic.taps[0].crowded = true;
    }
    // What it drops because it can't keep up it did not take.
    let taken = || {
        let overload = validate.dropped(DropReason::Overload).value();
        validate.frames_in.value().saturating_sub(overload)
    };
    let mut running = Running::new(attack, taken());
    let rekeys = std::thread::scope(|scope| {
        let changes = scope.spawn(|| meanwhile(lanes));
        while !changes.is_finished() {
            paced.turn();
            running.turn(&mut paced.traffic.taps, taken());
        }
        changes.join()
    });
    assert!(rekeys.is_ok(), "{}", lanes.account());
    rekeys.unwrap_or(0)
}

/// Waits for what is under way, and for the last picture of it all.
fn finish(traffic: &mut Traffic) {
    let end = Instant::now() + Duration::from_millis(1500);
    while Instant::now() < end {
        traffic.turn([0, 0]);
    }
}

/// Where the frames of the attacked lane ended.
fn ends(lanes: &Lanes) -> String {
    let lane = &lanes.counted[1].validate;
    let reasons = DropReason::all().map(|why| (why.name(), lane.dropped(why).value()));
    let seen: Vec<_> = reasons.filter(|(_, frames)| *frames > 0).collect();
    let (into, out) = (lane.frames_in.value(), lane.frames_out.value());
    let control = lane.to_control.value();
    format!("{into} in, {out} out, {control} to control, {seen:?}")
}

/// Neither end lost the session or a peer, and no key was made but those that were asked for.
#[track_caller]
fn assert_held(lanes: &mut Lanes, rekeys: u64) {
    for link in lanes.links() {
        assert!(link.controlled_port_open, "{}", link.reason);
        let mka = mka(&link);
        assert_eq!(mka.losses, 0, "{} {mka:#?}", link.name);
        assert_eq!(mka.rekeys, rekeys);
        let counters = &participant(&link).counters;
        assert_eq!((counters.peers_gained, counters.peers_lost), (1, 0));
        assert_eq!(participant(&link).peers.len(), 1, "a peer too many");
    }
}

/// All data came but what the wire or the lane had no room for, which the lane counts under that reason.
#[track_caller]
fn assert_carried(lanes: &Lanes, traffic: &Traffic) {
    let [way, other] = &traffic.ways;
    assert_eq!(other.received, other.sent);
    let [near, far] = [&lanes.counted[0].protect, &lanes.counted[1].validate];
    let full = near.dropped(DropReason::TxFull).value() + far.dropped(DropReason::TxFull).value();
    let came = way.received - way.lost;
    let lost = way.sent - came;
    // Junk is among those that came too fast.
    let overload = far.dropped(DropReason::Overload).value();
    println!(
        "{lost} of {} frames of data were lost, {overload} of all came too fast for the lane",
        way.sent
    );
    assert!(came > 1000);
    assert!(lost <= traffic.taps[0].missed_data + full + overload);
    if lost + overload == 0 {
        assert_nothing_lost(lanes, traffic);
    }
}

/// The last octets of a frame's ICV become others.
fn with_wrong_icv(frame: &[u8], salt: u8) -> Vec<u8> {
    let mut frame = frame.to_vec();
    if let Some(last) = frame.last_mut() {
        *last ^= salt | 1;
    }
    frame
}

/// The newest MKPDU of the peer: its CKN, its address, its numbers, another ICV.
fn forged([tap, _]: [&Tap; 2]) -> Vec<Vec<u8>> {
    let newest = tap.agreement.last();
    let forge = |frame: &Vec<u8>| {
        (0..16)
            .map(|salt| with_wrong_icv(frame, salt << 1))
            .collect()
    };
    newest.map_or_else(Vec::new, forge)
}

#[test]
fn forged_mkpdus_with_the_peers_name_and_address() {
    under_flood(
        "forged_mkpdus_with_the_peers_name_and_address",
        keys(21, &[]),
        Attack {
            frames: forged,
            twice: false,
        },
        |lanes, injected| {
            let overrun = dropped(lanes, DropReason::EapolOverrun);
            let icv = discarded(lanes, "icv");
            println!("{injected} forged: {icv} with a wrong ICV, {overrun} without a slot");
            assert!(icv > 1000);
            // The peer's own may be among those without a slot.
            let all = icv + overrun;
            assert!((injected..injected + 100).contains(&all), "{all}");
        },
    );
}

/// Of another CKN, of a length that can't be, no MKA at all, and what "b" itself sent.
fn useless([tap, back]: [&Tap; 2]) -> Vec<Vec<u8>> {
    let Some((frame, own)) = tap.agreement.last().zip(back.agreement.last()) else {
        return Vec::new();
    };
    let [mut stranger, mut longer, mut other] = [(); 3].map(|()| frame.clone());
    // The CKN begins behind the header and 32 octets of the basic parameter set.
    stranger[50] ^= 1;
    longer[17] ^= 1;
    other[15] = 0;
    vec![stranger, longer, other, own.clone()]
}

#[test]
fn useless_mkpdus_end_at_the_lane() {
    under_flood(
        "useless_mkpdus_end_at_the_lane",
        keys(22, &[]),
        Attack {
            frames: useless,
            twice: false,
        },
        |lanes, injected| {
            for why in [
                DropReason::EapolUnknownCkn,
                DropReason::EapolLength,
                DropReason::EapolNotMka,
                DropReason::EapolReflected,
            ] {
                let frames = dropped(lanes, why);
                assert!(frames >= injected / 5, "{}: {frames}", why.name());
            }
            // Not one of them cost control anything.
            assert!(lanes.counted[1].validate.to_control.value() < 100);
        },
    );
}

/// All that the peer has sent so far, but for the newest: "b" may not have heard that one yet.
fn recorded([tap, _]: [&Tap; 2]) -> Vec<Vec<u8>> {
    let old = tap.agreement.len().saturating_sub(1);
    tap.agreement.iter().take(old).cloned().collect()
}

#[test]
fn a_recording_of_the_session_itself() {
    under_flood(
        "a_recording_of_the_session_itself",
        keys(23, &[]),
        Attack {
            frames: recorded,
            twice: false,
        },
        |lanes, injected| {
            let overrun = dropped(lanes, DropReason::EapolOverrun);
            let old = discarded(lanes, "message_number");
            println!("{injected} repeated: {old} with an old number, {overrun} without a slot");
            assert!(old > 1000);
            let all = old + overrun;
            assert!((injected..injected + 100).contains(&all), "{all}");
        },
    );
}

/// A frame without protection, and protected ones that lie ahead of the newest and are not whole.
fn junk_data([tap, _]: [&Tap; 2]) -> Vec<Vec<u8>> {
    if ethertype(&tap.data) != 0x88E5 {
        return Vec::new();
    }
    let mut clear = vec![0x5a; 200];
    clear[..14].copy_from_slice(&[2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x08, 0x00]);
    let mut frames = vec![clear];
    for ahead in 0..3 {
        let mut frame = with_wrong_icv(&tap.data, 2 * ahead);
        // The packet number: its second highest octet, so that it is no late one.
        frame[17] = frame[17].wrapping_add(ahead + 1);
        frames.push(frame);
    }
    frames
}

#[test]
fn junk_data_at_twice_what_the_lane_takes() {
    under_flood(
        "junk_data_at_twice_what_the_lane_takes",
        keys(24, &[]),
        Attack {
            frames: junk_data,
            twice: true,
        },
        |lanes, _| {
            let untagged = DropReason::all().filter(|why| why.name() == "no_tag");
            let not_valid = DropReason::all().filter(|why| why.name() == "not_valid");
            for why in untagged.chain(not_valid) {
                let frames = dropped(lanes, why);
                assert!(frames > 1000, "{}: {frames}", why.name());
            }
            let overload = dropped(lanes, DropReason::Overload);
            assert!(overload > 1000, "no overload: {overload}");
        },
    );
}
