//! Bursts whose three pieces are done apart: they overlap, cross threads, and see SAs come and go.

use alloc::sync::Arc;
use std::thread;

use super::bench::{AnyLane, Bench, SCI, an, key, ki, rx_sa, tx_sa};
use super::frames::{VecFrame, frame};
use crate::{
    bus::{Direction, DropReason, LaneCommand, LaneMode, LaneReport},
    macsec::{FrameSet, Reject},
    pipeline::{ProtectJob, ValidateJob},
};

/// A burst on its way, with its lane's job.
struct Under<J> {
    frames: Vec<VecFrame>,
    job: J,
}

fn plain(from: usize, count: usize) -> Vec<Vec<u8>> {
    (from..from + count)
        .map(|n| frame(&[0x0800], 60 + 3 * n))
        .collect()
}

fn frames(octets: &[Vec<u8>]) -> Vec<VecFrame> {
    octets.iter().map(|octets| VecFrame::new(octets)).collect()
}

fn octets(frames: &[VecFrame]) -> Vec<Vec<u8>> {
    use crate::macsec::FrameBuf;
    frames.iter().map(|frame| frame.octets().to_vec()).collect()
}

impl Bench {
    fn begin_protect(&mut self, octets: &[Vec<u8>]) -> Under<ProtectJob> {
        let AnyLane::Protect(lane) = &mut self.lane else {
            panic!("a validate lane");
        };
        let mut frames = frames(octets);
        let mut job = ProtectJob::default();
        lane.prepare(&mut frames, &mut job, &mut |report| self.said.push(report));
        lane.lend_keys(&mut job);
        Under { frames, job }
    }

    fn end_protect(&mut self, under: &mut Under<ProtectJob>) -> FrameSet {
        let AnyLane::Protect(lane) = &mut self.lane else {
            panic!("a validate lane");
        };
        lane.finish(&mut under.frames, &mut under.job)
    }

    fn begin_validate(&mut self, octets: &[Vec<u8>]) -> Under<ValidateJob> {
        let AnyLane::Validate(lane) = &mut self.lane else {
            panic!("a protect lane");
        };
        let mut frames = frames(octets);
        let mut job = ValidateJob::default();
        lane.prepare(&mut frames, &mut job);
        lane.lend_keys(&mut job);
        Under { frames, job }
    }

    fn end_validate(&mut self, under: &mut Under<ValidateJob>) -> FrameSet {
        let AnyLane::Validate(lane) = &mut self.lane else {
            panic!("a protect lane");
        };
        let said = &mut self.said;
        lane.finish(&mut under.frames, &mut under.job, &mut |report| {
            said.push(report);
        })
    }

    fn dropped(&self, why: Reject) -> u64 {
        self.counters().dropped(DropReason::Macsec(why)).value()
    }
}

/// The second piece of each, elsewhere, the last burst first.
fn run_elsewhere<J: Send>(unders: &mut [Under<J>], run: impl Fn(&mut Under<J>) + Sync) {
    for under in unders.iter_mut().rev() {
        thread::scope(|scope| {
            scope.spawn(|| run(under));
        });
    }
}

#[test]
fn bursts_overlap_and_leave_in_order() {
    let mut tx = Bench::keyed(Direction::Protect, LaneMode::Secured);
    let mut rx = Bench::keyed(Direction::Validate, LaneMode::Secured);
    let plain: Vec<_> = (0..4).map(|nth| plain(16 * nth, 16)).collect();

    let mut unders: Vec<_> = plain
        .iter()
        .map(|octets| tx.begin_protect(octets))
        .collect();
    run_elsewhere(&mut unders, |under| under.job.run(&mut under.frames));
    for under in &mut unders {
        assert_eq!(tx.end_protect(under), FrameSet::first(16));
    }
    let protected: Vec<_> = unders.iter().map(|under| octets(&under.frames)).collect();

    let mut unders: Vec<_> = protected
        .iter()
        .map(|octets| rx.begin_validate(octets))
        .collect();
    run_elsewhere(&mut unders, |under| under.job.run(&mut under.frames));
    for (under, plain) in unders.iter_mut().zip(&plain) {
        // Replay protection is strict: in any other order frames would be late.
        assert_eq!(rx.end_validate(under), FrameSet::first(16));
        assert_eq!(&octets(&under.frames), plain);
    }
}

#[test]
fn a_number_that_two_bursts_under_way_have_is_used_once() {
    let mut tx = Bench::keyed(Direction::Protect, LaneMode::Secured);
    let mut rx = Bench::keyed(Direction::Validate, LaneMode::Secured);
    let mut sent = frames(&plain(0, 8));
    tx.burst(&mut sent);
    let sent = octets(&sent);
    let mut unders = [rx.begin_validate(&sent), rx.begin_validate(&sent)];
    run_elsewhere(&mut unders, |under| under.job.run(&mut under.frames));
    assert_eq!(rx.end_validate(&mut unders[0]), FrameSet::first(8));
    assert_eq!(rx.end_validate(&mut unders[1]), FrameSet::EMPTY);
    assert_eq!(rx.dropped(Reject::Late) + rx.dropped(Reject::Duplicate), 8);
}

#[test]
fn a_burst_of_two_sas_is_judged_by_both() {
    let mut rx = Bench::keyed(Direction::Validate, LaneMode::Secured);
    rx.command(LaneCommand::InstallRxSa(SCI, rx_sa(2, key(2), SCI)));
    let (mut sent, plain) = (Vec::new(), plain(0, 20));
    let mut peers = [1, 2].map(|number| {
        let mut tx = Bench::bare(Direction::Protect);
        tx.command(LaneCommand::InstallTxSa(tx_sa(number, key(number), SCI)));
        tx.command(LaneCommand::EncodeWith(an(number), ki(number)));
        tx.command(LaneCommand::Mode(LaneMode::Secured));
        tx
    });
    for (nth, octets) in plain.iter().enumerate() {
        let tx = &mut peers[nth % 2];
        sent.push(tx.one(VecFrame::new(octets)).unwrap());
    }
    // One of the second SA is forged: the others of either are not held against it.
    sent[7][40] ^= 1;
    let mut under = rx.begin_validate(&sent);
    under.job.run(&mut under.frames);
    let mut wanted = FrameSet::first(20);
    wanted.remove(7);
    assert_eq!(rx.end_validate(&mut under), wanted);
    let got = octets(&under.frames);
    for at in wanted {
        assert_eq!(got[at], plain[at], "{at}");
    }
    assert_eq!(rx.dropped(Reject::NotValid), 1);
}

#[test]
fn an_sa_that_goes_while_its_frames_are_sealed_seals_them_all_the_same() {
    let mut tx = Bench::bare(Direction::Protect);
    let of_control = key(1);
    tx.command(LaneCommand::InstallTxSa(tx_sa(
        1,
        Arc::clone(&of_control),
        SCI,
    )));
    tx.command(LaneCommand::EncodeWith(an(1), ki(1)));
    tx.command(LaneCommand::Mode(LaneMode::Secured));
    let plain = plain(0, 5);
    let mut under = tx.begin_protect(&plain);
    tx.said.clear();
    tx.command(LaneCommand::RetireTxSa(an(1), ki(1)));
    assert!(matches!(tx.said[..], [LaneReport::TxSaRetired(_)]));
    tx.said.clear();
    // Control's, and the burst's.
    assert_eq!(Arc::strong_count(&of_control), 2);
    under.job.run(&mut under.frames);
    assert_eq!(tx.end_protect(&mut under), FrameSet::first(5));
    under.job.forget_keys();
    assert_eq!(Arc::strong_count(&of_control), 1);
    assert_eq!(tx.tx_counters.out_pkts_encrypted.value(), 5);

    let mut rx = Bench::keyed(Direction::Validate, LaneMode::Secured);
    assert_eq!(rx.burst(&mut under.frames), FrameSet::first(5));
    assert_eq!(octets(&under.frames), plain);
}

#[test]
fn frames_whose_window_went_are_dropped() {
    let mut tx = Bench::keyed(Direction::Protect, LaneMode::Secured);
    let mut sent = frames(&plain(0, 6));
    tx.burst(&mut sent);
    let sent = octets(&sent);
    for (command, why) in [
        (
            LaneCommand::RetireRxSa(SCI, an(1), ki(1)),
            Reject::NotUsingSa,
        ),
        (LaneCommand::RemoveRxSc(SCI), Reject::NoSci),
    ] {
        let mut rx = Bench::keyed(Direction::Validate, LaneMode::Secured);
        let mut under = rx.begin_validate(&sent);
        rx.command(command);
        under.job.run(&mut under.frames);
        assert_eq!(rx.end_validate(&mut under), FrameSet::EMPTY);
        assert_eq!(rx.dropped(why), 6);
        assert_eq!(rx.counters().dropped_total(), 6);
    }
}

#[test]
fn what_was_never_sealed_never_leaves() {
    let mut tx = Bench::keyed(Direction::Protect, LaneMode::Secured);
    let mut under = tx.begin_protect(&plain(0, 9));
    assert_eq!(tx.end_protect(&mut under), FrameSet::EMPTY);
    assert_eq!(tx.dropped(Reject::NoTxSa), 9);
    let counters = &tx.tx_counters;
    assert_eq!(counters.out_pkts_encrypted.value(), 0);
    assert_eq!(counters.frames.seen.value(), 9);
    assert_eq!(counters.frames.rejected_total(), 9);
    // The numbers are used up all the same, and the next burst is whole.
    assert_eq!(tx.burst(&mut frames(&plain(0, 3))), FrameSet::first(3));
}

#[test]
fn what_was_never_opened_is_never_delivered() {
    let mut tx = Bench::keyed(Direction::Protect, LaneMode::Secured);
    let mut rx = Bench::keyed(Direction::Validate, LaneMode::Secured);
    let mut sent = frames(&plain(0, 4));
    tx.burst(&mut sent);
    let mut under = rx.begin_validate(&octets(&sent));
    assert_eq!(rx.end_validate(&mut under), FrameSet::EMPTY);
    assert_eq!(rx.dropped(Reject::NotValid), 4);
}
