//! Recorded exchanges played against our own KaY: it takes the place of one of the two nodes, under that
//! node's member identifier, and the other's recorded frames arrive at their recorded times.
//!
//! A recording can't react. It answers the node that was recorded, so ours has to number its MKPDUs much
//! as that one did: the intervals below see to it. What is proven is that a real peer's every frame is
//! taken, and that our data plane ends up with the recorded SAKs, SSCIs and salts, in use.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "the helpers of a test may end it, as its own body may"
)]

#[path = "golden/recording.rs"]
mod recording;

#[expect(dead_code, reason = "the simulation needs more of it")]
#[path = "mka_sim/plane.rs"]
mod plane;

use std::{collections::VecDeque, fmt, time::Duration};

use arrayvec::ArrayVec;
use macsec_gateway::{
    crypto::{
        AesKeyAgreement, Cak, CakKeys, ICV_LEN, Ick, Kek, KeyAgreement, KeyError, Sak, UnwrapError,
        WrappedSak, random::SystemRandom,
    },
    ieee::{An, CipherSuite, Ckn, EtherType, KeyIdentifier, MacAddr, Salt, Sci, Ssci},
    mka::{
        Action, Event, IcvHeader, Identity, Kay, KaySetup, Kn, Member, Mi, Mn, NewCak, Policy,
        Protection, Rekey, Remembered, Report, SsciRule, Time, Timers, XpnSet,
    },
};
use plane::{Habits, Plane};
use recording::Recording;

/// Real cryptography whose fresh SAKs are the recorded ones.
#[derive(Debug)]
struct Recorded {
    inner: AesKeyAgreement<SystemRandom>,
    saks: VecDeque<Vec<u8>>,
}

impl KeyAgreement for Recorded {
    fn derive(&self, cak: &Cak, ckn: &Ckn) -> Result<CakKeys, KeyError> {
        self.inner.derive(cak, ckn)
    }

    fn icv(&self, ick: &Ick, parts: &[&[u8]]) -> [u8; ICV_LEN] {
        self.inner.icv(ick, parts)
    }

    fn wrap_sak(&self, kek: &Kek, sak: &Sak) -> WrappedSak {
        self.inner.wrap_sak(kek, sak)
    }

    fn unwrap_sak(&self, kek: &Kek, wrapped: &[u8]) -> Result<Sak, UnwrapError> {
        self.inner.unwrap_sak(kek, wrapped)
    }

    fn generate_sak(&mut self, suite: CipherSuite) -> Result<Sak, KeyError> {
        let mut sak = self
            .saks
            .pop_front()
            .expect("no more SAKs than were recorded");
        assert_eq!(sak.len(), suite.sak_len());
        Ok(Sak::take(&mut sak).unwrap())
    }

    fn random(&mut self, out: &mut [u8]) -> Result<(), KeyError> {
        self.inner.random(out)
    }
}

/// What a data plane was given, in the terms of the recordings.
#[derive(Clone, PartialEq, Eq)]
struct Installed {
    what: &'static str,
    an: An,
    ki: KeyIdentifier,
    sak: Vec<u8>,
    sci: Sci,
    ssci: Option<Ssci>,
    salt: Option<Salt>,
}

impl fmt::Debug for Installed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, an, ki, sci) = (self.what, self.an, self.ki, self.sci);
        write!(
            f,
            "{what} {an} {ki} {sci} {:?} {:?} {:02x?}",
            self.ssci, self.salt, self.sak
        )
    }
}

/// Our KaY in a node's place.
struct Player<'a> {
    recording: &'a Recording,
    node: &'static str,
    kay: Kay,
    plane: Plane,
    now: u64,
    installed: Vec<(u64, Installed)>,
    events: Vec<Event>,
}

fn sci(node: &str) -> Sci {
    let last = if node == "A" { 0x0a } else { 0x0b };
    Sci::new(MacAddr([2, 0, 0, 0, 0, last]), 1)
}

fn policy(recording: &Recording, node: &str) -> Policy {
    let suite = match recording.name {
        "h211_2peer_aes256" => CipherSuite::GcmAes256,
        "sonic_2peer_xpn256" => CipherSuite::GcmAesXpn256,
        _ => CipherSuite::GcmAes128,
    };
    // A little ahead of the recorded node, so that none of our numbers is named before it was sent; what is
    // named may then have been sent some seconds ago.
    let ramp: ArrayVec<Duration, 8> = [Duration::from_secs(1)].into_iter().collect();
    Policy {
        suites: [suite].into_iter().collect(),
        protection: Protection::Offset0,
        accept_no_macsec: false,
        priority: if node == "A" { 16 } else { 32 },
        source: sci(node).address(),
        destination: MacAddr::PAE_GROUP,
        ethertype: EtherType::EAPOL,
        icv_header: IcvHeader::AsSent,
        icv_indicator: recording.name == "hhead_2peer_icvind",
        version: 1,
        ssci: SsciRule::Auto,
        xpn_set: XpnSet::Auto,
        delay_protection: false,
        timers: Timers {
            ramp,
            hello: Duration::from_millis(1900),
            life: Duration::from_secs(12),
            ..Timers::default()
        },
        rekey: Rekey::default(),
        max_peers: 1,
    }
}

/// The member identifier that a node of the recording has: it stands in its MKPDUs' basic parameter set.
fn mi(recording: &Recording, node: &str) -> Mi {
    let address = sci(node).address().0;
    let (_, frame) = recording
        .frames
        .iter()
        .find(|(_, frame)| frame[6..12] == address)
        .unwrap();
    Mi(frame[30..42].try_into().unwrap())
}

impl<'a> Player<'a> {
    fn new(recording: &'a Recording, node: &'static str) -> Self {
        let mut saks: Vec<_> = recording
            .sa_events
            .iter()
            .map(|event| (event.ki, event.sak.clone()))
            .collect();
        saks.sort_unstable();
        saks.dedup();
        let inner = AesKeyAgreement::new(SystemRandom);
        let keys = inner.derive(&recording.cak(), &recording.ckn).unwrap();
        let member = Member {
            ckn: recording.ckn.clone(),
            mi: mi(recording, node),
            mn_reserved: Mn(1),
            kn_reserved: Kn(1),
        };
        let identity = Identity {
            generation: 1,
            sci: sci(node),
            members: vec![member],
            latest: None,
            next_an: An::ALL[0],
        };
        let setup = KaySetup {
            sci: sci(node),
            policy: policy(recording, node),
            crypto: Box::new(Recorded {
                inner,
                saks: saks.into_iter().map(|(_, sak)| sak).collect(),
            }),
            remembered: Remembered {
                identity: Some(identity),
                keys: vec![],
            },
            keeps_identity: true,
        };
        let start = Time(Duration::ZERO);
        let mut kay = Kay::new(start, setup).unwrap();
        let cak = NewCak {
            ckn: recording.ckn.clone(),
            keys,
            fallback: false,
            rank: 1,
        };
        kay.add_cak(start, cak).unwrap();
        let plane = Plane::new(sci(node), Habits::default());
        let (installed, events) = (Vec::new(), Vec::new());
        Self {
            recording,
            node,
            kay,
            plane,
            now: 0,
            installed,
            events,
        }
    }

    fn time(&self) -> Time {
        Time(Duration::from_micros(self.now))
    }

    /// Does what the KaY wants until it wants nothing; the data plane and the disk answer at once.
    fn drain(&mut self) {
        loop {
            let now = self.time();
            if let Some(action) = self.kay.poll_action() {
                self.note(&action);
                let words = match action {
                    Action::Save(identity) => vec![Report::Saved(identity.generation)],
                    action => self.plane.apply(action).unwrap(),
                };
                for word in words {
                    self.kay.handle_report(now, word);
                }
            } else if self.kay.poll_transmit(now).is_some() {
                // The recorded peer does not hear us.
            } else if let Some(event) = self.kay.poll_event() {
                self.events.push(event);
            } else {
                return;
            }
        }
    }

    fn note(&mut self, action: &Action) {
        let (what, key, sci, ssci) = match action {
            Action::CreateRx {
                key, peer, ssci, ..
            } => ("create_rx_sa", key.clone(), *peer, *ssci),
            Action::CreateTx { key, ssci, .. } => {
                ("create_tx_sa", key.clone(), self.plane.sci, *ssci)
            }
            Action::UseTx(sa) => {
                let tx = self.plane.tx_sa(*sa).unwrap();
                ("enable_tx_sa", tx.key.clone(), self.plane.sci, tx.ssci)
            }
            Action::RetireTx(sa) => {
                let tx = self.plane.tx_sa(*sa).unwrap();
                ("delete_tx_sa", tx.key.clone(), self.plane.sci, tx.ssci)
            }
            Action::RetireRx(peer, sa) => {
                let rx = self.plane.peers[peer][sa.an.index()].as_ref().unwrap();
                assert_eq!(rx.key.id, *sa);
                ("delete_rx_sa", rx.key.clone(), *peer, rx.ssci)
            }
            _ => return,
        };
        let installed = Installed {
            what,
            an: key.id.an,
            ki: key.id.ki,
            sak: key.sak.expose().to_vec(),
            sci,
            ssci,
            salt: key.salt,
        };
        self.installed.push((self.now, installed));
    }

    /// Timeouts up to a time, each at its own.
    fn run_until(&mut self, until: u64) {
        while let Some(at) = self.kay.poll_timeout() {
            let at = u64::try_from(at.0.as_nanos().div_ceil(1000))
                .unwrap()
                .max(self.now);
            if at > until {
                break;
            }
            self.now = at;
            self.kay.handle_timeout(self.time());
            self.drain();
        }
        self.now = until;
    }

    /// Plays the other node's part: every one of its frames is taken.
    fn play(&mut self) {
        let own = sci(self.node).address().0;
        // Both came up before the first frame was sent: A at once, B a moment before its first.
        let up = self
            .recording
            .frames
            .iter()
            .find(|(_, frame)| frame[6..12] == own)
            .unwrap()
            .0;
        let mut is_up = false;
        for (at, frame) in &self.recording.frames {
            if !is_up && up <= *at {
                self.run_until(up);
                self.kay.handle_report(self.time(), Report::Link(true));
                self.drain();
                is_up = true;
            }
            if frame[6..12] == own {
                continue;
            }
            self.run_until(*at);
            for word in self.plane.progress() {
                self.kay.handle_report(self.time(), word);
            }
            self.drain();
            let heard = self.kay.handle_mkpdu(self.time(), frame);
            assert_eq!(
                heard,
                Ok(()),
                "{} as {} at {at}",
                self.recording.name,
                self.node
            );
            self.drain();
        }
        let now = self.now;
        self.run_until(now + 1_000_000);
    }
}

fn expected(recording: &Recording, node: &str) -> Vec<(u64, Installed)> {
    let events = recording
        .sa_events
        .iter()
        .filter(|event| event.node == node);
    let known = [
        "create_rx_sa",
        "create_tx_sa",
        "enable_tx_sa",
        "delete_tx_sa",
        "delete_rx_sa",
    ];
    let events = events.filter_map(|event| {
        let what = known.iter().find(|what| **what == event.event)?;
        let installed = Installed {
            what,
            an: event.an,
            ki: event.ki,
            sak: event.sak.clone(),
            sci: event.sci,
            ssci: event.ssci,
            salt: event.salt,
        };
        Some((event.at, installed))
    });
    events.collect()
}

/// Everything that was recorded is done by ours, about when it was, and nothing else.
fn same(recording: &Recording, node: &str, found: &[(u64, Installed)]) {
    let expected = expected(recording, node);
    assert!(!expected.is_empty());
    for (at, wanted) in &expected {
        let ours = found.iter().find(|(_, installed)| installed == wanted);
        let Some((when, _)) = ours else {
            panic!("{} as {node}: no {wanted:?} in {found:#?}", recording.name);
        };
        // Ours does not wait for the next hello to say what it has to say.
        assert!(
            when.abs_diff(*at) <= 2_000_000,
            "{wanted:?} at {when}, recorded at {at}"
        );
    }
    assert_eq!(
        found.len(),
        expected.len(),
        "{} as {node}: {found:#?}",
        recording.name
    );
}

fn replay(node: &'static str) {
    for recording in Recording::all() {
        let mut player = Player::new(&recording, node);
        player.play();
        same(&recording, node, &player.installed);
        let status = player.kay.status(player.time());
        assert!(status.secured, "{} as {node}: {status:?}", recording.name);
        assert_eq!(status.key_server, Some(sci("A")));
        assert_eq!(
            status.participants[0].mi,
            mi(&recording, node),
            "{}",
            recording.name
        );
        let ours = |event: &&Event| {
            matches!(
                event,
                Event::NewMemberIdentifier { .. } | Event::Lost(_) | Event::PeerLost { .. }
            )
        };
        let bad: Vec<_> = player.events.iter().filter(ours).collect();
        assert!(bad.is_empty(), "{}: {bad:?}", recording.name);
        let secured = player
            .events
            .iter()
            .filter(|event| matches!(event, Event::Secured(_)))
            .count();
        let keys = if recording.name == "h210_rekey_pn" {
            2
        } else {
            1
        };
        assert_eq!(secured, keys, "{}: {:?}", recording.name, player.events);
    }
}

#[test]
fn as_the_recorded_client_we_take_the_recorded_saks_and_are_secured() {
    replay("B");
}

#[test]
fn as_the_recorded_key_server_we_distribute_the_recorded_saks_and_are_secured() {
    replay("A");
}
