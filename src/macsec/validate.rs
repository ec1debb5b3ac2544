//! Validation of a burst (802.1AE-2018 10.6): sort out, open, judge, deliver.
//!
//! 1. `prepare`: each frame's SecTAG is checked, its channel and SA are found and its number is looked
//!    at. Frames that need no key are decided here. The others are brought into the order in which they
//!    were sealed (see `protect`).
//! 2. [`OpenPlans::open`](super::OpenPlans::open): the frames of each SA go to the engine in one call.
//! 3. `finish`: of each SA the outcomes are judged in frame order: the ICV, then the number once more,
//!    since a frame before it in the same burst, or a burst before it, may have used it.

use arrayvec::ArrayVec;

use super::deliver::{Rules, deliver};
use super::first_look::{FirstLook, Found, Unvalidated, first_look};
use super::open_plans::{OpenPlan, OpenPlans, OpenRun};
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
    for (index, frame) in frames.iter_mut().enumerate() {
        if !plans.todo.contains(index) {
            continue;
        }
        let outcome = match first_look(secy, frame) {
            Ok(FirstLook::Open(found, plan)) => {
                put_tags_ahead(frame, &plan);
                plans.plans[index] = plan;
                join_run(secy, &mut plans.runs, found, index);
                continue;
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
    }
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
) {
    let Found { sc, an } = found;
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
        run.frames.insert(index);
        return;
    }
    sa.run = runs.len();
    runs.push(OpenRun {
        frames: FrameSet(1 << index),
        place: sc,
        sci,
        an,
        ki: sa.ki(),
    });
}

/// Judges what was opened, SA by SA, and counts.
pub(super) fn finish<B: FrameBuf>(
    secy: &mut RxSecy,
    frames: &mut [B],
    plans: &OpenPlans,
    verdicts: &mut Verdicts,
) {
    for run in &plans.runs {
        match secy.place_of_run(run) {
            Some(place) => finish_run(secy, place, frames, plans, run, verdicts),
            None => run
                .frames
                .iter()
                .for_each(|index| settle(&secy.counters, verdicts, index, Err(Reject::NoSci))),
        }
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
    count_octets(&channel.counters, plans, run);
    let mut octets = 0;
    for index in run.frames {
        let plan = &plans.plans[index];
        let authentic = plans.authentic.contains(index);
        if authentic {
            octets += u64::from(plan.layout.data_len);
        }
        let outcome = match frames.get_mut(index) {
            Some(frame) => judge(channel, &rules, frame, plan, run, authentic),
            None => Err(Reject::NoRoom),
        };
        settle(&secy.counters, verdicts, index, outcome);
    }
    if let Some(sa) = channel.sa(run.an).filter(|sa| sa.ki() == run.ki) {
        sa.count_octets(octets);
        sa.publish();
    }
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

/// Octets of user data, whatever comes of them (802.1AE-2018 10.7.10).
fn count_octets(counters: &RxScCounters, plans: &OpenPlans, run: &OpenRun) {
    let octets = |changed| {
        run.frames
            .iter()
            .map(|index| &plans.plans[index])
            .filter(|plan| plan.changed == changed)
            .map(|plan| u64::from(plan.layout.data_len))
            .sum()
    };
    counters.in_octets_validated.add(octets(false));
    counters.in_octets_decrypted.add(octets(true));
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
    if plan.layout.clear_len > 0
        && let Some(header) = frame.octets_mut().get_mut(..plan.layout.header_len())
    {
        header.rotate_left(plan.layout.clear_len as usize);
    }
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
