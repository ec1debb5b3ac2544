//! SAs of agreed keys against a lane that the test plays.

use std::sync::Arc;

use super::*;
use crate::{
    bus::{Direction, LaneCommand, LaneReport},
    crypto::{Sak, engine::RingEngine},
    ieee::{An, CipherSuite, Ckn},
    mka::{AgreedKey, Policy, Protection},
};

const OWN: Sci = Sci(1 << 16 | 1);
const PEER: Sci = Sci(2 << 16 | 1);

fn agreed(kn: u8) -> Arc<AgreedKey> {
    Arc::new(AgreedKey {
        id: SaId {
            an: An::ALL[usize::from(kn % 4)],
            ki: KeyIdentifier([kn; 16]),
        },
        suite: CipherSuite::GcmAes128,
        protection: Protection::Offset0,
        salt: None,
        sak: Sak::take(&mut [kn; 16]).unwrap(),
        ckn: Ckn::new(&[1]).unwrap(),
    })
}

fn policy() -> Policy {
    let config = crate::control::tests::generic_policy();
    Policy {
        suites: [CipherSuite::GcmAes128].into_iter().collect(),
        protection: Protection::Offset0,
        ..config
    }
}

/// SAs, and what was asked of the lanes.
struct Lane {
    sas: Sas,
    policy: Policy,
    asked: Vec<LaneCommand>,
}

impl Lane {
    fn new() -> Self {
        Self {
            sas: Sas::new("l0", OWN),
            policy: policy(),
            asked: Vec::new(),
        }
    }

    fn act(
        &mut self,
        act: impl FnOnce(&mut Sas, &Making<'_>, &mut dyn FnMut(Direction, LaneCommand)),
    ) {
        let making = Making {
            factory: &RingEngine,
            duplicate_depth: 64,
            policy: &self.policy,
        };
        let asked = &mut self.asked;
        act(&mut self.sas, &making, &mut |_, command| {
            asked.push(command)
        });
    }

    fn create_tx(&mut self, key: &Arc<AgreedKey>, next: u64) {
        let key = Arc::clone(key);
        self.act(|sas, making, mut out| {
            sas.create_tx(making, (key, None), (Pn(next), Pn(1000)), &mut out);
        });
    }

    fn create_rx(&mut self, key: &Arc<AgreedKey>) {
        let key = Arc::clone(key);
        self.act(|sas, making, mut out| {
            sas.create_rx(making, (key, PEER, None), Pn(1), &mut out);
        });
    }

    fn reports(&mut self) -> Vec<Report> {
        core::iter::from_fn(|| self.sas.take_report()).collect()
    }

    /// The lane gives a transmit SA back.
    fn tx_home(&mut self) {
        let at = self
            .asked
            .iter()
            .position(|command| matches!(command, LaneCommand::InstallTxSa(_)));
        if let LaneCommand::InstallTxSa(sa) = self.asked.remove(at.unwrap()) {
            self.sas.told(LaneReport::TxSaRetired(sa));
        }
    }
}

#[test]
fn both_directions_of_a_key_share_one_object_and_another_key_has_its_own() {
    let mut lane = Lane::new();
    let (first, second) = (agreed(1), agreed(2));
    lane.create_rx(&first);
    lane.create_tx(&first, 1);
    lane.create_rx(&second);
    let objects: Vec<_> = lane
        .sas
        .rx
        .iter()
        .map(|used| Arc::clone(&used.held.object))
        .collect();
    assert!(Arc::ptr_eq(&objects[0], &lane.sas.tx[0].held.object));
    assert!(!Arc::ptr_eq(&objects[0], &objects[1]));
}

#[test]
fn nothing_counts_before_the_lane_has_said_it_and_nothing_after_it_was_asked_back() {
    let mut lane = Lane::new();
    let key = agreed(1);
    let SaId { an, ki } = key.id;
    lane.create_rx(&key);
    lane.create_tx(&key, 1);
    assert!(lane.reports().is_empty() && !lane.sas.is_secured());
    lane.sas.told(LaneReport::RxSaInstalled(PEER, an, ki));
    lane.sas.told(LaneReport::TxSaInstalled(an, ki));
    assert!(!lane.sas.is_secured(), "it stands and is not used");
    lane.sas.told(LaneReport::Encoding(an, ki));
    assert!(lane.sas.is_secured());
    assert_eq!(
        lane.reports(),
        [
            Report::RxInstalled(PEER, key.id),
            Report::TxInstalled(key.id),
            Report::TxInUse(key.id)
        ]
    );
    lane.act(|sas, _, mut out| sas.retire_tx(key.id, &mut out));
    assert!(!lane.sas.is_secured());
    assert!(lane.reports().is_empty(), "it is not home yet");
    lane.tx_home();
    let said = lane.reports();
    assert_eq!(said.last(), Some(&Report::TxRetired(key.id)));
}

#[test]
fn a_key_does_not_transmit_twice_from_where_it_stopped_before() {
    let mut lane = Lane::new();
    let key = agreed(1);
    lane.create_tx(&key, 50);
    lane.create_tx(&key, 60);
    assert_eq!(
        lane.reports(),
        [Report::Failed(key.id)],
        "it transmits already"
    );
    lane.sas
        .told(LaneReport::TxSaInstalled(key.id.an, key.id.ki));
    lane.tx_home();
    lane.reports();
    lane.create_tx(&key, 49);
    assert_eq!(
        lane.reports(),
        [Report::Failed(key.id)],
        "49 may have been used"
    );
    lane.create_tx(&key, 50);
    assert!(lane.reports().is_empty());
}

#[test]
fn what_never_came_to_be_is_answered_all_the_same() {
    let mut lane = Lane::new();
    let id = agreed(1).id;
    lane.act(|sas, _, mut out| {
        sas.retire_tx(id, &mut out);
        sas.retire_rx(PEER, id, &mut out);
        sas.use_tx(id, &mut out);
    });
    assert!(lane.asked.is_empty());
    assert_eq!(
        lane.reports(),
        [
            Report::TxRetired(id),
            Report::RxRetired(PEER, id),
            Report::Failed(id)
        ]
    );
}

#[test]
fn a_key_that_the_operator_does_not_allow_is_not_made_whoever_wants_it() {
    for wrong in [CipherSuite::GcmAes256, CipherSuite::GcmAes128] {
        let mut lane = Lane::new();
        let mut key = agreed(1);
        let inner = Arc::get_mut(&mut key).unwrap();
        inner.suite = wrong;
        if wrong == CipherSuite::GcmAes128 {
            inner.protection = Protection::IntegrityOnly;
        }
        lane.create_rx(&key);
        lane.create_tx(&key, 1);
        assert!(lane.asked.is_empty());
        assert_eq!(lane.reports(), [Report::Failed(key.id); 2]);
    }
}

#[test]
fn a_channel_that_goes_takes_its_sas_along() {
    let mut lane = Lane::new();
    let key = agreed(1);
    lane.act(|sas, _, mut out| sas.add_peer(PEER, &mut out));
    lane.create_rx(&key);
    lane.sas
        .told(LaneReport::RxSaInstalled(PEER, key.id.an, key.id.ki));
    lane.reports();
    lane.act(|sas, _, mut out| sas.remove_peer(PEER, &mut out));
    assert_eq!(lane.sas.channels.iter().count(), 0);
    lane.sas.told(LaneReport::NoSuchRxSc(PEER));
    assert_eq!(lane.reports(), [Report::RxRetired(PEER, key.id)]);
    assert!(lane.sas.is_empty());
}

#[test]
fn progress_is_told_of_what_stands() {
    let mut lane = Lane::new();
    let (key, now) = (agreed(1), Instant::now());
    lane.create_tx(&key, 7);
    lane.sas.progress(now);
    assert!(lane.reports().is_empty());
    lane.sas
        .told(LaneReport::TxSaInstalled(key.id.an, key.id.ki));
    lane.reports();
    lane.sas.progress(now + Duration::from_millis(10));
    assert!(lane.reports().is_empty(), "not every turn");
    lane.sas.progress(now + Duration::from_millis(50));
    let told = Report::TxProgress {
        sa: key.id,
        next_pn: Pn(7),
        octets: 0,
    };
    assert_eq!(lane.reports(), [told]);
}
