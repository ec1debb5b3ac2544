//! One KaY and a peer that the test plays, MKPDU by MKPDU.

use alloc::{vec, vec::Vec};

use super::bed::{Bed, Node, cak, ms, policy};
use crate::{
    crypto::{CakKeys, KeyAgreement, Sak, seeded},
    ieee::{An, CipherSuite, EtherType, MacAddr, Sci},
    mka::{
        Discard, Event, Kn, Mi, Mn, Policy, Protection, SaId, SakRefusal,
        pdu::{
            Basic, Capability, DistributedKey, DistributedSak, Envelope, Frame, KeyUse, Mkpdu,
            PeerList, Received, SakUse, SuiteField, encode,
        },
    },
};

/// The source address of the played peer: below every other, so that it serves where priorities are equal.
const SOURCE: MacAddr = MacAddr([2, 0, 0, 0, 0, 1]);

pub(super) struct Played {
    pub(super) bed: Bed,
    keys: CakKeys,
    pub(super) mi: Mi,
    mn: u32,
    pub(super) priority: u8,
    pub(super) sci: Sci,
    /// The last MKPDU of the KaY.
    pub(super) heard: Option<Mkpdu>,
}

impl Played {
    /// A KaY with this policy and one CAK, its link up, and a peer that has said nothing yet.
    pub(super) fn new(policy: Policy, priority: u8) -> Self {
        let mut bed = Bed::new(vec![policy]);
        bed.kay(0, |kay, now| kay.add_cak(now, cak(1, 1)).unwrap());
        bed.link(0, true);
        let mut played = Self {
            bed,
            keys: cak(1, 1).keys,
            mi: Mi([1; 12]),
            mn: 0,
            priority,
            sci: Sci::new(SOURCE, 1),
            heard: None,
        };
        played.listen(0);
        played
    }

    /// A live key server before a KaY.
    pub(super) fn server() -> Self {
        let mut played = Self::new(policy(9), 1);
        played.say(|_| {}).unwrap();
        played
    }

    /// A live client before a KaY.
    pub(super) fn client() -> Self {
        let mut played = Self::new(policy(9), 200);
        played.say(|_| {}).unwrap();
        played
    }

    pub(super) fn node(&self) -> &Node {
        &self.bed.nodes[0]
    }

    /// Lets time pass and hears what the KaY says.
    pub(super) fn listen(&mut self, millis: u64) {
        self.bed.run(ms(millis));
        if let Some((_, frame)) = self.node().sent.last() {
            self.heard = Some(self.read(&frame.clone()));
        }
    }

    /// Listens for so long, and keeps itself alive by a MKPDU each second.
    pub(super) fn stay(&mut self, millis: u64, change: impl Fn(&mut Mkpdu) + Copy) {
        for _ in 0..millis / 1000 {
            self.say(change).unwrap();
            self.listen(1000);
        }
    }

    pub(super) fn read(&self, frame: &Frame) -> Mkpdu {
        let received = Received::parse(frame, EtherType::EAPOL, MacAddr([2; 6])).unwrap();
        received
            .verify(&seeded(0), &self.keys.ick, policy(0).icv_header)
            .unwrap()
    }

    /// A MKPDU that lists the KaY as live by its last number.
    pub(super) fn compose(&mut self, change: impl FnOnce(&mut Mkpdu)) -> Frame {
        self.mn += 1;
        let heard = self.heard.clone().unwrap().basic;
        let mut pdu = Mkpdu::new(Basic {
            version: 1,
            priority: self.priority,
            key_server: true,
            macsec_desired: true,
            capability: Capability::Offset0,
            sci: self.sci,
            mi: self.mi,
            mn: Mn(self.mn),
            ckn: heard.ckn.clone(),
        });
        pdu.live = Some(PeerList {
            key_server_ssci: 0,
            peers: [(heard.mi, heard.mn)].into_iter().collect(),
        });
        change(&mut pdu);
        let envelope = Envelope {
            destination: MacAddr::PAE_GROUP,
            source: SOURCE,
            ethertype: EtherType::EAPOL,
            icv_header: policy(0).icv_header,
        };
        encode(&pdu, &envelope, &seeded(0), &self.keys.ick).unwrap()
    }

    pub(super) fn say(&mut self, change: impl FnOnce(&mut Mkpdu)) -> Result<(), Discard> {
        let frame = self.compose(change);
        let taken = self.bed.kay(0, |kay, now| kay.handle_mkpdu(now, &frame));
        self.listen(30);
        taken
    }

    /// A key of this server, under its KEK.
    pub(super) fn key(&self, kn: u32, an: u8, suite: CipherSuite) -> DistributedKey {
        let mut octets = [u8::try_from(kn & 0xff).unwrap(); 32];
        let sak = Sak::take(&mut octets[..suite.sak_len()]).unwrap();
        DistributedKey {
            an: An::new(an).unwrap(),
            protection: Protection::Offset0,
            kn: Kn(kn),
            suite: SuiteField::Known(suite),
            wrapped: seeded(0).wrap_sak(&self.keys.kek, &sak),
        }
    }

    pub(super) fn id(&self, kn: u32, an: u8) -> SaId {
        SaId {
            an: An::new(an).unwrap(),
            ki: self.mi.key(Kn(kn)),
        }
    }

    /// Gives a key, as a server that receives with it, and with `tx` transmits.
    pub(super) fn give(&mut self, key: &DistributedKey, tx: bool) {
        let sak_use = self.sak_use(key.kn.0, key.an.value(), tx);
        self.say(|pdu| {
            pdu.distributed_sak = Some(DistributedSak::Key(key.clone()));
            pdu.sak_use = Some(sak_use);
        })
        .unwrap();
    }

    /// The server's own use of a key of its own.
    pub(super) fn sak_use(&self, kn: u32, an: u8, tx: bool) -> SakUse {
        SakUse {
            latest: Some(KeyUse {
                an: An::new(an).unwrap(),
                mi: self.mi,
                kn: Kn(kn),
                tx,
                rx: true,
                lowest_pn: 1,
            }),
            ..SakUse::default()
        }
    }

    pub(super) fn refusals(&self) -> Vec<SakRefusal> {
        let why = |event: &Event| match event {
            Event::SakRefused { why, .. } => Some(*why),
            _ => None,
        };
        self.node()
            .events
            .iter()
            .filter_map(|(_, event)| why(event))
            .collect()
    }

    /// What the KaY says of its keys: (KN, AN, rx, tx), the latest one first.
    pub(super) fn uses(&self) -> Vec<(u32, u8, bool, bool)> {
        let said = self.heard.as_ref().unwrap().sak_use.unwrap_or_default();
        [said.latest, said.old]
            .into_iter()
            .flatten()
            .map(|key| (key.kn.0, key.an.value(), key.rx, key.tx))
            .collect()
    }
}
