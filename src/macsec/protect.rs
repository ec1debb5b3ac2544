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
    Verdicts, nonce::NonceBase, seal_plans::SealPlan, tx_sa::Allowance,
};
use crate::crypto::TAG_LEN;
use crate::ieee::{EtherType, Pn, Sci};

/// What all frames of a burst have in common.
pub(super) struct Shape {
    /// The first 8 octets of each SecTAG, with neither short length nor PN.
    tag: u64,
    sci: Sci,
    sectag_len: usize,
    /// Octets of user data that are authenticated and not encrypted, if there are so many.
    clear_data_len: usize,
    encrypts: bool,
    clear_vlan_tags: u8,
    min_plain_frame: usize,
    mtu: usize,
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
        let sectag = sectag(self.tag, self.sci, data_len, pn);
        write_header(octets, clear_len, sectag.get(..self.sectag_len)).ok_or(Reject::NoRoom)?;
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

/// A SecTAG with SCI, of which the first 8 octets are one without. `tag` is what all have in common.
#[inline]
fn sectag(tag: u64, sci: Sci, data_len: usize, pn: Pn) -> [u8; SecTag::LEN_WITH_SCI] {
    let short_length = u64::from(SecTag::short_length_of(data_len));
    let front = tag | short_length << 32 | u64::from(pn.wire());
    (u128::from(front) << 64 | u128::from(sci.0)).to_be_bytes()
}

/// Moves the addresses to the front and writes the SecTAG of `TAG` octets behind them: `ALL` octets.
#[inline]
fn lead<const ALL: usize, const TAG: usize>(octets: &mut [u8], sectag: &[u8; TAG]) -> Option<()> {
    let front = octets.first_chunk_mut::<ALL>()?;
    let addresses = *front.last_chunk::<ADDRESSES_LEN>()?;
    *front.first_chunk_mut()? = addresses;
    *front.last_chunk_mut()? = *sectag;
    Some(())
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

/// Lays out the frames that nearly all are: in one piece, neither to be padded nor perhaps too long, on a
/// link with the SCI in its SecTAGs and no clear tags. What it does is what `Shape::check` and
/// `Shape::lay_out` would do; where a frame or its link is another in any way it does nothing.
struct Usual {
    tag: u64,
    sci: Sci,
    shortest: usize,
    longest: usize,
    clear_data_len: usize,
    nonce: NonceBase,
}

impl Usual {
    fn new(shape: &Shape, sa: &TxSa) -> Self {
        let is_usual = shape.sectag_len == SecTag::LEN_WITH_SCI && shape.clear_vlan_tags == 0;
        Self {
            tag: shape.tag,
            sci: shape.sci,
            shortest: shape.min_plain_frame.max(ETHERNET_HEADER_LEN),
            longest: if is_usual {
                shape.mtu + ETHERNET_HEADER_LEN
            } else {
                0
            },
            clear_data_len: shape.clear_data_len,
            nonce: sa.nonce_base(),
        }
    }

    /// Writes the plan, and gives the octets of user data. Field by field: a plan that is made elsewhere
    /// and copied costs more than all that is in here.
    #[inline]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a frame that was compared with the MTU is far shorter than 4 GiB"
    )]
    fn lay_out(&self, frame: &mut impl FrameBuf, pn: Pn, plan: &mut SealPlan) -> Option<u64> {
        const FRONT_LEN: usize = ADDRESSES_LEN + SecTag::LEN_WITH_SCI;
        let given = frame.octets().len();
        if given < self.shortest || given > self.longest || !frame.is_contiguous() {
            return None;
        }
        let octets = frame.grow(SecTag::LEN_WITH_SCI, TAG_LEN)?;
        let data_len = given - ADDRESSES_LEN;
        lead::<FRONT_LEN, _>(octets, &sectag(self.tag, self.sci, data_len, pn))?;
        plan.nonce = self.nonce.nonce(pn);
        plan.clear_len = 0;
        plan.aad_len = (FRONT_LEN + self.clear_data_len.min(data_len)) as u32;
        plan.len = (FRONT_LEN + data_len + TAG_LEN) as u32;
        Some(data_len as u64)
    }
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
    let usual = Usual::new(shape, sa);
    let allowance = sa.allowance();
    let (mut numbered, mut octets) = (0, 0);
    let (mut laid_out, mut tagged) = (FrameSet::EMPTY, FrameSet::EMPTY);
    for (index, (frame, plan)) in frames.iter_mut().zip(&mut plans.plans).enumerate() {
        if !todo.contains(index) {
            continue;
        }
        let pn = sa.pn(numbered);
        if numbered < allowance.frames
            && let Some(data_len) = usual.lay_out(frame, pn, plan)
        {
            octets += data_len;
        } else {
            match lay_out_any(shape, sa, numbered, &allowance, frame) {
                Ok((laid, data_len)) => {
                    *plan = laid;
                    octets += data_len;
                    if laid.clear_len > 0 {
                        tagged.insert(index);
                    }
                }
                Err(why) => {
                    if why == Reject::TooLong {
                        counters.out_pkts_too_long.add(1);
                    }
                    verdicts.reject(index, why);
                    continue;
                }
            }
        }
        numbered += 1;
        laid_out.insert(index);
    }
    (plans.frames, plans.tagged, plans.octets) = (laid_out, tagged, octets);
    verdicts.pass_all(laid_out);
    if numbered > 0 {
        plans.sa = Some((sa.an(), sa.ki()));
        plans.encrypts = shape.encrypts;
        // Before sealing: a number that met the key is used, whatever happens next.
        sa.advance(numbered);
    }
}

/// Lays out the `nth` frame, whatever it is: the plan, and the octets of user data.
#[inline(never)]
fn lay_out_any(
    shape: &Shape,
    sa: &TxSa,
    nth: u64,
    allowance: &Allowance,
    frame: &mut impl FrameBuf,
) -> Result<(SealPlan, u64), Reject> {
    shape.check(frame)?;
    if nth >= allowance.frames {
        return Err(allowance.beyond);
    }
    let pn = sa.pn(nth);
    let laid = shape.lay_out(frame, pn)?;
    Ok((shape.plan(&laid, sa, pn), laid.data_len as u64))
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
