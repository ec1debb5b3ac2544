//! Reports from a lane to control. Control believes these, never what it asked for.

use alloc::{boxed::Box, sync::Arc};
use core::fmt;

use super::{Bypass, EapolFilter, LaneIndex, LaneMode, PortSide};
use crate::{
    crypto::SaKey,
    ieee::{An, KeyIdentifier, Sci},
    macsec::{RxSa, RxSc, RxScCounters, TxSa},
};

/// A key object on its way home, to be wiped there.
pub struct LateKey(pub SaKey);

impl fmt::Debug for LateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LateKey(secret)")
    }
}

/// A report and the lane that it is from.
#[derive(Debug)]
pub struct Report {
    /// Which lane.
    pub lane: LaneIndex,
    /// What it did or saw.
    pub what: LaneReport,
}

/// What a lane reports.
#[derive(Debug)]
pub enum LaneReport {
    /// This is what passes now.
    Mode(LaneMode),
    /// The SA stands under its AN.
    TxSaInstalled(An, KeyIdentifier),
    /// Frames are protected with this SA now.
    Encoding(An, KeyIdentifier),
    /// There is no such SA to encode with or to give back; nothing changed.
    NoSuchTxSa(An, KeyIdentifier),
    /// A SA came out of use, by command or because another took its AN, or it was another channel's
    /// and never stood: to be wiped by its maker.
    TxSaRetired(Box<TxSa>),
    /// The receive SC stands.
    RxScAdded(Sci),
    /// The receive SC stood already, and counts on as before, or there is no room for another one. These
    /// counters come home unused.
    RxScRefused(Sci, Arc<RxScCounters>),
    /// A receive SC is gone; its SAs come home in it.
    RxScRemoved(RxSc),
    /// There is no such receive SC to remove.
    NoSuchRxSc(Sci),
    /// The SA stands under its AN.
    RxSaInstalled(Sci, An, KeyIdentifier),
    /// No such SC; the SA comes home unused.
    NoSuchSc(Sci, Box<RxSa>),
    /// There is no such SA to give back, or to raise the lowest packet number of.
    NoSuchRxSa(Sci, An, KeyIdentifier),
    /// A SA came out of use.
    RxSaRetired(Sci, Box<RxSa>),
    /// The SA's lowest acceptable packet number is at least the one that was asked for.
    LowestPnRaised(Sci, An, KeyIdentifier),
    /// The EAPOL filter that was in use before.
    EapolFilterReplaced(Option<Box<EapolFilter>>),
    /// The list that was in use before.
    BypassReplaced(Box<Bypass>),
    /// The lane leaves this port's queue alone (`false`), or uses it again (`true`).
    UsesPort(PortSide, bool),
    /// A first frame that was too long for the link, with its octets. Said once per lane.
    TooLong(usize),
    /// A key that a crypto helper held beyond the end of its SA.
    LateKey(LateKey),
    /// The first valid protected frame in [`LaneMode::SecuredAcceptClear`]: clear is refused now.
    PeerProtects,
}
