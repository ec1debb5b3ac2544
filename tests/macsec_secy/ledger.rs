//! What must hold of the counters after every burst, whatever was in it.
//!
//! No counter goes down; frames in = frames out + every reason for a drop; and the objects of the MIB
//! add up to the same, per SecY, per channel and per association number.

use std::sync::Arc;

use macsec_gateway::macsec::{
    CounterEntry, FrameCounters, FrameSet, Reject, RxSaCounters, RxScCounters, RxSecyCounters,
    TxCounters, TxSaCounters, Verdicts,
};

/// The values seen last, in the order of the tables.
#[derive(Default)]
pub(crate) struct Ledger {
    last: Vec<u64>,
    seen: u64,
}

fn values<B>(table: &[CounterEntry<B>], block: &B, out: &mut Vec<u64>) {
    out.extend(table.iter().map(|entry| entry.read(block)));
}

fn frame_values(frames: &FrameCounters, out: &mut Vec<u64>) {
    out.extend([frames.seen.value(), frames.passed.value()]);
    out.extend(Reject::ALL.map(|why| frames.rejected(why).value()));
}

impl Ledger {
    /// Channels may be added at the end between two calls; none may be left out.
    fn none_went_down(&mut self, now: Vec<u64>) {
        assert!(now.len() >= self.last.len());
        for (at, (before, after)) in self.last.iter().zip(&now).enumerate() {
            assert!(before <= after, "value {at} went down: {before} -> {after}");
        }
        self.last = now;
    }

    /// The verdicts are one for each frame of `todo`, and the lane counters took them.
    fn frames_balance(&mut self, frames: &FrameCounters, todo: FrameSet, verdicts: &Verdicts) {
        assert_eq!(verdicts.passed().union(verdicts.rejected()), todo);
        assert!(
            verdicts
                .passed()
                .intersection(verdicts.rejected())
                .is_empty()
        );
        self.seen += u64::from(todo.len());
        assert_eq!(frames.seen.value(), self.seen);
        assert_eq!(
            frames.seen.value(),
            frames.passed.value() + frames.rejected_total()
        );
    }

    pub(crate) fn balance_tx(&mut self, c: &TxCounters, todo: FrameSet, verdicts: &Verdicts) {
        let mut now = Vec::new();
        frame_values(&c.frames, &mut now);
        values(TxCounters::CATALOGUE, c, &mut now);
        for sa in &c.sas {
            values(TxSaCounters::CATALOGUE, sa, &mut now);
        }
        self.none_went_down(now);
        self.frames_balance(&c.frames, todo, verdicts);
        let protected = c.out_pkts_protected.value();
        let encrypted = c.out_pkts_encrypted.value();
        assert_eq!(c.frames.passed.value(), protected + encrypted);
        assert_eq!(
            c.out_pkts_too_long.value(),
            c.frames.rejected(Reject::TooLong).value()
        );
        let by_an = |read: fn(&TxSaCounters) -> u64| c.sas.iter().map(read).sum::<u64>();
        assert_eq!(by_an(|sa| sa.out_pkts_protected.value()), protected);
        assert_eq!(by_an(|sa| sa.out_pkts_encrypted.value()), encrypted);
    }

    pub(crate) fn balance_rx(
        &mut self,
        c: &RxSecyCounters,
        scs: &[Arc<RxScCounters>],
        todo: FrameSet,
        verdicts: &Verdicts,
    ) {
        let mut now = Vec::new();
        frame_values(&c.frames, &mut now);
        values(RxSecyCounters::CATALOGUE, c, &mut now);
        for sc in scs {
            values(RxScCounters::CATALOGUE, sc, &mut now);
            for sa in &sc.sas {
                values(RxSaCounters::CATALOGUE, sa, &mut now);
            }
        }
        self.none_went_down(now);
        self.frames_balance(&c.frames, todo, verdicts);
        passed_balance(c, scs);
        rejected_balance(c, scs);
        scs.iter().for_each(|sc| sc_balances(sc));
    }
}

type OfSc = fn(&RxScCounters) -> u64;

fn over_scs(scs: &[Arc<RxScCounters>], read: OfSc) -> u64 {
    scs.iter().map(|sc| read(sc)).sum()
}

fn passed_balance(c: &RxSecyCounters, scs: &[Arc<RxScCounters>]) {
    let of_scs = over_scs(scs, |sc| {
        sc.in_pkts_unused_sa.value()
            + sc.in_pkts_invalid.value()
            + sc.in_pkts_delayed.value()
            + sc.in_pkts_unchecked.value()
            + sc.in_pkts_ok.value()
    });
    assert_eq!(
        c.frames.passed.value(),
        c.in_pkts_untagged.value() + c.in_pkts_unknown_sci.value() + of_scs
    );
}

fn rejected_balance(c: &RxSecyCounters, scs: &[Arc<RxScCounters>]) {
    let of = |why| c.frames.rejected(why).value();
    assert_eq!(of(Reject::NoTag), c.in_pkts_no_tag.value());
    assert_eq!(of(Reject::BadTag), c.in_pkts_bad_tag.value());
    assert_eq!(of(Reject::NoSci), c.in_pkts_no_sci.value());
    assert_eq!(of(Reject::NoRoom), c.in_pkts_overrun.value());
    let by_sc: [(Reject, OfSc); 4] = [
        (Reject::NotUsingSa, |sc| sc.in_pkts_not_using_sa.value()),
        (Reject::Late, |sc| sc.in_pkts_late.value()),
        (Reject::Duplicate, |sc| sc.in_pkts_duplicate.value()),
        (Reject::NotValid, |sc| sc.in_pkts_not_valid.value()),
    ];
    for (why, read) in by_sc {
        assert_eq!(of(why), over_scs(scs, read), "{why}");
    }
}

fn sc_balances(sc: &RxScCounters) {
    let by_an = |read: fn(&RxSaCounters) -> u64| sc.sas.iter().map(read).sum::<u64>();
    assert_eq!(by_an(|sa| sa.in_pkts_ok.value()), sc.in_pkts_ok.value());
    assert_eq!(
        by_an(|sa| sa.in_pkts_invalid.value()),
        sc.in_pkts_invalid.value()
    );
    assert_eq!(
        by_an(|sa| sa.in_pkts_not_valid.value()),
        sc.in_pkts_not_valid.value()
    );
    assert_eq!(
        by_an(|sa| sa.in_pkts_unused_sa.value()),
        sc.in_pkts_unused_sa.value()
    );
    assert_eq!(
        by_an(|sa| sa.in_pkts_not_using_sa.value()),
        sc.in_pkts_not_using_sa.value()
    );
}
