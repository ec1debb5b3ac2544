//! Every profile, from the config's text on, against a peer that has what its cloud is known to have, in
//! virtual time; and against peers that break one rule each.
//!
//! The wire, the nodes and the watch over them are the simulation's (`tests/mka_sim.rs`).

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "the helpers of a test may end it, as its own body may"
)]

#[path = "mka_sim/crypto.rs"]
mod crypto;
#[path = "config/desk.rs"]
mod desk;
#[path = "mka_sim/ears.rs"]
mod ears;
#[expect(dead_code, reason = "the simulation needs more of it")]
#[path = "mka_sim/node.rs"]
mod node;
#[path = "mka_sim/plane.rs"]
mod plane;
#[expect(dead_code, reason = "the simulation needs more of it")]
#[path = "mka_sim/rng.rs"]
mod rng;
#[expect(dead_code, reason = "the simulation needs more of it")]
#[path = "mka_sim/scene.rs"]
mod scene;
#[path = "mka_sim/watch.rs"]
mod watch;
#[expect(dead_code, reason = "the simulation needs more of it")]
#[path = "mka_sim/wire.rs"]
mod wire;
#[expect(dead_code, reason = "the simulation needs more of it")]
#[path = "mka_sim/world.rs"]
mod world;

#[path = "profiles_mka/agrees.rs"]
mod agrees;
#[path = "profiles_mka/bed.rs"]
mod bed;
#[path = "profiles_mka/breaks.rs"]
mod breaks;
#[path = "profiles_mka/clouds.rs"]
mod clouds;
#[path = "profiles_mka/refusals.rs"]
mod refusals;
