//! The KaY as an operator sees it.

use alloc::vec::Vec;

use super::{Kay, sa::Sa};
use crate::mka::{KayCounters, KayStatus, KeyStatus, ParticipantStatus, Time};

impl Kay {
    /// How things are.
    pub fn status(&self, now: Time) -> KayStatus {
        let mut participants: Vec<(u64, ParticipantStatus)> = self
            .entries
            .iter()
            .map(|entry| {
                let principal = self.principal.as_ref() == Some(entry.participant.ckn());
                (
                    entry.participant.rank(),
                    entry.participant.status(principal),
                )
            })
            .collect();
        participants.sort_by_key(|(rank, _)| *rank);
        let key = |sa: &Sa| KeyStatus {
            sa: sa.id(),
            suite: sa.key.suite,
            tx: sa.in_use,
            rx: sa.receiving,
            ssci: sa.own_ssci,
            next_pn: sa.progress.next_pn,
        };
        KayStatus {
            sci: self.sci,
            participants: participants.into_iter().map(|(_, status)| status).collect(),
            principal: self.principal.clone(),
            key_server: self.key_server,
            secured: self.secured.is_some(),
            latest: self.keys.latest().map(key),
            old: self.keys.old().map(key),
            rekeys: self.rekeys,
            last_rekey: self.last_rekey,
            next_rekey: self.next_rekey(now),
            cp_state: self.cp.state().name(),
            counters: KayCounters {
                events_dropped: self.events.dropped(),
                ..self.counters
            },
        }
    }
}
