//! IEEE 802.1AE, pure: SecTAG, nonce, replay window, SA, SC, SecY and their counters.
//!
//! Two halves that share nothing but nouns: [`TxSecy`] protects bursts and [`RxSecy`] validates
//! them. Each is owned by one worker, works on any [`FrameBuf`], and says per frame in [`Verdicts`]
//! whether it passed or for which [`Reject`] it is to be dropped. Nothing here knows a clock, a
//! port or a thread; no call on a burst allocates, locks or logs.

mod clear_tags;
mod counter;
mod counters;
mod deliver;
mod first_look;
mod frame;
mod mtu;
mod nonce;
mod open_plans;
mod params;
mod pn_recovery;
mod protect;
mod reject;
mod replay;
mod rx_places;
mod rx_sa;
mod rx_sc;
mod rx_secy;
mod seal_plans;
mod sectag;
mod tx_sa;
mod tx_secy;
mod usual;
mod usual_plain;
mod validate;

pub use clear_tags::MAX_CLEAR_VLAN_TAGS;
pub use counter::Counter;
pub use counters::{
    CounterEntry, FrameCounters, Level, RxSaCounters, RxScCounters, RxSecyCounters, TxCounters,
    TxSaCounters,
};
pub use frame::{FrameBuf, FrameSet, FrameSetIter, Verdicts};
pub use mtu::{ETHERNET_HEADER_LEN, longest_frame, longest_secure_frame};
pub use open_plans::{OpenPlans, OpenRun};
pub use params::{
    Confidentiality, MAX_WINDOW_XPN, MIN_PLAIN_FRAME, ParamError, Replay, RxParams, SectagSci,
    TxParams, ValidateFrames, XpnParams,
};
pub use pn_recovery::recover_pn;
pub use reject::Reject;
pub use replay::{Position, ReplayWindow, Timeliness};
pub use rx_sa::{RxSa, RxSaParams, RxSaShared};
pub use rx_sc::{RetiredRxSas, RxSc};
pub use rx_secy::{MAX_RX_SCS, RxSecy};
pub use seal_plans::{SealBurst, SealPlans};
pub use sectag::{SecTag, SecTagError, Tci};
pub use tx_sa::{TxSa, TxSaParams, TxSaShared};
pub use tx_secy::TxSecy;
