//! What `perf` counts for each role: the worker alone, the sequencer, a helper.

use std::{
    fs::{File, OpenOptions},
    io::{Read as _, Write as _},
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use macsec_gateway::worker::HelpPolicy;
use nix::{
    sys::{
        signal::{Signal, kill},
        stat::Mode,
    },
    unistd::{Pid, mkfifo},
};

use crate::{
    bed::{Bed, Running},
    lanes::setting,
    model::for_helped,
    sample::Sample,
};

/// How long the counters count.
const TIME: Duration = Duration::from_millis(500);

/// A column of the table, and the event that is counted.
struct Event {
    title: String,
    name: String,
}

/// What every CPU has a name for.
const GENERIC: [(&str, &str); 5] = [
    ("instructions", "instructions"),
    ("core cycles", "cycles"),
    ("L1d misses", "L1-dcache-load-misses"),
    ("last-level accesses", "cache-references"),
    ("last-level misses", "cache-misses"),
];

/// AMD since Zen 3: where lines come from that the second level did not have. No more than five, since
/// virtual machines often have one counter less than they say, which then stands at 0.
const AMD: [(&str, &str); 5] = [
    ("instructions", "instructions"),
    ("core cycles", "cycles"),
    ("L1d misses", "L1-dcache-load-misses"),
    ("same L3", "cpu/event=0x44,umask=0x02/"),
    ("beyond it", "cpu/event=0x44,umask=0x5c/"),
];

/// `perf`, which may count here.
pub(crate) struct Perf {
    events: Vec<Event>,
}

impl Perf {
    /// Whether it is there and may count, or why not.
    pub(crate) fn find() -> Result<Self, String> {
        if setting("PERF", 1) == 0 {
            return Err("PERF=0".to_owned());
        }
        let perf = Self { events: events() };
        let mut command = perf.command();
        let tried = command.args(["--", "true"]).output();
        match tried {
            Err(error) => Err(format!("perf can't be run: {error}")),
            Ok(output) if !output.status.success() => {
                let said = String::from_utf8_lossy(&output.stderr);
                Err(format!("perf: {}", said.trim()))
            }
            Ok(_) => Ok(perf),
        }
    }

    fn command(&self) -> Command {
        let names: Vec<_> = self
            .events
            .iter()
            .map(|event| event.name.as_str())
            .collect();
        let mut command = Command::new("perf");
        command
            .args(["stat", "-x", ";", "-e"])
            .arg(names.join(","))
            .stdout(Stdio::null());
        command
    }

    /// Prints what a frame costs each role.
    pub(crate) fn table(&self, bed: &Bed<'_>) {
        let ([alone], sample, _) = self.count(bed, 0);
        let alone: Vec<f64> = alone.iter().map(|count| count / sample.frames).collect();
        let ([worker, helper], sample, per_poll) = self.count(bed, 1);
        print!("{:16}", "per frame");
        for event in &self.events {
            print!("  {}", event.title);
        }
        println!();
        let row = |role: &str, counts: &[f64]| {
            print!("{role:16}");
            for (count, event) in counts.iter().zip(&self.events) {
                print!("  {count:0$.2}", event.title.len());
            }
            println!();
        };
        row("worker alone", &alone);
        let sequencer = worker.iter().zip(&alone);
        let sequencer = sequencer.map(|(count, alone)| for_helped(&sample, *count, *alone));
        row("sequencer", &sequencer.collect::<Vec<_>>());
        let helper = helper.iter().zip(&per_poll);
        let helper =
            helper.map(|(count, poll)| (count - poll * sample.empty_polls) / sample.helped);
        row("helper", &helper.collect::<Vec<_>>());
    }

    /// Counts of each thread and event of a lane with so many helpers, what it did meanwhile, and what a
    /// helper's look for work costs where there is none.
    fn count<const THREADS: usize>(
        &self,
        bed: &Bed<'_>,
        helpers: usize,
    ) -> ([Vec<f64>; THREADS], Sample, Vec<f64>) {
        let running = bed.launch(helpers, HelpPolicy::Always);
        let (idle, sample) = self.counts(&running);
        let per_poll = idle.last().unwrap().iter();
        let per_poll = per_poll
            .map(|count| count / sample.empty_polls.max(1.0))
            .collect();
        running.begin();
        let (counts, sample) = self.counts(&running);
        running.end();
        (counts.try_into().unwrap(), sample, per_poll)
    }

    /// Counts for [`TIME`].
    fn counts(&self, running: &Running<'_>) -> (Vec<Vec<f64>>, Sample) {
        let mut counting = Counting::start(self, &running.threads);
        counting.tell("enable");
        let before = running.look();
        thread::sleep(TIME);
        let after = running.look();
        counting.tell("disable");
        let said = counting.end();
        let counts = running.threads.iter().map(|thread| {
            let own = |line: &&str| {
                let name = line.split(';').next().unwrap_or_default();
                name.ends_with(&format!("-{thread}"))
            };
            let lines = said.lines().filter(own);
            lines.map(count).collect::<Vec<f64>>()
        });
        (counts.collect(), after.since(&before))
    }
}

/// The count of a line: a thread, a count, a unit, an event. Not a number where the CPU can't count it.
fn count(line: &str) -> f64 {
    let field = line.split(';').nth(1).unwrap_or_default();
    field.parse().unwrap_or(f64::NAN)
}

fn events() -> Vec<Event> {
    let own = setting("EVENTS", String::new());
    if !own.is_empty() {
        let names = own.split_whitespace().map(str::to_owned);
        return names
            .map(|name| Event {
                title: name.clone(),
                name,
            })
            .collect();
    }
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let events: &[_] = if cpu.contains("AuthenticAMD") {
        &AMD
    } else {
        &GENERIC
    };
    let events = events.iter().map(|(title, name)| Event {
        title: (*title).to_owned(),
        name: (*name).to_owned(),
    });
    events.collect()
}

/// A `perf` that counts when it is told to.
struct Counting {
    perf: Child,
    control: File,
    answers: File,
    dir: PathBuf,
}

impl Counting {
    fn start(perf: &Perf, threads: &[Pid]) -> Self {
        let dir = std::env::temp_dir().join(format!("scaling-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let [control, answers] = ["control", "answers"].map(|name| {
            let path = dir.join(name);
            mkfifo(&path, Mode::S_IRUSR | Mode::S_IWUSR).unwrap();
            path
        });
        let threads: Vec<_> = threads.iter().map(ToString::to_string).collect();
        let mut command = perf.command();
        command
            .args(["--per-thread", "--delay", "-1", "--control"])
            .arg(format!("fifo:{},{}", control.display(), answers.display()))
            .args(["-t", &threads.join(",")])
            .stderr(Stdio::piped());
        // Opened for both, so that neither waits for the other's opening.
        let open = |path| {
            OpenOptions::new()
                .read(true)
                .write(true)
                .open(path)
                .unwrap()
        };
        Self {
            control: open(control),
            answers: open(answers),
            perf: command.spawn().unwrap(),
            dir,
        }
    }

    /// Waits until it has done so.
    fn tell(&mut self, what: &str) {
        writeln!(self.control, "{what}").unwrap();
        let mut answer = [0; 5];
        self.answers.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"ack\n\0");
    }

    /// What it counted.
    fn end(mut self) -> String {
        let pid = Pid::from_raw(i32::try_from(self.perf.id()).unwrap());
        kill(pid, Signal::SIGINT).unwrap();
        let mut said = String::new();
        self.perf
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut said)
            .unwrap();
        self.perf.wait().unwrap();
        std::fs::remove_dir_all(&self.dir).unwrap();
        said
    }
}
