//! MKA in virtual time: whole KaYs on a wire that loses, doubles, delays and reorders, with data planes
//! that really use the keys, from a printed seed.
//!
//! `MKA_SIM_SEEDS=10000 cargo test --release --test mka_sim -- --nocapture random` is the long mode;
//! `MKA_SIM_SEED=N` runs one seed; `MKA_SIM_TRACE=1` prints what happened when a scenario fails.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "the helpers of a test may end it, as its own body may"
)]

#[path = "mka_sim/attacks.rs"]
mod attacks;
#[path = "mka_sim/basics.rs"]
mod basics;
#[path = "mka_sim/crypto.rs"]
mod crypto;
#[path = "mka_sim/ears.rs"]
mod ears;
#[path = "mka_sim/mutants.rs"]
mod mutants;
#[path = "mka_sim/node.rs"]
mod node;
#[path = "mka_sim/plan.rs"]
mod plan;
#[path = "mka_sim/plane.rs"]
mod plane;
#[path = "mka_sim/policies.rs"]
mod policies;
#[path = "mka_sim/random.rs"]
mod random;
#[path = "mka_sim/rekeys.rs"]
mod rekeys;
#[path = "mka_sim/restarts.rs"]
mod restarts;
#[path = "mka_sim/rng.rs"]
mod rng;
#[path = "mka_sim/rollovers.rs"]
mod rollovers;
#[path = "mka_sim/scene.rs"]
mod scene;
#[path = "mka_sim/seeds.rs"]
mod seeds;
#[path = "mka_sim/watch.rs"]
mod watch;
#[path = "mka_sim/wire.rs"]
mod wire;
#[path = "mka_sim/world.rs"]
mod world;
