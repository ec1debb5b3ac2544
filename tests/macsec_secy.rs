//! Both halves of a SecY against the figures of the standard, against each other, against tampering
//! and against nonsense. After every burst the counters are balanced (see `bed`).

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of a test may end it, as its own body may"
)]

#[path = "macsec_secy/annex_c.rs"]
mod annex_c;
#[path = "macsec_secy/arbitrary.rs"]
mod arbitrary;
#[path = "macsec_secy/bed.rs"]
mod bed;
#[path = "macsec_secy/bursts.rs"]
mod bursts;
#[path = "macsec_secy/crafted.rs"]
mod crafted;
#[path = "macsec_secy/exhaustion.rs"]
mod exhaustion;
#[path = "macsec_secy/flips.rs"]
mod flips;
#[path = "macsec_secy/frame.rs"]
mod frame;
#[path = "macsec_secy/ledger.rs"]
mod ledger;
#[path = "macsec_secy/outcomes.rs"]
mod outcomes;
#[path = "macsec_secy/refusals.rs"]
mod refusals;
#[path = "macsec_secy/rekey.rs"]
mod rekey;
#[path = "macsec_secy/replay.rs"]
mod replay;
#[path = "macsec_secy/round_trip.rs"]
mod round_trip;
#[path = "macsec_secy/several_sas.rs"]
mod several_sas;
