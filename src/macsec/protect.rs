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

use super::clear_tags::{ADDRESSES_LEN, clear_tags_len};
use super::mtu::{ETHERNET_HEADER_LEN, longest_frame};
use super::{
    FrameBuf, FrameSet, Reject, SealPlans, SecTag, SectagSci, Tci, TxCounters, TxParams, TxSa,
    Verdicts,
    frame::rows,
    seal_plans::{LaidOut, SealPlan},
    tx_sa::Allowance,
    usual_plain::{End, UsualPlain},
};
use crate::crypto::TAG_LEN;
use crate::ieee::{EtherType, Pn, Sci};

/// What all frames of a burst have in common.
pub(super) struct Shape {
    /// The first 8 octets of each SecTAG, with neither short length nor PN.
    pub(super) tag: u64,
    pub(super) sci: Sci,
    pub(super) sectag_len: usize,
    /// Octets of user data that are authenticated and not encrypted, if there are so many.
    pub(super) clear_data_len: usize,
    encrypts: bool,
    pub(super) clear_vlan_tags: u8,
    pub(super) min_plain_frame: usize,
    pub(super) mtu: usize,
}

/// Where the parts of a frame lie that is laid out.
struct Laid {
    clear_len: usize,
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
        let confidentiality = sa.confidentiality();
        let encrypts = confidentiality.encrypts();
        let cipher_bits = if encrypts { Tci::E | Tci::C } else { 0 };
        let tci = sci_bit | cipher_bits | sa.an().value();
        Self {
            tag: u64::from(EtherType::MACSEC.0) << 48 | u64::from(tci) << 40,
            sci: sa.sci(),
            sectag_len: match params.sectag_sci {
                SectagSci::Explicit => SecTag::LEN_WITH_SCI,
                _ => SecTag::LEN,
            },
            clear_data_len: if encrypts {
                confidentiality.offset()
            } else {
                usize::MAX
            },
            encrypts,
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
        let told = self.sectag_len == SecTag::LEN_WITH_SCI;
        if !told && octets.get(6..ADDRESSES_LEN) != Some(&self.sci.address().0) {
            return Err(Reject::ForeignSource);
        }
        Ok(())
    }

    /// Makes room and brings the octets into the order in which they are sealed.
    fn lay_out(&self, frame: &mut impl FrameBuf, pn: Pn) -> Result<Laid, Reject> {
        let given = frame.octets().len();
        let pad = self.min_plain_frame.saturating_sub(given);
        let octets = frame
            .grow(self.sectag_len, pad + TAG_LEN)
            .ok_or(Reject::NoRoom)?;
        let plain = octets
            .get_mut(self.sectag_len..self.sectag_len + given + pad)
            .ok_or(Reject::NoRoom)?;
        if pad > 0 {
            plain.get_mut(given..).ok_or(Reject::NoRoom)?.fill(0);
        }
        let clear_len = clear_tags_len(plain, self.clear_vlan_tags);
        let data_len = given + pad - ADDRESSES_LEN - clear_len;
        let mut full = [0; SecTag::LEN_WITH_SCI];
        let (front, sci) = full.split_at_mut(SecTag::LEN);
        front.copy_from_slice(&sectag(self.tag, data_len, pn));
        sci.copy_from_slice(&self.sci.0.to_be_bytes());
        write_header(octets, clear_len, full.get(..self.sectag_len)).ok_or(Reject::NoRoom)?;
        Ok(Laid {
            clear_len,
            data_len,
        })
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "a frame that was checked against the MTU is far shorter than 4 GiB"
    )]
    fn plan(&self, laid: &Laid, sa: &TxSa, pn: Pn) -> SealPlan {
        let front = ADDRESSES_LEN + self.sectag_len;
        SealPlan {
            nonce: sa.nonce(pn),
            clear_len: laid.clear_len as u32,
            aad_len: (front + self.clear_data_len.min(laid.data_len)) as u32,
            len: (front + laid.data_len + TAG_LEN) as u32,
        }
    }
}

/// A SecTAG without SCI. `tag` is what all have in common.
fn sectag(tag: u64, data_len: usize, pn: Pn) -> [u8; SecTag::LEN] {
    let short_length = u64::from(SecTag::short_length_of(data_len));
    (tag | short_length << 32 | u64::from(pn.wire())).to_be_bytes()
}

/// Moves addresses and tags to the front, in that other order, and writes the SecTAG behind them.
fn write_header(octets: &mut [u8], clear_len: usize, sectag: Option<&[u8]>) -> Option<()> {
    let sectag = sectag?;
    let header_len = ADDRESSES_LEN + clear_len;
    octets.copy_within(sectag.len()..sectag.len() + header_len, 0);
    octets.get_mut(..header_len)?.rotate_right(clear_len);
    octets
        .get_mut(header_len..header_len + sectag.len())?
        .copy_from_slice(sectag);
    Some(())
}

/// Checks, numbers and lays out the frames of a burst under one SA, in frame order, and hands them on.
pub(super) fn prepare<'a, B: FrameBuf>(
    sa: &mut TxSa,
    shape: &Shape,
    frames: &'a mut [B],
    todo: FrameSet,
    plans: &mut SealPlans,
    verdicts: &mut Verdicts,
    to: &mut impl LaidOut<'a>,
) {
    let mut burst = Laying {
        usual: UsualPlain::new(shape, sa),
        allowance: sa.allowance(),
        shape,
        sa,
        plans,
        verdicts,
        numbered: 0,
    };
    for (first, row) in rows(frames, todo) {
        burst.lay_out_row(row, first, to);
    }
    let numbered = burst.numbered;
    verdicts.pass_all(plans.frames);
    if numbered > 0 {
        plans.sa = Some((sa.an(), sa.ki()));
        plans.encrypts = shape.encrypts;
        // Before sealing: a number that met the key is used, whatever happens next.
        sa.advance(numbered);
    }
}

/// A burst that is being laid out.
struct Laying<'s> {
    usual: UsualPlain,
    shape: &'s Shape,
    sa: &'s TxSa,
    allowance: Allowance,
    plans: &'s mut SealPlans,
    verdicts: &'s mut Verdicts,
    /// Frames so far.
    numbered: u64,
}

impl Laying<'_> {
    /// Frames that follow each other, from place `first` on: usual ones, and between them others.
    fn lay_out_row<'a, B: FrameBuf>(
        &mut self,
        frames: &'a mut [B],
        first: usize,
        to: &mut impl LaidOut<'a>,
    ) {
        let mut at = first;
        let mut rest = frames.iter_mut();
        while rest.len() > 0 {
            let mut end = End::Whole;
            // The last numbers of an SA are given out with a look at each.
            if self.allowance.frames - self.numbered >= rest.len() as u64 {
                let begin = (at, self.sa.pn(self.numbered));
                let row = self.usual.lay_out(rest, begin, &mut self.plans.plans, to);
                self.plans.frames.insert_row(at, row.count);
                self.plans.octets += row.octets;
                self.numbered += row.count as u64;
                at += row.count;
                (rest, end) = (row.rest, row.end);
            }
            match end {
                End::Whole => rest
                    .next()
                    .into_iter()
                    .for_each(|frame| self.lay_out(at, frame, to)),
                End::Other(frame) => self.lay_out(at, frame, to),
                End::Broken => self.verdicts.reject(at, Reject::NoRoom),
            }
            at += 1;
        }
    }

    /// The frame of place `at`, whatever it is.
    #[inline(never)]
    fn lay_out<'a, B: FrameBuf>(&mut self, at: usize, frame: &'a mut B, to: &mut impl LaidOut<'a>) {
        match self.plan(frame) {
            Ok((plan, data_len)) => {
                self.plans.plans[at] = plan;
                let octets = plan.octets_of(frame);
                to.take(&mut self.plans.plans, at, plan, octets);
                self.plans.frames.insert(at);
                if plan.clear_len > 0 {
                    self.plans.tagged.insert(at);
                }
                self.plans.octets += data_len;
                self.numbered += 1;
            }
            Err(why) => self.verdicts.reject(at, why),
        }
    }

    /// Makes the next number's frame of `frame`: its plan, and the octets of user data.
    fn plan(&self, frame: &mut impl FrameBuf) -> Result<(SealPlan, u64), Reject> {
        self.shape.check(frame)?;
        if self.numbered >= self.allowance.frames {
            return Err(self.allowance.beyond);
        }
        let pn = self.sa.pn(self.numbered);
        let laid = self.shape.lay_out(frame, pn)?;
        Ok((self.shape.plan(&laid, self.sa, pn), laid.data_len as u64))
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
