//! Memory that keys live in: one value in a mapping of its own, or many short keys in one.
//!
//! A key must reach neither swap, nor a core dump, nor a child process, nor the memory that EAL
//! shares with secondary processes, and nothing of it may outlive it. The heap promises none of
//! that, so keys get pages of their own, with a page that can't be touched on either side: an engine's
//! key object by itself ([`Locked`]), raw keys, of which a process may hold thousands, together
//! ([`LockedSlot`]).
//!
//! This is the only file under `crypto` with `unsafe` in it: `docs/adr/0003-unsafe-in-locked-key-memory.md`
//! says why, and why the bound on each operation holds.
#![expect(
    unsafe_code,
    reason = "a value placed in a mapping of its own; docs/adr/0003-unsafe-in-locked-key-memory.md"
)]

use std::{
    ffi::c_void,
    fmt, io,
    marker::PhantomData,
    mem::MaybeUninit,
    ops::{Deref, DerefMut},
    ptr::{self, NonNull},
    sync::{
        Arc, PoisonError, Weak,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use memmap2::{Advice, MmapMut};
use nix::{
    sys::mman::{ProtFlags, mlock, mprotect},
    unistd::{SysconfVar, sysconf},
};
use zeroize::Zeroize;

use super::{KeyError, scrub::with_clean_stack};

/// One value in memory of its own: locked into RAM, left out of core dumps and of child processes,
/// wiped whole before it goes back to the system.
///
/// "Whole" is every octet of its pages, after `T`'s own drop: what a type forgets to wipe (an
/// engine's powers of the hash key, say) is wiped all the same. What `T` keeps elsewhere is not.
pub struct Locked<T> {
    pages: Pages,
    /// Where the value is in the mapping.
    offset: usize,
    value: PhantomData<T>,
}

/// Octets of a line of the CPU's caches.
const LINE: usize = 64;

/// How many values were placed: each begins in another line of its pages than the one before. A cache finds a
/// line by the low bits of its address, so that values that all begin where a page does would fight for the
/// same few of its places while others stand empty.
static PLACED: AtomicUsize = AtomicUsize::new(0);

/// Where in `data` octets the next value of `size` octets begins: a multiple of a line and of `align`.
fn next_place(data: usize, size: usize, align: usize) -> usize {
    let step = LINE.max(align);
    let places = data.saturating_sub(size) / step + 1;
    PLACED.fetch_add(1, Ordering::Relaxed) % places * step
}

impl<T> Locked<T> {
    /// Makes a value by `make` and keeps it. The stack that making it took is overwritten.
    ///
    /// # Errors
    /// [`KeyError::Memory`] where pages can't be had or locked, or `make`'s own error.
    pub fn new(make: impl FnOnce() -> Result<T, KeyError>) -> Result<Self, KeyError> {
        let pages = Pages::map(size_of::<T>(), align_of::<T>()).map_err(|_| KeyError::Memory)?;
        let offset = pages.page + next_place(pages.data, size_of::<T>(), align_of::<T>());
        with_clean_stack(|| {
            let value = make()?;
            // SAFETY: `Pages::map` made the data part at least `size_of::<T>()` octets long and aligned to a
            // page, which it checked to be no less than `align_of::<T>()`, and `next_place` left room for a
            // `T` behind an offset that is a multiple of its alignment; it is writable, and nothing else
            // points into it. It holds no value yet, so none is overwritten undropped.
            unsafe { pages.at(offset).cast::<T>().write(value) };
            Ok(())
        })?;
        // From here on there is a valid `T`, which the unsafe blocks below rest on.
        Ok(Self {
            pages,
            offset,
            value: PhantomData,
        })
    }

    /// Where the value is.
    fn place(&self) -> *mut T {
        self.pages.at(self.offset).cast()
    }
}

impl<T> Deref for Locked<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: `new` wrote a valid, aligned `T` there, and the mapping lives as long as `self`.
        // A `&mut T` needs `&mut self`, so it can't exist beside this borrow.
        unsafe { &*self.place() }
    }
}

impl<T> DerefMut for Locked<T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as in `deref`; `&mut self` is the only borrow there is.
        unsafe { &mut *self.place() }
    }
}

impl<T> Drop for Locked<T> {
    fn drop(&mut self) {
        // SAFETY: `new` wrote a valid `T` there and nothing drops it twice: this runs once, and `Pages`,
        // which is dropped next (even where this unwinds), knows nothing of `T`.
        unsafe { ptr::drop_in_place(self.place()) };
    }
}

impl<T> fmt::Debug for Locked<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Locked(secret)")
    }
}

/// Octets of a slot: the longest raw key.
const SLOT_LEN: usize = 32;

/// Slots of a chunk: 4 KiB of them, the smallest page that there is.
pub(super) const SLOTS_PER_CHUNK: usize = 128;

/// Room for one raw key, in locked pages that it shares with others: as well kept as in a [`Locked`]
/// at a hundredth of the price. Wiped when it is given back.
pub(super) struct LockedSlot {
    chunk: Arc<Chunk>,
    index: usize,
}

impl LockedSlot {
    /// A slot of zeros.
    ///
    /// # Errors
    /// [`KeyError::Memory`] where pages can't be had or locked.
    pub(super) fn new() -> Result<Self, KeyError> {
        // Whoever panicked in here has left a list that is no worse than a shorter one.
        let mut chunks = CHUNKS.lock().unwrap_or_else(PoisonError::into_inner);
        chunks.retain(|chunk| chunk.strong_count() > 0);
        for chunk in chunks.iter().filter_map(Weak::upgrade) {
            if let Some(index) = chunk.take_slot() {
                return Ok(Self { chunk, index });
            }
        }
        let chunk = Arc::new(Chunk::map()?);
        let index = chunk.take_slot().ok_or(KeyError::Memory)?;
        chunks.push(Arc::downgrade(&chunk));
        Ok(Self { chunk, index })
    }

    /// The octets.
    pub(super) fn octets(&self) -> &[u8; SLOT_LEN] {
        // SAFETY: the slot lies inside its chunk's data part (`place`), which is mapped for as long as
        // `self` holds the chunk; any octets are a valid array. The slot is this value's alone, so a
        // `&mut` to it needs `&mut self` and can't exist beside this borrow.
        unsafe { &*self.place() }
    }

    /// The octets, to be written.
    pub(super) fn octets_mut(&mut self) -> &mut [u8; SLOT_LEN] {
        // SAFETY: as in `octets`; `&mut self` is the only borrow there is.
        unsafe { &mut *self.place() }
    }

    /// Where the slot is: `take_slot` gave an index below [`SLOTS_PER_CHUNK`], and `Chunk::map` asked
    /// for that many slots.
    fn place(&self) -> *mut [u8; SLOT_LEN] {
        let start = self.chunk.pages.start();
        start.wrapping_add(self.index * SLOT_LEN).cast()
    }
}

impl Drop for LockedSlot {
    fn drop(&mut self) {
        self.octets_mut().zeroize();
        self.chunk.give_back(self.index);
    }
}

/// Chunks that slots are in. A chunk lives as long as the first and the last of its slots.
#[expect(
    clippy::disallowed_types,
    reason = "keys are made on the control thread and wherever a config is read, never on a frame path"
)]
static CHUNKS: std::sync::Mutex<Vec<Weak<Chunk>>> = std::sync::Mutex::new(Vec::new());

/// One mapping and who has what of it.
struct Chunk {
    pages: Pages,
    /// A bit for each slot that is taken. Set under the lock of [`CHUNKS`], cleared by anyone.
    taken: [AtomicU64; SLOTS_PER_CHUNK / 64],
}

impl Chunk {
    fn map() -> Result<Self, KeyError> {
        let pages = Pages::map(SLOTS_PER_CHUNK * SLOT_LEN, 1).map_err(|_| KeyError::Memory)?;
        Ok(Self {
            pages,
            taken: [const { AtomicU64::new(0) }; SLOTS_PER_CHUNK / 64],
        })
    }

    /// Takes a slot that is free and gives its index, below [`SLOTS_PER_CHUNK`].
    fn take_slot(&self) -> Option<usize> {
        self.taken.iter().zip(0..).find_map(|(word, number)| {
            // Acquires the wipe by whoever had it last. Only the holder of the lock sets bits, so the
            // first zero is still one at the second look.
            let bit = (!word.load(Ordering::Acquire)).trailing_zeros();
            let mask = 1u64.checked_shl(bit)?;
            word.fetch_or(mask, Ordering::Acquire);
            usize::try_from(64 * number + bit).ok()
        })
    }

    fn give_back(&self, index: usize) {
        if let Some(word) = self.taken.get(index / 64) {
            word.fetch_and(!(1 << (index % 64)), Ordering::Release);
        }
    }
}

/// Pages for one value, between two that fault when touched.
struct Pages {
    map: MmapMut,
    /// Octets of a page, which is also where the data part starts.
    page: usize,
    /// Octets of the data part: whole pages.
    data: usize,
}

impl Pages {
    /// Room for `size` octets, zero, locked and kept out of dumps and children.
    fn map(size: usize, align: usize) -> io::Result<Self> {
        let page = page_size()?;
        if align > page {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let data = size.max(1).next_multiple_of(page);
        let map = MmapMut::map_anon(data + 2 * page)?;
        map.advise(Advice::DontDump)?;
        map.advise(Advice::DontFork)?;
        let pages = Self { map, page, data };
        pages.lock()?;
        pages.guard(0)?;
        pages.guard(page + data)?;
        Ok(pages)
    }

    /// Start of the data part. A pointer that `Locked` may write through: nobody ever makes a slice
    /// of the mapping, so its octets are reached by this pointer alone.
    fn start(&self) -> *mut u8 {
        self.at(self.page)
    }

    /// `offset` octets behind the mapping's start. As above.
    #[inline]
    fn at(&self, offset: usize) -> *mut u8 {
        self.map.as_ptr().wrapping_add(offset).cast_mut()
    }

    /// Locks the data part into RAM; the guards hold nothing and would only use up the limit.
    fn lock(&self) -> io::Result<()> {
        let start = self.address(self.page)?;
        // SAFETY: the range is the data part of our own mapping; locking pages changes no memory.
        unsafe { mlock(start, self.data) }?;
        Ok(())
    }

    /// Takes every access away from the page at `offset`.
    fn guard(&self, offset: usize) -> io::Result<()> {
        let start = self.address(offset)?;
        // SAFETY: the callers name the first and the last page of our own mapping; no reference to
        // either is ever made, so no access of this program's is broken by it.
        unsafe { mprotect(start, self.page, ProtFlags::PROT_NONE) }?;
        Ok(())
    }

    fn address(&self, offset: usize) -> io::Result<NonNull<c_void>> {
        let place = self.map.as_ptr().wrapping_add(offset).cast_mut();
        NonNull::new(place.cast()).ok_or_else(|| io::ErrorKind::InvalidInput.into())
    }
}

impl Pages {
    /// Overwrites the data part.
    fn wipe(&mut self) {
        let words = self.data / size_of::<u64>();
        let start = self.start().cast::<MaybeUninit<u64>>();
        // SAFETY: the data part is `data` octets, whole pages and so whole words, aligned to a page,
        // mapped until `map` is dropped after this, writable, and by `&mut self` ours alone.
        // `MaybeUninit` asks nothing of what they hold.
        let all = unsafe { std::slice::from_raw_parts_mut(start, words) };
        // Volatile, so not left out for being the last write before the pages go.
        all.zeroize();
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        self.wipe();
    }
}

fn page_size() -> io::Result<usize> {
    sysconf(SysconfVar::PAGE_SIZE)?
        .and_then(|page| usize::try_from(page).ok())
        .ok_or_else(|| io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, rc::Rc};

    use super::*;

    #[test]
    fn a_value_is_kept_changed_and_dropped_once() {
        struct Counted(Rc<Cell<u32>>, [u8; 5000]);
        impl Drop for Counted {
            fn drop(&mut self) {
                self.0.set(self.0.get() + 1);
            }
        }
        let drops = Rc::new(Cell::new(0));
        let mut locked = Locked::new(|| Ok(Counted(Rc::clone(&drops), [7; 5000]))).unwrap();
        locked.1[4999] = 9;
        assert_eq!((locked.1[0], locked.1[4998], locked.1[4999]), (7, 7, 9));
        assert_eq!(drops.get(), 0);
        drop(locked);
        assert_eq!(drops.get(), 1);
    }

    #[test]
    fn the_whole_data_part_is_wiped() {
        let mut pages = Pages::map(5000, 8).unwrap();
        assert_eq!(pages.data % pages.page, 0);
        assert!(pages.data >= 5000);
        for offset in 0..pages.data {
            // SAFETY: `offset` is inside the data part, which is ours and writable.
            unsafe { pages.start().wrapping_add(offset).write(0xEE) };
        }
        pages.wipe();
        for offset in 0..pages.data {
            // SAFETY: as above; what is read was written before.
            assert_eq!(unsafe { pages.start().wrapping_add(offset).read() }, 0);
        }
    }

    #[test]
    fn the_makers_error_is_handed_on() {
        let made = Locked::<[u8; 32]>::new(|| Err(KeyError::Refused));
        assert_eq!(made.err(), Some(KeyError::Refused));
    }

    #[test]
    fn an_alignment_over_a_page_is_refused() {
        #[repr(align(65536))]
        struct Wide(#[expect(dead_code, reason = "its alignment matters, not its value")] u8);
        assert_eq!(Locked::new(|| Ok(Wide(1))).err(), Some(KeyError::Memory));
    }

    #[test]
    fn slots_are_apart_from_each_other_and_come_back_as_zeros() {
        let count = 3 * SLOTS_PER_CHUNK + 1;
        let numbers = || (0..=u8::MAX).cycle().take(count);
        let mut slots: Vec<_> = (0..count).map(|_| LockedSlot::new().unwrap()).collect();
        for (slot, number) in slots.iter_mut().zip(numbers()) {
            assert_eq!(slot.octets(), &[0; SLOT_LEN]);
            slot.octets_mut().fill(number);
        }
        for (slot, number) in slots.iter().zip(numbers()) {
            assert_eq!(slot.octets(), &[number; SLOT_LEN]);
        }
        let chunks: std::collections::BTreeSet<_> =
            slots.iter().map(|slot| Arc::as_ptr(&slot.chunk)).collect();
        // Other tests take slots too.
        assert!((4..8).contains(&chunks.len()), "{} chunks", chunks.len());

        // Every second one goes; the holes are filled again, and hold nothing.
        let mut at = 0;
        slots.retain(|_| {
            at += 1;
            at % 2 == 0
        });
        let again: Vec<_> = (0..count / 2).map(|_| LockedSlot::new().unwrap()).collect();
        assert!(again.iter().all(|slot| slot.octets() == &[0; SLOT_LEN]));
        let odd = numbers().skip(1).step_by(2);
        assert!(
            slots
                .iter()
                .zip(odd)
                .all(|(slot, number)| slot.octets() == &[number; SLOT_LEN])
        );
    }

    #[test]
    fn threads_never_share_a_slot() {
        let threads: Vec<_> = (1..=4u8)
            .map(|number| {
                let take_and_give_back = move || {
                    for _ in 0..2000 {
                        let mut held: Vec<_> = (0..5).map(|_| LockedSlot::new().unwrap()).collect();
                        for slot in &mut held {
                            assert_eq!(slot.octets(), &[0; SLOT_LEN]);
                            slot.octets_mut().fill(number);
                        }
                        for slot in &held {
                            assert_eq!(slot.octets(), &[number; SLOT_LEN]);
                        }
                    }
                };
                std::thread::Builder::new()
                    .spawn(take_and_give_back)
                    .unwrap()
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
    }

    #[test]
    fn a_chunk_without_slots_is_given_back() {
        let chunk = Arc::downgrade(&LockedSlot::new().unwrap().chunk);
        // Another test may be in the same chunk for a while.
        let end = std::time::Instant::now() + std::time::Duration::from_secs(60);
        while chunk.strong_count() > 0 {
            assert!(std::time::Instant::now() < end, "the chunk stays");
            std::thread::yield_now();
        }
    }

    #[test]
    fn nothing_of_it_is_printed() {
        let locked = Locked::new(|| Ok([0x5Au8; 4])).unwrap();
        assert_eq!(format!("{locked:?}"), "Locked(secret)");
    }
}
