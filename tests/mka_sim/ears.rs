//! Someone who has every CAK listens to what nodes send, and holds it against what is true of them.

use std::collections::{HashMap, HashSet};

use macsec_gateway::{
    crypto::{CakKeys, KeyAgreement},
    ieee::{Ckn, KeyIdentifier},
    mka::{
        Mi, Mn,
        pdu::{DistributedSak, KeyUse, Mkpdu, Received},
    },
};

use crate::node::{CakSpec, Node};

#[derive(Debug)]
pub(crate) struct Ears {
    keys: HashMap<Ckn, CakKeys>,
    owners: HashMap<Mi, usize>,
    numbers: HashMap<Mi, Mn>,
    saks: HashMap<KeyIdentifier, Vec<u8>>,
    since: HashMap<KeyIdentifier, u64>,
    /// Member identifiers that came back with an old copy: their numbers may repeat until peers tell.
    tainted: HashSet<Mi>,
}

impl Ears {
    pub(crate) fn new(caks: &[CakSpec], crypto: &dyn KeyAgreement) -> Self {
        let keys = caks
            .iter()
            .map(|cak| (cak.ckn.clone(), cak.start(crypto).keys));
        Self {
            keys: keys.collect(),
            owners: HashMap::new(),
            numbers: HashMap::new(),
            saks: HashMap::new(),
            since: HashMap::new(),
            tainted: HashSet::new(),
        }
    }

    /// Which node a member identifier is of.
    pub(crate) fn owner(&self, mi: Mi) -> Option<usize> {
        self.owners.get(&mi).copied()
    }

    /// A node goes on with an old copy of its identity.
    pub(crate) fn taint(&mut self, node: usize) {
        let old = self.owners.iter().filter(|(_, owner)| **owner == node);
        self.tainted.extend(old.map(|(mi, _)| *mi));
    }

    /// Since when a key has been distributed.
    pub(crate) fn distributed_since(&self, ki: KeyIdentifier) -> Option<u64> {
        self.since.get(&ki).copied()
    }

    /// What a node says. `Err`: it is not true, or must not be said yet.
    pub(crate) fn hear(
        &mut self,
        now: u64,
        node: usize,
        this: &Node,
        crypto: &dyn KeyAgreement,
        frame: &[u8],
    ) -> Result<Mkpdu, String> {
        let policy = &this.spec.policy;
        let received = Received::parse(frame, policy.ethertype, policy.destination)
            .map_err(|why| format!("its own MKPDU is no good: {}", why.name()))?;
        let keys = self
            .keys
            .get(received.ckn())
            .ok_or("a CKN that it was never given")?;
        let pdu = received
            .verify(crypto, &keys.ick, policy.icv_header)
            .map_err(|why| format!("its own MKPDU is no good: {}", why.name()))?;
        self.number(node, this, &pdu)?;
        self.distributed(now, this, crypto, &pdu)?;
        let uses = pdu
            .sak_use
            .iter()
            .flat_map(|uses| [uses.latest, uses.old])
            .flatten();
        let upper = |latest: bool| {
            pdu.xpn.map_or(0, |xpn| {
                u64::from(if latest { xpn.latest } else { xpn.old }) << 32
            })
        };
        for (place, key) in uses.enumerate() {
            let latest = place == 0 && pdu.sak_use.is_some_and(|uses| uses.latest.is_some());
            truth(this, &key, upper(latest))?;
        }
        Ok(pdu)
    }

    /// Member identifier and message number: nobody else's, never twice, never beyond what is on disk.
    fn number(&mut self, node: usize, this: &Node, pdu: &Mkpdu) -> Result<(), String> {
        let (mi, mn) = (pdu.basic.mi, pdu.basic.mn);
        let owner = *self.owners.entry(mi).or_insert(node);
        if owner != node {
            return Err(format!("{mi} is {owner}'s"));
        }
        let last = self.numbers.entry(mi).or_default();
        if mn <= *last && !self.tainted.contains(&mi) {
            return Err(format!("MN {} of {mi} after {}", mn.0, last.0));
        }
        *last = mn.max(*last);
        if this.spec.keeps_identity {
            let on_disk = this.disk.iter().flat_map(|disk| &disk.members);
            let mine = on_disk
                .into_iter()
                .find(|member| member.ckn == pdu.basic.ckn && member.mi == mi);
            if mine.is_none_or(|member| mn >= member.mn_reserved) {
                return Err(format!("MN {} of {mi} is not reserved: {mine:?}", mn.0));
            }
        }
        Ok(())
    }

    /// A SAK that it distributes: one per KI, and its number is reserved.
    fn distributed(
        &mut self,
        now: u64,
        this: &Node,
        crypto: &dyn KeyAgreement,
        pdu: &Mkpdu,
    ) -> Result<(), String> {
        let Some(DistributedSak::Key(key)) = &pdu.distributed_sak else {
            return Ok(());
        };
        let ki = pdu.basic.mi.key(key.kn);
        let keys = self
            .keys
            .get(&pdu.basic.ckn)
            .ok_or("a CKN that it was never given")?;
        let sak = crypto
            .unwrap_sak(&keys.kek, &key.wrapped)
            .map_err(|why| format!("its SAK does not open: {why}"))?;
        let known = self.saks.entry(ki).or_insert_with(|| sak.expose().to_vec());
        if known != sak.expose() && !self.tainted.contains(&pdu.basic.mi) {
            return Err(format!("{ki} is distributed with two keys"));
        }
        self.since.entry(ki).or_insert(now);
        if this.spec.keeps_identity {
            let on_disk = this.disk.iter().flat_map(|disk| &disk.members);
            let mine = on_disk.into_iter().find(|member| member.mi == pdu.basic.mi);
            if mine.is_none_or(|member| key.kn >= member.kn_reserved) {
                return Err(format!("KN {} is not reserved: {mine:?}", key.kn.0));
            }
        }
        Ok(())
    }
}

/// What a SAK Use says of one key is so in the data plane.
fn truth(this: &Node, key: &KeyUse, upper: u64) -> Result<(), String> {
    let ki = key.mi.key(key.kn);
    if key.tx && !this.used.contains(&ki) {
        return Err(format!("says that it transmits with {ki}; it never did"));
    }
    let installed = this
        .plane
        .peers
        .values()
        .flatten()
        .flatten()
        .any(|rx| rx.key.id.ki == ki && rx.key.id.an == key.an);
    if key.rx && !installed {
        return Err(format!("says that it receives with {ki}; it does not"));
    }
    let lowest = upper | u64::from(key.lowest_pn);
    if lowest == 0 {
        return Err(format!("gives a lowest packet number of 0 with {ki}"));
    }
    let next = this.plane.tx[key.an.index()]
        .as_ref()
        .filter(|tx| tx.key.id.ki == ki)
        .map(|tx| tx.next);
    let exact = upper > 0 || next.is_some_and(|next| next <= u64::from(u32::MAX));
    if exact && next.is_some_and(|next| lowest > next) {
        return Err(format!(
            "gives {lowest} as its lowest packet number with {ki}; it is at {next:?}"
        ));
    }
    Ok(())
}
