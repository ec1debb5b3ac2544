//! What a link lets through: the encryption mode's table, as one pure function.

use std::time::Duration;

use super::tx_use::TxEnd;
use crate::{
    bus::LaneMode,
    config::{AfterSecured, EncryptionMode},
};

/// After the link turned from clear to secured, clear is still received for so long at the most, or
/// until the peer's first protected frame. MKA Life Time (802.1X-2020 table 9-3).
pub(super) const ACCEPT_CLEAR_FOR: Duration = Duration::from_secs(6);

/// What the decision rests on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts {
    pub(super) encryption: EncryptionMode,
    pub(super) after_secured: AfterSecured,
    pub(super) clear_wait: Duration,
    /// As workers reported: a transmit SA in use and a receive SA installed.
    pub(super) secured: bool,
    /// How far the transmit SA in use is on its way to its end.
    pub(super) tx_end: TxEnd,
    /// How far key agreement is, where keys come by that.
    pub(super) keys: Option<Keys>,
    /// Whether it ever was.
    pub(super) was_secured: bool,
    /// How it ceased to be secured, where key agreement runs.
    pub(super) loss: Option<Loss>,
    /// How long the secure port's link has been up, if it is.
    pub(super) secure_link_up_for: Option<Duration>,
    /// How long the link has been secured, if it turned so from clear.
    pub(super) secured_from_clear_for: Option<Duration>,
    /// The peer has been seen protecting.
    pub(super) peer_protects: bool,
}

/// How far key agreement is on a link that is not secured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keys {
    /// No CAK's window is open.
    NoUsableCak,
    /// No CAK has a live peer.
    NoPeer,
    /// There is a peer, and no SAK in use yet.
    Agreeing,
}

/// A link that was secured and is so no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Loss {
    pub(super) ago: Duration,
    /// A peer that has the CAK said so, or was waited for through its whole life time. Anything else
    /// must last for the wait before clear passes.
    pub(super) is_settled: bool,
}

/// What the lanes let through, and whether the plain side's neighbour sees a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stance {
    pub(super) protect: LaneMode,
    pub(super) validate: LaneMode,
    pub(super) plain_up: bool,
    pub(super) why: Why,
}

/// The reason in one word; `status` makes a sentence of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    Secured,
    NoKeys,
    NoUsableCak,
    NoPeer,
    Agreeing,
    NumbersUsedUp,
    NothingReserved,
    SecureLinkDown,
    NotEncrypting,
    WaitingBeforeClear,
    Clear,
    LatchedClosed,
}

impl Why {
    pub(super) const fn sentence(self) -> &'static str {
        match self {
            Self::Secured => "a transmit SA is in use and a receive SA is installed",
            Self::NoKeys => "closed: not both SAs are installed",
            Self::NoUsableCak => "closed: no CAK may be used now",
            Self::NoPeer => "closed: no CAK has a live peer",
            Self::Agreeing => "closed: a peer is live, and no SAK is in use yet",
            Self::NumbersUsedUp => "closed: the transmit key's packet numbers are used up",
            Self::NothingReserved => {
                "closed: no packet numbers could be reserved on disk for the transmit key"
            }
            Self::SecureLinkDown => "the secure port has no link",
            Self::NotEncrypting => "no_encrypt: the link is a wire and encrypts nothing",
            Self::WaitingBeforeClear => "closed: waiting for keys before clear frames may pass",
            Self::Clear => "IN CLEAR: should_encrypt without keys; frames pass unprotected",
            Self::LatchedClosed => "closed: it was secured before, and after_secured = \"close\"",
        }
    }
}

/// The encryption mode's table: see `docs/architecture.md`.
pub(super) fn stance(facts: &Facts) -> Stance {
    let (mode, why) = lanes(facts);
    let link_up = facts.secure_link_up_for.is_some();
    let validate = if mode == LaneMode::Secured && accepts_clear(facts) {
        LaneMode::SecuredAcceptClear
    } else {
        mode
    };
    Stance {
        protect: mode,
        validate,
        plain_up: link_up && mode != LaneMode::Closed,
        why: if link_up { why } else { Why::SecureLinkDown },
    }
}

fn lanes(facts: &Facts) -> (LaneMode, Why) {
    match facts.encryption {
        EncryptionMode::NoEncrypt => (LaneMode::Wire, Why::NotEncrypting),
        _ if facts.secured => (LaneMode::Secured, Why::Secured),
        EncryptionMode::MustEncrypt => (LaneMode::Closed, without_keys(facts)),
        EncryptionMode::ShouldEncrypt
            if facts.was_secured && facts.after_secured == AfterSecured::Close =>
        {
            (LaneMode::Closed, Why::LatchedClosed)
        }
        EncryptionMode::ShouldEncrypt if waited_for_clear(facts) => (LaneMode::Clear, Why::Clear),
        EncryptionMode::ShouldEncrypt => (LaneMode::Closed, Why::WaitingBeforeClear),
    }
}

/// Clear passes some time after link up, and after a loss only where that is sure or has lasted.
fn waited_for_clear(facts: &Facts) -> bool {
    let waited = |time| time >= facts.clear_wait;
    let is_over = |loss: Loss| loss.is_settled || waited(loss.ago);
    facts.secure_link_up_for.is_some_and(waited) && facts.loss.is_none_or(is_over)
}

/// Why a link is not secured, by what became of its transmit SA, or how far key agreement is.
const fn without_keys(facts: &Facts) -> Why {
    match (facts.tx_end, facts.keys) {
        (TxEnd::Exhausted, _) => Why::NumbersUsedUp,
        (TxEnd::ReservationEnded, _) => Why::NothingReserved,
        (TxEnd::Running, None) => Why::NoKeys,
        (TxEnd::Running, Some(Keys::NoUsableCak)) => Why::NoUsableCak,
        (TxEnd::Running, Some(Keys::NoPeer)) => Why::NoPeer,
        (TxEnd::Running, Some(Keys::Agreeing)) => Why::Agreeing,
    }
}

/// Only where clear was allowed the moment before, never in `must_encrypt`.
fn accepts_clear(facts: &Facts) -> bool {
    facts.encryption == EncryptionMode::ShouldEncrypt
        && !facts.peer_protects
        && facts
            .secured_from_clear_for
            .is_some_and(|since| since < ACCEPT_CLEAR_FOR)
}

#[cfg(test)]
mod tests {
    use super::*;

    const UP: Option<Duration> = Some(Duration::from_secs(60));

    fn facts(encryption: EncryptionMode, secured: bool) -> Facts {
        Facts {
            encryption,
            after_secured: AfterSecured::Clear,
            clear_wait: Duration::from_secs(6),
            secured,
            tx_end: TxEnd::Running,
            keys: None,
            was_secured: secured,
            loss: None,
            secure_link_up_for: UP,
            secured_from_clear_for: None,
            peer_protects: false,
        }
    }

    #[test]
    fn must_encrypt_opens_for_protected_frames_only_and_only_when_secured() {
        for (secured, mode, up) in [
            (true, LaneMode::Secured, true),
            (false, LaneMode::Closed, false),
        ] {
            let stance = stance(&facts(EncryptionMode::MustEncrypt, secured));
            assert_eq!(
                (stance.protect, stance.validate, stance.plain_up),
                (mode, mode, up)
            );
        }
    }

    #[test]
    fn must_encrypt_never_accepts_clear_whatever_went_before() {
        let facts = Facts {
            secured_from_clear_for: Some(Duration::ZERO),
            ..facts(EncryptionMode::MustEncrypt, true)
        };
        assert_eq!(stance(&facts).validate, LaneMode::Secured);
    }

    #[test]
    fn should_encrypt_waits_before_clear_passes() {
        let waiting = Facts {
            secure_link_up_for: Some(Duration::from_secs(5)),
            ..facts(EncryptionMode::ShouldEncrypt, false)
        };
        assert_eq!(stance(&waiting).protect, LaneMode::Closed);
        let stance = stance(&facts(EncryptionMode::ShouldEncrypt, false));
        assert_eq!((stance.protect, stance.plain_up), (LaneMode::Clear, true));
    }

    #[test]
    fn a_loss_lets_clear_pass_at_once_only_where_a_peer_said_so_or_was_waited_for() {
        let secs = Duration::from_secs;
        for (is_settled, ago, mode) in [
            (true, secs(0), LaneMode::Clear),
            (false, secs(0), LaneMode::Closed),
            (false, Duration::from_millis(5999), LaneMode::Closed),
            (false, secs(6), LaneMode::Clear),
        ] {
            let lost = Facts {
                loss: Some(Loss { ago, is_settled }),
                was_secured: true,
                ..facts(EncryptionMode::ShouldEncrypt, false)
            };
            assert_eq!(stance(&lost).protect, mode, "{lost:?}");
            // After link up the wait is the same, whatever was lost before.
            let fresh = Facts {
                secure_link_up_for: Some(secs(5)),
                ..lost
            };
            assert_eq!(stance(&fresh).protect, LaneMode::Closed);
            let must = Facts {
                encryption: EncryptionMode::MustEncrypt,
                ..lost
            };
            assert_eq!(stance(&must).protect, LaneMode::Closed);
        }
    }

    #[test]
    fn a_closed_link_says_how_far_its_keys_are() {
        for (keys, why) in [
            (Keys::NoUsableCak, Why::NoUsableCak),
            (Keys::NoPeer, Why::NoPeer),
            (Keys::Agreeing, Why::Agreeing),
        ] {
            let agreeing = Facts {
                keys: Some(keys),
                ..facts(EncryptionMode::MustEncrypt, false)
            };
            assert_eq!(stance(&agreeing).why, why);
            let used_up = Facts {
                tx_end: TxEnd::Exhausted,
                ..agreeing
            };
            assert_eq!(stance(&used_up).why, Why::NumbersUsedUp);
        }
    }

    #[test]
    fn from_clear_to_secured_clear_is_received_for_a_while() {
        let turning = Facts {
            secured_from_clear_for: Some(Duration::from_secs(5)),
            ..facts(EncryptionMode::ShouldEncrypt, true)
        };
        let turned = stance(&turning);
        assert_eq!(turned.protect, LaneMode::Secured);
        assert_eq!(turned.validate, LaneMode::SecuredAcceptClear);
        for ended in [
            Facts {
                secured_from_clear_for: Some(ACCEPT_CLEAR_FOR),
                ..turning
            },
            Facts {
                peer_protects: true,
                ..turning
            },
        ] {
            assert_eq!(stance(&ended).validate, LaneMode::Secured);
        }
    }

    #[test]
    fn after_secured_close_latches() {
        let lost = Facts {
            after_secured: AfterSecured::Close,
            was_secured: true,
            ..facts(EncryptionMode::ShouldEncrypt, false)
        };
        assert_eq!(stance(&lost).why, Why::LatchedClosed);
        assert_eq!(stance(&lost).protect, LaneMode::Closed);
    }

    #[test]
    fn the_plain_side_sees_no_link_while_the_secure_side_has_none() {
        for encryption in [
            EncryptionMode::MustEncrypt,
            EncryptionMode::ShouldEncrypt,
            EncryptionMode::NoEncrypt,
        ] {
            let down = Facts {
                secure_link_up_for: None,
                ..facts(encryption, true)
            };
            assert!(!stance(&down).plain_up);
        }
    }
}
