//! Protection of a burst (802.1AE-2018 10.5): lay out, number, seal, put in order.
//!
//! In three pieces. `prepare` checks, numbers and lays out, and needs the SA; sealing needs its key
//! alone ([`SealPlans::seal`]); `finish` puts in order and counts. The pieces of one burst follow each
//! other; bursts may overlap, as long as each piece sees them in order.
//!
//! ```text
//! given         DA SA | tags | data
//! laid out      tags | DA SA | SecTAG | data | ICV      what is authenticated lies in one piece
//! to be sealed         <---- AAD ---->|<text>|<tag>
//! sent          DA SA | tags | SecTAG | data | ICV
//! ```

use super::clear_tags::{ADDRESSES_LEN, MAX_HEADER_LEN, clear_tags_len};
use super::mtu::{ETHERNET_HEADER_LEN, longest_frame};
use super::{
    Confidentiality, FrameBuf, FrameSet, Reject, SealPlans, SecTag, SectagSci, Tci, TxCounters,
    TxParams, TxSa, Verdicts, seal_plans::SealPlan,
};
use crate::crypto::TAG_LEN;
use crate::ieee::{Pn, Sci};

/// What all frames of a burst have in common.
pub(super) struct Shape {
    tci: Tci,
    sci: Sci,
    confidentiality: Confidentiality,
    sectag_sci: SectagSci,
    clear_vlan_tags: u8,
    min_plain_frame: usize,
    mtu: usize,
}

/// Where the parts of a frame lie that is laid out.
struct Laid {
    clear_len: usize,
    sectag_len: usize,
    /// Octets of user data that are authenticated and not encrypted.
    clear_data_len: usize,
    data_len: usize,
}

impl Shape {
    pub(super) fn new(params: &TxParams, min_plain_frame: usize, sa: &TxSa) -> Self {
        let sci_bit = match params.sectag_sci {
            SectagSci::Explicit => Tci::SC,
            SectagSci::EndStation => Tci::ES,
            SectagSci::SingleCopyBroadcast => Tci::SCB,
            SectagSci::None => 0,
        };
        let cipher_bits = if sa.confidentiality().encrypts() {
            Tci::E | Tci::C
        } else {
            0
        };
        Self {
            tci: Tci(sci_bit | cipher_bits | sa.an().value()),
            sci: sa.sci(),
            confidentiality: sa.confidentiality(),
            sectag_sci: params.sectag_sci,
            clear_vlan_tags: params.clear_vlan_tags,
            min_plain_frame,
            mtu: params.mtu,
        }
    }

    fn check(&self, frame: &impl FrameBuf) -> Result<(), Reject> {
        if !frame.is_contiguous() {
            return Err(Reject::Chained);
        }
        let octets = frame.octets();
        if octets.len() < ETHERNET_HEADER_LEN {
            return Err(Reject::Runt);
        }
        if octets.len() > longest_frame(octets, self.mtu) {
            return Err(Reject::TooLong);
        }
        let told = self.sectag_sci == SectagSci::Explicit;
        if !told && octets.get(6..ADDRESSES_LEN) != Some(&self.sci.address().0) {
            return Err(Reject::ForeignSource);
        }
        Ok(())
    }

    /// Makes room and brings the octets into the order in which they are sealed.
    fn lay_out(&self, frame: &mut impl FrameBuf, pn: Pn) -> Result<Laid, Reject> {
        let given = frame.octets().len();
        let pad = self.min_plain_frame.saturating_sub(given);
        if !frame.grow_back(pad + TAG_LEN) {
            return Err(Reject::NoRoom);
        }
        frame
            .octets_mut()
            .get_mut(given..given + pad)
            .ok_or(Reject::NoRoom)?
            .fill(0);
        let clear_len = clear_tags_len(&frame.octets()[..given + pad], self.clear_vlan_tags);
        let header_len = ADDRESSES_LEN + clear_len;
        let data_len = given + pad - header_len;
        let sectag = SecTag {
            tci: self.tci,
            short_length: SecTag::short_length_of(data_len),
            pn: pn.wire(),
            sci: self.tci.has(Tci::SC).then_some(self.sci),
        };
        if !frame.grow_front(sectag.len()) {
            // Where this fails the frame is dropped all the same.
            let _restored = frame.cut_back(pad + TAG_LEN);
            return Err(Reject::NoRoom);
        }
        write_header(frame.octets_mut(), clear_len, &sectag).ok_or(Reject::NoRoom)?;
        Ok(Laid {
            clear_len,
            sectag_len: sectag.len(),
            clear_data_len: self.clear_data_len(data_len),
            data_len,
        })
    }

    /// Octets of user data that are authenticated and not encrypted.
    fn clear_data_len(&self, data_len: usize) -> usize {
        if self.confidentiality.encrypts() {
            self.confidentiality.offset().min(data_len)
        } else {
            data_len
        }
    }
}

/// Moves addresses and tags to the front, in that other order, and writes the SecTAG behind them.
fn write_header(octets: &mut [u8], clear_len: usize, sectag: &SecTag) -> Option<()> {
    let header_len = ADDRESSES_LEN + clear_len;
    let moved_by = sectag.len();
    let mut header = [0; MAX_HEADER_LEN];
    let header = header.get_mut(..header_len)?;
    header.copy_from_slice(octets.get(moved_by..moved_by + header_len)?);
    let (addresses, tags) = header.split_at(ADDRESSES_LEN);
    octets.get_mut(..clear_len)?.copy_from_slice(tags);
    octets
        .get_mut(clear_len..header_len)?
        .copy_from_slice(addresses);
    sectag.emit(octets.get_mut(header_len..)?).map(|_| ())
}

/// Checks, numbers and lays out the frames of a burst under one SA, in frame order.
pub(super) fn prepare<B: FrameBuf>(
    sa: &mut TxSa,
    shape: &Shape,
    counters: &TxCounters,
    frames: &mut [B],
    todo: FrameSet,
    plans: &mut SealPlans,
    verdicts: &mut Verdicts,
) {
    let allowance = sa.allowance();
    let mut numbered = 0;
    for (index, (frame, plan)) in frames.iter_mut().zip(&mut plans.plans).enumerate() {
        if !todo.contains(index) {
            continue;
        }
        let pn = sa.pn(numbered);
        let outcome = shape.check(frame).and_then(|()| {
            if numbered >= allowance.frames {
                return Err(allowance.beyond);
            }
            shape.lay_out(frame, pn)
        });
        match outcome {
            Ok(laid) => {
                *plan = plan_of(&laid, sa, pn);
                numbered += 1;
                plans.octets += laid.data_len as u64;
                plans.frames.insert(index);
                if laid.clear_len > 0 {
                    plans.tagged.insert(index);
                }
            }
            Err(why) => {
                if why == Reject::TooLong {
                    counters.out_pkts_too_long.add(1);
                }
                verdicts.reject(index, why);
            }
        }
    }
    verdicts.pass_all(plans.frames);
    if numbered > 0 {
        plans.sa = Some((sa.an(), sa.ki()));
        plans.encrypts = sa.confidentiality().encrypts();
        // Before sealing: a number that met the key is used, whatever happens next.
        sa.advance(numbered);
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a frame that was checked against the MTU is far shorter than 4 GiB"
)]
fn plan_of(laid: &Laid, sa: &TxSa, pn: Pn) -> SealPlan {
    let front = ADDRESSES_LEN + laid.sectag_len;
    SealPlan {
        nonce: sa.nonce(pn),
        clear_len: laid.clear_len as u32,
        aad_len: (front + laid.clear_data_len) as u32,
        len: (front + laid.data_len + TAG_LEN) as u32,
    }
}

/// Puts clear tags behind the addresses again and counts what was sealed.
pub(super) fn finish<B: FrameBuf>(
    sa: Option<&TxSa>,
    counters: &TxCounters,
    frames: &mut [B],
    plans: &SealPlans,
) {
    for index in plans.tagged {
        let clear_len = plans.plans[index].clear_len as usize;
        if let Some(header) = frames
            .get_mut(index)
            .and_then(|frame| frame.octets_mut().get_mut(..ADDRESSES_LEN + clear_len))
        {
            header.rotate_left(clear_len);
        }
    }
    let missing = plans.frames.minus(plans.sealed()).len();
    counters.frames.count_passed(plans.sealed().len());
    if missing > 0 {
        // Numbered and never sealed: they end here.
        counters.frames.count_rejected(Reject::NoTxSa, missing);
        return;
    }
    if let Some(sa) = sa {
        sa.count_octets(plans.octets);
    }
    count(counters, plans);
}

/// Octets are those of user data (802.1AE-2018 10.7.19): no addresses, SecTAG, ICV or clear tags.
fn count(counters: &TxCounters, plans: &SealPlans) {
    let Some((an, _)) = plans.sa else { return };
    let (pkts, octets) = (u64::from(plans.frames.len()), plans.octets);
    let by_an = &counters.sas[an.index()];
    if plans.encrypts {
        counters.out_pkts_encrypted.add(pkts);
        counters.out_octets_encrypted.add(octets);
        by_an.out_pkts_encrypted.add(pkts);
    } else {
        counters.out_pkts_protected.add(pkts);
        counters.out_octets_protected.add(octets);
        by_an.out_pkts_protected.add(pkts);
    }
}
