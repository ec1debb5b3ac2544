//! The keys of the link (802.1X-2020 9.10, 12.4): the latest one, the old one, and those that the data
//! plane has not yet given back. Each association number stands for one key at a time.

use alloc::{collections::VecDeque, vec::Vec};
use core::time::Duration;

use arrayvec::ArrayVec;

use super::sa::{Rx, Sa, Stage};
use crate::{
    ieee::{An, Pn, Sci},
    mka::{Action, SaId, Time},
};

/// How long the data plane may take to give an SA back before it is taken to be gone.
const RETIREMENT: Duration = Duration::from_secs(10);

/// All keys, by association number.
#[derive(Debug, Default)]
pub(super) struct Keys {
    sas: ArrayVec<Sa, { An::COUNT }>,
    pub(super) latest: Option<SaId>,
    pub(super) old: Option<SaId>,
}

impl Keys {
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Sa> {
        self.sas.iter_mut()
    }

    pub(super) fn sa(&self, id: SaId) -> Option<&Sa> {
        self.sas.iter().find(|sa| sa.id() == id)
    }

    pub(super) fn sa_mut(&mut self, id: SaId) -> Option<&mut Sa> {
        self.sas.iter_mut().find(|sa| sa.id() == id)
    }

    pub(super) fn latest(&self) -> Option<&Sa> {
        self.latest.and_then(|id| self.sa(id))
    }

    pub(super) fn old(&self) -> Option<&Sa> {
        self.old.and_then(|id| self.sa(id))
    }

    /// The key that frames are protected with.
    pub(super) fn in_use(&self) -> Option<&Sa> {
        self.sas.iter().find(|sa| sa.in_use)
    }

    /// Whatever stands under this number.
    pub(super) fn by_an(&self, an: An) -> Option<&Sa> {
        self.sas.iter().find(|sa| sa.id().an == an)
    }

    /// Whether the key is in one of the two slots.
    pub(super) fn is_kept(&self, id: SaId) -> bool {
        self.latest == Some(id) || self.old == Some(id)
    }

    /// Adds a key whose association number is free; says whether it is.
    pub(super) fn add(&mut self, sa: Sa) -> bool {
        self.by_an(sa.id().an).is_none() && self.sas.try_push(sa).is_ok()
    }

    /// Asks for the transmit SA.
    pub(super) fn create_tx(&mut self, id: SaId, next_pn: Pn, actions: &mut VecDeque<Action>) {
        let Some(sa) = self.sa_mut(id) else { return };
        if sa.tx != Stage::Absent || sa.retiring.is_some() {
            return;
        }
        sa.tx = Stage::Asked;
        sa.progress.start(next_pn);
        actions.push_back(Action::CreateTx {
            key: sa.key.clone(),
            ssci: sa.own_ssci,
            next_pn,
        });
    }

    /// Asks for a peer's receive SA, unless there is, or was, one, or its SSCI is not known.
    pub(super) fn create_rx(
        &mut self,
        id: SaId,
        peer: Sci,
        lowest_pn: Pn,
        actions: &mut VecDeque<Action>,
    ) {
        let Some(sa) = self.sa_mut(id) else { return };
        let Ok(ssci) = sa.ssci_of(peer) else { return };
        if sa.retiring.is_some()
            || sa.rx(peer).is_some()
            || sa.rx.len() >= 2 * crate::mka::MAX_PEERS
        {
            return;
        }
        sa.rx.push(Rx {
            peer,
            stage: Stage::Asked,
            next_pn: lowest_pn,
            octets: 0,
            lowest: lowest_pn,
        });
        actions.push_back(Action::CreateRx {
            key: sa.key.clone(),
            peer,
            ssci,
            lowest_pn,
        });
    }

    /// Asks to transmit with it.
    pub(super) fn use_tx(&mut self, id: SaId, actions: &mut VecDeque<Action>) {
        let Some(sa) = self.sa_mut(id) else { return };
        if matches!(sa.tx, Stage::Asked | Stage::Installed) {
            sa.use_asked = true;
            actions.push_back(Action::UseTx(id));
        }
    }

    /// Gives all SAs of it back.
    pub(super) fn retire(&mut self, now: Time, id: SaId, actions: &mut VecDeque<Action>) {
        let Some(sa) = self.sa_mut(id) else { return };
        if sa.retiring.is_some() {
            return;
        }
        sa.retiring = Some(now);
        sa.receiving = false;
        if matches!(sa.tx, Stage::Asked | Stage::Installed) {
            sa.tx = Stage::Retiring;
            actions.push_back(Action::RetireTx(id));
        }
        for rx in &mut sa.rx {
            if matches!(rx.stage, Stage::Asked | Stage::Installed) {
                rx.stage = Stage::Retiring;
                actions.push_back(Action::RetireRx(rx.peer, id));
            }
        }
        self.sweep(now);
    }

    /// Gives everything back.
    pub(super) fn retire_all(&mut self, now: Time, actions: &mut VecDeque<Action>) {
        self.latest = None;
        self.old = None;
        let ids: ArrayVec<SaId, { An::COUNT }> = self.sas.iter().map(Sa::id).collect();
        for id in ids {
            self.retire(now, id, actions);
        }
    }

    /// Forgets keys that the data plane gave back, or has not for too long.
    pub(super) fn sweep(&mut self, now: Time) {
        self.sas.retain(|sa| {
            sa.retiring
                .is_none_or(|since| sa.stands() && now.since(since) < RETIREMENT)
        });
    }

    /// When a retirement is overdue.
    pub(super) fn deadline(&self) -> Option<Time> {
        self.sas
            .iter()
            .filter_map(|sa| sa.retiring)
            .min()
            .map(|since| since + RETIREMENT)
    }

    /// Peers that any key has a receive SA for.
    pub(super) fn peers(&self) -> Vec<Sci> {
        let standing = |rx: &&Rx| !matches!(rx.stage, Stage::Absent | Stage::Gone);
        self.sas
            .iter()
            .flat_map(|sa| sa.rx.iter().filter(standing).map(|rx| rx.peer))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use alloc::sync::Arc;

    use super::*;
    use crate::{
        crypto::Sak,
        ieee::{CipherSuite, Ckn},
        mka::{AgreedKey, Kn, Mi, Protection},
    };

    fn at(seconds: u64) -> Time {
        Time(Duration::from_secs(seconds))
    }

    #[test]
    fn a_key_that_is_given_back_twice_goes_when_it_would_have_gone() {
        let id = SaId {
            an: An::ALL[1],
            ki: Mi([3; 12]).key(Kn(7)),
        };
        let key = AgreedKey {
            id,
            suite: CipherSuite::GcmAes128,
            protection: Protection::Offset0,
            salt: None,
            sak: Sak::take(&mut [5; 16]).unwrap(),
            ckn: Ckn::new(&[1]).unwrap(),
        };
        let (mut keys, mut actions) = (Keys::default(), VecDeque::new());
        assert!(keys.add(Sa::new(Arc::new(key), None, Vec::new())));
        keys.create_tx(id, Pn::FIRST, &mut actions);
        actions.clear();
        keys.retire(at(100), id, &mut actions);
        assert_eq!(actions.drain(..).count(), 1, "asked back once");
        // The data plane is silent; the link goes, and everything is given back once more.
        keys.retire_all(at(105), &mut actions);
        assert!(actions.is_empty());
        assert_eq!(keys.deadline(), Some(at(110)));
        keys.sweep(at(109));
        assert!(keys.by_an(id.an).is_some(), "it may stand yet");
        keys.sweep(at(110));
        assert!(keys.by_an(id.an).is_none());
    }
}
