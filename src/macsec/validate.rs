//! Validation of a burst (802.1AE-2018 10.6): sort out, open, judge, deliver.
//!
//! 1. `prepare`: each frame's SecTAG is checked, its channel and SA are found and its number is looked
//!    at. Frames that need no key are decided here. The others are brought into the order in which they
//!    were sealed (see `protect`).
//! 2. [`OpenPlans::open`](super::OpenPlans::open): the frames go to the engine, each under its own key.
//! 3. `finish`: of each SA the outcomes are judged in frame order: the ICV, then the number once more,
//!    since a frame before it in the same burst, or a burst before it, may have used it.

use arrayvec::ArrayVec;

use super::deliver::{Rules, deliver};
use super::first_look::{FirstLook, Found, Unvalidated, first_look};
use super::open_plans::{OpenPlan, OpenPlans, OpenRun};
use super::usual::{self, Usual};
use super::{
    FrameBuf, FrameSet, Reject, RxSaCounters, RxSc, RxScCounters, RxSecy, RxSecyCounters,
    Timeliness, ValidateFrames, Verdicts,
};
use crate::crypto::BURST_CAPACITY;

/// Sorts the frames of a burst out.
pub(super) fn prepare<B: FrameBuf>(
    secy: &mut RxSecy,
    frames: &mut [B],
    plans: &mut OpenPlans,
    verdicts: &mut Verdicts,
) {
    let todo = plans.todo;
    let mut usual: Option<Usual> = None;
    let mut last: Option<Found> = None;
    let mut at = 0;
    while let Some((first, count)) = todo.row_from(at) {
        at = first;
        if let Some(usual) = &mut usual
            && let Some(row) = frames.get(first..first + count)
            && let Some(places) = plans.plans.get_mut(first..first + count)
        {
            at += usual.take_row(row, places, first);
            if at == first + count {
                continue;
            }
        }
        let (index, frame) = (at, frames.get_mut(at));
        at += 1;
        let (Some(frame), Some(place)) = (frame, plans.plans.get_mut(index)) else {
            continue;
        };
        let Some(found) = look_at(secy, frame, index, place, verdicts) else {
            continue;
        };
        if let Some(usual) = usual.take() {
            usual.put_back(&mut plans.runs);
        }
        join_run(secy, &mut plans.runs, found, index, place);
        if last == Some(found) {
            // Where an SA has two frames in a row it is likely to have more.
            let sa = secy.scs[found.sc].sa(found.an);
            usual = sa.and_then(|sa| Usual::after(secy, sa, place, &plans.runs));
        }
        last = Some(found);
    }
    if let Some(usual) = &usual {
        usual.put_back(&mut plans.runs);
    }
}

/// Says under which SA a frame is to be opened, and writes its plan. `None`: it is decided over.
#[inline]
fn look_at<B: FrameBuf>(
    secy: &RxSecy,
    frame: &mut B,
    index: usize,
    place: &mut OpenPlan,
    verdicts: &mut Verdicts,
) -> Option<Found> {
    usual::look(secy, frame, place).or_else(|| look_closer(secy, frame, index, place, verdicts))
}

/// The same for a frame that is not like most.
#[inline(never)]
fn look_closer<B: FrameBuf>(
    secy: &RxSecy,
    frame: &mut B,
    index: usize,
    place: &mut OpenPlan,
    verdicts: &mut Verdicts,
) -> Option<Found> {
    let outcome = match first_look(secy, frame) {
        Ok(FirstLook::Open(found, plan)) => {
            put_tags_ahead(frame, &plan);
            *place = plan;
            return Some(found);
        }
        Ok(FirstLook::Untagged) => {
            secy.counters.in_pkts_untagged.add(1);
            Ok(())
        }
        Ok(FirstLook::Unvalidated(layout, why)) => {
            deliver(frame, layout, &Rules::of(secy)).map(|()| count_unvalidated(secy, why))
        }
        Err(why) => Err(why),
    };
    settle(&secy.counters, verdicts, index, outcome);
    None
}

/// Brings a frame into the order in which it was sealed.
fn put_tags_ahead(frame: &mut impl FrameBuf, plan: &OpenPlan) {
    let layout = &plan.layout;
    if layout.clear_len > 0
        && let Some(header) = frame.octets_mut().get_mut(..layout.header_len())
    {
        header.rotate_right(layout.clear_len as usize);
    }
}

/// Adds a frame to those of its SA.
fn join_run(
    secy: &mut RxSecy,
    runs: &mut ArrayVec<OpenRun, BURST_CAPACITY>,
    found: Found,
    index: usize,
    plan: &OpenPlan,
) {
    let Found { sc, an } = found;
    let changes = secy.changes;
    let channel = &mut secy.scs[sc];
    let sci = channel.sci();
    let Some(sa) = channel.sas[an.index()].as_deref_mut() else {
        return;
    };
    // An SA knows its run of the burst under way: no search, however many SAs a burst has.
    if let Some(run) = runs
        .get_mut(sa.run)
        .filter(|run| run.place == sc && run.an == an)
    {
        run.add(index, plan);
        return;
    }
    sa.run = runs.len();
    let mut run = OpenRun {
        frames: FrameSet::EMPTY,
        place: sc,
        changes,
        sci,
        an,
        ki: sa.ki(),
        first: plan.pn,
        next: plan.pn,
        is_row: true,
        octets_changed: 0,
        octets_unchanged: 0,
    };
    run.add(index, plan);
    runs.push(run);
}

/// Judges what was opened, SA by SA, and counts.
pub(super) fn finish<B: FrameBuf>(
    secy: &mut RxSecy,
    frames: &mut [B],
    plans: &OpenPlans,
    verdicts: &mut Verdicts,
) {
    let mut ahead = FrameSet::EMPTY;
    let mut usual = FrameSet::EMPTY;
    for (nth, run) in plans.runs.iter().enumerate() {
        if is_ahead(secy, plans, run) {
            // By its place among the runs.
            ahead.insert(nth);
            usual = usual.union(run.frames);
        }
    }
    // In one go, however many SAs they are of.
    let delivered = deliver_all(secy, frames, plans, usual, verdicts);
    for (nth, run) in plans.runs.iter().enumerate() {
        match secy.place_of_run(run) {
            Some(place) if ahead.contains(nth) => count_ahead(secy, place, run, delivered),
            Some(place) => finish_run(secy, place, frames, plans, run, verdicts),
            None => run
                .frames
                .iter()
                .for_each(|index| settle(&secy.counters, verdicts, index, Err(Reject::NoSci))),
        }
    }
}

/// Whether all frames of an SA are authentic and in a row that begins where the window ends: what would be
/// said of each alone is that it is in time.
fn is_ahead(secy: &RxSecy, plans: &OpenPlans, run: &OpenRun) -> bool {
    run.is_row
        && run.frames.minus(plans.authentic).is_empty()
        && secy
            .sa_of_run(run)
            .is_some_and(|sa| run.first >= sa.window.next_pn())
}

/// Counts frames of an SA that are all ahead, of which those that could be were `delivered`.
fn count_ahead(secy: &mut RxSecy, place: usize, run: &OpenRun, delivered: FrameSet) {
    let channel = &mut secy.scs[place];
    count_octets(&channel.counters, run);
    // They are in a row.
    let count = run.next.0 - run.first.0;
    let pkts = if run.frames.minus(delivered).is_empty() {
        count
    } else {
        u64::from(run.frames.intersection(delivered).len())
    };
    channel.counters.in_pkts_ok.add(pkts);
    channel.counters.sas[run.an.index()].in_pkts_ok.add(pkts);
    if let Some(sa) = channel.sas[run.an.index()].as_deref_mut() {
        sa.window.record_ahead(run.first, count);
        sa.count_octets(run.octets_changed + run.octets_unchanged);
        sa.publish();
    }
}

/// Counts octets of user data, whatever comes of them (802.1AE-2018 10.7.10).
fn count_octets(counters: &RxScCounters, run: &OpenRun) {
    if run.octets_unchanged > 0 {
        counters.in_octets_validated.add(run.octets_unchanged);
    }
    if run.octets_changed > 0 {
        counters.in_octets_decrypted.add(run.octets_changed);
    }
}

fn finish_run<B: FrameBuf>(
    secy: &mut RxSecy,
    place: usize,
    frames: &mut [B],
    plans: &OpenPlans,
    run: &OpenRun,
    verdicts: &mut Verdicts,
) {
    let rules = Rules::of(secy);
    let channel = &mut secy.scs[place];
    count_octets(&channel.counters, run);
    for index in run.frames {
        let plan = &plans.plans[index];
        let authentic = plans.authentic.contains(index);
        let outcome = match frames.get_mut(index) {
            Some(frame) => judge(channel, &rules, frame, plan, run, authentic),
            None => Err(Reject::NoRoom),
        };
        settle(&secy.counters, verdicts, index, outcome);
    }
    let sa = secy.scs[place].sa(run.an).filter(|sa| sa.ki() == run.ki);
    if let Some(sa) = sa {
        sa.count_octets(octets_of(plans, run.frames.intersection(plans.authentic)));
        sa.publish();
    }
}

/// Octets of user data.
fn octets_of(plans: &OpenPlans, frames: FrameSet) -> u64 {
    frames
        .iter()
        .map(|index| u64::from(plans.plans[index].layout.data_len))
        .sum()
}

/// Delivers frames that are all valid and in time, of any SAs; returns those that could be.
fn deliver_all<B: FrameBuf>(
    secy: &RxSecy,
    frames: &mut [B],
    plans: &OpenPlans,
    usual: FrameSet,
    verdicts: &mut Verdicts,
) -> FrameSet {
    let rules = Rules::of(secy);
    let mut delivered = FrameSet::EMPTY;
    let mut at = 0;
    while let Some((first, count)) = usual.row_from(at) {
        let row = first..first + count;
        let (Some(row), Some(places)) = (frames.get_mut(row.clone()), plans.plans.get(row)) else {
            break;
        };
        let done = rules.deliver_row(row, places);
        delivered.insert_row(first, done);
        at = first + done;
        if let (Some(frame), Some(plan)) = (row.get_mut(done), places.get(done)) {
            put_tags_back(frame, plan);
            match deliver(frame, plan.layout, &rules) {
                Ok(()) => delivered.insert(at),
                Err(why) => settle(&secy.counters, verdicts, at, Err(why)),
            }
            at += 1;
        }
    }
    verdicts.pass_all(delivered);
    delivered
}

/// Notes what became of a frame, and counts the reasons that the SecY's own MIB objects stand for.
fn settle(
    counters: &RxSecyCounters,
    verdicts: &mut Verdicts,
    index: usize,
    outcome: Result<(), Reject>,
) {
    match outcome {
        Ok(()) => verdicts.pass(index),
        Err(why) => {
            match why {
                Reject::NoTag => counters.in_pkts_no_tag.add(1),
                Reject::BadTag => counters.in_pkts_bad_tag.add(1),
                Reject::NoSci => counters.in_pkts_no_sci.add(1),
                Reject::NoRoom => counters.in_pkts_overrun.add(1),
                _ => {}
            }
            verdicts.reject(index, why);
        }
    }
}

fn count_unvalidated(secy: &RxSecy, why: Unvalidated) {
    match why {
        Unvalidated::UnknownSci => secy.counters.in_pkts_unknown_sci.add(1),
        Unvalidated::UnusedSa(sc, an) => {
            let counters = &secy.scs[sc].counters;
            counters.in_pkts_unused_sa.add(1);
            counters.sas[an.index()].in_pkts_unused_sa.add(1);
        }
        Unvalidated::Unchecked(sc) => secy.scs[sc].counters.in_pkts_unchecked.add(1),
    }
}

pub(super) fn count_untimely(counters: &RxScCounters, why: Reject) {
    match why {
        Reject::Duplicate => counters.in_pkts_duplicate.add(1),
        _ => counters.in_pkts_late.add(1),
    }
}

pub(super) fn count_not_valid(counters: &RxScCounters, by_an: &RxSaCounters) {
    counters.in_pkts_not_valid.add(1);
    by_an.in_pkts_not_valid.add(1);
}

/// Brings a frame's clear tags behind its addresses again.
fn put_tags_back(frame: &mut impl FrameBuf, plan: &OpenPlan) {
    let layout = &plan.layout;
    if layout.clear_len > 0
        && let Some(header) = frame.octets_mut().get_mut(..layout.header_len())
    {
        header.rotate_left(layout.clear_len as usize);
    }
}

/// What becomes of a frame whose ICV was looked at, in the order of the burst.
fn judge(
    channel: &mut RxSc,
    rules: &Rules,
    frame: &mut impl FrameBuf,
    plan: &OpenPlan,
    run: &OpenRun,
    authentic: bool,
) -> Result<(), Reject> {
    put_tags_back(frame, plan);
    let counters = &channel.counters;
    let by_an = &counters.sas[run.an.index()];
    if !authentic {
        if plan.changed || rules.validate == ValidateFrames::Strict {
            count_not_valid(counters, by_an);
            return Err(Reject::NotValid);
        }
        // Nothing was encrypted, so the engine had no text to wipe: the data is as it came.
        deliver(frame, plan.layout, rules)?;
        counters.in_pkts_invalid.add(1);
        by_an.in_pkts_invalid.add(1);
        return Ok(());
    }
    // Without the window that goes with the key nothing proves that the frame is new.
    let Some(sa) = channel.sas[run.an.index()]
        .as_deref_mut()
        .filter(|sa| sa.ki() == run.ki)
    else {
        counters.in_pkts_not_using_sa.add(1);
        by_an.in_pkts_not_using_sa.add(1);
        return Err(Reject::NotUsingSa);
    };
    let timeliness = sa
        .window
        .admit(plan.pn)
        .inspect_err(|&why| count_untimely(counters, why))?;
    sa.window.record(plan.pn);
    deliver(frame, plan.layout, rules)?;
    match timeliness {
        Timeliness::InTime => {
            counters.in_pkts_ok.add(1);
            by_an.in_pkts_ok.add(1);
        }
        Timeliness::Delayed => counters.in_pkts_delayed.add(1),
    }
    Ok(())
}
