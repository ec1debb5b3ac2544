//! The first look at the frames that nearly all are: under the same SA as the one before, with the SCI in
//! the SecTAG, right behind the addresses, and with a number that was not expected before.
//!
//! What it says is what [`first_look`](super::first_look) would say, in a tenth of the time; where a frame
//! is another in any way it says nothing.
#![warn(clippy::indexing_slicing)]

use super::clear_tags::ADDRESSES_LEN;
use super::mtu::longest_secure_frame;
use super::nonce::NonceBase;
use super::open_plans::{OpenPlan, OpenRun};
use super::{FrameBuf, RxSa, RxSecy, SecTag, Tci, recover_pn};
use crate::crypto::TAG_LEN;
use crate::ieee::{EtherType, Pn, PnSpace};

/// Addresses and SecTAG.
const FRONT_LEN: usize = ADDRESSES_LEN + SecTag::LEN_WITH_SCI;

#[expect(clippy::cast_possible_truncation, reason = "16")]
const SECTAG_LEN: u32 = SecTag::LEN_WITH_SCI as u32;

/// What a frame must be like, and what it then needs: a copy, since no window moves while a burst is
/// prepared.
#[derive(Clone, Copy, Debug)]
pub(super) struct Usual {
    /// EtherType, TCI and AN.
    tag: u64,
    sci: u64,
    space: PnSpace,
    last: Pn,
    lowest: Pn,
    next: Pn,
    nonce: NonceBase,
    /// Octets of user data that are not encrypted, if there are so many.
    clear_data_len: usize,
    changed: bool,
    longest: usize,
    /// The SA's place in the plans' runs.
    place: usize,
    /// What is to stand there: kept here while frames of the SA follow each other.
    run: OpenRun,
}

impl Usual {
    /// For the frames behind one that is to be opened by `plan` under `sa`. `None`: its SecTAG is not of
    /// the usual form.
    pub(super) fn after(
        secy: &RxSecy,
        sa: &RxSa,
        plan: &OpenPlan,
        runs: &[OpenRun],
    ) -> Option<Self> {
        if plan.layout.clear_len != 0 || plan.layout.sectag_len as usize != SecTag::LEN_WITH_SCI {
            return None;
        }
        let cipher_bits = if plan.changed { Tci::E | Tci::C } else { 0 };
        let tci = Tci::SC | cipher_bits | sa.an().value();
        Some(Self {
            tag: u64::from(EtherType::MACSEC.0) << 8 | u64::from(tci),
            sci: sa.sci().0,
            space: sa.suite().pn_space(),
            last: sa.suite().pn_space().last(),
            lowest: sa.window.lowest_pn(),
            next: sa.window.next_pn(),
            nonce: sa.nonce,
            clear_data_len: if plan.changed {
                sa.confidentiality().offset()
            } else {
                usize::MAX
            },
            changed: plan.changed,
            longest: longest_secure_frame(secy.params.mtu),
            place: sa.run,
            run: *runs.get(sa.run)?,
        })
    }

    /// Puts the run where it belongs: before another SA's frame, and at the end.
    pub(super) fn put_back(&self, runs: &mut [OpenRun]) {
        if let Some(run) = runs.get_mut(self.place) {
            *run = self.run;
        }
    }

    /// Takes the frame of place `index` into the run and writes its plan, if it is as usual.
    #[inline]
    pub(super) fn take(
        &mut self,
        index: usize,
        frame: &impl FrameBuf,
        plan: &mut OpenPlan,
    ) -> Option<()> {
        if !frame.is_contiguous() {
            return None;
        }
        self.look(frame.octets(), plan)?;
        self.run.add(index, plan);
        Some(())
    }

    /// Field by field: a plan that is made elsewhere and copied costs more than all that is in here.
    #[inline]
    fn look(&self, octets: &[u8], plan: &mut OpenPlan) -> Option<()> {
        let front = octets.first_chunk::<FRONT_LEN>()?;
        let sectag = u128::from_be_bytes(*front.last_chunk()?);
        #[expect(clippy::cast_possible_truncation, reason = "cut into halves")]
        let (first, sci) = ((sectag >> 64) as u64, sectag as u64);
        if first >> 40 != self.tag || sci != self.sci || octets.len() > self.longest {
            return None;
        }
        #[expect(clippy::cast_possible_truncation, reason = "cut into its parts")]
        let (told, wire) = ((first >> 32) as u8, first as u32);
        let held = octets.len().checked_sub(FRONT_LEN + TAG_LEN)?;
        let data_len = match usize::from(told) {
            0 if held >= SecTag::SHORT => held,
            told if told > 0 && told < SecTag::SHORT && told <= held => told,
            _ => return None,
        };
        let pn = match self.space {
            PnSpace::Short => Pn(u64::from(wire)),
            PnSpace::Extended => recover_pn(self.lowest, wire),
        };
        if pn < self.next || pn > self.last {
            return None;
        }
        #[expect(
            clippy::cast_possible_truncation,
            reason = "compared with the MTU above"
        )]
        let (data_len, aad_len) = (
            data_len as u32,
            (FRONT_LEN + self.clear_data_len.min(data_len)) as u32,
        );
        plan.pn = pn;
        plan.nonce = self.nonce.nonce(pn);
        plan.layout.clear_len = 0;
        plan.layout.sectag_len = SECTAG_LEN;
        plan.layout.data_len = data_len;
        plan.aad_len = aad_len;
        plan.changed = self.changed;
        Some(())
    }
}
