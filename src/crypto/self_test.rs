//! Known-answer tests that each engine, and key agreement, passes before it may serve.
//!
//! They run at every start, in microseconds: a library built wrong, or a CPU that computes wrong, is
//! found before a frame moves. The figures are those of IEEE Std 802.1AE-2018 Annex C; which frame
//! belongs to which clause is said at each.

use core::{error, fmt};

use super::{AeadFrame, KeyError, KeyFactory, SaKey, Sak, TAG_LEN};

mod agreement;
mod burst;
mod vectors;

pub use agreement::{AgreementFault, run_agreement};
pub use burst::BurstFault;
use vectors::{MAX_LEN, VECTORS, Vector};

/// What an engine got wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SelfTestError {
    /// It would not take the key.
    Key {
        /// Clause of the figures.
        clause: &'static str,
        /// Its reason.
        error: KeyError,
    },
    /// It protected a frame into other octets than the standard's.
    Seal {
        /// Clause of the figures.
        clause: &'static str,
    },
    /// It refused the standard's own frame, or made another text of it.
    Open {
        /// Clause of the figures.
        clause: &'static str,
    },
    /// It took a frame with one bit changed.
    TamperedAccepted {
        /// Clause of the figures.
        clause: &'static str,
        /// The octet that was changed.
        octet: usize,
    },
    /// It refused a changed frame but left its text standing.
    TextLeft {
        /// Clause of the figures.
        clause: &'static str,
    },
    /// It went wrong with a burst of frames of mixed lengths that have room behind their tags.
    Burst {
        /// Octets of the key.
        sak_len: usize,
        /// The frame's number in the burst.
        frame: usize,
        /// What was wrong.
        fault: BurstFault,
    },
}

impl fmt::Display for SelfTestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let source = "figures of IEEE Std 802.1AE-2018";
        match self {
            Self::Key { clause, error } => write!(f, "key of {clause} ({source}): {error}"),
            Self::Seal { clause } => {
                write!(f, "sealing gives other octets than {clause} ({source})")
            }
            Self::Open { clause } => write!(f, "opening does not give back {clause} ({source})"),
            Self::TamperedAccepted { clause, octet } => write!(
                f,
                "a frame of {clause} ({source}) with octet {octet} changed is taken for authentic"
            ),
            Self::TextLeft { clause } => write!(
                f,
                "the text of a refused frame of {clause} ({source}) is not wiped"
            ),
            Self::Burst {
                sak_len,
                frame,
                fault,
            } => {
                let what = match fault {
                    BurstFault::Sealed => {
                        "is sealed into other octets than by other implementations"
                    }
                    BurstFault::Opened => "does not open into what was sealed",
                    BurstFault::Tampered => "with a bit changed is taken for authentic",
                    BurstFault::TextLeft => "is refused and its text is not wiped",
                    BurstFault::Additional => "has its additional data changed",
                };
                write!(f, "frame {frame} of a burst (AES-{}) {what}", 8 * sak_len)
            }
        }
    }
}

impl error::Error for SelfTestError {}

/// Runs all known-answer tests on `engine`: AES-128 and AES-256, with text and integrity only, sealed,
/// opened, and opened with a bit changed in each part of the frame; one by one, and as a burst of mixed
/// lengths.
///
/// # Errors
/// The first [`SelfTestError`]: the engine must not be used.
pub fn run(engine: &dyn KeyFactory) -> Result<(), SelfTestError> {
    VECTORS
        .iter()
        .try_for_each(|vector| check(engine, vector))?;
    burst::run(engine)
}

fn check(engine: &dyn KeyFactory, vector: &Vector) -> Result<(), SelfTestError> {
    let clause = vector.clause;
    let key = key_of(engine, vector).map_err(|error| SelfTestError::Key { clause, error })?;
    check_seal(&key, vector)?;
    check_open(&key, vector)?;
    let len = vector.len();
    // The first and last octet of each part that the frame has: a bound that is off by one shows here.
    for octet in [
        0,
        vector.aad_len - 1,
        vector.aad_len,
        len - TAG_LEN - 1,
        len - TAG_LEN,
        len - 1,
    ] {
        check_tampered(&key, vector, octet)?;
    }
    Ok(())
}

fn key_of(engine: &dyn KeyFactory, vector: &Vector) -> Result<SaKey, KeyError> {
    let mut octets = [0; 32];
    let (octets, _) = octets.split_at_mut(vector.sak.len());
    octets.copy_from_slice(vector.sak);
    engine.make_key(&Sak::take(octets).map_err(|_| KeyError::Refused)?)
}

fn check_seal(key: &SaKey, vector: &Vector) -> Result<(), SelfTestError> {
    let mut buffer = [0; MAX_LEN];
    let (buffer, _) = buffer.split_at_mut(vector.len());
    vector.write_clear(buffer);
    key.seal(&mut [vector.frame(buffer)]);
    if vector.is_sealed(buffer) {
        Ok(())
    } else {
        Err(SelfTestError::Seal {
            clause: vector.clause,
        })
    }
}

fn check_open(key: &SaKey, vector: &Vector) -> Result<(), SelfTestError> {
    let mut buffer = [0; MAX_LEN];
    let (buffer, _) = buffer.split_at_mut(vector.len());
    vector.write_sealed(buffer);
    let authentic = key.open(&mut [vector.frame(buffer)]).is_ok(0);
    if authentic && vector.is_clear(buffer) {
        Ok(())
    } else {
        Err(SelfTestError::Open {
            clause: vector.clause,
        })
    }
}

fn check_tampered(key: &SaKey, vector: &Vector, octet: usize) -> Result<(), SelfTestError> {
    let clause = vector.clause;
    let mut buffer = [0; MAX_LEN];
    let (buffer, _) = buffer.split_at_mut(vector.len());
    vector.write_sealed(buffer);
    if let Some(changed) = buffer.get_mut(octet) {
        *changed ^= 1;
    }
    if key.open(&mut [vector.frame(buffer)]).is_ok(0) {
        return Err(SelfTestError::TamperedAccepted { clause, octet });
    }
    let text = buffer
        .iter()
        .take(vector.len() - TAG_LEN)
        .skip(vector.aad_len);
    if text.into_iter().all(|&octet| octet == 0) {
        Ok(())
    } else {
        Err(SelfTestError::TextLeft { clause })
    }
}

impl Vector {
    /// Octets of additional data, text and tag.
    const fn len(&self) -> usize {
        self.sealed.len()
    }

    fn frame<'a>(&self, buffer: &'a mut [u8]) -> AeadFrame<'a> {
        AeadFrame::exact(self.nonce, self.aad_len, buffer)
    }

    /// Additional data, clear text, and zeroes for the tag.
    fn write_clear(&self, buffer: &mut [u8]) {
        let octets = self.sealed.iter().take(self.aad_len).chain(self.text);
        for (to, from) in buffer.iter_mut().zip(octets) {
            *to = *from;
        }
    }

    fn write_sealed(&self, buffer: &mut [u8]) {
        buffer.copy_from_slice(self.sealed);
    }

    fn is_sealed(&self, buffer: &[u8]) -> bool {
        buffer == self.sealed
    }

    fn is_clear(&self, buffer: &[u8]) -> bool {
        let expected = self.sealed.iter().take(self.aad_len).chain(self.text);
        buffer.iter().take(self.len() - TAG_LEN).eq(expected)
    }
}
