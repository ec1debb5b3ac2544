//! Units that wait for a step, and frames that wait for their units.
//!
//! Short frames, and what long ones have over after whole chunks, go into one list of units, whichever
//! frame they are of, so that AES always works on [`STEP`] of them. A frame is finished one step after its
//! last unit was encrypted: then its GHASH waits for nothing, and the CPU runs it beside the next step.

use core::{
    arch::x86_64::{__m128i, __m256i, _mm_setzero_si128, _mm256_setzero_si256},
    marker::PhantomData,
    mem::{self, MaybeUninit},
    ptr,
};

use super::{
    aes::{self, STEP},
    hash::{CHUNK, Hash},
    place::{Kind, Place},
    tables::Tables,
};

/// Slots for units. A frame adds at most nine to at most seven that wait.
const UNITS: usize = 16;

/// Slots for frames. At most eight have their last unit in a step, at most seven in the units behind it, and
/// one is being added.
const FRAMES: usize = 16;

/// Memory of a queue. Nothing in it is read before it is written.
pub(super) struct Scratch {
    inputs: [__m256i; UNITS],
    places: [*mut u8; UNITS],
    frames: [Waiting; FRAMES],
}

/// A frame between its first unit and its tag.
#[repr(C)]
pub(super) struct Waiting {
    /// The first unit: zeros, then the text's first block; once encrypted, the tag's mask and that block.
    pub(super) head: __m256i,
    /// For `seal`, of a frame that is short or long: additional data.
    pub(super) aad: __m256i,
    /// For `open`: the tag that came, and what the mask should be.
    pub(super) tag: __m128i,
    pub(super) wanted: __m128i,
    /// For `seal`: the block of lengths, mirrored.
    pub(super) lengths: __m128i,
    pub(super) text: *mut u8,
    pub(super) text_len: usize,
    pub(super) kind: Kind,
    /// How many units had been put in when its last one was.
    end: usize,
    /// For `open`: the frame's number in its burst.
    pub(super) index: usize,
    /// For `seal`, of a frame that is not short: how far GHASH came, and how many octets behind the text's first block
    /// it has.
    pub(super) hash: Hash,
    pub(super) hashed: usize,
}

impl Waiting {
    /// Wipes what came of the key, and the text.
    ///
    /// # Safety
    /// `slot` is a frame's slot.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) unsafe fn wipe(slot: *mut Self) {
        // SAFETY: by the caller; no reference is made to what may not be written yet.
        unsafe {
            (*slot).head = _mm256_setzero_si256();
            (*slot).wanted = _mm_setzero_si128();
        }
    }
}

/// The list, over scratch that it alone uses.
pub(super) struct Queue<'a> {
    scratch: *mut Scratch,
    /// Units that were ever put in, and that were encrypted.
    put: usize,
    done: usize,
    /// Frames that were ever entered, and that were taken out.
    entered: usize,
    taken: usize,
    /// For `seal`: an entered frame whose last chunk is encrypted and not hashed, or null.
    unhashed: *mut Waiting,
    borrow: PhantomData<&'a mut Scratch>,
}

impl<'a> Queue<'a> {
    pub(super) fn new(scratch: &'a mut MaybeUninit<Scratch>) -> Self {
        Self {
            scratch: scratch.as_mut_ptr(),
            put: 0,
            done: 0,
            entered: 0,
            taken: 0,
            unhashed: ptr::null_mut(),
            borrow: PhantomData,
        }
    }

    /// The slot of the frame that is entered next.
    #[inline(always)]
    pub(super) fn slot(&self) -> *mut Waiting {
        self.frame(self.entered)
    }

    #[inline(always)]
    fn frame(&self, number: usize) -> *mut Waiting {
        // SAFETY: `scratch` points to a `Scratch` for as long as `self` lives; no reference is made.
        let frames = unsafe { &raw mut (*self.scratch).frames };
        frames.cast::<Waiting>().wrapping_add(number % FRAMES)
    }

    /// Enters the frame whose slot was written, after its units.
    #[inline(always)]
    pub(super) fn enter(&mut self) {
        let slot = self.slot();
        // SAFETY: the slot is inside the scratch.
        unsafe { (*slot).end = self.put };
        self.entered += 1;
    }

    /// Notes that the frame entered last has a chunk that is encrypted and not hashed.
    #[inline(always)]
    pub(super) fn leave_unhashed(&mut self) {
        self.unhashed = self.frame(self.entered.wrapping_sub(1));
    }

    /// A frame that waits for its last chunk to be hashed, so that another frame's first one can be encrypted
    /// beside it.
    #[inline(always)]
    pub(super) fn take_unhashed(&mut self) -> Option<*mut Waiting> {
        let waiting = mem::replace(&mut self.unhashed, ptr::null_mut());
        (!waiting.is_null()).then_some(waiting)
    }

    /// Puts in a unit of the frame that is being written.
    #[inline(always)]
    pub(super) fn put(&mut self, input: __m256i, place: *mut u8) {
        // SAFETY: as in `frame`.
        let inputs = unsafe { &raw mut (*self.scratch).inputs };
        // SAFETY: as in `frame`.
        let places = unsafe { &raw mut (*self.scratch).places };
        let at = self.put % UNITS;
        // SAFETY: `at` is below the array's length.
        unsafe { inputs.cast::<__m256i>().add(at).write(input) };
        // SAFETY: as above.
        unsafe { places.cast::<*mut u8>().add(at).write(place) };
        self.put += 1;
    }

    /// Puts in what a text has behind `chunks` chunks; says whether there is anything.
    ///
    /// # Safety
    /// `place` is a frame's place, as it says.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) unsafe fn put_text(&mut self, nonce: __m256i, place: &Place, chunks: usize) -> bool {
        let before = self.put;
        let (body, mut at) = (place.body_len(), chunks * CHUNK);
        let mut unit = 1 + chunks * STEP;
        while at < body {
            // SAFETY: a text of at most `TEXT_MAX` has no more units than the table; the place is in it.
            unsafe { self.put(aes::input(nonce, unit), place.body().add(at)) };
            at += 32;
            unit += 1;
        }
        self.put > before
    }

    /// Whether there are units for a whole step.
    #[inline(always)]
    pub(super) fn is_full(&self) -> bool {
        self.put - self.done >= STEP
    }

    /// A frame all of whose units were encrypted before the last `lag` ones, if there is one; its slot is
    /// valid until the next frame is entered.
    #[inline(always)]
    pub(super) fn take(&mut self, lag: usize) -> Option<*mut Waiting> {
        if self.taken == self.entered {
            return None;
        }
        let frame = self.frame(self.taken);
        // SAFETY: the frame was entered, so its slot is written.
        let end = unsafe { (*frame).end };
        if end + lag > self.done {
            return None;
        }
        self.taken += 1;
        if frame == self.unhashed {
            self.unhashed = ptr::null_mut();
        }
        Some(frame)
    }

    /// Encrypts the next `W` units; `W` is 1, 2, 4 or [`STEP`].
    ///
    /// # Safety
    /// So many wait; all places of those that were put in may be read and written.
    #[inline]
    #[target_feature(enable = "avx2,vaes")]
    pub(super) unsafe fn step<const ROUNDS: usize, const W: usize>(&mut self, tables: &Tables) {
        let at = self.done % UNITS;
        // SAFETY: steps begin at 0 or 8, and the last, shorter ones stay inside their half: `W` entries from
        // `at` on are inside the arrays; they were put in.
        unsafe {
            let inputs = (&raw const (*self.scratch).inputs)
                .cast::<__m256i>()
                .add(at);
            let places = (&raw const (*self.scratch).places)
                .cast::<*mut u8>()
                .add(at);
            aes::encrypt::<ROUNDS, W>(tables, inputs, places);
        }
        self.done += W;
    }

    /// Encrypts what waits, less than a step.
    ///
    /// # Safety
    /// As for [`Self::step`].
    #[inline]
    #[target_feature(enable = "avx2,vaes")]
    pub(super) unsafe fn rest<const ROUNDS: usize>(&mut self, tables: &Tables) {
        let waiting = self.put - self.done;
        // SAFETY: so many wait.
        unsafe {
            if waiting & 4 != 0 {
                self.step::<ROUNDS, 4>(tables);
            }
            if waiting & 2 != 0 {
                self.step::<ROUNDS, 2>(tables);
            }
            if waiting & 1 != 0 {
                self.step::<ROUNDS, 1>(tables);
            }
        }
    }
}
