//! The first look at the frames that nearly all are: with the SCI in the SecTAG, right behind the addresses,
//! and with a number that was not expected before. [`look`] is for any SA, [`Usual`] for that of the frames
//! before.
//!
//! What they say is what [`first_look`](super::first_look) would say, in a part of the time; where a frame
//! is another in any way they say nothing.
#![warn(clippy::indexing_slicing)]

use super::clear_tags::ADDRESSES_LEN;
use super::first_look::Found;
use super::mtu::longest_secure_frame;
use super::nonce::NonceBase;
use super::open_plans::{OpenPlan, OpenRun};
use super::{FrameBuf, RxSa, RxSecy, SecTag, Tci, ValidateFrames, recover_pn};
use crate::crypto::TAG_LEN;
use crate::ieee::{An, EtherType, Pn, PnSpace, Sci};

/// Addresses and SecTAG of the usual form.
pub(super) const FRONT_LEN: usize = ADDRESSES_LEN + SecTag::LEN_WITH_SCI;

#[expect(clippy::cast_possible_truncation, reason = "16")]
const SECTAG_LEN: u32 = SecTag::LEN_WITH_SCI as u32;

/// What a frame says of itself.
struct Said {
    /// EtherType, TCI and AN.
    tag: u64,
    short_length: u8,
    pn: u32,
    sci: u64,
}

/// Reads a frame's SecTAG, if it may have the usual form.
#[inline]
fn read(octets: &[u8]) -> Option<Said> {
    let front = octets.first_chunk::<FRONT_LEN>()?;
    let sectag = u128::from_be_bytes(*front.last_chunk()?);
    #[expect(clippy::cast_possible_truncation, reason = "cut into its parts")]
    let (first, sci) = ((sectag >> 64) as u64, sectag as u64);
    #[expect(clippy::cast_possible_truncation, reason = "cut into its parts")]
    let (short_length, pn) = ((first >> 32) as u8, first as u32);
    Some(Said {
        tag: first >> 40,
        short_length,
        pn,
        sci,
    })
}

/// What an SA makes of a number, and of how a frame was protected.
#[derive(Clone, Copy, Debug)]
struct Rule {
    space: PnSpace,
    last: Pn,
    lowest: Pn,
    next: Pn,
    nonce: NonceBase,
    /// Octets of user data that are not encrypted, if there are so many.
    clear_data_len: usize,
    changed: bool,
}

impl Rule {
    #[inline]
    fn of(sa: &RxSa, changed: bool) -> Self {
        let space = sa.suite().pn_space();
        Self {
            space,
            last: space.last(),
            lowest: sa.window.lowest_pn(),
            next: sa.window.next_pn(),
            nonce: sa.nonce,
            clear_data_len: if changed {
                sa.confidentiality().offset()
            } else {
                usize::MAX
            },
            changed,
        }
    }

    /// Writes the plan of a frame of so many octets. `None`: its number was expected before, or can't be, or
    /// its length does not fit.
    ///
    /// Field by field: a plan that is made elsewhere and copied costs more than all that is in here.
    #[inline]
    fn plan(&self, said: &Said, len: usize, plan: &mut OpenPlan) -> Option<()> {
        let held = len.checked_sub(FRONT_LEN + TAG_LEN)?;
        let data_len = match usize::from(said.short_length) {
            0 if held >= SecTag::SHORT => held,
            told if told > 0 && told < SecTag::SHORT && told <= held => told,
            _ => return None,
        };
        let pn = match self.space {
            PnSpace::Short => Pn(u64::from(said.pn)),
            PnSpace::Extended => recover_pn(self.lowest, said.pn),
        };
        if pn < self.next || pn > self.last {
            return None;
        }
        #[expect(
            clippy::cast_possible_truncation,
            reason = "compared with the MTU by the callers"
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

/// Finds the SA of a frame and writes its plan, if it is as most are.
#[inline]
pub(super) fn look(secy: &RxSecy, frame: &impl FrameBuf, plan: &mut OpenPlan) -> Option<Found> {
    if !frame.is_contiguous() {
        return None;
    }
    let octets = frame.octets();
    let said = read(octets)?;
    if octets.len() > longest_secure_frame(secy.params.mtu) {
        return None;
    }
    let an = An::from_tci((said.tag & 0xFF) as u8);
    let changed = match said.tag ^ u64::from(an.value()) {
        ENCRYPTED => true,
        PLAIN if secy.params.validate != ValidateFrames::Disabled => false,
        _ => return None,
    };
    let sc = secy.find(Sci(said.sci))?;
    let sa = secy.scs.get(sc)?.sa(an)?;
    Rule::of(sa, changed).plan(&said, octets.len(), plan)?;
    Some(Found { sc, an })
}

/// EtherType and TCI of an encrypted frame, and of one whose user data was left as it is: with AN 0.
const ENCRYPTED: u64 = PLAIN | (Tci::E | Tci::C) as u64;
const PLAIN: u64 = (EtherType::MACSEC.0 as u64) << 8 | Tci::SC as u64;

/// What a frame must be like, and what it then needs: a copy, since no window moves while a burst is
/// prepared.
#[derive(Clone, Copy, Debug)]
pub(super) struct Usual {
    /// EtherType, TCI and AN.
    tag: u64,
    sci: u64,
    rule: Rule,
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
        let form = if plan.changed { ENCRYPTED } else { PLAIN };
        Some(Self {
            tag: form | u64::from(sa.an().value()),
            sci: sa.sci().0,
            rule: Rule::of(sa, plan.changed),
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

    /// Takes frames into the run and writes their plans to `places`, as long as they are as usual; `first` is the
    /// place of the first of them in its burst. Says how many.
    #[inline(never)]
    pub(super) fn take_row<B: FrameBuf>(
        &mut self,
        frames: &[B],
        places: &mut [OpenPlan],
        first: usize,
    ) -> usize {
        let (mut count, mut octets) = (0, 0);
        let (mut next, mut is_row) = (self.run.next, self.run.is_row);
        for (frame, plan) in frames.iter().zip(places) {
            let octets_of = frame.octets();
            let Some(said) = read(octets_of).filter(|_| frame.is_contiguous()) else {
                break;
            };
            let is_ours = said.tag == self.tag && said.sci == self.sci;
            if !is_ours || octets_of.len() > self.longest {
                break;
            }
            if self.rule.plan(&said, octets_of.len(), plan).is_none() {
                break;
            }
            is_row &= plan.pn == next;
            next = plan.pn.saturating_add(1);
            octets += u64::from(plan.layout.data_len);
            count += 1;
        }
        let changed = self.rule.changed;
        self.run
            .add_row((first, count), (next, is_row), (octets, changed));
        count
    }
}
