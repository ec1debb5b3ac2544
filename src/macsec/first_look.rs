//! The first look at a received frame (802.1AE-2018 10.6): all that can be said without its key.

use super::clear_tags::{ADDRESSES_LEN, clear_tags_len, ether_type_at};
use super::mtu::{ETHERNET_HEADER_LEN, longest_frame, longest_secure_frame};
use super::open_plans::{Layout, OpenPlan};
use super::validate::{count_not_valid, count_untimely};
use super::{FrameBuf, Reject, RxParams, RxSecy, SecTag, Tci, ValidateFrames};
use crate::ieee::{An, EtherType, MacAddr};

/// What the first look at a frame says.
pub(super) enum FirstLook {
    /// Delivered as it is: it has no SecTAG.
    Untagged,
    /// Delivered without SecTAG and ICV, and not validated.
    Unvalidated(Layout, Unvalidated),
    /// To be opened.
    Open(Found, OpenPlan),
}

/// Where a frame's SA is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) sc: usize,
    pub(super) an: An,
}

/// Why a tagged frame is delivered without validation, which is also where it is counted.
#[derive(Clone, Copy)]
pub(super) enum Unvalidated {
    UnknownSci,
    UnusedSa(usize, An),
    Unchecked(usize),
}

/// Everything that can be said of a frame without its key.
pub(super) fn first_look(secy: &RxSecy, frame: &impl FrameBuf) -> Result<FirstLook, Reject> {
    if !frame.is_contiguous() {
        return Err(Reject::Chained);
    }
    let octets = frame.octets();
    if octets.len() < ETHERNET_HEADER_LEN {
        return Err(Reject::Runt);
    }
    // First of all: a driver may have cut it, so nothing in it is to be believed.
    if octets.len() > longest_secure_frame(secy.params.mtu) {
        return Err(Reject::TooLong);
    }
    let clear_len = clear_tags_len(octets, secy.params.clear_vlan_tags);
    let header_len = ADDRESSES_LEN + clear_len;
    if ether_type_at(octets, header_len) != Some(EtherType::MACSEC) {
        return untagged(&secy.params, octets);
    }
    let mpdu = octets.get(header_len..).unwrap_or_default();
    let sectag = SecTag::parse(mpdu).map_err(|_| Reject::BadTag)?;
    let data_len = sectag.data_len(mpdu.len()).map_err(|_| Reject::BadTag)?;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "compared with the MTU above"
    )]
    let layout = Layout {
        clear_len: clear_len as u32,
        sectag_len: sectag.len() as u32,
        data_len: data_len as u32,
    };
    if sectag.tci.has(Tci::E) && !sectag.tci.has(Tci::C) {
        return Err(Reject::KayOnly);
    }
    // A frame whose user data was changed is of no use unvalidated (802.1AE-2018 10.6.1).
    let may_pass = !sectag.tci.has(Tci::C) && secy.params.validate != ValidateFrames::Strict;
    let Some(sc) = channel_of(secy, octets, &sectag) else {
        return if may_pass {
            Ok(FirstLook::Unvalidated(layout, Unvalidated::UnknownSci))
        } else {
            Err(Reject::NoSci)
        };
    };
    look_at_sa(secy, sc, &sectag, layout, may_pass)
}

fn untagged(params: &RxParams, octets: &[u8]) -> Result<FirstLook, Reject> {
    match params.validate {
        ValidateFrames::Strict => Err(Reject::NoTag),
        _ if octets.len() > longest_frame(octets, params.mtu) => Err(Reject::TooLong),
        _ => Ok(FirstLook::Untagged),
    }
}

/// The place of the frame's channel. Without any hint in the SecTAG it is that of the one peer, if
/// there is exactly one (802.1AE-2018 9.5).
fn channel_of(secy: &RxSecy, octets: &[u8], sectag: &SecTag) -> Option<usize> {
    let source = MacAddr(*octets.get(6..)?.first_chunk::<6>()?);
    match sectag.channel(source) {
        Some(sci) => secy.find(sci),
        None if secy.scs.len() == 1 => Some(0),
        None => None,
    }
}

fn look_at_sa(
    secy: &RxSecy,
    sc: usize,
    sectag: &SecTag,
    layout: Layout,
    may_pass: bool,
) -> Result<FirstLook, Reject> {
    let channel = &secy.scs[sc];
    let an = sectag.tci.an();
    let by_an = &channel.counters.sas[an.index()];
    let Some(sa) = channel.sa(an) else {
        if may_pass {
            let why = Unvalidated::UnusedSa(sc, an);
            return Ok(FirstLook::Unvalidated(layout, why));
        }
        channel.counters.in_pkts_not_using_sa.add(1);
        by_an.in_pkts_not_using_sa.add(1);
        return Err(Reject::NotUsingSa);
    };
    sectag
        .check_pn(sa.suite().pn_space())
        .map_err(|_| Reject::BadTag)?;
    let pn = sa.full_pn(sectag.pn);
    if pn.0 == 0 {
        // The low half may be 0, the whole number may not: no transmitter starts there.
        return Err(Reject::BadTag);
    }
    sa.window
        .admit(pn)
        .inspect_err(|&why| count_untimely(&channel.counters, why))?;
    let changed = sectag.tci.has(Tci::C);
    if !changed && secy.params.validate == ValidateFrames::Disabled {
        return Ok(FirstLook::Unvalidated(layout, Unvalidated::Unchecked(sc)));
    }
    if pn > sa.suite().pn_space().last() || (changed && !sectag.tci.has(Tci::E)) {
        // C without E: user data that protection changed without encrypting it. No GCM suite does
        // that (802.1AE-2018 14.5), so no such frame can be valid. Nor can the number that every
        // transmitter must leave unused at the end of the extended space.
        count_not_valid(&channel.counters, by_an);
        return Err(Reject::NotValid);
    }
    let clear_data_len = if changed {
        let offset = sa.confidentiality().offset();
        u32::try_from(offset).map_or(layout.data_len, |offset| offset.min(layout.data_len))
    } else {
        layout.data_len
    };
    let plan = OpenPlan {
        pn,
        nonce: sa.nonce(pn),
        layout,
        aad_len: layout.front_len() + clear_data_len,
        changed,
    };
    Ok(FirstLook::Open(Found { sc, an }, plan))
}
