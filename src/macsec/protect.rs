//! Protection of a burst (802.1AE-2018 10.5): lay out, number, seal, put in order.
//!
//! ```text
//! given         DA SA | tags | data
//! laid out      tags | DA SA | SecTAG | data | ICV      what is authenticated lies in one piece
//! to be sealed         <---- AAD ---->|<text>|<tag>
//! sent          DA SA | tags | SecTAG | data | ICV
//! ```

use arrayvec::ArrayVec;

use super::clear_tags::{ADDRESSES_LEN, MAX_HEADER_LEN, clear_tags_len};
use super::mtu::{ETHERNET_HEADER_LEN, longest_frame};
use super::{
    Confidentiality, FrameBuf, FrameSet, Reject, SecTag, SectagSci, Tci, TxCounters, TxParams,
    TxSa, Verdicts,
};
use crate::crypto::{AeadFrame, BURST_CAPACITY, TAG_LEN};
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

/// A frame that is laid out and waits for its seal.
struct Laid {
    index: usize,
    clear_len: usize,
    aad_len: usize,
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
    fn lay_out(&self, frame: &mut impl FrameBuf, index: usize, pn: Pn) -> Result<Laid, Reject> {
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
            index,
            clear_len,
            aad_len: ADDRESSES_LEN + sectag.len() + self.clear_data_len(data_len),
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

/// Protects the frames of a burst under one SA, in frame order, with one call to the engine.
pub(super) fn protect<B: FrameBuf>(
    sa: &mut TxSa,
    shape: &Shape,
    counters: &TxCounters,
    frames: &mut [B],
    todo: FrameSet,
    verdicts: &mut Verdicts,
) {
    let allowance = sa.allowance();
    let mut laid = ArrayVec::<Laid, BURST_CAPACITY>::new();
    let mut sealing = ArrayVec::<AeadFrame<'_>, BURST_CAPACITY>::new();
    for (index, frame) in frames.iter_mut().enumerate().take(BURST_CAPACITY) {
        if !todo.contains(index) {
            continue;
        }
        let nth = laid.len() as u64;
        let outcome = shape.check(frame).and_then(|()| {
            if nth >= allowance.frames {
                return Err(allowance.beyond);
            }
            shape.lay_out(frame, index, sa.pn(nth))
        });
        match outcome {
            Ok(plan) => {
                let len = frame.octets().len() - plan.clear_len;
                // `lay_out` wrote a header that is longer than the clear tags.
                let buffer = &mut frame.octets_and_room_mut()[plan.clear_len..];
                sealing.push(AeadFrame {
                    nonce: sa.nonce(sa.pn(nth)),
                    aad_len: plan.aad_len,
                    len,
                    buffer,
                });
                laid.push(plan);
                verdicts.pass(index);
            }
            Err(why) => {
                if why == Reject::TooLong {
                    counters.out_pkts_too_long.add(1);
                }
                verdicts.reject(index, why);
            }
        }
    }
    // Before sealing: a number that met the key is used, whatever happens next.
    sa.advance(laid.len() as u64);
    if !sealing.is_empty() {
        sa.key.seal(&mut sealing);
    }
    drop(sealing);
    put_tags_behind_addresses(frames, &laid);
    count(counters, sa, &laid);
}

fn put_tags_behind_addresses<B: FrameBuf>(frames: &mut [B], laid: &[Laid]) {
    for plan in laid.iter().filter(|plan| plan.clear_len > 0) {
        let header_len = ADDRESSES_LEN + plan.clear_len;
        if let Some(header) = frames
            .get_mut(plan.index)
            .and_then(|frame| frame.octets_mut().get_mut(..header_len))
        {
            header.rotate_left(plan.clear_len);
        }
    }
}

/// Octets are those of user data (802.1AE-2018 10.7.19): no addresses, SecTAG, ICV or clear tags.
fn count(counters: &TxCounters, sa: &TxSa, laid: &[Laid]) {
    let pkts = laid.len() as u64;
    let octets = laid.iter().map(|plan| plan.data_len as u64).sum();
    sa.count_octets(octets);
    let by_an = &counters.sas[sa.an().index()];
    if sa.confidentiality().encrypts() {
        counters.out_pkts_encrypted.add(pkts);
        counters.out_octets_encrypted.add(octets);
        by_an.out_pkts_encrypted.add(pkts);
    } else {
        counters.out_pkts_protected.add(pkts);
        counters.out_octets_protected.add(octets);
        by_an.out_pkts_protected.add(pkts);
    }
}
