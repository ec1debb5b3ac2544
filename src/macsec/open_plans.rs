//! What is left to do for frames whose SA is known: the work of the engine, which needs the keys, the
//! frames and this, and may be done on another thread.

use arrayvec::ArrayVec;

use super::clear_tags::ADDRESSES_LEN;
use super::{FrameBuf, FrameSet, frame::rows};
use crate::crypto::{AeadFrame, AeadKey, BURST_CAPACITY, NONCE_LEN, Opened, TAG_LEN, open_each};
use crate::ieee::{An, KeyIdentifier, Pn, Sci};

/// Where the parts of a protected frame lie, in octets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    pub(super) clear_len: u32,
    pub(super) sectag_len: u32,
    pub(super) data_len: u32,
}

impl Layout {
    /// Addresses and clear tags.
    pub(super) const fn header_len(&self) -> usize {
        ADDRESSES_LEN + self.clear_len as usize
    }

    /// Addresses and SecTAG, which are authenticated and never encrypted.
    #[expect(clippy::cast_possible_truncation, reason = "12")]
    pub(super) const fn front_len(&self) -> u32 {
        ADDRESSES_LEN as u32 + self.sectag_len
    }

    /// What is authenticated, and the ICV: everything but clear tags and pad.
    const fn authentic_len(&self) -> usize {
        (self.front_len() + self.data_len) as usize + TAG_LEN
    }
}

/// One frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct OpenPlan {
    pub(super) pn: Pn,
    pub(super) nonce: [u8; NONCE_LEN],
    pub(super) layout: Layout,
    pub(super) aad_len: u32,
    /// Whether protection changed the user data: the C bit.
    pub(super) changed: bool,
}

impl OpenPlan {
    const NONE: Self = Self {
        pn: Pn(0),
        nonce: [0; NONCE_LEN],
        layout: Layout {
            clear_len: 0,
            sectag_len: 0,
            data_len: 0,
        },
        aad_len: 0,
        changed: false,
    };

    /// The frame as an engine wants it.
    #[inline]
    fn frame<'a>(&self, frame: &'a mut impl FrameBuf) -> AeadFrame<'a> {
        AeadFrame {
            nonce: self.nonce,
            aad_len: self.aad_len as usize,
            len: self.layout.authentic_len(),
            // Pad behind the ICV counts as room: nobody reads it again.
            buffer: frame
                .octets_and_room_mut()
                .get_mut(self.layout.clear_len as usize..)
                .unwrap_or_default(),
        }
    }
}

/// The frames of a burst that came under one SA.
#[derive(Clone, Copy, Debug)]
pub struct OpenRun {
    /// Which.
    pub(super) frames: FrameSet,
    /// Where the channel was when the burst was prepared, and how many changes the SecY had seen.
    pub(super) place: usize,
    pub(super) changes: u64,
    pub(super) sci: Sci,
    pub(super) an: An,
    pub(super) ki: KeyIdentifier,
    /// The number of the first frame, and the one behind that of the last.
    pub(super) first: Pn,
    pub(super) next: Pn,
    /// Whether each number is the one behind that of the frame before.
    pub(super) is_row: bool,
    /// Octets of user data in frames that protection changed, and in others.
    pub(super) octets_changed: u64,
    pub(super) octets_unchanged: u64,
}

impl OpenRun {
    /// Takes a frame in.
    #[inline]
    pub(super) const fn add(&mut self, index: usize, plan: &OpenPlan) {
        self.frames.insert(index);
        self.is_row &= plan.pn.0 == self.next.0;
        self.next = plan.pn.saturating_add(1);
        if plan.changed {
            self.octets_changed += plan.layout.data_len as u64;
        } else {
            self.octets_unchanged += plan.layout.data_len as u64;
        }
    }

    /// Takes `count` frames from place `first` on in, with what became of the numbers with them, and so many
    /// octets of user data that protection `changed` or did not.
    #[inline]
    pub(super) const fn add_row(
        &mut self,
        (first, count): (usize, usize),
        (next, is_row): (Pn, bool),
        (octets, changed): (u64, bool),
    ) {
        self.frames.insert_row(first, count);
        self.next = next;
        self.is_row = is_row;
        if changed {
            self.octets_changed += octets;
        } else {
            self.octets_unchanged += octets;
        }
    }

    /// The frames.
    #[must_use]
    pub const fn frames(&self) -> FrameSet {
        self.frames
    }

    /// The SA: its channel, its number, its key.
    #[must_use]
    pub const fn sa(&self) -> (Sci, An, KeyIdentifier) {
        (self.sci, self.an, self.ki)
    }
}

/// The frames of one burst that wait to be opened, by SA.
///
/// Made by [`RxSecy::prepare`](super::RxSecy::prepare), carried out by [`OpenPlans::open`] on any
/// thread, and given back to [`RxSecy::finish`](super::RxSecy::finish). It borrows neither frames nor
/// SAs. Made once and used again: it allocates nothing.
#[derive(Clone, Debug)]
pub struct OpenPlans {
    /// All frames that the SecY was given.
    pub(super) todo: FrameSet,
    pub(super) runs: ArrayVec<OpenRun, BURST_CAPACITY>,
    /// Those that were opened and had the right ICV.
    pub(super) authentic: FrameSet,
    /// By the frame's place in its burst.
    pub(super) plans: [OpenPlan; BURST_CAPACITY],
}

impl OpenPlans {
    /// Nothing to do.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            todo: FrameSet::EMPTY,
            runs: ArrayVec::new_const(),
            authentic: FrameSet::EMPTY,
            plans: [OpenPlan::NONE; BURST_CAPACITY],
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.todo = FrameSet::EMPTY;
        self.runs.clear();
        self.authentic = FrameSet::EMPTY;
    }

    /// The SAs whose frames are to be opened, in the order in which they first appear.
    #[must_use]
    pub fn runs(&self) -> &[OpenRun] {
        &self.runs
    }

    /// Opens the frames, in one call to the engine. `frames` is the burst that was prepared, each frame in
    /// its place; `key_of` gives the key of each of [`Self::runs`] by its place there, and frames whose key
    /// it hasn't count as not authentic.
    pub fn open<'k, B: FrameBuf>(
        &mut self,
        frames: &mut [B],
        mut key_of: impl FnMut(usize, &OpenRun) -> Option<&'k dyn AeadKey>,
    ) {
        if let [run] = &*self.runs {
            if let Some(key) = key_of(0, run) {
                let opened = open_run(&self.plans, run.frames, key, frames);
                self.authentic = spread(opened, run.frames);
            }
        } else {
            self.authentic = open_runs(self, frames, key_of);
        }
    }
}

impl Default for OpenPlans {
    fn default() -> Self {
        Self::new()
    }
}

fn open_run<B: FrameBuf>(
    plans: &[OpenPlan; BURST_CAPACITY],
    run: FrameSet,
    key: &dyn AeadKey,
    frames: &mut [B],
) -> Opened {
    let mut burst = ArrayVec::new();
    for (first, row) in rows(frames, run) {
        let Some(plans) = plans.get(first..first + row.len()) else {
            break;
        };
        gather(row, plans, &mut burst);
    }
    key.open(&mut burst)
}

/// Puts frames into the engine's list: in a loop of its own, which keeps all that it needs in registers.
#[inline(never)]
fn gather<'a, B: FrameBuf>(
    frames: &'a mut [B],
    plans: &[OpenPlan],
    burst: &mut ArrayVec<AeadFrame<'a>, BURST_CAPACITY>,
) {
    for (frame, plan) in frames.iter_mut().zip(plans) {
        // There are no more than places in a burst.
        let _ = burst.try_push(plan.frame(frame));
    }
}

/// Opens frames of several SAs, those of an SA behind each other.
#[inline(never)]
fn open_runs<'k, B: FrameBuf>(
    plans: &OpenPlans,
    frames: &mut [B],
    mut key_of: impl FnMut(usize, &OpenRun) -> Option<&'k dyn AeadKey>,
) -> FrameSet {
    let mut places: ArrayVec<Option<&mut B>, BURST_CAPACITY> =
        frames.iter_mut().take(BURST_CAPACITY).map(Some).collect();
    let mut burst = ArrayVec::<AeadFrame<'_>, BURST_CAPACITY>::new();
    let mut keys = ArrayVec::<&dyn AeadKey, BURST_CAPACITY>::new();
    let mut order = ArrayVec::<usize, BURST_CAPACITY>::new();
    for (nth, run) in plans.runs.iter().enumerate() {
        let Some(key) = key_of(nth, run) else {
            continue;
        };
        for index in run.frames {
            if let Some(frame) = places.get_mut(index).and_then(Option::take) {
                burst.push(plans.plans[index].frame(frame));
                keys.push(key);
                order.push(index);
            }
        }
    }
    let opened = open_each(&keys, &mut burst);
    let mut authentic = FrameSet::EMPTY;
    for (nth, index) in order.into_iter().enumerate() {
        if opened.is_ok(nth) {
            authentic.insert(index);
        }
    }
    authentic
}

/// Which frames of the burst: `opened` counts those of `run` alone.
fn spread(opened: Opened, run: FrameSet) -> FrameSet {
    if opened.0 == FrameSet::first(run.len() as usize).0 {
        return run;
    }
    let mut authentic = FrameSet::EMPTY;
    run.iter()
        .enumerate()
        .filter(|(nth, _)| opened.is_ok(*nth))
        .for_each(|(_, index)| authentic.insert(index));
    authentic
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_of_a_run_go_to_its_own_frames() {
        let run = FrameSet(0b1011_0000_0001);
        assert_eq!(spread(Opened(0b1111), run), run);
        assert_eq!(spread(Opened(0b0000), run), FrameSet::EMPTY);
        assert_eq!(spread(Opened(0b0110), run), FrameSet(0b0011_0000_0000));
        assert_eq!(spread(Opened(0b1001), run), FrameSet(0b1000_0000_0001));
        let all = FrameSet(u64::MAX);
        assert_eq!(spread(Opened(u64::MAX), all), all);
        assert_eq!(spread(Opened(1 << 63), all), FrameSet(1 << 63));
    }
}
