//! What control tells the threads that answer operators: a picture of everything, with its age.
//!
//! Counters are in it by reference: they are read when they are shown. Everything else is as control
//! last saw it. There is no secret in here, and no text that a peer chose.

use alloc::{string::String, sync::Arc, vec::Vec};
use std::time::Instant;

use crossbeam::queue::ArrayQueue;

use super::{
    HelperCounters, LaneCounters, LaneIndex, LaneMode, LinkDownWay, LinkState, MkaView, PortStats,
    WorkerCounters,
};
use crate::{
    ieee::{An, CipherSuite, KeyIdentifier, MacAddr, Pn, Sci, Ssci},
    macsec::{Replay, RxScCounters, RxSecyCounters, SectagSci, TxCounters, ValidateFrames},
};

/// Everything, at one moment.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// When control made it.
    pub taken: Instant,
    /// When the process was ready.
    pub started: Instant,
    /// The gateway's name.
    pub gateway: String,
    /// The DPDK release in use.
    pub dpdk_version: String,
    /// Whether memory is hugepages.
    pub hugepages: bool,
    /// `None` where captures by `dpdk-dumpcap` work, else why they don't.
    pub capture_refused: Option<String>,
    /// The engine that the links' keys use.
    pub engine: String,
    /// Every engine, and why it is or isn't in use.
    pub engines: Vec<EngineView>,
    /// Facts of the process's hardening, one sentence each.
    pub hardening: Vec<String>,
    /// Workers, by index.
    pub workers: Vec<WorkerView>,
    /// Crypto helpers, in the order of their lcores.
    pub helpers: Vec<HelperView>,
    /// Links, in the config's order.
    pub links: Vec<LinkSnapshot>,
    /// When the configuration was last reloaded, and how that ended.
    pub last_reload: Option<(Instant, Result<(), String>)>,
    /// Reloads since the start, refused ones too.
    pub reload_generation: u64,
    /// The time stamp counter's cycles per second, for the workers' cycle counters.
    pub tsc_hz: u64,
}

/// One engine.
#[derive(Clone, Debug)]
pub struct EngineView {
    /// Its name.
    pub name: String,
    /// Whether it is the one in use.
    pub in_use: bool,
    /// Why it is or isn't.
    pub why: String,
}

/// One worker.
#[derive(Clone, Debug)]
pub struct WorkerView {
    /// The EAL lcore.
    pub lcore: u32,
    /// The CPU that it is pinned to.
    pub cpu: u32,
    /// The idle policy in use.
    pub idle: String,
    /// Its lanes, as `link/direction`.
    pub lanes: Vec<String>,
    /// Its counters.
    pub counters: Arc<WorkerCounters>,
}

/// One crypto helper.
#[derive(Clone, Debug)]
pub struct HelperView {
    /// The EAL lcore.
    pub lcore: u32,
    /// The CPU that it is pinned to.
    pub cpu: u32,
    /// The idle policy in use.
    pub idle: String,
    /// The lane that it helps.
    pub lane: LaneIndex,
    /// The same, as `link/direction`.
    pub lane_name: String,
    /// What it counts itself.
    pub own: Arc<WorkerCounters>,
    /// What its lane's sequencer counts about it.
    pub counters: Arc<HelperCounters>,
}

/// How far a link's keys are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secured {
    /// A transmit SA is in use and a receive SA is installed, as workers reported.
    Yes,
    /// Not, or not yet.
    No,
    /// The link does not encrypt (`no_encrypt`).
    NotWanted,
}

/// One link.
#[derive(Clone, Debug)]
pub struct LinkSnapshot {
    /// Its name.
    pub name: String,
    /// Plain port.
    pub plain: PortSnapshot,
    /// Secure port.
    pub secure: PortSnapshot,
    /// `must_encrypt`, `should_encrypt` or `no_encrypt`.
    pub encryption: &'static str,
    /// `static`, `mka` or `none`.
    pub agreement: &'static str,
    /// Whether it is secured.
    pub secured: Secured,
    /// Whether the controlled port is open: whether anything but key agreement passes.
    pub controlled_port_open: bool,
    /// Why it is in this state, in a sentence.
    pub reason: String,
    /// What the protect lane lets through, as its worker reported.
    pub protect_mode: LaneMode,
    /// What the validate lane lets through, as its worker reported.
    pub validate_mode: LaneMode,
    /// Cipher suite.
    pub cipher_suite: CipherSuite,
    /// False: integrity only.
    pub confidentiality: bool,
    /// 0, 30 or 50.
    pub confidentiality_offset: u8,
    /// Own SCI.
    pub sci: Sci,
    /// How the SCI is sent.
    pub sectag_sci: SectagSci,
    /// Clear VLAN tags ahead of the SecTAG.
    pub clear_vlan_tags: u8,
    /// Replay protection.
    pub replay: Replay,
    /// Newest packet numbers among which duplicates are refused.
    pub duplicate_depth: usize,
    /// `validateFrames`.
    pub validate_frames: ValidateFrames,
    /// The plain side's MTU as configured.
    pub mtu: u16,
    /// What the secure port must take for it: MTU plus MACsec and two VLAN tags.
    pub secure_mtu_needed: u16,
    /// The transmit SA in use.
    pub tx_encoding: Option<An>,
    /// Transmit SAs that are installed.
    pub tx_sas: Vec<TxSaView>,
    /// Receive SCs.
    pub rx_scs: Vec<RxScView>,
    /// Standing alarms.
    pub alarms: Vec<AlarmView>,
    /// SAs that were put in use since the start, both ways.
    pub an_changes: u64,
    /// Key agreement, where the link has it.
    pub mka: Option<MkaView>,
    /// The protect lane's counters.
    pub protect: Arc<LaneCounters>,
    /// The validate lane's counters.
    pub validate: Arc<LaneCounters>,
    /// The transmit half's MIB counters.
    pub tx_counters: Arc<TxCounters>,
    /// The receive half's MIB counters.
    pub rx_counters: Arc<RxSecyCounters>,
}

/// One port.
#[derive(Clone, Debug)]
pub struct PortSnapshot {
    /// As the config names it.
    pub device: String,
    /// Driver.
    pub driver: String,
    /// Own address.
    pub mac: MacAddr,
    /// Largest payload that it takes.
    pub mtu: u16,
    /// Whether it is started.
    pub started: bool,
    /// Its link.
    pub link: LinkState,
    /// How it can take its link down.
    pub link_down_way: LinkDownWay,
    /// `ethdev`'s counters, if the driver gave them.
    pub stats: PortStats,
    /// Free buffers of its pool, and all of them.
    pub buffers: (u32, u32),
}

/// One transmit SA.
#[derive(Clone, Debug)]
pub struct TxSaView {
    /// Association number.
    pub an: An,
    /// Key identifier.
    pub ki: KeyIdentifier,
    /// The next packet number to send.
    pub next_pn: Pn,
    /// The first packet number that the reservation does not cover.
    pub reserved_until: Pn,
    /// Whether the soft threshold is passed.
    pub soft_threshold_passed: bool,
    /// SSCI, with XPN.
    pub ssci: Option<Ssci>,
}

/// One receive SC.
#[derive(Clone, Debug)]
pub struct RxScView {
    /// Its SCI.
    pub sci: Sci,
    /// Its SAs.
    pub sas: Vec<RxSaView>,
    /// Its counters.
    pub counters: Arc<RxScCounters>,
}

/// One receive SA.
#[derive(Clone, Debug)]
pub struct RxSaView {
    /// Association number.
    pub an: An,
    /// Key identifier.
    pub ki: KeyIdentifier,
    /// One more than the highest packet number that was accepted.
    pub next_pn: Pn,
    /// The lowest acceptable packet number.
    pub lowest_pn: Pn,
    /// SSCI, with XPN.
    pub ssci: Option<Ssci>,
}

/// A standing alarm. Names come from a fixed list, so that they can be labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlarmView {
    /// A fixed name, such as `bypass_in_must_encrypt`.
    pub name: &'static str,
    /// What it means here and what to do.
    pub text: String,
}

/// Control's end.
#[derive(Debug)]
pub struct SnapshotWriter(Vec<Arc<ArrayQueue<Arc<Snapshot>>>>);

/// A reading thread's end.
#[derive(Debug)]
pub struct SnapshotReader {
    newest: Arc<ArrayQueue<Arc<Snapshot>>>,
    last: Option<Arc<Snapshot>>,
}

/// A writer and `readers` readers. A reader never waits for control, nor control for a reader.
pub fn snapshot_channel(readers: usize) -> (SnapshotWriter, Vec<SnapshotReader>) {
    let queues: Vec<_> = (0..readers).map(|_| Arc::new(ArrayQueue::new(1))).collect();
    let readers = queues
        .iter()
        .map(|queue| SnapshotReader {
            newest: Arc::clone(queue),
            last: None,
        })
        .collect();
    (SnapshotWriter(queues), readers)
}

impl SnapshotWriter {
    /// Puts `snapshot` in place of the last one.
    pub fn publish(&self, snapshot: &Arc<Snapshot>) {
        for queue in &self.0 {
            queue.force_push(Arc::clone(snapshot));
        }
    }
}

impl SnapshotReader {
    /// The newest snapshot, or `None` before the first.
    pub fn newest(&mut self) -> Option<Arc<Snapshot>> {
        if let Some(snapshot) = self.newest.pop() {
            self.last = Some(snapshot);
        }
        self.last.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(generation: u64) -> Arc<Snapshot> {
        let now = Instant::now();
        Arc::new(Snapshot {
            taken: now,
            started: now,
            gateway: String::new(),
            dpdk_version: String::new(),
            hugepages: false,
            capture_refused: None,
            engine: String::new(),
            engines: vec![],
            hardening: vec![],
            workers: vec![],
            helpers: vec![],
            links: vec![],
            last_reload: None,
            reload_generation: generation,
            tsc_hz: 1,
        })
    }

    fn seen(reader: &mut SnapshotReader) -> Option<u64> {
        reader.newest().map(|newest| newest.reload_generation)
    }

    #[test]
    fn each_reader_sees_the_newest_and_keeps_it() {
        let (writer, mut readers) = snapshot_channel(2);
        assert!(readers.iter_mut().all(|reader| seen(reader).is_none()));
        writer.publish(&snapshot(1));
        assert_eq!(seen(&mut readers[0]), Some(1));
        assert_eq!(seen(&mut readers[0]), Some(1), "it stays");
        writer.publish(&snapshot(2));
        writer.publish(&snapshot(3));
        assert_eq!(seen(&mut readers[0]), Some(3), "no backlog");
        assert_eq!(seen(&mut readers[1]), Some(3));
        drop(writer);
        assert_eq!(
            seen(&mut readers[1]),
            Some(3),
            "control's end is no reader's"
        );
    }

    #[test]
    fn nobody_keeps_old_snapshots_alive() {
        let (writer, mut readers) = snapshot_channel(2);
        let old = snapshot(1);
        writer.publish(&old);
        seen(&mut readers[0]);
        // One reader holds it, and the queue of the one that never reads.
        assert_eq!(Arc::strong_count(&old), 3);
        writer.publish(&snapshot(2));
        seen(&mut readers[0]);
        assert_eq!(Arc::strong_count(&old), 1);
    }

    #[test]
    fn a_reader_on_another_thread_never_goes_back() {
        let (writer, mut readers) = snapshot_channel(1);
        let mut reader = readers.pop().unwrap();
        std::thread::scope(|scope| {
            let builder = std::thread::Builder::new().name(String::from("api"));
            let reading = builder.spawn_scoped(scope, move || {
                let mut last = 0;
                while last < 20_000 {
                    let now = seen(&mut reader).unwrap_or(0);
                    assert!(now >= last);
                    last = now;
                }
            });
            for generation in 1..=20_000 {
                writer.publish(&snapshot(generation));
            }
            reading.unwrap().join().unwrap();
        });
    }
}
