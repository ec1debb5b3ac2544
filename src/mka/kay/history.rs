//! Which keys there were: none is ever taken a second time (802.1X-2020 9.8).

use arrayvec::ArrayVec;

use crate::{crypto::WrappedSak, ieee::KeyIdentifier};

/// Keys that are remembered.
const KEYS: usize = 16;

/// What is known of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// Nothing.
    No,
    /// It was there.
    Same,
    /// Another one was there under its identifier: its key server lost its memory.
    Other,
}

/// The last keys that were taken or made.
///
/// The identifier alone decides whether a key may be taken: the same key once more would repeat packet numbers,
/// and two keys of one name could not be told apart in anybody's SAK Use. How it was wrapped tells one from the
/// other.
#[derive(Debug, Default)]
pub(super) struct History {
    keys: ArrayVec<(KeyIdentifier, Option<WrappedSak>), KEYS>,
}

impl History {
    /// What is known of this key. One from before a restart is known by its identifier alone.
    pub(super) fn find(&self, ki: KeyIdentifier, wrapped: &WrappedSak) -> Known {
        let last = self.keys.iter().rev().find(|(known, _)| *known == ki);
        match last {
            None => Known::No,
            Some((_, Some(known))) if known != wrapped => Known::Other,
            Some(_) => Known::Same,
        }
    }

    /// The key was taken, or made.
    pub(super) fn note(&mut self, ki: KeyIdentifier, wrapped: Option<WrappedSak>) {
        if self.keys.is_full() {
            self.keys.remove(0);
        }
        self.keys.push((ki, wrapped));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mka::{Kn, Mi};

    fn ki(kn: u32) -> KeyIdentifier {
        Mi([1; 12]).key(Kn(kn))
    }

    fn wrapped(octet: u8) -> WrappedSak {
        [octet; 24].into_iter().collect()
    }

    #[test]
    fn the_same_key_is_told_from_another_one_under_its_name() {
        let mut history = History::default();
        assert_eq!(history.find(ki(5), &wrapped(1)), Known::No);
        history.note(ki(5), Some(wrapped(1)));
        assert_eq!(history.find(ki(5), &wrapped(1)), Known::Same);
        assert_eq!(history.find(ki(5), &wrapped(2)), Known::Other);
        assert_eq!(history.find(ki(4), &wrapped(1)), Known::No);
        history.note(ki(9), None);
        assert_eq!(history.find(ki(9), &wrapped(3)), Known::Same, "by its name");
    }

    #[test]
    fn the_last_sixteen_keys_are_kept() {
        let mut history = History::default();
        for kn in 0..=16 {
            history.note(ki(kn), None);
        }
        let known = |kn| history.find(ki(kn), &wrapped(1)) == Known::Same;
        assert!(!known(0));
        assert!((1..=16).all(known));
    }
}
