//! Whatever engines the gateway lists.

use macsec_gateway::crypto::engine::{Candidate, EngineChoice, candidates, select_from};
use macsec_gateway::crypto::{AeadFrame, SaKey, Sak};

use super::{Engine, Key, Origin};
use crate::width::Width;

/// Our engines that take AVX-512 where it is: one needs it, the other looks for it by itself.
const WIDER: [&str; 2] = ["vaes512", "aes-gcm"];

impl Key for SaKey {
    fn seal(&self, burst: &mut [AeadFrame<'_>]) {
        (**self).seal(burst);
    }

    fn open(&self, burst: &mut [AeadFrame<'_>]) -> u64 {
        (**self).open(burst).0
    }
}

pub(super) fn engines(width: Width) -> Vec<Engine> {
    let mut candidates = candidates();
    candidates.retain(|candidate| width.takes(512) || !WIDER.contains(&candidate.factory.name()));
    let chosen = select_from(&candidates, EngineChoice::Auto).expect("an engine that passes");
    let chosen = chosen.factory.name();
    let engine = |candidate: Candidate| Engine {
        name: format!("macsecgw {}", candidate.factory.name()),
        origin: Origin::Ours {
            selected: candidate.factory.name() == chosen,
        },
        form: candidate.why.to_owned(),
        make: Box::new(move |key| {
            let sak = Sak::take(&mut key.to_vec()).expect("a key of 16 or 32 octets");
            Box::new(candidate.factory.make_key(&sak).expect("a key object"))
        }),
    };
    candidates.into_iter().map(engine).collect()
}
