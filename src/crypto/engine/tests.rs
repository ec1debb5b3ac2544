use super::*;
use crate::crypto::{AeadFrame, AeadKey, KeyError, Opened, SaKey, Sak};

/// An engine that goes wrong in one way and otherwise does as `ring` does.
#[derive(Clone, Copy, Debug)]
enum Broken {
    RefusesKeys,
    SealsWrongly,
    OpensNothing,
    OpensAll,
    OpensWrongText,
    LeavesText,
    /// Only with the longer key: a test of AES-128 alone would not find it.
    SealsWronglyWith256,
    /// Only the last frame of several, so that one at a time would not find it.
    SealsWronglyLast,
    OpensAllOfSeveral,
    ChangesAdditionalData,
}

struct BrokenKey(Broken, SaKey);

impl KeyFactory for Broken {
    fn name(&self) -> &'static str {
        "ring"
    }

    fn make_key(&self, sak: &Sak) -> Result<SaKey, KeyError> {
        let key = RingEngine.make_key(sak)?;
        match self {
            Self::RefusesKeys => Err(KeyError::Refused),
            Self::SealsWronglyWith256 if sak.expose().len() == 16 => Ok(key),
            _ => Ok(Arc::new(BrokenKey(*self, key))),
        }
    }
}

impl AeadKey for BrokenKey {
    fn seal(&self, burst: &mut [AeadFrame<'_>]) {
        self.1.seal(burst);
        if matches!(self.0, Broken::SealsWrongly | Broken::SealsWronglyWith256) {
            burst[0].parts().unwrap().2[15] ^= 0x80;
        }
        if let (Broken::SealsWronglyLast, [_, .., last]) = (self.0, burst) {
            last.parts().unwrap().2[0] ^= 1;
        }
    }

    fn open(&self, burst: &mut [AeadFrame<'_>]) -> Opened {
        let sealed = burst[0].buffer.to_vec();
        let mut opened = self.1.open(burst);
        match self.0 {
            Broken::OpensNothing => return Opened::default(),
            Broken::OpensAll => opened.set_ok(0),
            Broken::OpensWrongText => {
                if let Some(first) = burst[0].parts().unwrap().1.first_mut() {
                    *first ^= 1;
                }
            }
            Broken::OpensAllOfSeveral if burst.len() > 1 => return Opened(u64::MAX),
            Broken::ChangesAdditionalData if burst.len() > 1 => burst[0].buffer[0] ^= 1,
            Broken::LeavesText if !opened.is_ok(0) => burst[0].buffer.copy_from_slice(&sealed),
            _ => {}
        }
        opened
    }
}

fn broken(kind: Broken) -> Candidate {
    Candidate {
        factory: Arc::new(kind),
        fast: true,
        why: "broken",
    }
}

fn portable() -> Candidate {
    Candidate {
        factory: Arc::new(AesGcmEngine),
        fast: false,
        why: "portable",
    }
}

#[test]
fn each_engine_of_this_build_passes() {
    let selected = select(EngineChoice::Auto).unwrap();
    let names: Vec<_> = selected.reports.iter().map(|report| report.name).collect();
    let mut names = names;
    names.sort_unstable();
    assert_eq!(names, ["aes-gcm", "ring", "vaes256", "vaes512"]);
    for report in &selected.reports {
        assert!(
            matches!(report.self_test, Ok(()) | Err(NotUsable::Cpu)),
            "{report}"
        );
    }
}

#[test]
fn a_forced_engine_serves() {
    for candidate in candidates() {
        let choice: EngineChoice = candidate.factory.name().parse().unwrap();
        let selected = select(choice).unwrap();
        assert_eq!(selected.factory.name(), choice.name());
        assert_eq!(selected.why, Why::Forced);
    }
}

#[test]
fn every_kind_of_fault_is_found() {
    let cases = [
        (Broken::RefusesKeys, "key of"),
        (Broken::SealsWrongly, "sealing gives other octets"),
        (Broken::SealsWronglyWith256, "sealing gives other octets"),
        (Broken::OpensNothing, "opening does not give back"),
        (Broken::OpensWrongText, "opening does not give back"),
        (Broken::OpensAll, "taken for authentic"),
        (Broken::LeavesText, "is not wiped"),
        (
            Broken::SealsWronglyLast,
            "frame 9 of a burst (AES-128) is sealed",
        ),
        (Broken::OpensAllOfSeveral, "with a bit changed is taken"),
        (
            Broken::ChangesAdditionalData,
            "has its additional data changed",
        ),
    ];
    for (kind, message) in cases {
        let error = self_test::run(&kind).unwrap_err();
        assert!(error.to_string().contains(message), "{kind:?}: {error}");
    }
}

#[test]
fn an_engine_that_fails_is_passed_over_and_reported() {
    let selected = select_from(
        &[broken(Broken::SealsWrongly), portable()],
        EngineChoice::Auto,
    )
    .unwrap();
    assert_eq!(selected.factory.name(), "aes-gcm");
    assert_eq!(
        selected.why,
        Why::Portable {
            because: "portable"
        }
    );
    assert!(!selected.reports[0].available);
    assert!(selected.reports[0].to_string().contains("self-test failed"));
    assert!(selected.reports[1].available);
}

#[test]
fn a_forced_engine_that_fails_or_is_absent_is_an_error() {
    let error = select_from(&[broken(Broken::OpensAll), portable()], EngineChoice::Ring);
    assert!(matches!(
        error,
        Err(SelectError::ForcedFailed { name: "ring", .. })
    ));
    let error = select_from(&[portable()], EngineChoice::Ring);
    assert_eq!(error.err(), Some(SelectError::Absent { name: "ring" }));
}

#[test]
fn without_any_sound_engine_nothing_is_selected() {
    let error = select_from(&[broken(Broken::OpensAll)], EngineChoice::Auto).unwrap_err();
    assert!(matches!(error, SelectError::AllFailed(ref reports) if reports.len() == 1));
}

#[test]
fn without_hardware_the_portable_one_serves() {
    let slow = Candidate {
        factory: Arc::new(RingEngine),
        fast: false,
        why: "no AES",
    };
    let selected = select_from(&[slow, portable()], EngineChoice::Auto).unwrap();
    assert_eq!(selected.factory.name(), "aes-gcm");
}

#[test]
fn choices_are_written_as_they_are_read() {
    for choice in EngineChoice::ALL {
        assert_eq!(choice.to_string().parse(), Ok(choice));
    }
    assert_eq!("RING".parse::<EngineChoice>(), Err(UnknownEngine));
}

#[test]
fn an_engine_that_the_cpu_lacks_is_reported_and_refused_when_forced() {
    let lacking = || alloc::vec![lacking("vaes256", "the CPU lacks VAES")];
    let selected = select_beside(&[portable()], lacking(), EngineChoice::Auto).unwrap();
    assert_eq!(
        selected.reports[1].to_string(),
        "vaes256: not used, the CPU lacks VAES"
    );
    assert!(!selected.reports[1].available);
    let error = select_beside(&[portable()], lacking(), EngineChoice::Vaes256).unwrap_err();
    assert_eq!(
        error.to_string(),
        "crypto engine vaes256 can't be used here: the CPU lacks VAES; use \"auto\" or another engine"
    );
}
