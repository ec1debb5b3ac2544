//! MACsec Key Agreement (IEEE 802.1X-2020 clauses 9, 11 and 12), without any I/O.
//!
//! A [`Kay`] is given time, MKPDUs and reports, and is then asked what it wants: `handle_*`, then
//! `poll_*` until each says `None`, actions before MKPDUs.

mod counters;
mod cp;
mod data_plane;
mod discard;
mod event;
mod identity;
mod kay;
mod member;
mod participant;
pub mod pdu;
mod policy;
mod status;
mod time;

pub use counters::{KayCounters, ParticipantCounters};
pub use data_plane::{Action, AgreedKey, Report, SaId};
pub use discard::Discard;
pub use event::{Event, LostWhy, NewMiWhy, RekeyWhy, SakRefusal};
pub use identity::{Identity, Member, Remembered, RememberedKey};
pub use kay::{AddCakError, Kay, KaySetup, MAX_CAKS, NewCak, RekeyAnswer, RekeyRefusal};
pub use member::{Kn, Mi, Mn};
pub use policy::{IcvHeader, MAX_PEERS, Policy, Protection, Rekey, SsciRule, Timers, XpnSet};
pub use status::{KayStatus, KeyStatus, ParticipantStatus, PeerStatus};
pub use time::Time;
