//! The kernel for CPUs with VAES and VPCLMULQDQ on 512 bits, and AVX-512's masks (F, BW, VL).
//!
//! A unit is a register of four blocks. Masked loads and stores touch a frame's own octets and no others, so
//! a frame needs no room behind it. Frames with the additional data that MACsec has and up to four units of
//! text go four at once (`group`), all others by themselves (`bulk`). Four frames' tags are made together, a
//! frame to a lane (`quad`).
#![expect(
    unsafe_code,
    reason = "a CPU kernel; docs/adr/0012-a-burst-engine-of-our-own.md"
)]
#![expect(
    clippy::needless_range_loop,
    reason = "loops over units have constant bounds and are unrolled, so that arrays are registers"
)]

mod aes;
mod bulk;
mod ghash;
mod group;
mod keys;
mod lanes;
mod parts;
mod quad;
mod tables;

use core::{arch::x86_64::__m512i, hint::black_box};
use std::arch::is_x86_feature_detected;

use arrayvec::ArrayVec;

use self::{
    ghash::Sums,
    keys::Keys,
    parts::{Parts, Way},
    quad::{QUAD, Quad, verdicts, write_tags},
    tables::Tables,
};
use super::{Kernel, Left, schedule::Schedule};
use crate::crypto::{AeadFrame, BURST_CAPACITY, KeyError, Opened, Sak, scrub::with_clean_stack_to};

/// A key's tables. That there is one says that the CPU has what the kernel needs.
pub(in super::super) struct Kernel512(Tables);

impl Kernel for Kernel512 {
    const NAME: &'static str = "vaes512";
    const WHY: &'static str = "the CPU has AVX-512, VAES and VPCLMULQDQ on 512 bits; whole bursts by our own \
        kernel, frames with more than 512 KiB of text by ring";
    const LACKING: &'static str = "the CPU lacks AVX-512 (F, BW, VL), VAES or VPCLMULQDQ";

    fn runs_here() -> bool {
        is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("aes")
            && is_x86_feature_detected!("pclmulqdq")
            && is_x86_feature_detected!("vaes")
            && is_x86_feature_detected!("vpclmulqdq")
    }

    fn new(sak: &Sak) -> Result<Self, KeyError> {
        if !Self::runs_here() {
            return Err(KeyError::Refused);
        }
        // SAFETY: the CPU has what the function needs, as was just asked.
        unsafe { Self::of(sak) }
    }

    fn seal(&self, burst: &mut [AeadFrame<'_>]) -> Left {
        // SAFETY: `new` made the tables, and makes none where the CPU lacks what the function needs.
        unoptimised(|| unsafe { self.work::<false>(burst) }).1
    }

    fn open(&self, burst: &mut [AeadFrame<'_>]) -> (Opened, Left) {
        // SAFETY: as in `seal`.
        unoptimised(|| unsafe { self.work::<true>(burst) })
    }

    fn open_each(keys: &[&Self], burst: &mut [AeadFrame<'_>]) -> Option<(Opened, Left)> {
        let rounds = keys.first()?.0.rounds;
        if keys.iter().any(|key| key.0.rounds != rounds) {
            return None;
        }
        // SAFETY: as in `seal`.
        Some(unoptimised(|| unsafe {
            Self::work_each(keys, rounds, burst)
        }))
    }
}

impl Kernel512 {
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,vaes,vpclmulqdq")]
    fn of(sak: &Sak) -> Result<Self, KeyError> {
        Ok(Self(Tables::new(&Schedule::of(sak)?)))
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512vl,vaes,vpclmulqdq")]
    fn work<const OPEN: bool>(&self, burst: &mut [AeadFrame<'_>]) -> (Opened, Left) {
        if let [frame] = burst {
            return match self.0.rounds {
                10 => lone::<OPEN, 10>(&self.0, frame),
                _ => lone::<OPEN, 14>(&self.0, frame),
            };
        }
        let one = |_| Some(&self.0);
        match self.0.rounds {
            10 => work::<OPEN, 10, false>(one, burst),
            _ => work::<OPEN, 14, false>(one, burst),
        }
    }

    /// Opens frames under keys of so many rounds, each under its own.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,vaes,vpclmulqdq")]
    fn work_each(keys: &[&Self], rounds: usize, burst: &mut [AeadFrame<'_>]) -> (Opened, Left) {
        let each = |index: usize| {
            let tables = &keys.get(index)?.0;
            tables.prefetch();
            Some(tables)
        };
        match rounds {
            10 => work::<true, 10, true>(each, burst),
            _ => work::<true, 14, true>(each, burst),
        }
    }
}

/// In a build without optimisation all that is in registers otherwise is on the stack: overwrites it.
#[inline]
fn unoptimised<R>(work: impl FnOnce() -> R) -> R {
    if cfg!(debug_assertions) {
        with_clean_stack_to::<{ 128 * 1024 }, _>(work)
    } else {
        work()
    }
}

/// Frames that are worked on in one way.
type Lane<'a> = ArrayVec<Parts<'a>, BURST_CAPACITY>;

#[target_feature(enable = "avx512f,avx512bw,avx512vl,vaes,vpclmulqdq")]
fn work<'t, const OPEN: bool, const ROUNDS: usize, const EACH: bool>(
    tables_of: impl Fn(usize) -> Option<&'t Tables>,
    burst: &mut [AeadFrame<'_>],
) -> (Opened, Left) {
    let mut left = Left::default();
    let mut ways: [Lane<'_>; Way::COUNT] = core::array::from_fn(|_| Lane::new());
    for (index, frame) in (0..).zip(burst.iter_mut().take(BURST_CAPACITY)) {
        let tables = tables_of(index.into());
        let Some(parts) = tables.and_then(|tables| Parts::of(index, tables, frame)) else {
            left.add(index.into());
            continue;
        };
        match parts.way() {
            Some(way) => {
                let _ = ways[way as usize].try_push(parts);
            }
            None => left.add(index.into()),
        }
    }
    let mut opened = Opened::default();
    let [one, two, three, four, alone] = &mut ways;
    apart(abreast::<OPEN, ROUNDS, EACH, 1, 64, 4>, one, &mut opened);
    if [&*two, &*three, &*four]
        .iter()
        .any(|frames| !frames.is_empty())
    {
        with_clean_stack_to::<DEPTH, _>(|| {
            apart(abreast::<OPEN, ROUNDS, EACH, 2, 128, 4>, two, &mut opened);
            apart(abreast::<OPEN, ROUNDS, EACH, 3, 192, 6>, three, &mut opened);
            apart(abreast::<OPEN, ROUNDS, EACH, 4, 256, 8>, four, &mut opened);
        });
    }
    apart(one_by_one::<OPEN, ROUNDS, EACH>, alone, &mut opened);
    if OPEN {
        // Apart from the loops that open: a call in them would put on the stack what they keep in registers.
        for parts in ways.iter_mut().flatten() {
            if !opened.is_ok(parts.index.into()) {
                parts.text.fill(0);
            }
        }
    }
    (opened, left)
}

/// Octets of stack that may hold what came of a key where four frames have more units than there are
/// registers. All other ways keep to registers.
const DEPTH: usize = 3072;

/// The same for a burst of one frame, without sorting it.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,vaes,vpclmulqdq")]
fn lone<const OPEN: bool, const ROUNDS: usize>(
    tables: &Tables,
    frame: &mut AeadFrame<'_>,
) -> (Opened, Left) {
    let mut opened = Opened::default();
    let mut left = Left::default();
    match Parts::of(0, tables, frame).filter(|parts| parts.way().is_some()) {
        Some(mut parts) => {
            let frames = core::slice::from_mut(&mut parts);
            apart(by_itself::<OPEN, ROUNDS>, frames, &mut opened);
            if OPEN && !opened.is_ok(0) {
                parts.text.fill(0);
            }
        }
        None => left.add(0),
    }
    (opened, left)
}

/// Works on frames that go the same way.
type Work = unsafe fn(&mut [Parts<'_>], &mut Opened);

/// Calls `work` in a stack frame of its own.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,vaes,vpclmulqdq")]
fn apart(work: Work, frames: &mut [Parts<'_>], opened: &mut Opened) {
    if !frames.is_empty() {
        // SAFETY: `work` asks of the CPU what this function asks of it.
        unsafe { black_box(work)(frames, opened) }
    }
}

/// Works on frames whose texts have the same number of units, four at once.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,vaes,vpclmulqdq")]
fn abreast<
    const OPEN: bool,
    const ROUNDS: usize,
    const EACH: bool,
    const UNITS: usize,
    const OCTETS: usize,
    const STATES: usize,
>(
    frames: &mut [Parts<'_>],
    opened: &mut Opened,
) {
    for quad in frames.chunks_mut(QUAD) {
        let Some(keys) = Keys::<EACH>::of(quad) else {
            return;
        };
        let tags = group::crypt::<OPEN, ROUNDS, EACH, UNITS, OCTETS, STATES>(&keys, quad);
        end::<OPEN>(tags, quad, opened);
    }
}

/// Works on frames one after the other.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,vaes,vpclmulqdq")]
fn one_by_one<const OPEN: bool, const ROUNDS: usize, const EACH: bool>(
    frames: &mut [Parts<'_>],
    opened: &mut Opened,
) {
    for quad in frames.chunks_mut(QUAD) {
        let Some(keys) = Keys::<EACH>::of(quad) else {
            return;
        };
        let mut gathered = Quad::new();
        for (lane, parts) in quad.iter().enumerate() {
            gathered.set(lane, parts);
        }
        let mut sums = [Sums::zero(); QUAD];
        for (sums, parts) in sums.iter_mut().zip(quad.iter_mut()) {
            *sums = bulk::crypt::<OPEN, ROUNDS>(parts);
        }
        // After the calls, so that it need not be on the stack meanwhile; the CPU begins earlier.
        let masks = keys.encrypt_lanes::<ROUNDS>(gathered.masks(&keys));
        let tags = gathered.tags(&keys, sums, [Sums::zero(); 2], masks);
        // These were handed over on the stack.
        sums = [Sums::zero(); QUAD];
        black_box(&mut sums);
        end::<OPEN>(tags, quad, opened);
    }
}

/// Works on the first of the frames.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,vaes,vpclmulqdq")]
fn by_itself<const OPEN: bool, const ROUNDS: usize>(frames: &mut [Parts<'_>], opened: &mut Opened) {
    let Some(quad) = frames.get_mut(..1) else {
        return;
    };
    let Some(keys) = Keys::<false>::of(quad) else {
        return;
    };
    let mut gathered = Quad::new();
    let mut sums = Sums::zero();
    for parts in quad.iter_mut() {
        gathered.set(0, parts);
        sums = bulk::crypt::<OPEN, ROUNDS>(parts);
    }
    let masks = keys.encrypt_lanes::<ROUNDS>(gathered.masks(&keys));
    let none = Sums::zero();
    let tags = gathered.tags(&keys, [sums, none, none, none], [none; 2], masks);
    // This was handed over on the stack.
    sums = none;
    black_box(&mut sums);
    end::<OPEN>(tags, quad, opened);
}

/// Writes the tags, or notes whose is right.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,vaes,vpclmulqdq")]
fn end<const OPEN: bool>(tags: __m512i, quad: &mut [Parts<'_>], opened: &mut Opened) {
    if !OPEN {
        return write_tags(tags, quad);
    }
    let right = verdicts(tags, quad);
    for (lane, parts) in quad.iter().enumerate() {
        if right >> lane & 1 == 1 {
            opened.set_ok(parts.index.into());
        }
    }
}
