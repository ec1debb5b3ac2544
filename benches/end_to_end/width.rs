//! The widest vectors that are let in: all that the CPU has, or with `WIDTH=256` those of a CPU without
//! AVX-512. Programs of DPDK take an option for it, which its drivers of ipsec-mb do not look at: these are
//! given that library's initialisation for AVX2 instead of the one that looks at the CPU.

use std::env;

use macsec_gateway::crypto::engine::{EngineChoice, Selected, candidates, select, select_from};

use crate::refuse;

/// Our engines that take AVX-512 where it is.
const WIDER: [&str; 2] = ["vaes512", "aes-gcm"];

/// Whether vectors stay within 256 bits.
pub(crate) fn is_limited() -> bool {
    match env::var("WIDTH").unwrap_or_default().as_str() {
        "" => false,
        "256" => true,
        other => refuse(&format!("WIDTH={other}: 256, or nothing")),
    }
}

/// What EAL is told of it.
pub(crate) fn eal_argument() -> Option<&'static str> {
    is_limited().then_some("--force-max-simd-bitwidth=256")
}

/// The gateway's engine: the one that `ENGINE` names, or else the fastest within the width.
pub(crate) fn engine() -> Selected {
    let wanted = env::var("ENGINE").unwrap_or_default();
    let choice = match wanted.as_str() {
        "" => EngineChoice::Auto,
        name => match name.parse() {
            Ok(choice) => choice,
            Err(_) => refuse(&format!("ENGINE={name}: no such engine")),
        },
    };
    let selected = if choice == EngineChoice::Auto && is_limited() {
        let mut candidates = candidates();
        candidates.retain(|candidate| !WIDER.contains(&candidate.factory.name()));
        select_from(&candidates, choice)
    } else {
        select(choice)
    };
    match selected {
        Ok(selected) => selected,
        Err(why) => refuse(&format!("ENGINE={wanted}: {why}")),
    }
}
