//! Ports that do nothing but say in the journal what was asked of them.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use crossbeam::queue::SegQueue;

use crate::{
    bus::{LinkDownWay, LinkState, PortError, PortOps, PortStats},
    ieee::MacAddr,
};

/// What happened, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Journal(Arc<SegQueue<String>>);

impl Journal {
    pub(super) fn note(&self, what: String) {
        self.0.push(what);
    }

    /// Everything since it was read last.
    pub(super) fn read(&self) -> Vec<String> {
        core::iter::from_fn(|| self.0.pop()).collect()
    }
}

#[derive(Debug)]
pub(super) struct FakePort {
    pub(super) name: String,
    pub(super) mac: MacAddr,
    pub(super) way: LinkDownWay,
    pub(super) journal: Journal,
    /// Whether the far end has a link.
    pub(super) cable: AtomicBool,
    pub(super) fails: AtomicBool,
    pub(super) rx_packets: AtomicU64,
    started: AtomicBool,
}

impl FakePort {
    pub(super) fn new(
        name: String,
        mac: MacAddr,
        way: LinkDownWay,
        journal: &Journal,
    ) -> Arc<Self> {
        Arc::new(Self {
            name,
            mac,
            way,
            journal: journal.clone(),
            cable: AtomicBool::new(true),
            fails: AtomicBool::new(false),
            rx_packets: AtomicU64::new(0),
            started: AtomicBool::new(false),
        })
    }

    fn did(&self, what: &str) -> Result<(), PortError> {
        let fails = self.fails.load(Ordering::Relaxed);
        let how = if fails { " failed" } else { "" };
        self.journal.note(format!("{} {what}{how}", self.name));
        if fails {
            Err(PortError {
                device: self.name.clone(),
                what: format!("{what}: no"),
            })
        } else {
            Ok(())
        }
    }
}

impl PortOps for FakePort {
    fn device(&self) -> &str {
        &self.name
    }

    fn driver(&self) -> &str {
        "fake"
    }

    fn mac(&self) -> MacAddr {
        self.mac
    }

    fn mtu(&self) -> u16 {
        1600
    }

    fn link(&self) -> LinkState {
        LinkState {
            up: self.cable.load(Ordering::Relaxed),
            speed_mbps: 10_000,
            full_duplex: true,
        }
    }

    fn stats(&self) -> Result<PortStats, PortError> {
        Ok(PortStats {
            rx_packets: self.rx_packets.load(Ordering::Relaxed),
            ..PortStats::default()
        })
    }

    fn xstats(&self) -> Result<Vec<(String, u64)>, PortError> {
        Ok(Vec::new())
    }

    fn link_down_way(&self) -> LinkDownWay {
        self.way
    }

    fn show_link(&self, up: bool) -> Result<(), PortError> {
        self.did(if up { "up" } else { "down" })
    }

    fn start(&self) -> Result<(), PortError> {
        assert!(!self.started.load(Ordering::Relaxed), "started twice");
        self.did("start")?;
        self.started.store(true, Ordering::Relaxed);
        Ok(())
    }

    fn stop(&self) -> Result<(), PortError> {
        assert!(self.started.load(Ordering::Relaxed), "stopped twice");
        self.did("stop")?;
        self.started.store(false, Ordering::Relaxed);
        Ok(())
    }

    fn is_started(&self) -> bool {
        self.started.load(Ordering::Relaxed)
    }

    fn buffers(&self) -> (u32, u32) {
        (100, 128)
    }
}
