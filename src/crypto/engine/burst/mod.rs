//! Engines of our own: a kernel that takes a whole burst at once, and `ring` for the frames that it leaves.
//!
//! A kernel is wide code for one kind of CPU. What all of them share is here: the key object, which frame
//! goes where, and the verdicts. `docs/adr/0012-a-burst-engine-of-our-own.md` says why there are kernels, and
//! by which rules they are written.

mod schedule;
mod vaes256;
mod vaes512;

use alloc::sync::Arc;
use arrayvec::ArrayVec;
use core::any::Any;
use ring::aead::LessSafeKey;

use super::super::{
    AeadFrame, AeadKey, BURST_CAPACITY, KeyError, KeyFactory, Locked, Opened, SaKey, Sak,
    aead::open_in_stretches,
};
use super::ring as library;

pub(super) use vaes256::Kernel256;
pub(super) use vaes512::Kernel512;

/// Code for one kind of CPU.
pub(super) trait Kernel: Send + Sync + Sized + 'static {
    /// The engine's name.
    const NAME: &'static str;

    /// What the CPU has, and which frames the kernel leaves to `ring`: for `status` and the log.
    const WHY: &'static str;

    /// What to say where the CPU can't run it.
    const LACKING: &'static str;

    /// Whether this CPU, under this operating system, can run it.
    fn runs_here() -> bool;

    /// The kernel's tables of a key.
    ///
    /// # Errors
    /// [`KeyError`]; [`KeyError::Refused`] also where the CPU can't run the kernel.
    fn new(sak: &Sak) -> Result<Self, KeyError>;

    /// Seals the frames that it can, of at most [`BURST_CAPACITY`].
    fn seal(&self, burst: &mut [AeadFrame<'_>]) -> Left;

    /// Opens the frames that it can, of at most [`BURST_CAPACITY`]. The text of those that fail is wiped.
    fn open(&self, burst: &mut [AeadFrame<'_>]) -> (Opened, Left);

    /// As [`Self::open`], frame `i` under `keys[i]`; frames that have no key are left. `None`, and nothing
    /// touched: it can't do that with these keys.
    fn open_each(_keys: &[&Self], _burst: &mut [AeadFrame<'_>]) -> Option<(Opened, Left)> {
        None
    }
}

/// The frames of a burst that a kernel did not touch: bit `i` for frame `i`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(super) struct Left(u64);

impl Left {
    /// Notes that frame `index` is left.
    const fn add(&mut self, index: usize) {
        if index < BURST_CAPACITY {
            self.0 |= 1 << index;
        }
    }
}

/// Takes the frames one by one.
impl Iterator for Left {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let index = self.0.trailing_zeros();
        self.0 &= self.0.checked_sub(1)?;
        usize::try_from(index).ok()
    }
}

/// The engine with AES and carry-less multiply on 256 bits: AVX2, VAES, VPCLMULQDQ, nothing of AVX-512.
/// It refuses every key where the CPU lacks them.
#[derive(Clone, Copy, Debug)]
pub struct Vaes256Engine;

impl KeyFactory for Vaes256Engine {
    fn name(&self) -> &'static str {
        Kernel256::NAME
    }

    fn make_key(&self, sak: &Sak) -> Result<SaKey, KeyError> {
        make_key::<Kernel256>(sak)
    }
}

/// The engine with AES and carry-less multiply on 512 bits: AVX-512 (F, BW, VL), VAES, VPCLMULQDQ. It refuses
/// every key where the CPU lacks them.
#[derive(Clone, Copy, Debug)]
pub struct Vaes512Engine;

impl KeyFactory for Vaes512Engine {
    fn name(&self) -> &'static str {
        Kernel512::NAME
    }

    fn make_key(&self, sak: &Sak) -> Result<SaKey, KeyError> {
        make_key::<Kernel512>(sak)
    }
}

fn make_key<K: Kernel>(sak: &Sak) -> Result<SaKey, KeyError> {
    let tables = Locked::new(|| {
        Ok(Tables {
            kernel: K::new(sak)?,
            library: library::key(sak)?,
        })
    })?;
    Ok(Arc::new(BurstKey(tables)))
}

/// All that is kept of a key, in one piece of locked memory. Nothing of it is elsewhere.
struct Tables<K> {
    kernel: K,
    library: LessSafeKey,
}

struct BurstKey<K>(Locked<Tables<K>>);

impl<K: Kernel> AeadKey for BurstKey<K> {
    fn seal(&self, burst: &mut [AeadFrame<'_>]) {
        let Tables { kernel, library } = &*self.0;
        for index in kernel.seal(burst) {
            if let Some(frame) = burst.get_mut(index) {
                library::seal(library, frame);
            }
        }
    }

    fn open(&self, burst: &mut [AeadFrame<'_>]) -> Opened {
        let Tables { kernel, library } = &*self.0;
        let (mut opened, left) = kernel.open(burst);
        for index in left {
            if burst
                .get_mut(index)
                .is_some_and(|frame| library::open(library, frame))
            {
                opened.set_ok(index);
            }
        }
        opened
    }

    fn open_each(&self, keys: &[&dyn AeadKey], burst: &mut [AeadFrame<'_>]) -> Opened {
        let mut own = ArrayVec::<&Tables<K>, BURST_CAPACITY>::new();
        let mut kernels = ArrayVec::<&K, BURST_CAPACITY>::new();
        for key in keys.iter().take(BURST_CAPACITY) {
            // Another engine's key is another type.
            let key: &dyn Any = *key;
            let Some(Self(tables)) = key.downcast_ref() else {
                return open_in_stretches(keys, burst);
            };
            own.push(tables);
            kernels.push(&tables.kernel);
        }
        let Some((mut opened, left)) = K::open_each(&kernels, burst) else {
            return open_in_stretches(keys, burst);
        };
        for index in left {
            if let (Some(tables), Some(frame)) = (own.get(index), burst.get_mut(index))
                && library::open(&tables.library, frame)
            {
                opened.set_ok(index);
            }
        }
        opened
    }
}

#[cfg(test)]
mod tests;
