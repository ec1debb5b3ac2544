//! The engines, and which one serves.
//!
//! Every engine is a [`KeyFactory`]. At start each passes the known-answer tests of
//! [`self_test`], and the first in the order of speed that passes is taken, unless
//! the operator forces one. An engine that this CPU can't run is no candidate, but reported. A NIC's
//! inline engine makes its key objects per port, so it is no candidate of the process: `worker` offers it
//! for its lane and falls back on the one selected here.

mod aes_gcm;
#[cfg(target_arch = "x86_64")]
mod burst;
mod ring;

use alloc::{sync::Arc, vec::Vec};
use core::{error, fmt, str::FromStr};

pub use aes_gcm::AesGcmEngine;
#[cfg(target_arch = "x86_64")]
pub use burst::{Vaes256Engine, Vaes512Engine};
pub use ring::RingEngine;

use super::{
    KeyFactory,
    self_test::{self, SelfTestError},
};

/// Which engine the operator wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum EngineChoice {
    /// The fastest that this machine has.
    #[default]
    Auto,
    /// Our own kernel on 512 bits, and no start without it.
    Vaes512,
    /// Our own kernel on 256 bits, and no start without it.
    Vaes256,
    /// `ring`, and no start without it.
    Ring,
    /// `aes-gcm`, and no start without it.
    AesGcm,
}

impl EngineChoice {
    /// All choices, the default first.
    pub const ALL: [Self; 5] = [
        Self::Auto,
        Self::Vaes512,
        Self::Vaes256,
        Self::Ring,
        Self::AesGcm,
    ];

    /// The choice as the config writes it; for an engine, its own name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Vaes512 => "vaes512",
            Self::Vaes256 => "vaes256",
            Self::Ring => "ring",
            Self::AesGcm => "aes-gcm",
        }
    }
}

impl fmt::Display for EngineChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for EngineChoice {
    type Err = UnknownEngine;

    fn from_str(text: &str) -> Result<Self, UnknownEngine> {
        Self::ALL
            .into_iter()
            .find(|choice| choice.name() == text)
            .ok_or(UnknownEngine)
    }
}

/// A text that names no engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownEngine;

impl fmt::Display for UnknownEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a crypto engine; one of auto, vaes512, vaes256, ring, aes-gcm")
    }
}

impl error::Error for UnknownEngine {}

/// An engine that may be selected.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The engine.
    pub factory: Arc<dyn KeyFactory>,
    /// Whether it is at its fast form on this CPU. Without, it is taken only when nothing fast is left.
    pub fast: bool,
    /// What on this CPU makes it fast, or what is missing.
    pub why: &'static str,
}

/// What became of one engine at start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineReport {
    /// The engine's name.
    pub name: &'static str,
    /// Whether it may serve: it passed its tests.
    pub available: bool,
    /// What on this CPU makes it fast, or what is missing; with the rule by which a burst is dealt out.
    pub why: &'static str,
    /// How its known-answer tests ended. An engine that the CPU can't run has passed none.
    pub self_test: Result<(), NotUsable>,
}

/// Why an engine can't serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotUsable {
    /// The CPU can't run it; `why` says what is missing.
    Cpu,
    /// It failed its known-answer tests.
    Failed(SelfTestError),
}

impl EngineReport {
    /// What became of it, without its name: for a table that has the name in a column of its own.
    pub fn outcome(&self) -> impl fmt::Display {
        fmt::from_fn(|f| match &self.self_test {
            Ok(()) => write!(f, "{}, self-test passed", self.why),
            Err(NotUsable::Cpu) => write!(f, "not used, {}", self.why),
            Err(NotUsable::Failed(error)) => write!(f, "not used, self-test failed: {error}"),
        })
    }
}

impl fmt::Display for EngineReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.outcome())
    }
}

/// The engine that serves, and how it came to be.
#[derive(Clone, Debug)]
pub struct Selected {
    /// Makes the key objects.
    pub factory: Arc<dyn KeyFactory>,
    /// Why this one.
    pub why: Why,
    /// One per engine, fastest first; those that the CPU can't run come last.
    pub reports: Vec<EngineReport>,
}

/// Why an engine was selected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The operator forced it.
    Forced,
    /// It is the fastest that passed its tests.
    Fastest {
        /// What on this CPU makes it so.
        because: &'static str,
    },
    /// No engine is fast on this CPU: the portable one.
    Portable {
        /// What is missing.
        because: &'static str,
    },
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Forced => f.write_str("forced by the config"),
            Self::Fastest { because } => write!(f, "fastest here: {because}"),
            Self::Portable { because } => write!(f, "none is fast here: {because}"),
        }
    }
}

/// Why no engine can serve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SelectError {
    /// The forced engine is not among those of this build.
    Absent {
        /// Its name.
        name: &'static str,
    },
    /// The CPU can't run the forced engine.
    Cpu {
        /// Its name.
        name: &'static str,
        /// What is missing.
        why: &'static str,
    },
    /// The forced engine failed its tests.
    ForcedFailed {
        /// Its name.
        name: &'static str,
        /// What it got wrong.
        error: SelfTestError,
    },
    /// Every engine failed its tests.
    AllFailed(Vec<EngineReport>),
}

impl fmt::Display for SelectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent { name } => {
                write!(f, "crypto engine {name} is not in this build; use \"auto\"")
            }
            Self::Cpu { name, why } => write!(
                f,
                "crypto engine {name} can't be used here: {why}; use \"auto\" or another engine"
            ),
            Self::ForcedFailed { name, error } => write!(
                f,
                "crypto engine {name} failed its self-test: {error}; use \"auto\" or another engine"
            ),
            Self::AllFailed(reports) => {
                f.write_str("no crypto engine can be used")?;
                reports
                    .iter()
                    .try_for_each(|report| write!(f, "; {report}"))
            }
        }
    }
}

impl error::Error for SelectError {}

/// The engines of this build that this CPU can run, fastest first.
pub fn candidates() -> Vec<Candidate> {
    let fast = has_aes_and_carryless_multiply();
    let mut candidates = Vec::new();
    candidates.extend(own_kernels().into_iter().filter_map(Result::ok));
    candidates.extend([
        Candidate {
            factory: Arc::new(RingEngine),
            fast,
            why: if fast {
                "the CPU has AES and carry-less multiply"
            } else {
                "the CPU lacks AES or carry-less multiply"
            },
        },
        Candidate {
            factory: Arc::new(AesGcmEngine),
            fast: false,
            why: "portable",
        },
    ]);
    candidates
}

/// Our own kernels, fastest first: those that this CPU can run, and the reports of those that it can't.
#[cfg(target_arch = "x86_64")]
fn own_kernels() -> [Result<Candidate, EngineReport>; 2] {
    use burst::{Kernel, Kernel256, Kernel512};
    fn kernel<K: Kernel>(factory: impl KeyFactory + 'static) -> Result<Candidate, EngineReport> {
        if K::runs_here() {
            Ok(Candidate {
                factory: Arc::new(factory),
                fast: true,
                why: K::WHY,
            })
        } else {
            Err(lacking(K::NAME, K::LACKING))
        }
    }
    [
        kernel::<Kernel512>(Vaes512Engine),
        kernel::<Kernel256>(Vaes256Engine),
    ]
}

#[cfg(not(target_arch = "x86_64"))]
fn own_kernels() -> [Result<Candidate, EngineReport>; 2] {
    ["vaes512", "vaes256"].map(|name| Err(lacking(name, "it is for x86-64 alone")))
}

/// The report of an engine that this CPU can't run.
const fn lacking(name: &'static str, why: &'static str) -> EngineReport {
    EngineReport {
        name,
        available: false,
        why,
        self_test: Err(NotUsable::Cpu),
    }
}

/// Tests every engine and selects the one that serves.
///
/// # Errors
/// [`SelectError`] where the forced engine, or every engine, fails or can't be run by this CPU.
pub fn select(choice: EngineChoice) -> Result<Selected, SelectError> {
    let lacking = own_kernels().into_iter().filter_map(Result::err).collect();
    select_beside(&candidates(), lacking, choice)
}

/// [`select_from`], where the CPU can't run some engines.
fn select_beside(
    candidates: &[Candidate],
    lacking: Vec<EngineReport>,
    choice: EngineChoice,
) -> Result<Selected, SelectError> {
    if let Some(report) = lacking.iter().find(|report| report.name == choice.name()) {
        let EngineReport { name, why, .. } = *report;
        return Err(SelectError::Cpu { name, why });
    }
    let mut selected = select_from(candidates, choice)?;
    selected.reports.extend(lacking);
    Ok(selected)
}

/// [`select`] from engines that the caller brings: so that a test can bring a broken one.
///
/// # Errors
/// As [`select`].
pub fn select_from(
    candidates: &[Candidate],
    choice: EngineChoice,
) -> Result<Selected, SelectError> {
    let reports: Vec<_> = candidates.iter().map(report).collect();
    let (candidate, why) = match choice {
        EngineChoice::Auto => {
            fastest(candidates, &reports).ok_or_else(|| SelectError::AllFailed(reports.clone()))?
        }
        forced => (find(candidates, &reports, forced.name())?, Why::Forced),
    };
    Ok(Selected {
        factory: Arc::clone(&candidate.factory),
        why,
        reports,
    })
}

fn report(candidate: &Candidate) -> EngineReport {
    let self_test = self_test::run(&*candidate.factory).map_err(NotUsable::Failed);
    EngineReport {
        name: candidate.factory.name(),
        available: self_test.is_ok(),
        why: candidate.why,
        self_test,
    }
}

/// The first fast one that passed; with none, the last that passed: the list ends with the portable one.
fn fastest<'a>(
    candidates: &'a [Candidate],
    reports: &[EngineReport],
) -> Option<(&'a Candidate, Why)> {
    let mut passed = candidates
        .iter()
        .zip(reports)
        .filter(|(_, report)| report.available)
        .map(|(candidate, _)| candidate);
    let fast = passed.clone().find(|candidate| candidate.fast);
    let because = |candidate: &Candidate| candidate.why;
    fast.map(|candidate| {
        (
            candidate,
            Why::Fastest {
                because: because(candidate),
            },
        )
    })
    .or_else(|| {
        let candidate = passed.next_back()?;
        Some((
            candidate,
            Why::Portable {
                because: because(candidate),
            },
        ))
    })
}

fn find<'a>(
    candidates: &'a [Candidate],
    reports: &[EngineReport],
    name: &'static str,
) -> Result<&'a Candidate, SelectError> {
    let (candidate, report) = candidates
        .iter()
        .zip(reports)
        .find(|(_, report)| report.name == name)
        .ok_or(SelectError::Absent { name })?;
    match report.self_test {
        Ok(()) => Ok(candidate),
        Err(NotUsable::Failed(error)) => Err(SelectError::ForcedFailed { name, error }),
        Err(NotUsable::Cpu) => Err(SelectError::Cpu {
            name,
            why: report.why,
        }),
    }
}

#[cfg(target_arch = "x86_64")]
fn has_aes_and_carryless_multiply() -> bool {
    std::arch::is_x86_feature_detected!("aes") && std::arch::is_x86_feature_detected!("pclmulqdq")
}

#[cfg(target_arch = "aarch64")]
fn has_aes_and_carryless_multiply() -> bool {
    std::arch::is_aarch64_feature_detected!("aes")
        && std::arch::is_aarch64_feature_detected!("pmull")
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn has_aes_and_carryless_multiply() -> bool {
    false
}

#[cfg(test)]
mod tests;
