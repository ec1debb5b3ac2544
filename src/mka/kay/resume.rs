//! After a restart: keys that were remembered are used again at once.

use alloc::vec::Vec;

use super::{Kay, drive::Deadlines, sa::Sa};
use crate::{
    ieee::{Pn, Sci},
    mka::{
        RememberedKey, SaId,
        cp::{Cp, State},
    },
};

impl Kay {
    /// Puts remembered keys in use, the last of them to transmit, and goes on as if they had never gone. Peers have
    /// MKA Life Time to be heard.
    pub(super) fn resume(&mut self, keys: Vec<RememberedKey>) {
        if let Some(latest) = self.ledger.latest {
            self.history.note(latest.ki, None);
        }
        self.suspicious = self.ledger.latest.is_some();
        // Without a key to transmit with there is nothing to go on with: its server is to make a new one.
        let Some(last) = keys.iter().rposition(|key| key.next_pn.is_some()) else {
            return;
        };
        let before = last.checked_sub(1).and_then(|before| keys.get(before));
        let in_use = keys.get(last);
        let partial = before
            .zip(in_use)
            .filter(|(before, in_use)| lacks_peer(before, in_use))
            .map(|(before, _)| before.key.id);
        if let Some(partial) = partial {
            self.history.note(partial.ki, None);
        }
        let mut ids = keys
            .into_iter()
            .take(last + 1)
            .skip(last.saturating_sub(1))
            .filter(|key| Some(key.key.id) != partial)
            .filter_map(|key| self.reinstall(key));
        let (first, second): (Option<SaId>, Option<SaId>) = (ids.next(), ids.next());
        drop(ids);
        let Some(in_use) = second.or(first) else {
            return;
        };
        self.suspicious = false;
        self.hold = Some(self.now + self.policy.timers.life);
        self.ledger.latest = Some(in_use);
        self.ledger.next_an = in_use.an.next();
        self.keys.old = first;
        self.keys.latest = second;
        if second.is_some() {
            let until = self.now + self.policy.timers.retire;
            self.deadlines = Deadlines {
                retire: Some(until),
                retire_at_last: Some(until),
                ..Deadlines::default()
            };
        }
        self.cp = Cp::resume(if second.is_some() {
            State::Transmitting
        } else {
            State::Retire
        });
        self.keys.use_tx(in_use, &mut self.actions);
    }

    fn reinstall(&mut self, remembered: RememberedKey) -> Option<SaId> {
        let RememberedKey {
            key,
            own_ssci,
            next_pn,
            peers,
        } = remembered;
        let id = key.id;
        let sscis = peers
            .iter()
            .filter_map(|(sci, ssci, _)| Some((*sci, (*ssci)?)))
            .collect();
        if peers.is_empty() || !self.keys.add(Sa::new(key, own_ssci, sscis)) {
            return None;
        }
        self.history.note(id.ki, None);
        if let Some(sa) = self.keys.sa_mut(id) {
            sa.known = true;
        }
        for (peer, _, lowest) in peers {
            self.open_channel(peer);
            self.keys
                .create_rx(id, peer, lowest.max(Pn::FIRST), &mut self.actions);
        }
        if let Some(next_pn) = next_pn {
            self.keys
                .create_tx(id, next_pn.max(Pn::FIRST), &mut self.actions);
        }
        Some(id)
    }
}

/// Whether a key was not yet, or is no longer, received with from every peer of the one in use. Nobody knows any
/// more which of its SAs there were, so we could not say that we receive with it, and have no other word for it.
fn lacks_peer(key: &RememberedKey, in_use: &RememberedKey) -> bool {
    let has = |sci: &Sci| key.peers.iter().any(|(peer, ..)| peer == sci);
    !in_use.peers.iter().all(|(sci, ..)| has(sci))
}
