//! What MKA itself costs: CPU per KaY and second, with 1, 10, 100 and 1,000 of them in one process, each
//! with a live peer over a wire in memory, in virtual time.
//!
//! Cryptography is the product's. The data plane answers at once and says every 100 ms how far its SAs
//! are, as a worker does. Two KaYs stand for one session here; the figures are for one of them.

#[expect(dead_code, reason = "the simulation needs more of it")]
#[path = "../tests/mka_sim/plane.rs"]
mod plane;

use std::{
    cmp::Reverse, collections::BinaryHeap, error::Error, fs, hint::black_box, time::Duration,
};

use macsec_gateway::{
    crypto::{AesKeyAgreement, Cak, KeyAgreement, random::SystemRandom},
    ieee::{CipherSuite, Ckn, EtherType, MacAddr, Sci},
    mka::{
        IcvHeader, Kay, KaySetup, NewCak, Policy, Protection, Rekey, Remembered, Report, SsciRule,
        Time, Timers, XpnSet, pdu::Frame,
    },
};
use nix::time::ClockId;
use plane::{Habits, Plane};

/// KaYs in the process.
const COUNTS: [usize; 4] = [1, 10, 100, 1000];

/// Virtual seconds that a hello phase is measured for.
const SECONDS: u64 = 120;

/// Between two words of a data plane on how far its SAs are.
const PROGRESS: u64 = 100_000;

type Outcome<T> = Result<T, Box<dyn Error>>;

fn policy(source: MacAddr) -> Policy {
    Policy {
        suites: [CipherSuite::GcmAesXpn256].into_iter().collect(),
        protection: Protection::Offset0,
        accept_no_macsec: false,
        priority: 16,
        source,
        destination: MacAddr::PAE_GROUP,
        ethertype: EtherType::EAPOL,
        icv_header: IcvHeader::AsSent,
        icv_indicator: false,
        version: 3,
        ssci: SsciRule::Auto,
        xpn_set: XpnSet::Auto,
        delay_protection: false,
        timers: Timers::default(),
        rekey: Rekey::default(),
        max_peers: 1,
    }
}

/// One KaY and its data plane.
struct End {
    kay: Kay,
    plane: Plane,
}

impl End {
    fn new(number: usize) -> Outcome<Self> {
        let [.., a, b, c, d] = number.to_be_bytes();
        let source = MacAddr([2, 0, a, b, c, d]);
        let sci = Sci::new(source, 1);
        let crypto = AesKeyAgreement::new(SystemRandom);
        let pair = u8::try_from(number / 2 % 251)?;
        let ckn = Ckn::new(&[pair; 32])?;
        let keys = crypto.derive(&Cak::take(&mut [pair; 32])?, &ckn)?;
        let setup = KaySetup {
            sci,
            policy: policy(source),
            crypto: Box::new(crypto),
            remembered: Remembered::default(),
            keeps_identity: false,
        };
        let mut kay = Kay::new(Time::default(), setup)?;
        kay.add_cak(
            Time::default(),
            NewCak {
                ckn,
                keys,
                fallback: false,
                rank: 1,
            },
        )?;
        Ok(Self {
            kay,
            plane: Plane::new(sci, Habits::default()),
        })
    }

    /// Does what the KaY wants; gives back what it sends.
    fn drain(&mut self, now: Time, out: &mut Vec<Frame>) -> Outcome<()> {
        loop {
            if let Some(action) = self.kay.poll_action() {
                for word in self.plane.apply(action)? {
                    self.kay.handle_report(now, word);
                }
            } else if let Some(frame) = self.kay.poll_transmit(now) {
                out.push(frame);
            } else if self.kay.poll_event().is_none() {
                return Ok(());
            }
        }
    }
}

/// All of them, and when each wants to be woken.
struct Process {
    ends: Vec<End>,
    alarms: BinaryHeap<Reverse<(u64, usize)>>,
    alarm: Vec<u64>,
    now: u64,
    mkpdus: u64,
}

fn time(micros: u64) -> Time {
    Time(Duration::from_micros(micros))
}

impl Process {
    /// `count` sessions, each between two KaYs of this process.
    fn new(count: usize) -> Outcome<Self> {
        let ends: Vec<_> = (0..2 * count).map(End::new).collect::<Outcome<_>>()?;
        let alarm = vec![u64::MAX; ends.len()];
        let mut process = Self {
            ends,
            alarms: BinaryHeap::new(),
            alarm,
            now: 0,
            mkpdus: 0,
        };
        for end in 0..process.ends.len() {
            // Not all in the same moment.
            process.run_until(u64::try_from(end)? * 997)?;
            process.tell(end, |kay, now| kay.handle_report(now, Report::Link(true)))?;
        }
        Ok(process)
    }

    /// Gives a KaY something, delivers what it sends, and so on until nobody sends.
    fn tell(&mut self, end: usize, what: impl FnOnce(&mut Kay, Time)) -> Outcome<()> {
        let now = time(self.now);
        let mut frames = Vec::new();
        what(&mut self.ends[end].kay, now);
        self.ends[end].drain(now, &mut frames)?;
        self.set_alarm(end)?;
        let mut sender = end;
        while !frames.is_empty() {
            let receiver = sender ^ 1;
            let mut answers = Vec::new();
            for frame in &frames {
                self.mkpdus += 1;
                let there = &mut self.ends[receiver];
                black_box(there.kay.handle_mkpdu(now, frame)).map_err(|why| why.name())?;
                there.drain(now, &mut answers)?;
            }
            self.set_alarm(receiver)?;
            frames = answers;
            sender = receiver;
        }
        Ok(())
    }

    fn set_alarm(&mut self, end: usize) -> Outcome<()> {
        if let Some(at) = self.ends[end].kay.poll_timeout() {
            let at = u64::try_from(at.0.as_nanos().div_ceil(1000))?.max(self.now);
            if at != self.alarm[end] {
                self.alarm[end] = at;
                self.alarms.push(Reverse((at, end)));
            }
        }
        Ok(())
    }

    fn run_until(&mut self, until: u64) -> Outcome<()> {
        while let Some(&Reverse((at, end))) = self.alarms.peek()
            && at <= until
        {
            self.alarms.pop();
            if self.alarm[end] == at {
                self.alarm[end] = u64::MAX;
                self.now = at;
                self.tell(end, Kay::handle_timeout)?;
            }
        }
        self.now = until;
        Ok(())
    }

    /// Hello, and the data planes' words.
    fn run_for(&mut self, micros: u64) -> Outcome<()> {
        let end = self.now + micros;
        while self.now < end {
            self.run_until(self.now + PROGRESS)?;
            for end in 0..self.ends.len() {
                for word in self.ends[end].plane.progress() {
                    self.tell(end, |kay, now| kay.handle_report(now, word))?;
                }
            }
        }
        Ok(())
    }

    fn secured(&self) -> bool {
        let now = time(self.now);
        self.ends.iter().all(|end| end.kay.status(now).secured)
    }
}

fn cpu() -> Outcome<Duration> {
    Ok(ClockId::CLOCK_THREAD_CPUTIME_ID.now()?.into())
}

/// Resident memory of this process, in KiB.
fn resident() -> Outcome<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .ok_or("no VmRSS")?;
    Ok(line.split_whitespace().nth(1).ok_or("no figure")?.parse()?)
}

fn nanos(time: Duration, parts: u64) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX) / parts.max(1)
}

fn measure(count: usize) -> Outcome<()> {
    let kays = u64::try_from(2 * count)?;
    let memory = resident()?;
    let start = cpu()?;
    let mut process = Process::new(count)?;
    process.run_for(20_000_000)?;
    if !process.secured() {
        return Err("not all are secured".into());
    }
    let setup = cpu()? - start;
    let memory = resident()?.saturating_sub(memory);
    // The shorter the process, the longer it is looked at.
    let seconds = SECONDS * (1000 / u64::try_from(count)?).clamp(1, 50);
    let (start, before) = (cpu()?, process.mkpdus);
    process.run_for(seconds * 1_000_000)?;
    let hello = cpu()? - start;
    let mkpdus = process.mkpdus - before;
    let rekeys = 20;
    let start = cpu()?;
    for _ in 0..rekeys {
        for end in 0..process.ends.len() {
            process.tell(end, |kay, now| {
                // Half of them are clients, who can't.
                black_box(kay.rekey(now)).ok();
            })?;
        }
        process.run_for(10_000_000)?;
    }
    let rekeyed = (cpu()? - start)
        .saturating_sub(hello * u32::try_from(rekeys * 10)? / u32::try_from(seconds)?);
    if !process.secured() {
        return Err("not all are secured".into());
    }
    println!(
        "{count:>5} {:>14} {:>14} {:>14} {:>14} {:>14}",
        nanos(hello, kays * seconds),
        nanos(hello, mkpdus),
        nanos(rekeyed, kays * rekeys),
        nanos(setup, kays),
        memory * 1024 / kays,
    );
    Ok(())
}

fn main() -> Outcome<()> {
    println!("KaYs  ns/KaY/second       ns/MKPDU    ns/KaY/rekey    ns/KaY/start     octets/KaY");
    COUNTS.into_iter().try_for_each(measure)
}
