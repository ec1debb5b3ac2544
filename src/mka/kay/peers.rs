//! What a live peer says of its keys (802.1X-2020 9.10): packet numbers, and who has what.

use super::{Kay, sa::Stage};
use crate::{
    ieee::{Pn, Sci},
    mka::{
        Action, Kn,
        participant::Heard,
        pdu::{KeyUse, Mkpdu, SakUse, Xpn},
    },
};

/// Actions that may wait before repeatable ones are left out: they come again with the next MKPDU.
const CROWDED: usize = 256;

impl Kay {
    /// Acts on a live peer's SAK Use.
    pub(super) fn follow_use(&mut self, at: usize, heard: &Heard, pdu: &Mkpdu) {
        let of_principal = self
            .entries
            .get(at)
            .is_some_and(|entry| self.principal.as_ref() == Some(entry.participant.ckn()));
        if of_principal {
            self.follow_holder(heard.mi, pdu);
        }
        let Some(said) = &pdu.sak_use else { return };
        self.catch_up(at, said);
        let enforce = said.delay_protect || self.policy.delay_protection;
        let halves = |xpn: &Xpn| (xpn.latest, xpn.old);
        let (latest, old) = pdu.xpn.as_ref().map(halves).unzip();
        for (key, high) in [(said.latest, latest), (said.old, old)] {
            if let Some(key) = key {
                self.follow_pn(heard.sci, &key, high, enforce);
            }
        }
    }

    /// A peer has a key of ours that we have yet to make: our memory is an old copy.
    fn catch_up(&mut self, at: usize, said: &SakUse) {
        let Some(entry) = self.entries.get_mut(at) else {
            return;
        };
        for key in said.keys() {
            if key.mi == entry.mi && key.kn >= entry.kn {
                entry.kn = Kn(key.kn.0.saturating_add(1));
            }
        }
    }

    fn follow_pn(&mut self, peer: Sci, key: &KeyUse, high: Option<u32>, enforce: bool) {
        let id = key.id();
        let crowded = self.actions.len() >= CROWDED;
        let Some(sa) = self.keys.sa_mut(id) else {
            return;
        };
        if sa.retiring.is_some() {
            return;
        }
        let xpn = sa.is_xpn();
        let Some(rx) = sa.rx_mut(peer) else { return };
        let Some(pn) = whole_pn(xpn, key.lowest_pn, high, rx.next_pn) else {
            return;
        };
        // A peer that claims more than was ever heard from it would shut itself out; nothing is lost by waiting.
        if enforce && !crowded && rx.stage == Stage::Installed && pn > rx.lowest && pn <= rx.next_pn
        {
            rx.lowest = pn;
            self.actions.push_back(Action::RaiseLowestPn {
                peer,
                sa: id,
                lowest: pn,
            });
        }
        sa.progress.heard(pn);
    }
}

/// The packet number that a peer tells the low half of. With XPN and without its upper half: the highest one
/// that is not above what was received.
fn whole_pn(xpn: bool, low: u32, high: Option<u32>, received: Pn) -> Option<Pn> {
    let whole = |high: u64| Pn(high << 32 | u64::from(low));
    if !xpn {
        return Some(whole(0));
    }
    if let Some(high) = high {
        return Some(whole(u64::from(high)));
    }
    let high = received.0 >> 32;
    let same = whole(high);
    if same <= received {
        Some(same)
    } else {
        high.checked_sub(1).map(whole)
    }
}
