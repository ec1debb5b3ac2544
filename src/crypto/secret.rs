//! Raw keys: they wipe themselves, and nothing prints, copies or compares them by accident.
//!
//! With `std` a SAK's octets lie in locked memory of their own. Without it, and where no memory could
//! be locked, they lie on the heap and are wiped there; an engine then refuses the key, so that
//! [`Sak::take`], which pure code calls as well, needs no error for the want of memory.

use alloc::boxed::Box;
use core::fmt;

use zeroize::Zeroize;

#[cfg(feature = "std")]
use super::{KeyError, Locked};

/// Octets of the longest SAK.
const MAX_LEN: usize = 32;

/// A secure association key, 16 or 32 octets. Lives on the control thread and nowhere else.
pub struct Sak {
    store: Store,
    len: usize,
}

impl Sak {
    /// Takes `octets` over and wipes them where they stood.
    ///
    /// # Errors
    /// [`WrongSakLength`] unless there are 16 or 32; the octets are wiped all the same.
    pub fn take(octets: &mut [u8]) -> Result<Self, WrongSakLength> {
        let len = octets.len();
        let taken = matches!(len, 16 | 32).then(|| Self {
            store: Store::copy(octets),
            len,
        });
        octets.zeroize();
        taken.ok_or(WrongSakLength { found: len })
    }

    /// The key itself, for an engine's key set-up and a fingerprint.
    pub fn expose(&self) -> &[u8] {
        self.store.octets().split_at(self.len).0
    }

    /// The key itself, for an engine: only from locked memory.
    ///
    /// # Errors
    /// [`KeyError::Memory`] where none could be locked when the key was taken.
    #[cfg(feature = "std")]
    pub(super) fn expose_locked(&self) -> Result<&[u8], KeyError> {
        match self.store {
            Store::Locked(_) => Ok(self.expose()),
            Store::Heap(_) => Err(KeyError::Memory),
        }
    }
}

impl fmt::Debug for Sak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sak(secret)")
    }
}

/// A secret of 16 or 32 octets beside the SAK: same storage, same rules.
macro_rules! secret_of_mka {
    ($name:ident, $what:literal) => {
        #[doc = $what]
        pub struct $name(Sak);

        impl $name {
            /// Takes `octets` over and wipes them where they stood.
            ///
            /// # Errors
            /// [`WrongSakLength`] unless there are 16 or 32; the octets are wiped all the same.
            pub fn take(octets: &mut [u8]) -> Result<Self, WrongSakLength> {
                Sak::take(octets).map(Self)
            }

            /// The key itself.
            pub fn expose(&self) -> &[u8] {
                self.0.expose()
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(secret)"))
            }
        }
    };
}

secret_of_mka!(Cak, "A connectivity association key (802.1X-2020 9.3).");
secret_of_mka!(
    Ick,
    "The key of a CAK that authenticates MKPDUs (802.1X-2020 9.3.3)."
);
secret_of_mka!(Kek, "The key of a CAK that wraps SAKs (802.1X-2020 9.3.3).");

/// Where a SAK's octets lie; a short one leaves the rest zero.
enum Store {
    #[cfg(feature = "std")]
    Locked(Locked<[u8; MAX_LEN]>),
    Heap(Box<[u8; MAX_LEN]>),
}

impl Store {
    /// Copies `octets`, at most [`MAX_LEN`], to their place without a stop on the stack.
    fn copy(octets: &[u8]) -> Self {
        let mut store = Self::empty();
        let place = match &mut store {
            #[cfg(feature = "std")]
            Self::Locked(place) => &mut **place,
            Self::Heap(place) => &mut **place,
        };
        for (to, from) in place.iter_mut().zip(octets) {
            *to = *from;
        }
        store
    }

    fn empty() -> Self {
        #[cfg(feature = "std")]
        if let Ok(place) = Locked::new(|| Ok([0; MAX_LEN])) {
            return Self::Locked(place);
        }
        Self::Heap(Box::new([0; MAX_LEN]))
    }

    fn octets(&self) -> &[u8; MAX_LEN] {
        match self {
            #[cfg(feature = "std")]
            Self::Locked(place) => place,
            Self::Heap(place) => place,
        }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        match self {
            // Wipes itself.
            #[cfg(feature = "std")]
            Self::Locked(_) => {}
            Self::Heap(place) => place.zeroize(),
        }
    }
}

/// A key that is neither 16 nor 32 octets long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrongSakLength {
    /// Octets that there were.
    pub found: usize,
}

impl fmt::Display for WrongSakLength {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a SAK of {} octets; there are only SAKs of 16 and 32",
            self.found
        )
    }
}

impl core::error::Error for WrongSakLength {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_is_wiped_at_its_source_and_exposed_unchanged() {
        for len in [16, 32] {
            let mut octets = [0u8; 32];
            for (octet, value) in octets.iter_mut().zip(1..) {
                *octet = value;
            }
            let expected = octets;
            let sak = Sak::take(&mut octets[..len]).unwrap();
            assert_eq!(sak.expose(), &expected[..len]);
            assert_eq!(octets[..len], [0; 32][..len]);
            assert_eq!(alloc::format!("{sak:?}"), "Sak(secret)");
        }
    }

    #[test]
    fn another_length_is_refused_and_wiped() {
        for len in [0, 15, 17, 24, 31, 33, 64] {
            let mut octets = [0x77; 64];
            let taken = Sak::take(&mut octets[..len]);
            assert_eq!(taken.err(), Some(WrongSakLength { found: len }));
            assert_eq!(octets[..len], [0; 64][..len]);
        }
    }
}
