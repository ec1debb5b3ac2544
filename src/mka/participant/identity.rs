//! Picking another member identifier (802.1X-2020 9.4.2).

use super::{Numbers, Participant};
use crate::{
    crypto::KeyAgreement,
    mka::{Event, Mi, Mn, NewMiWhy, kay::Events},
};

/// A random member identifier; `None` without randomness. All zero means "no key" in a SAK Use, so it
/// names nobody.
pub(in crate::mka) fn random_mi(crypto: &mut dyn KeyAgreement) -> Option<Mi> {
    let mut octets = [0; 12];
    crypto.random(&mut octets).ok()?;
    (octets != [0; 12]).then_some(Mi(octets))
}

impl Participant {
    /// Goes on under another identifier, with message number 1. Peers stay what they are: they will know
    /// us by our SCI, and until they list the new identifier their time runs out. Without randomness
    /// nothing is sent until there is some: `false`.
    pub(in crate::mka) fn renew(
        &mut self,
        why: NewMiWhy,
        crypto: &mut dyn KeyAgreement,
        events: &mut Events,
    ) -> bool {
        self.renewal = Some(why);
        let Some(mi) =
            random_mi(crypto).filter(|mi| *mi != self.mi() && self.peers.known(*mi).is_none())
        else {
            return false;
        };
        self.renewal = None;
        self.numbers = Numbers::new(mi, Mn(1));
        self.send_soon();
        let ckn = self.cak.ckn.clone();
        events.push(Event::NewMemberIdentifier { ckn, mi, why });
        true
    }
}
