//! Whatever engines the gateway lists.

use macsec_gateway::crypto::engine::{EngineChoice, candidates, select};
use macsec_gateway::crypto::{AeadFrame, SaKey, Sak};

use super::{Engine, Key, Origin};

impl Key for SaKey {
    fn seal(&self, burst: &mut [AeadFrame<'_>]) {
        (**self).seal(burst);
    }

    fn open(&self, burst: &mut [AeadFrame<'_>]) -> u64 {
        (**self).open(burst).0
    }
}

pub(super) fn engines() -> Vec<Engine> {
    let chosen = select(EngineChoice::Auto).expect("an engine that passes its tests");
    let chosen = chosen.factory.name();
    let engine = |candidate: macsec_gateway::crypto::engine::Candidate| Engine {
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
    candidates().into_iter().map(engine).collect()
}
