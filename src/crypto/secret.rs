//! Raw keys: they wipe themselves, and nothing prints, copies or compares them by accident.
//!
//! One storage type, [`Secret`], under the four names that keys have here: the type's parameter says
//! which, so that a KEK can't go where an ICK belongs.
//!
//! With `std` a key's octets lie in locked memory. Without it, and where no memory could be locked,
//! they lie on the heap and are wiped there; an engine then refuses the key, so that
//! [`Secret::take`], which pure code calls as well, needs no error for the want of memory.

use alloc::boxed::Box;
use core::{fmt, marker::PhantomData};

use zeroize::Zeroize;

#[cfg(any(test, feature = "std"))]
use super::KeyError;
#[cfg(feature = "std")]
use super::locked::LockedSlot;

/// Octets of the longest key.
const MAX_LEN: usize = 32;

/// A secure association key (802.1AE-2018 14.1). Lives on the control thread and nowhere else.
pub type Sak = Secret<kind::Sak>;

/// A connectivity association key (802.1X-2020 9.3).
pub type Cak = Secret<kind::Cak>;

/// The key of a CAK that authenticates MKPDUs (802.1X-2020 9.3.3).
pub type Ick = Secret<kind::Ick>;

/// The key of a CAK that wraps SAKs (802.1X-2020 9.3.3).
pub type Kek = Secret<kind::Kek>;

/// What a [`Secret`] may be. These types are names and have no values.
pub mod kind {
    /// One of the names of keys.
    pub trait Kind {
        /// The key's name in `Debug` output and messages.
        const NAME: &'static str;
    }

    macro_rules! kinds {
        ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {$(
            $(#[$doc])*
            #[derive(Debug)]
            pub enum $name {}

            impl Kind for $name {
                const NAME: &'static str = $text;
            }
        )*};
    }

    kinds! {
        /// A secure association key.
        Sak = "Sak";
        /// A connectivity association key.
        Cak = "Cak";
        /// An ICV key.
        Ick = "Ick";
        /// A key encrypting key.
        Kek = "Kek";
    }
}

/// An AES key of 16 or 32 octets that is wiped when it is dropped. No `Clone`, no `PartialEq`, and
/// nothing of it in `Debug`.
pub struct Secret<K> {
    store: Store,
    len: KeyLen,
    kind: PhantomData<K>,
}

impl<K: kind::Kind> Secret<K> {
    /// Takes `octets` over and wipes them where they stood.
    ///
    /// # Errors
    /// [`WrongKeyLength`] unless there are 16 or 32; the octets are wiped all the same.
    pub fn take(octets: &mut [u8]) -> Result<Self, WrongKeyLength> {
        let found = octets.len();
        let taken = KeyLen::of(found).map(|len| Self::new(Store::copy(octets), len));
        octets.zeroize();
        taken.ok_or(WrongKeyLength {
            name: K::NAME,
            found,
        })
    }

    /// The key itself.
    pub fn expose(&self) -> &[u8] {
        match self.sized() {
            KeyOctets::Short(octets) => octets,
            KeyOctets::Long(octets) => octets,
        }
    }

    /// The key itself, its length in its type.
    pub(super) fn sized(&self) -> KeyOctets<'_> {
        let all = self.store.octets();
        match self.len {
            KeyLen::Short => {
                let [short @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = all;
                KeyOctets::Short(short)
            }
            KeyLen::Long => KeyOctets::Long(all),
        }
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

    /// A key of zeros that is yet to be written, by [`Self::octets_mut`], in the place where it stays.
    ///
    /// # Errors
    /// [`KeyError::Memory`] where no memory can be locked.
    #[cfg(any(test, feature = "std"))]
    pub(super) fn blank(len: KeyLen) -> Result<Self, KeyError> {
        #[cfg(feature = "std")]
        let store = Store::Locked(LockedSlot::new()?);
        #[cfg(not(feature = "std"))]
        let store = Store::empty();
        Ok(Self::new(store, len))
    }

    /// How long it is.
    #[cfg(any(test, feature = "std"))]
    pub(super) const fn len(&self) -> KeyLen {
        self.len
    }

    /// The place of the key's octets.
    #[cfg(any(test, feature = "std"))]
    pub(super) fn octets_mut(&mut self) -> &mut [u8] {
        let len = self.len.octets();
        self.store.octets_mut().split_at_mut(len).0
    }

    const fn new(store: Store, len: KeyLen) -> Self {
        Self {
            store,
            len,
            kind: PhantomData,
        }
    }
}

impl<K: kind::Kind> fmt::Debug for Secret<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(K::NAME)?;
        f.write_str("(secret)")
    }
}

/// The two lengths of an AES key here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyLen {
    /// 16 octets.
    Short,
    /// 32 octets.
    Long,
}

impl KeyLen {
    /// The length of so many octets, if it is one.
    pub(super) const fn of(octets: usize) -> Option<Self> {
        match octets {
            16 => Some(Self::Short),
            32 => Some(Self::Long),
            _ => None,
        }
    }

    #[cfg(any(test, feature = "std"))]
    const fn octets(self) -> usize {
        match self {
            Self::Short => 16,
            Self::Long => 32,
        }
    }
}

/// A key's octets.
#[derive(Clone, Copy)]
pub(super) enum KeyOctets<'a> {
    /// 16 of them.
    Short(&'a [u8; 16]),
    /// 32 of them.
    Long(&'a [u8; MAX_LEN]),
}

/// Where a key's octets lie; a short one leaves the rest zero.
enum Store {
    #[cfg(feature = "std")]
    Locked(LockedSlot),
    Heap(Box<[u8; MAX_LEN]>),
}

impl Store {
    /// Copies `octets`, at most [`MAX_LEN`], to their place without a stop on the stack.
    fn copy(octets: &[u8]) -> Self {
        let mut store = Self::empty();
        for (to, from) in store.octets_mut().iter_mut().zip(octets) {
            *to = *from;
        }
        store
    }

    fn empty() -> Self {
        #[cfg(feature = "std")]
        if let Ok(place) = LockedSlot::new() {
            return Self::Locked(place);
        }
        Self::Heap(Box::new([0; MAX_LEN]))
    }

    fn octets(&self) -> &[u8; MAX_LEN] {
        match self {
            #[cfg(feature = "std")]
            Self::Locked(place) => place.octets(),
            Self::Heap(place) => place,
        }
    }

    fn octets_mut(&mut self) -> &mut [u8; MAX_LEN] {
        match self {
            #[cfg(feature = "std")]
            Self::Locked(place) => place.octets_mut(),
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
pub struct WrongKeyLength {
    /// Which key.
    pub name: &'static str,
    /// Octets that there were.
    pub found: usize,
}

impl fmt::Display for WrongKeyLength {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, found } = self;
        write!(
            f,
            "a key ({name}) of {found} octets; there are only keys of 16 and 32"
        )
    }
}

impl core::error::Error for WrongKeyLength {}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted() -> [u8; 32] {
        let mut octets = [0u8; 32];
        for (octet, value) in octets.iter_mut().zip(1..) {
            *octet = value;
        }
        octets
    }

    #[test]
    fn what_is_taken_is_wiped_at_its_source_and_exposed_unchanged() {
        for len in [16, 32] {
            let mut octets = counted();
            let sak = Sak::take(&mut octets[..len]).unwrap();
            assert_eq!(sak.expose(), &counted()[..len]);
            assert_eq!(octets[..len], [0; 32][..len]);
        }
    }

    #[test]
    fn each_name_is_printed_and_nothing_of_the_key() {
        let texts = [
            alloc::format!("{:?}", Sak::take(&mut counted()).unwrap()),
            alloc::format!("{:?}", Cak::take(&mut counted()).unwrap()),
            alloc::format!("{:?}", Ick::take(&mut counted()).unwrap()),
            alloc::format!("{:?}", Kek::take(&mut counted()).unwrap()),
        ];
        assert_eq!(
            texts,
            ["Sak(secret)", "Cak(secret)", "Ick(secret)", "Kek(secret)"]
        );
    }

    #[test]
    fn another_length_is_refused_and_wiped() {
        for len in [0, 15, 17, 24, 31, 33, 64] {
            let mut octets = [0x77; 64];
            let error = Cak::take(&mut octets[..len]).unwrap_err();
            assert_eq!((error.name, error.found), ("Cak", len));
            assert_eq!(octets[..len], [0; 64][..len]);
        }
    }

    #[test]
    fn a_blank_key_is_written_in_its_place() {
        for (len, octets) in [(KeyLen::Short, 16), (KeyLen::Long, 32)] {
            let mut kek = Kek::blank(len).unwrap();
            assert_eq!(kek.expose(), &[0; 32][..octets]);
            kek.octets_mut().fill(9);
            assert_eq!(kek.expose(), &[9; 32][..octets]);
        }
    }
}
