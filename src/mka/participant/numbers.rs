//! Our own member identifier and message numbers, and when each number was sent (802.1X-2020 9.4.2).

use alloc::collections::VecDeque;

use crate::mka::{Mi, Mn, Time};

/// Numbers whose time of sending is remembered. The storm bound lets about 80 MKPDUs leave within an
/// MKA Life Time of 6 s; a peer that echoes something older than the last 128 is not up to date anyway.
const REMEMBERED: usize = 128;

/// Who we are, and what we sent.
#[derive(Debug)]
pub(super) struct Numbers {
    mi: Mi,
    next: Mn,
    /// When the numbers right below `next` were sent, in their order.
    sent: VecDeque<Time>,
}

/// What is known of a number of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// It was sent then.
    At(Time),
    /// It was sent so long ago, or before a restart, that nobody knows when.
    LongAgo,
    /// It was never sent.
    Never,
}

impl Numbers {
    /// A member that goes on with number `next`.
    pub(super) const fn new(mi: Mi, next: Mn) -> Self {
        let sent = VecDeque::new();
        Self { mi, next, sent }
    }

    pub(super) const fn mi(&self) -> Mi {
        self.mi
    }

    pub(super) const fn next(&self) -> Mn {
        self.next
    }

    /// Whether there is no number left. The very last one is never sent, so that there is always a next.
    pub(super) const fn used_up(&self) -> bool {
        self.next.0 == u32::MAX
    }

    /// Gives the next number out.
    pub(super) fn take(&mut self, now: Time) -> Mn {
        let taken = self.next;
        self.next = Mn(taken.0.saturating_add(1));
        if self.sent.len() >= REMEMBERED {
            self.sent.pop_front();
        }
        self.sent.push_back(now);
        taken
    }

    /// When `mn` was sent.
    pub(super) fn sent(&self, mn: Mn) -> Sent {
        let Some(back) = self.next.0.checked_sub(mn.0).filter(|back| *back > 0) else {
            return Sent::Never;
        };
        usize::try_from(back)
            .ok()
            .and_then(|back| self.sent.len().checked_sub(back))
            .and_then(|place| self.sent.get(place))
            .map_or(Sent::LongAgo, |at| Sent::At(*at))
    }
}
