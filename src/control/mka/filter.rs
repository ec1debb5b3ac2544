//! What of EAPOL a lane is to bring: the names of the CAKs in use, and the addresses of live peers.

use std::time::{Duration, Instant};

use crate::{
    bus::EapolFilter,
    ieee::{EtherType, MacAddr},
    mka::{KayStatus, Policy},
};

/// How long an address keeps its place after its peer was live last: a peer that was lost in a flood
/// must find its way back through it.
const REMEMBERED_FOR: Duration = Duration::from_secs(60);

/// Addresses that are kept at the most.
const ADDRESSES: usize = 64;

/// The filter of one link, and what it is made from.
#[derive(Debug, Default)]
pub(super) struct Filter {
    sent: Option<EapolFilter>,
    addresses: Vec<(MacAddr, Instant)>,
}

impl Filter {
    /// The filter, if it is another one than that sent last.
    pub(super) fn renew(
        &mut self,
        now: Instant,
        policy: &Policy,
        status: &KayStatus,
    ) -> Option<Box<EapolFilter>> {
        self.note_live(now, status);
        let ckns = status.participants.iter();
        let filter = EapolFilter {
            ethertype: policy.ethertype,
            own: policy.source,
            ckns: ckns.map(|participant| participant.ckn.clone()).collect(),
            live: self.addresses.iter().map(|(address, _)| *address).collect(),
        };
        if self.sent.as_ref() == Some(&filter) {
            return None;
        }
        self.sent = Some(filter.clone());
        Some(Box::new(filter))
    }

    /// The EtherType that was sent last.
    pub(super) fn ethertype(&self) -> Option<EtherType> {
        self.sent.as_ref().map(|filter| filter.ethertype)
    }

    /// Forgets what was sent: the KaY ended.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    fn note_live(&mut self, now: Instant, status: &KayStatus) {
        let peers = status.participants.iter().flat_map(|one| &one.peers);
        for address in peers.filter(|peer| peer.live).map(|peer| peer.source) {
            let known = self
                .addresses
                .iter()
                .position(|(known, _)| *known == address);
            if let Some((_, seen)) = known.and_then(|at| self.addresses.get_mut(at)) {
                *seen = now;
            } else if self.addresses.len() < ADDRESSES {
                self.addresses.push((address, now));
            }
        }
        self.addresses
            .retain(|(_, seen)| now.saturating_duration_since(*seen) < REMEMBERED_FOR);
        self.addresses
            .sort_unstable_by_key(|(address, _)| address.0);
    }
}
