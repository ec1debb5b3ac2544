//! Ethernet ports: taken by name, configured, started; watched and switched by control; polled by workers.
//!
//! [`Port`] is a typestate for bring-up. Once it runs, three kinds of handle exist: queues, with one owner
//! each, for workers; [`PortControl`], for the control thread; and the `Port` itself. They share one state
//! (`gate.rs`) that decides whether a port may be stopped and whether a queue may be polled.

mod bringup;
mod config;
mod control;
mod event;
mod gate;
mod info;
mod queue;
mod shared;
mod stats;

pub use bringup::{Configured, Port, Probed, Queues, Started};
pub(crate) use bringup::{all, by_name, hotplug_add, name};
pub use config::{PortConfig, PortFacts, Setting};
pub use control::PortControl;
pub use info::{Link, PortInfo};
pub use queue::{RxQueue, TxQueue};
pub use stats::{PortStats, Xstat};
