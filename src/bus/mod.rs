//! What crosses threads, and nothing else.
//!
//! Control and the workers share only this module. Commands and reports go over one ring each way
//! and worker; counters are single-writer blocks that anyone may read; a snapshot goes from control
//! to the threads that answer operators. No raw key is ever in here: a worker gets key objects.

mod command;
mod drop_reason;
mod eapol;
mod hand_over;
mod helper_counters;
mod lane;
mod lane_counters;
mod mka_view;
mod port_ops;
mod report;
mod ring;
mod snapshot;
mod worker_counters;

pub use command::{Bypass, BypassEntry, Command, LaneCommand};
pub use drop_reason::{DropReason, UnsentReason};
pub use eapol::{EAPOL_SLOT_LEN, EapolClass, EapolFilter, EapolFrame, EapolOut, EapolSlots};
pub use hand_over::{Giver, HAND_OVER_SLOTS, Taken, Taker, hand_over};
pub use helper_counters::HelperCounters;
pub use lane::{Direction, LaneIndex, LaneMode, LinkIndex, PortSide, WorkerIndex};
pub use lane_counters::LaneCounters;
pub use mka_view::{
    CakState, ClockState, ClockView, KeyServerView, LossView, MkaCakView, MkaCounters, MkaKeyView,
    MkaParticipantCounters, MkaParticipantView, MkaPeerView, MkaView,
};
pub use port_ops::{LinkDownWay, LinkState, PortError, PortOps, PortStats};
pub use report::{LaneReport, LateKey, Report};
pub use ring::{CommandReceiver, CommandSender, ReportReceiver, ReportSender, worker_rings};
pub use snapshot::{
    AlarmView, EngineView, HelperView, LinkSnapshot, PortSnapshot, RxSaView, RxScView, Secured,
    Snapshot, SnapshotReader, SnapshotWriter, TxSaView, WorkerView, snapshot_channel,
};
pub use worker_counters::WorkerCounters;
