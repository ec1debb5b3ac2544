//! What a worker does when no frame comes.

use std::{fmt, hint, thread, time::Duration};

/// An idle policy. The price of everything but `Spin` is latency of the first frame after a pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdlePolicy {
    /// Polls on. The core is the gateway's alone.
    Spin,
    /// Gives the core's other thread room between polls: some tens of nanoseconds.
    Pause,
    /// Sleeps, longer each time, up to the bound.
    Sleep {
        /// Empty polls before the first sleep.
        after: u32,
        /// The longest sleep.
        longest: Duration,
    },
}

impl fmt::Display for IdlePolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Spin => f.write_str("spin"),
            Self::Pause => f.write_str("pause"),
            Self::Sleep { after, longest } => {
                write!(
                    f,
                    "sleep up to {} us after {after} empty polls",
                    longest.as_micros()
                )
            }
        }
    }
}

/// The first sleep; each further one doubles.
const SHORTEST: Duration = Duration::from_micros(1);

/// One worker's run of empty polls.
#[derive(Debug)]
pub(super) struct Idle {
    policy: IdlePolicy,
    empty: u32,
    next_sleep: Duration,
}

impl Idle {
    pub(super) const fn new(policy: IdlePolicy) -> Self {
        Self {
            policy,
            empty: 0,
            next_sleep: SHORTEST,
        }
    }

    /// A turn that moved something.
    pub(super) const fn busy(&mut self) {
        self.empty = 0;
        self.next_sleep = SHORTEST;
    }

    /// A turn that moved nothing. True if it slept.
    pub(super) fn empty(&mut self) -> bool {
        match self.policy {
            IdlePolicy::Spin => false,
            IdlePolicy::Pause => {
                hint::spin_loop();
                false
            }
            IdlePolicy::Sleep { after, longest } => {
                self.empty = self.empty.saturating_add(1);
                if self.empty <= after {
                    hint::spin_loop();
                    return false;
                }
                thread::sleep(self.next_sleep.min(longest));
                self.next_sleep = self.next_sleep.saturating_mul(2).min(longest);
                true
            }
        }
    }
}
