//! Which keys there were: none is ever taken a second time (802.1X-2020 9.8).

use arrayvec::ArrayVec;

use crate::{
    ieee::KeyIdentifier,
    mka::{Kn, Mi},
};

/// Key servers that are remembered.
const SERVERS: usize = 16;

/// The highest key number of each of the last key servers. Key numbers only rise, so nothing else needs to be
/// kept to know that a key identifier is not fresh.
#[derive(Debug, Default)]
pub(super) struct History {
    servers: ArrayVec<(Mi, Kn), SERVERS>,
}

impl History {
    /// Whether the key may be new.
    pub(super) fn is_fresh(&self, ki: KeyIdentifier) -> bool {
        let (mi, kn) = Mi::of_key(ki);
        self.servers
            .iter()
            .all(|(server, last)| *server != mi || *last < kn)
    }

    /// The key was taken.
    pub(super) fn note(&mut self, ki: KeyIdentifier) {
        let (mi, kn) = Mi::of_key(ki);
        let before = self.servers.iter().position(|(server, _)| *server == mi);
        let last = before.map_or(kn, |at| self.servers.remove(at).1.max(kn));
        if self.servers.is_full() {
            self.servers.remove(0);
        }
        self.servers.push((mi, last));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_number_that_was_reached_is_not_fresh_and_another_server_has_its_own() {
        let (a, b) = (Mi([1; 12]), Mi([2; 12]));
        let mut history = History::default();
        assert!(history.is_fresh(a.key(Kn(1))));
        history.note(a.key(Kn(5)));
        history.note(a.key(Kn(3)));
        assert!(!history.is_fresh(a.key(Kn(5))));
        assert!(!history.is_fresh(a.key(Kn(4))));
        assert!(history.is_fresh(a.key(Kn(6))));
        assert!(history.is_fresh(b.key(Kn(1))));
    }

    #[test]
    fn the_last_sixteen_servers_are_kept() {
        let mut history = History::default();
        let server = |n: u8| Mi([n; 12]).key(Kn(1));
        for n in 0..=16 {
            history.note(server(n));
        }
        assert!(history.is_fresh(server(0)));
        for n in 1..=16 {
            assert!(!history.is_fresh(server(n)));
        }
    }
}
