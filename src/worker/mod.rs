//! Poll-mode threads, and the only module that knows DPDK: ports come up here and frames move here.

mod backlog;
mod bring_up;
mod bring_up_error;
mod eapol;
mod helper;
mod idle;
mod inlet;
mod mbuf_frame;
mod outlet;
mod poll;
mod port_ops;
mod reports;
mod runner;
mod sequencer;
mod stages;

pub use bring_up::{Brought, PortPlan, bring_up};
pub use bring_up_error::BringUpError;
pub use helper::Helper;
pub use idle::IdlePolicy;
pub use poll::{Polling, Worker};
pub use port_ops::DpdkPort;
pub use runner::{Lane, Runner};
pub use sequencer::{Crew, HelpPolicy};
pub use stages::Stage;
#[cfg(feature = "stage-cycles")]
pub use stages::{StageCycles, stage_cycles};
