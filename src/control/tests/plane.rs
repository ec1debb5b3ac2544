//! A worker that obeys when the test lets it, with the real halves of a SecY and no ports.

use std::collections::VecDeque;

use super::ports::Journal;
use crate::{
    bus::{
        Command, CommandReceiver, Direction, EapolFilter, LaneCommand, LaneIndex, LaneMode,
        LaneReport, LinkIndex, PortSide, Report, ReportSender,
    },
    macsec::{FrameBuf, FrameSet, Reject, RxSecy, TxSecy, Verdicts},
};

/// Both lanes of one link.
#[derive(Debug)]
pub(super) struct FakeLink {
    pub(super) tx: TxSecy,
    pub(super) rx: RxSecy,
    pub(super) modes: [LaneMode; 2],
    pub(super) filter: Option<Box<EapolFilter>>,
}

#[derive(Debug)]
pub(super) struct Plane {
    pub(super) commands: CommandReceiver,
    pub(super) reports: ReportSender,
    pub(super) links: Vec<FakeLink>,
    pub(super) journal: Journal,
    /// New SAs wait here while this is true, as if the worker were slow.
    pub(super) holds_keys: bool,
    /// Never says that it let go of a port.
    pub(super) clings: bool,
    pub(super) held: VecDeque<Command>,
}

impl Plane {
    /// Carries out all that waits.
    pub(super) fn obey(&mut self) {
        while let Some(command) = self.commands.take() {
            let is_key = matches!(
                command.what,
                LaneCommand::InstallTxSa(_)
                    | LaneCommand::EncodeWith(..)
                    | LaneCommand::InstallRxSa(..)
            );
            if self.holds_keys && is_key {
                self.held.push_back(command);
            } else {
                self.carry_out(command);
            }
        }
    }

    /// Gets the held SAs, too.
    pub(super) fn take_keys(&mut self) {
        self.holds_keys = false;
        while let Some(command) = self.held.pop_front() {
            self.carry_out(command);
        }
    }

    pub(super) fn say(&self, lane: LaneIndex, what: LaneReport) {
        self.reports.send(Report { lane, what }).unwrap();
    }

    fn carry_out(&mut self, Command { lane, what }: Command) {
        let (at, direction) = (lane.link.0, lane.direction);
        let note = |text: String| self.journal.note(format!("{at} {direction} {text}"));
        let link = &mut self.links[at];
        let mut said = Vec::new();
        match what {
            LaneCommand::Mode(mode) => {
                note(mode.name().to_owned());
                link.modes[usize::from(direction == Direction::Validate)] = mode;
                said.push(LaneReport::Mode(mode));
            }
            LaneCommand::InstallTxSa(sa) => {
                note(format!("installs {}", sa.an()));
                let (an, ki) = (sa.an(), sa.ki());
                said.extend(link.tx.install_sa(sa).map(LaneReport::TxSaRetired));
                said.push(LaneReport::TxSaInstalled(an, ki));
            }
            LaneCommand::EncodeWith(an, ki) => {
                note(format!("encodes with {an}"));
                assert!(link.tx.encode_with(an, ki));
                said.push(LaneReport::Encoding(an, ki));
            }
            LaneCommand::RetireTxSa(an, ki) => {
                note(format!("retires {an}"));
                let home = link.tx.retire_sa(an, ki);
                said.push(home.map_or(LaneReport::NoSuchTxSa(an, ki), LaneReport::TxSaRetired));
            }
            LaneCommand::InstallRxSa(sci, sa) => {
                note(format!("installs {}", sa.an()));
                let (an, ki) = (sa.an(), sa.ki());
                let old = link.rx.install_sa(sci, sa).unwrap();
                said.extend(old.map(|old| LaneReport::RxSaRetired(sci, old)));
                said.push(LaneReport::RxSaInstalled(sci, an, ki));
            }
            LaneCommand::RetireRxSa(sci, an, ki) => {
                note(format!("retires {an}"));
                let home = link.rx.retire_sa(sci, an, ki);
                said.push(home.map_or(LaneReport::NoSuchRxSa(sci, an, ki), |sa| {
                    LaneReport::RxSaRetired(sci, sa)
                }));
            }
            LaneCommand::AddRxSc(sci, counters) => {
                note(format!("adds {sci}"));
                said.push(match link.rx.add_sc_with(sci, counters) {
                    Ok(()) => LaneReport::RxScAdded(sci),
                    Err(unused) => LaneReport::RxScRefused(sci, unused),
                });
            }
            LaneCommand::RemoveRxSc(sci) => {
                note(format!("removes {sci}"));
                let gone = link.rx.take_sc(sci);
                said.push(gone.map_or(LaneReport::NoSuchRxSc(sci), LaneReport::RxScRemoved));
            }
            LaneCommand::RaiseLowestPn(sci, an, ki, pn) => {
                note(format!("raises {an} to {pn}"));
                said.push(if link.rx.raise_lowest_pn(sci, an, ki, pn) {
                    LaneReport::LowestPnRaised(sci, an, ki)
                } else {
                    LaneReport::NoSuchRxSa(sci, an, ki)
                });
            }
            LaneCommand::EapolFilter(filter) => {
                note(format!("filter {}", filter.is_some()));
                let old = std::mem::replace(&mut link.filter, filter);
                said.push(LaneReport::EapolFilterReplaced(old));
            }
            LaneCommand::KayEtherType(ethertype) => note(format!("key agreement by {ethertype}")),
            LaneCommand::Replay(replay) => {
                note(format!("{replay:?}"));
                link.rx.set_replay(replay);
            }
            LaneCommand::Validate(validate) => {
                note(format!("{validate:?}"));
                link.rx.set_validate(validate);
            }
            LaneCommand::Bypass(list) => {
                note(format!("bypass of {}", list.0.len()));
                said.push(LaneReport::BypassReplaced(list));
            }
            LaneCommand::UsePort(side, in_use) => {
                note(format!("uses {side} {in_use}"));
                if in_use || !self.clings || side == PortSide::Secure {
                    said.push(LaneReport::UsesPort(side, in_use));
                }
            }
        }
        for report in said {
            self.say(lane, report);
        }
    }

    /// Protects so many frames on the first link; why the others were refused.
    pub(super) fn send(&mut self, count: usize) -> (usize, Option<Reject>) {
        let (mut sent, mut why) = (0, None);
        for _ in 0..count {
            let mut frames = [Frame::plain()];
            let mut verdicts = Verdicts::new();
            let tx = &mut self.links[0].tx;
            tx.protect_burst(&mut frames, FrameSet::first(1), &mut verdicts);
            match verdicts.reject_of(0) {
                None => sent += 1,
                reject => why = reject,
            }
        }
        (sent, why)
    }

    /// Protects one frame on the first link.
    pub(super) fn protect(&mut self) -> Result<Frame, Reject> {
        let mut frames = [Frame::plain()];
        let mut verdicts = Verdicts::new();
        let tx = &mut self.links[0].tx;
        tx.protect_burst(&mut frames, FrameSet::first(1), &mut verdicts);
        let [frame] = frames;
        verdicts.reject_of(0).map_or(Ok(frame), Err)
    }

    /// Hands a protected frame to the first link.
    pub(super) fn receive(&mut self, mut frame: Frame) -> Option<Reject> {
        let mut verdicts = Verdicts::new();
        let frames = core::slice::from_mut(&mut frame);
        let rx = &mut self.links[0].rx;
        rx.validate_burst(frames, FrameSet::first(1), &mut verdicts);
        verdicts.reject_of(0)
    }

    pub(super) const fn lane(link: usize, direction: Direction) -> LaneIndex {
        LaneIndex {
            link: LinkIndex(link),
            direction,
        }
    }
}

/// A frame with room enough.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    octets: Vec<u8>,
    start: usize,
}

impl Frame {
    pub(super) fn plain() -> Self {
        let mut octets = vec![0; 64];
        octets.extend([2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 7, 8, 0]);
        octets.resize(64 + 60, 0xaa);
        Self { octets, start: 64 }
    }
}

impl FrameBuf for Frame {
    fn octets(&self) -> &[u8] {
        &self.octets[self.start..]
    }

    fn octets_mut(&mut self) -> &mut [u8] {
        &mut self.octets[self.start..]
    }

    fn octets_and_room_mut(&mut self) -> &mut [u8] {
        &mut self.octets[self.start..]
    }

    fn is_contiguous(&self) -> bool {
        true
    }

    fn grow_front(&mut self, n: usize) -> bool {
        let start = self.start.checked_sub(n);
        self.start = start.unwrap_or(self.start);
        start.is_some()
    }

    fn grow_back(&mut self, n: usize) -> bool {
        self.octets.resize(self.octets.len() + n, 0);
        true
    }

    fn cut_front(&mut self, n: usize) -> bool {
        self.start += n;
        true
    }

    fn cut_back(&mut self, n: usize) -> bool {
        self.octets.truncate(self.octets.len() - n);
        true
    }
}
