//! A port as control drives it: start, show a link or none, stop after the lanes let go.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::rising_stats::RisingStats;
use crate::bus::{Direction, LaneCommand, LinkDownWay, LinkState, PortOps, PortSide, PortSnapshot};

/// How long the lanes have to confirm that they let go of a port, before that is an alarm.
const LETTING_GO: Duration = Duration::from_secs(2);

/// Between two looks at the link's state; a look is a system call for some drivers.
const LOOK_AT_LINK: Duration = Duration::from_millis(50);

/// Between two readings of the driver's counters.
const READ_STATS: Duration = Duration::from_millis(500);

/// Where a port is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Not started: no lane uses it.
    Stopped,
    /// Started and in use.
    Running,
    /// Told the lanes to let go; it stops when both have.
    LettingGo { since: Instant },
}

/// One port of a link.
#[derive(Debug)]
pub(super) struct Port {
    side: PortSide,
    ops: Arc<dyn PortOps>,
    phase: Phase,
    /// What the neighbour was last shown, where that is not by starting and stopping.
    shown: Option<bool>,
    /// Which lanes said that they use it: protect, validate.
    used: [bool; 2],
    link: LinkState,
    link_since: Option<Instant>,
    looked: Option<Instant>,
    stats: RisingStats,
    read: Option<Instant>,
    /// What went wrong last, until it goes right.
    trouble: Option<String>,
}

impl Port {
    pub(super) fn new(side: PortSide, ops: Arc<dyn PortOps>) -> Self {
        Self {
            side,
            ops,
            phase: Phase::Stopped,
            shown: None,
            used: [false; 2],
            link: LinkState::default(),
            link_since: None,
            looked: None,
            stats: RisingStats::default(),
            read: None,
            trouble: None,
        }
    }

    pub(super) fn ops(&self) -> &dyn PortOps {
        &*self.ops
    }

    pub(super) fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// The link's speed, 0 where unknown.
    pub(super) const fn speed_mbps(&self) -> u32 {
        self.link.speed_mbps
    }

    /// Whether frames can pass: started, and both lanes use it.
    pub(super) fn in_use(&self) -> bool {
        self.phase == Phase::Running && self.used == [true; 2]
    }

    /// Whether no lane touches it and it is stopped.
    pub(super) fn is_stopped(&self) -> bool {
        self.phase == Phase::Stopped
    }

    /// How long the link has been up.
    pub(super) fn link_up_for(&self, now: Instant) -> Option<Duration> {
        self.link_since
            .filter(|_| self.link.up)
            .map(|since| now.saturating_duration_since(since))
    }

    /// Looks at link and counters when it is time.
    pub(super) fn look(&mut self, now: Instant) {
        if due(self.looked, now, LOOK_AT_LINK) {
            self.looked = Some(now);
            let link = if self.phase == Phase::Stopped {
                LinkState::default()
            } else {
                self.ops.link()
            };
            if link.up != self.link.up {
                tracing::info!(port = self.ops.device(), side = %self.side, up = link.up, "link");
                self.link_since = link.up.then_some(now);
            }
            self.link = link;
        }
        if due(self.read, now, READ_STATS) {
            self.read = Some(now);
            if let Ok(stats) = self.ops.stats() {
                self.stats.read(stats);
            }
        }
    }

    /// Starts the port and lets the lanes use it.
    pub(super) fn start(&mut self, out: &mut impl FnMut(Direction, LaneCommand)) {
        if self.phase != Phase::Stopped {
            return;
        }
        match self.ops.start() {
            Ok(()) => {
                self.phase = Phase::Running;
                self.looked = None;
                self.trouble = None;
                for direction in Direction::BOTH {
                    out(direction, LaneCommand::UsePort(self.side, true));
                }
            }
            Err(error) => self.note(error.to_string()),
        }
    }

    /// Tells the lanes to let go; [`Self::turn`] stops the port when both have.
    pub(super) fn let_go(&mut self, now: Instant, out: &mut impl FnMut(Direction, LaneCommand)) {
        if self.phase != Phase::Running {
            return;
        }
        self.phase = Phase::LettingGo { since: now };
        for direction in Direction::BOTH {
            out(direction, LaneCommand::UsePort(self.side, false));
        }
    }

    /// Shows the neighbour a link, or none, by the way that this port has.
    pub(super) fn show(
        &mut self,
        up: bool,
        now: Instant,
        out: &mut impl FnMut(Direction, LaneCommand),
    ) {
        match self.ops.link_down_way() {
            LinkDownWay::Stop if up => self.start(out),
            LinkDownWay::Stop => self.let_go(now, out),
            LinkDownWay::None if up => self.start(out),
            LinkDownWay::None => {}
            LinkDownWay::SetLink | LinkDownWay::Interface => {
                if up {
                    self.start(out);
                }
                self.show_by_link(up);
            }
        }
    }

    fn show_by_link(&mut self, up: bool) {
        let can =
            self.ops.link_down_way() == LinkDownWay::Interface || self.phase != Phase::Stopped;
        if self.shown == Some(up) || !can {
            return;
        }
        let way = self.ops.link_down_way();
        match self.ops.show_link(up) {
            Ok(()) => {
                self.shown = Some(up);
                self.looked = None;
                self.trouble = None;
            }
            // The driver can't after all: the next turn goes the other way.
            Err(_) if self.ops.link_down_way() != way => {}
            Err(error) => self.note(error.to_string()),
        }
    }

    /// A lane's word that it uses the port or not.
    pub(super) fn used(&mut self, direction: Direction, in_use: bool) {
        let [protect, validate] = &mut self.used;
        match direction {
            Direction::Protect => *protect = in_use,
            Direction::Validate => *validate = in_use,
        }
    }

    /// Stops the port once both lanes let go.
    pub(super) fn turn(&mut self, now: Instant) {
        let Phase::LettingGo { since } = self.phase else {
            return;
        };
        if self.used == [false; 2] {
            match self.ops.stop() {
                Ok(()) => {
                    self.phase = Phase::Stopped;
                    self.looked = None;
                }
                Err(error) => self.note(error.to_string()),
            }
        } else if now.saturating_duration_since(since) > LETTING_GO {
            self.note(String::from(
                "a worker does not let go of its queues; the port stays up",
            ));
        }
    }

    fn note(&mut self, trouble: String) {
        if self.trouble.as_ref() != Some(&trouble) {
            tracing::error!(port = self.ops.device(), side = %self.side, "{trouble}");
            self.trouble = Some(trouble);
        }
    }

    pub(super) fn view(&self) -> PortSnapshot {
        PortSnapshot {
            device: self.ops.device().to_owned(),
            driver: self.ops.driver().to_owned(),
            mac: self.ops.mac(),
            mtu: self.ops.mtu(),
            started: self.phase != Phase::Stopped,
            link: self.link,
            link_down_way: self.ops.link_down_way(),
            stats: self.stats.total,
            buffers: self.ops.buffers(),
        }
    }
}

fn due(last: Option<Instant>, now: Instant, every: Duration) -> bool {
    last.is_none_or(|last| now.saturating_duration_since(last) >= every)
}
