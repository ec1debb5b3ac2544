//! Validation of a burst (802.1AE-2018 10.6): sort out, open, judge, deliver.
//!
//! 1. Each frame's SecTAG is checked, its channel and SA are found and its number is looked at.
//!    Frames that need no key are decided here.
//! 2. The others are brought into the order in which they were sealed (see `protect`), and each run
//!    of frames under one SA goes to the engine in one call.
//! 3. In frame order each outcome is judged: the ICV, then the number once more, since a frame before
//!    it in the same burst may have used it.
//!
//! Delivered is `DA SA | clear tags | user data`, without pad behind a short length and padded anew
//! where that is too short for Ethernet.

use arrayvec::ArrayVec;

use super::clear_tags::{ADDRESSES_LEN, clear_tags_len, ether_type_at};
use super::mtu::{ETHERNET_HEADER_LEN, longest_frame, longest_secure_frame};
use super::{
    FrameBuf, FrameSet, Reject, RxParams, RxSaCounters, RxSc, RxScCounters, RxSecy, RxSecyCounters,
    SecTag, Tci, Timeliness, ValidateFrames, Verdicts,
};
use crate::crypto::{AeadFrame, BURST_CAPACITY, Opened, TAG_LEN};
use crate::ieee::{An, EtherType, MacAddr, Pn};

/// Where the parts of a frame lie.
#[derive(Clone, Copy)]
struct Layout {
    clear_len: usize,
    sectag_len: usize,
    data_len: usize,
}

impl Layout {
    const fn header_len(&self) -> usize {
        ADDRESSES_LEN + self.clear_len
    }

    /// Octets up to the end of the ICV.
    const fn protected_len(&self) -> usize {
        self.header_len() + self.sectag_len + self.data_len + TAG_LEN
    }
}

/// A frame that goes to the engine.
struct Plan {
    index: usize,
    sc: usize,
    an: An,
    layout: Layout,
    aad_len: usize,
    pn: Pn,
    changed: bool,
}

/// What the first look at a frame says.
enum FirstLook {
    /// Delivered as it is: it has no SecTAG.
    Untagged,
    /// Delivered without SecTAG and ICV, and not validated.
    Unvalidated(Layout, Unvalidated),
    /// To be opened.
    Open(Plan),
}

/// Why a tagged frame is delivered without validation, which is also where it is counted.
#[derive(Clone, Copy)]
enum Unvalidated {
    UnknownSci,
    UnusedSa(usize, An),
    Unchecked(usize),
}

/// Validates the frames of a burst.
pub(super) fn validate<B: FrameBuf>(
    secy: &mut RxSecy,
    frames: &mut [B],
    todo: FrameSet,
    verdicts: &mut Verdicts,
) {
    let mut plans = ArrayVec::<Plan, BURST_CAPACITY>::new();
    for (index, frame) in frames.iter_mut().enumerate().take(BURST_CAPACITY) {
        if !todo.contains(index) {
            continue;
        }
        let outcome = match first_look(secy, frame, index) {
            Ok(FirstLook::Open(plan)) => {
                plans.push(plan);
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
    for run in plans.chunk_by(|a, b| a.sc == b.sc && a.an == b.an) {
        validate_run(secy, frames, run, verdicts);
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

/// Everything that can be said of a frame without its key.
fn first_look(secy: &RxSecy, frame: &impl FrameBuf, index: usize) -> Result<FirstLook, Reject> {
    if !frame.is_contiguous() {
        return Err(Reject::Chained);
    }
    let octets = frame.octets();
    if octets.len() < ETHERNET_HEADER_LEN {
        return Err(Reject::Runt);
    }
    // First of all: a driver may have cut it, so nothing in it is to be believed.
    if octets.len() > longest_secure_frame(secy.params.mtu) {
        return Err(Reject::TooLong);
    }
    let clear_len = clear_tags_len(octets, secy.params.clear_vlan_tags);
    let header_len = ADDRESSES_LEN + clear_len;
    if ether_type_at(octets, header_len) != Some(EtherType::MACSEC) {
        return untagged(&secy.params, octets);
    }
    let mpdu = octets.get(header_len..).unwrap_or_default();
    let sectag = SecTag::parse(mpdu).map_err(|_| Reject::BadTag)?;
    let layout = Layout {
        clear_len,
        sectag_len: sectag.len(),
        data_len: sectag.data_len(mpdu.len()).map_err(|_| Reject::BadTag)?,
    };
    if sectag.tci.has(Tci::E) && !sectag.tci.has(Tci::C) {
        return Err(Reject::KayOnly);
    }
    // A frame whose user data was changed is of no use unvalidated (802.1AE-2018 10.6.1).
    let may_pass = !sectag.tci.has(Tci::C) && secy.params.validate != ValidateFrames::Strict;
    let Some(sc) = channel_of(secy, octets, &sectag) else {
        return if may_pass {
            Ok(FirstLook::Unvalidated(layout, Unvalidated::UnknownSci))
        } else {
            Err(Reject::NoSci)
        };
    };
    look_at_sa(secy, sc, &sectag, layout, may_pass, index)
}

fn untagged(params: &RxParams, octets: &[u8]) -> Result<FirstLook, Reject> {
    match params.validate {
        ValidateFrames::Strict => Err(Reject::NoTag),
        _ if octets.len() > longest_frame(octets, params.mtu) => Err(Reject::TooLong),
        _ => Ok(FirstLook::Untagged),
    }
}

/// The place of the frame's channel. Without any hint in the SecTAG it is that of the one peer, if
/// there is exactly one (802.1AE-2018 9.5).
fn channel_of(secy: &RxSecy, octets: &[u8], sectag: &SecTag) -> Option<usize> {
    let source = MacAddr(*octets.get(6..)?.first_chunk::<6>()?);
    match sectag.channel(source) {
        Some(sci) => secy.place_of(sci).ok(),
        None if secy.scs.len() == 1 => Some(0),
        None => None,
    }
}

fn look_at_sa(
    secy: &RxSecy,
    sc: usize,
    sectag: &SecTag,
    layout: Layout,
    may_pass: bool,
    index: usize,
) -> Result<FirstLook, Reject> {
    let channel = &secy.scs[sc];
    let an = sectag.tci.an();
    let by_an = &channel.counters.sas[an.index()];
    let Some(sa) = channel.sa(an) else {
        if may_pass {
            let why = Unvalidated::UnusedSa(sc, an);
            return Ok(FirstLook::Unvalidated(layout, why));
        }
        channel.counters.in_pkts_not_using_sa.add(1);
        by_an.in_pkts_not_using_sa.add(1);
        return Err(Reject::NotUsingSa);
    };
    sectag
        .check_pn(sa.suite().pn_space())
        .map_err(|_| Reject::BadTag)?;
    let pn = sa.full_pn(sectag.pn);
    if pn.0 == 0 {
        // The low half may be 0, the whole number may not: no transmitter starts there.
        return Err(Reject::BadTag);
    }
    sa.window
        .admit(pn)
        .inspect_err(|&why| count_untimely(&channel.counters, why))?;
    let changed = sectag.tci.has(Tci::C);
    if !changed && secy.params.validate == ValidateFrames::Disabled {
        return Ok(FirstLook::Unvalidated(layout, Unvalidated::Unchecked(sc)));
    }
    if pn > sa.suite().pn_space().last() || (changed && !sectag.tci.has(Tci::E)) {
        // C without E: user data that protection changed without encrypting it. No GCM suite does
        // that (802.1AE-2018 14.5), so no such frame can be valid. Nor can the number that every
        // transmitter must leave unused at the end of the extended space.
        count_not_valid(&channel.counters, by_an);
        return Err(Reject::NotValid);
    }
    let clear_data = if changed {
        sa.confidentiality().offset().min(layout.data_len)
    } else {
        layout.data_len
    };
    Ok(FirstLook::Open(Plan {
        index,
        sc,
        an,
        layout,
        aad_len: ADDRESSES_LEN + layout.sectag_len + clear_data,
        pn,
        changed,
    }))
}

fn count_untimely(counters: &RxScCounters, why: Reject) {
    match why {
        Reject::Duplicate => counters.in_pkts_duplicate.add(1),
        _ => counters.in_pkts_late.add(1),
    }
}

fn count_not_valid(counters: &RxScCounters, by_an: &RxSaCounters) {
    counters.in_pkts_not_valid.add(1);
    by_an.in_pkts_not_valid.add(1);
}

/// Opens and judges frames that follow each other under one SA.
fn validate_run<B: FrameBuf>(
    secy: &mut RxSecy,
    frames: &mut [B],
    run: &[Plan],
    verdicts: &mut Verdicts,
) {
    let Some(Plan { sc, an, .. }) = run.first() else {
        return;
    };
    let rules = Rules::of(secy);
    let channel = &mut secy.scs[*sc];
    let opened = open(channel, *an, frames, run);
    let mut octets = 0;
    for (nth, plan) in run.iter().enumerate() {
        let authentic = opened.is_ok(nth);
        if authentic {
            octets += plan.layout.data_len as u64;
        }
        let outcome = match frames.get_mut(plan.index) {
            Some(frame) => judge(channel, &rules, frame, plan, authentic),
            None => Err(Reject::NoRoom),
        };
        settle(&secy.counters, verdicts, plan.index, outcome);
    }
    if let Some(sa) = channel.sa(*an) {
        sa.count_octets(octets);
        sa.publish();
    }
}

/// Brings the frames into the order in which they were sealed and hands them to the engine.
fn open<B: FrameBuf>(channel: &RxSc, an: An, frames: &mut [B], run: &[Plan]) -> Opened {
    let Some(sa) = channel.sa(an) else {
        return Opened::default();
    };
    let first = run.first().map_or(0, |plan| plan.index);
    let mut rest = frames.iter_mut().enumerate().skip(first);
    let mut opening = ArrayVec::<AeadFrame<'_>, BURST_CAPACITY>::new();
    for plan in run {
        let layout = &plan.layout;
        let protected = rest
            .find(|(index, _)| *index == plan.index)
            .map(|(_, frame)| frame.octets_and_room_mut())
            .unwrap_or_default();
        if let Some(header) = protected.get_mut(..layout.header_len()) {
            header.rotate_right(layout.clear_len);
        }
        opening.push(AeadFrame {
            nonce: sa.nonce(plan.pn),
            aad_len: plan.aad_len,
            len: layout.protected_len() - layout.clear_len,
            // Pad behind the ICV counts as room: nobody reads it again.
            buffer: protected.get_mut(layout.clear_len..).unwrap_or_default(),
        });
    }
    count_octets(&channel.counters, run);
    sa.key.open(&mut opening)
}

/// Octets of user data, whatever comes of them (802.1AE-2018 10.7.10).
fn count_octets(counters: &RxScCounters, run: &[Plan]) {
    let octets = |changed| {
        run.iter()
            .filter(|plan| plan.changed == changed)
            .map(|plan| plan.layout.data_len as u64)
            .sum()
    };
    counters.in_octets_validated.add(octets(false));
    counters.in_octets_decrypted.add(octets(true));
}

/// What the SecY demands of a frame whatever its channel.
struct Rules {
    validate: ValidateFrames,
    mtu: usize,
    min_plain_frame: usize,
}

impl Rules {
    const fn of(secy: &RxSecy) -> Self {
        Self {
            validate: secy.params.validate,
            mtu: secy.params.mtu,
            min_plain_frame: secy.min_plain_frame,
        }
    }
}

/// What becomes of a frame whose ICV was looked at, in the order of the burst.
fn judge(
    channel: &mut RxSc,
    rules: &Rules,
    frame: &mut impl FrameBuf,
    plan: &Plan,
    authentic: bool,
) -> Result<(), Reject> {
    if let Some(header) = frame.octets_mut().get_mut(..plan.layout.header_len()) {
        header.rotate_left(plan.layout.clear_len);
    }
    let counters = &channel.counters;
    let by_an = &counters.sas[plan.an.index()];
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
    let Some(sa) = channel.sas[plan.an.index()].as_deref_mut() else {
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

/// Takes SecTAG, ICV and pad off, and pads anew to what Ethernet demands.
///
/// Only now all VLAN tags of the plain frame can be seen, so that only now it shows whether the frame
/// is longer than the link allows.
fn deliver(frame: &mut impl FrameBuf, layout: Layout, rules: &Rules) -> Result<(), Reject> {
    let plain_len = layout.header_len() + layout.data_len;
    let behind = frame
        .octets()
        .len()
        .checked_sub(layout.sectag_len + plain_len)
        .ok_or(Reject::NoRoom)?;
    frame
        .octets_mut()
        .copy_within(..layout.header_len(), layout.sectag_len);
    if !(frame.cut_front(layout.sectag_len) && frame.cut_back(behind)) {
        return Err(Reject::NoRoom);
    }
    if plain_len > longest_frame(frame.octets(), rules.mtu) {
        return Err(Reject::TooLong);
    }
    if !frame.grow_back(rules.min_plain_frame.saturating_sub(plain_len)) {
        return Err(Reject::NoRoom);
    }
    if let Some(pad) = frame.octets_mut().get_mut(plain_len..) {
        pad.fill(0);
    }
    Ok(())
}
