//! The MACsec SAK Use parameter set (802.1X-2020 figure 11-10).

use super::{
    Frame,
    set::{self, Set, kind, put},
};
use crate::{
    ieee::An,
    mka::{Discard, Kn, Mi, SaId},
};

/// Octets of one key's half of the body: its server's member identifier, its number, a packet number.
const KEY_LEN: usize = 20;

/// Second octet: the sender protects with the old key. The latest key's bits are these times 16.
const TX: u8 = 0x02;
/// Second octet: the sender receives with the old key.
const RX: u8 = 0x01;

/// Third octet: the sender transmits unprotected frames.
const PLAIN_TX: u8 = 0x80;
/// Third octet: the sender accepts unprotected frames.
const PLAIN_RX: u8 = 0x40;
/// Third octet: the sender wants lowest packet numbers to be enforced.
const DELAY_PROTECT: u8 = 0x10;

/// Which keys the sender uses. A set without body is all default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SakUse {
    /// The latest key.
    pub latest: Option<KeyUse>,
    /// The one before it.
    pub old: Option<KeyUse>,
    /// The sender transmits unprotected frames.
    pub plain_tx: bool,
    /// The sender accepts unprotected frames.
    pub plain_rx: bool,
    /// The sender wants lowest packet numbers to be enforced.
    pub delay_protect: bool,
}

/// How one key is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyUse {
    /// Association number.
    pub an: An,
    /// Its key server's member identifier. All zero is no key: that slot is empty.
    pub mi: Mi,
    /// Its key number.
    pub kn: Kn,
    /// The sender protects with it.
    pub tx: bool,
    /// The sender receives with it.
    pub rx: bool,
    /// The lowest packet number that the sender may still have under way; the low 32 bits with XPN.
    /// Sent as at least 1.
    pub lowest_pn: u32,
}

impl SakUse {
    /// The keys in use, in either slot: some keep the one that they use in the old one.
    pub fn keys(&self) -> impl Iterator<Item = KeyUse> {
        [self.latest, self.old].into_iter().flatten()
    }

    /// Reads the set. A body of neither 0 nor 40 octets is malformed.
    pub(super) fn parse(set: Set<'_>) -> Result<Self, Discard> {
        if set.body.is_empty() {
            return Ok(Self::default());
        }
        let (&[latest, old], []) = set.body.as_chunks::<KEY_LEN>() else {
            return Err(Discard::Malformed);
        };
        let has = |bit| set.more_flags & bit != 0;
        Ok(Self {
            latest: KeyUse::parse(set.flags >> 4, latest),
            old: KeyUse::parse(set.flags, old),
            plain_tx: has(PLAIN_TX),
            plain_rx: has(PLAIN_RX),
            delay_protect: has(DELAY_PROTECT),
        })
    }

    /// Appends the set, always with a body: without one it would say that the sender has no MACsec.
    pub(super) fn emit(&self, out: &mut Frame) -> Option<()> {
        let flags = KeyUse::flags(self.latest) << 4 | KeyUse::flags(self.old);
        let bit = |is_set, bit| if is_set { bit } else { 0 };
        let more_flags = bit(self.plain_tx, PLAIN_TX)
            | bit(self.plain_rx, PLAIN_RX)
            | bit(self.delay_protect, DELAY_PROTECT);
        set::emit(out, [kind::SAK_USE, flags, more_flags], |out| {
            [self.latest, self.old]
                .into_iter()
                .try_for_each(|slot| put(out, &KeyUse::octets(slot)))
        })
    }
}

impl KeyUse {
    /// Which SAs these are.
    pub fn id(&self) -> SaId {
        SaId {
            an: self.an,
            ki: self.mi.key(self.kn),
        }
    }

    /// Reads one slot: its half of the flags in the lower four bits, its part of the body.
    fn parse(flags: u8, octets: [u8; KEY_LEN]) -> Option<Self> {
        let [mi @ .., a, b, c, d, e, f, g, h] = octets;
        let is_empty = mi == [0; 12];
        (!is_empty).then_some(Self {
            an: An::from_tci(flags >> 2),
            mi: Mi(mi),
            kn: Kn(u32::from_be_bytes([a, b, c, d])),
            tx: flags & TX != 0,
            rx: flags & RX != 0,
            lowest_pn: u32::from_be_bytes([e, f, g, h]),
        })
    }

    /// A slot's half of the second octet, in the lower four bits.
    fn flags(slot: Option<Self>) -> u8 {
        let bit = |is_set, bit| if is_set { bit } else { 0 };
        slot.map_or(0, |key| {
            key.an.value() << 2 | bit(key.tx, TX) | bit(key.rx, RX)
        })
    }

    /// A slot's part of the body. The packet number is at least 1, in an empty slot too: some peers take
    /// 0 under delay protection for an error and change their member identifier.
    fn octets(slot: Option<Self>) -> [u8; KEY_LEN] {
        let (Mi(mi), Kn(kn), lowest_pn) = slot.map_or((Mi([0; 12]), Kn(0), 1), |key| {
            (key.mi, key.kn, key.lowest_pn.max(1))
        });
        let mut octets = [0; KEY_LEN];
        let parts = mi
            .into_iter()
            .chain(kn.to_be_bytes())
            .chain(lowest_pn.to_be_bytes());
        octets
            .iter_mut()
            .zip(parts)
            .for_each(|(to, from)| *to = from);
        octets
    }
}
