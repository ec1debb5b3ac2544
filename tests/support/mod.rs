//! The test bed: what whole-gateway and interop tests stand on.
//!
//! Network namespaces joined by veth pairs and TAPs, captures, raw frames, a Linux kernel's own MACsec in a
//! user-mode-linux guest, a machine with PCI ports in QEMU, and the gateway itself as a process. Every wait
//! has a bound; what a test starts ends with it, on failure too. A failed step panics: it says what was
//! run, where its logs are, and their tail.
//!
//! A test file uses it by `mod support;`. Needs root and the packages of `deploy/packages.sh`.
#![allow(
    dead_code,
    unused_imports,
    reason = "every test file compiles the whole bed and uses its own part of it"
)]
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "this is test code: a broken step must end the test and say why"
)]

mod capture;
mod channel;
mod config;
mod gateway;
mod hugepages;
mod line;
mod macsec;
mod mka;
mod namespace;
mod pair;
mod pci;
mod played_peer;
mod process;
mod raw;
mod scratch;
mod span;
mod traffic;
mod uml;

pub(crate) use capture::{Capture, Frame, read_pcap};
pub(crate) use config::{GatewayConfig, LinkConfig, StaticKeys, fingerprint};
pub(crate) use gateway::{Gateway, Metrics, macsecgw, ready};
pub(crate) use hugepages::Hugepages;
pub(crate) use line::Line;
pub(crate) use macsec::{MacsecCounters, MacsecDevice, Suite};
pub(crate) use mka::{CakPair, KernelSas, MkaKeys, SupplicantOptions, Version};
pub(crate) use namespace::Namespace;
pub(crate) use pair::{Pair, PairEnds, lane_count, settled_counters};
pub(crate) use pci::{PciOptions, PciVm};
pub(crate) use played_peer::{MACSEC_OCTETS, PlayedPeer};
pub(crate) use process::{Daemon, Outcome, run, wait_until};
pub(crate) use raw::RawPort;
pub(crate) use scratch::Scratch;
pub(crate) use span::{Ends, Span, assert_balanced, drop_counters, ethernet};
pub(crate) use traffic::{Iperf, Ping, Shell, iperf_client, iperf_server, ping};
pub(crate) use uml::{UmlOptions, UmlPeer};
