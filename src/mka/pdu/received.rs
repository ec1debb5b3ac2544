//! A received MKPDU, from the frame to its parameter sets: the checks of 802.1X-2020 11.11.2 in their
//! order, so that what costs most comes last and nothing unauthenticated is believed.

use subtle::ConstantTimeEq;

use super::{
    Announcement, Basic, DistributedSak, Kmd, Mkpdu, PeerList, SakUse, Xpn,
    basic::AGILITY,
    frame::{EAPOL_LEN, EAPOL_MKA, EAPOL_VERSION, ETHERNET_LEN, covered},
    set::{Set, Sets, kind},
};
use crate::{
    crypto::{ICV_LEN, Ick, KeyAgreement},
    ieee::{Ckn, EtherType, MacAddr},
    mka::{Discard, IcvHeader},
};

/// Octets of the shortest MKPDU (802.1X-2020 11.11.2).
const MKPDU_MIN: usize = 32;

/// A frame that may carry a MKPDU of somebody's who has the CAK: nothing in it is proven yet.
#[derive(Clone, Debug)]
pub struct Received<'a> {
    ethernet: [u8; ETHERNET_LEN],
    source: MacAddr,
    /// EAPOL header and MKPDU, without the ICV: what the ICV covers behind the Ethernet header.
    covered: &'a [u8],
    icv: [u8; ICV_LEN],
    basic: Basic,
    agility: [u8; 4],
    sets: &'a [u8],
}

impl<'a> Received<'a> {
    /// Takes a frame apart as far as its CKN. What is behind the EAPOL body is Ethernet's padding.
    /// A frame with VLAN tags is not heard, and none that is addressed to a single station unless that
    /// is `own`.
    ///
    /// # Errors
    /// [`Discard::NotMka`], [`Discard::Length`] or [`Discard::Basic`], whichever comes first.
    pub fn parse(frame: &'a [u8], ethertype: EtherType, own: MacAddr) -> Result<Self, Discard> {
        let (ethernet, eapol) = frame.split_first_chunk().ok_or(Discard::NotMka)?;
        let source = address(ethernet, ethertype, own).ok_or(Discard::NotMka)?;
        let mkpdu_len = body_len(eapol).ok_or(Discard::NotMka)?;
        if mkpdu_len < MKPDU_MIN || !mkpdu_len.is_multiple_of(4) {
            return Err(Discard::Length);
        }
        let (covered, icv) = eapol
            .get(..EAPOL_LEN.saturating_add(mkpdu_len))
            .and_then(<[u8]>::split_last_chunk)
            .ok_or(Discard::Length)?;
        let (basic, agility, sets) = covered
            .get(EAPOL_LEN..)
            .and_then(Basic::parse)
            .ok_or(Discard::Basic)?;
        Ok(Self {
            ethernet: *ethernet,
            source,
            covered,
            icv: *icv,
            basic,
            agility,
            sets,
        })
    }

    /// The name of the CAK that the frame says it belongs to.
    pub fn ckn(&self) -> &Ckn {
        &self.basic.ckn
    }

    /// The frame's source address.
    pub fn source(&self) -> MacAddr {
        self.source
    }

    /// Checks algorithm agility and ICV, and only then reads the parameter sets.
    ///
    /// # Errors
    /// [`Discard::Agility`], [`Discard::Icv`] or [`Discard::Malformed`], whichever comes first.
    pub fn verify(
        &self,
        crypto: &dyn KeyAgreement,
        ick: &Ick,
        header: IcvHeader,
    ) -> Result<Mkpdu, Discard> {
        if self.agility != AGILITY {
            return Err(Discard::Agility);
        }
        let icv = crypto.icv(ick, &[&covered(self.ethernet, header), self.covered]);
        if !bool::from(icv.ct_eq(&self.icv)) {
            return Err(Discard::Icv);
        }
        self.parameter_sets()
    }

    /// The parameter sets, whether or not they are authentic. Each type counts once, in any order; types
    /// that we don't know are skipped.
    pub(super) fn parameter_sets(&self) -> Result<Mkpdu, Discard> {
        let mut pdu = Mkpdu::new(self.basic.clone());
        Sets(self.sets).try_for_each(|set| take(&mut pdu, set?))?;
        Ok(pdu)
    }

    /// The parameter sets of a frame whose ICV nobody checked. For the fuzzer, which knows no key.
    ///
    /// # Errors
    /// [`Discard::Malformed`].
    #[cfg(fuzzing)]
    pub fn unverified(&self) -> Result<Mkpdu, Discard> {
        self.parameter_sets()
    }
}

/// Takes one set over, unless there was one of its type.
fn take(pdu: &mut Mkpdu, set: Set<'_>) -> Result<(), Discard> {
    match set.kind {
        kind::LIVE => first(&mut pdu.live, || PeerList::parse(set)),
        kind::POTENTIAL => first(&mut pdu.potential, || PeerList::parse(set)),
        kind::SAK_USE => first(&mut pdu.sak_use, || SakUse::parse(set)),
        kind::DISTRIBUTED_SAK => first(&mut pdu.distributed_sak, || DistributedSak::parse(set)),
        kind::XPN => first(&mut pdu.xpn, || Xpn::parse(set)),
        _ => {
            note(pdu, set);
            Ok(())
        }
    }
}

/// Takes over a set that MKA does nothing with.
fn note(pdu: &mut Mkpdu, set: Set<'_>) {
    match set.kind {
        kind::DISTRIBUTED_CAK => pdu.distributed_cak = true,
        kind::KMD if pdu.kmd.is_none() => pdu.kmd = Kmd::parse(set),
        kind::ANNOUNCEMENT if pdu.announcement.is_none() => {
            pdu.announcement = Some(Announcement::parse(set));
        }
        kind::ICV_INDICATOR => pdu.icv_indicator = true,
        _ => {}
    }
}

/// Fills an empty place; a later set of the same type is not even read.
fn first<T>(
    place: &mut Option<T>,
    parse: impl FnOnce() -> Result<T, Discard>,
) -> Result<(), Discard> {
    if place.is_none() {
        *place = Some(parse()?);
    }
    Ok(())
}

/// The source of a frame that is addressed to us and of this EtherType.
fn address(header: &[u8; ETHERNET_LEN], ethertype: EtherType, own: MacAddr) -> Option<MacAddr> {
    let [a, b, c, d, e, f, source @ .., m, n] = *header;
    let destination = MacAddr([a, b, c, d, e, f]);
    let is_ours = destination.is_group() || destination == own;
    (is_ours && u16::from_be_bytes([m, n]) == ethertype.0).then_some(MacAddr(source))
}

/// Octets of the body, by the EAPOL header of a MKPDU.
fn body_len(eapol: &[u8]) -> Option<usize> {
    let &[version, packet_type, high, low] = eapol.first_chunk()?;
    (version >= EAPOL_VERSION && packet_type == EAPOL_MKA)
        .then(|| usize::from(u16::from_be_bytes([high, low])))
}
