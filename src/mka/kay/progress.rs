//! How far a transmit SA is, and what its lowest packet number under way is (802.1X-2020 9.10).

use core::time::Duration;

use arrayvec::ArrayVec;

use crate::{ieee::Pn, mka::Time};

/// Samples that are kept: a hello time's worth at a quarter each, and some for the change of intervals.
const SAMPLES: usize = 8;

/// What reports said of one transmit SA.
#[derive(Debug)]
pub(super) struct Progress {
    /// The next packet number.
    pub(super) next_pn: Pn,
    /// Octets protected under it.
    pub(super) octets: u64,
    /// The highest packet number that anyone told of, us and peers.
    pub(super) highest: Pn,
    /// The next packet number at earlier times, the oldest first.
    samples: ArrayVec<(Time, Pn), SAMPLES>,
    /// The newest sample that is older than the window.
    lowest: Pn,
}

impl Progress {
    pub(super) const fn new() -> Self {
        Self {
            next_pn: Pn::FIRST,
            octets: 0,
            highest: Pn::FIRST,
            samples: ArrayVec::new_const(),
            lowest: Pn::FIRST,
        }
    }

    /// It goes on from here.
    pub(super) fn start(&mut self, next: Pn) {
        self.next_pn = next;
        self.highest = self.highest.max(next);
        self.lowest = next.max(Pn::FIRST);
    }

    /// A report. `window` is how long a frame may be under way.
    pub(super) fn report(&mut self, now: Time, next: Pn, octets: u64, window: Duration) {
        self.next_pn = self.next_pn.max(next);
        self.octets = self.octets.max(octets);
        self.highest = self.highest.max(next);
        self.age(now, window);
        let apart = window / 4;
        let crowded = self
            .samples
            .last()
            .is_some_and(|(at, _)| now.since(*at) < apart);
        if !crowded {
            if self.samples.is_full() {
                self.samples.remove(0);
            }
            self.samples.push((now, self.next_pn));
        }
    }

    /// The lowest packet number that may still be under way: the next one as it was a window ago.
    pub(super) fn lowest(&self, now: Time, window: Duration) -> Pn {
        self.samples
            .iter()
            .rev()
            .find(|(at, _)| now.since(*at) >= window)
            .map_or(self.lowest, |(_, next)| *next)
            .max(Pn::FIRST)
    }

    /// A peer told how far it is.
    pub(super) fn heard(&mut self, pn: Pn) {
        self.highest = self.highest.max(pn);
    }

    /// Keeps the newest of the samples that are older than the window, and drops those before it.
    fn age(&mut self, now: Time, window: Duration) {
        let old = self
            .samples
            .iter()
            .take_while(|(at, _)| now.since(*at) >= window)
            .count();
        if let Some((_, next)) = old.checked_sub(1).and_then(|last| self.samples.get(last)) {
            self.lowest = *next;
        }
        for _ in 0..old {
            self.samples.remove(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    const WINDOW: Duration = Duration::from_millis(500);

    fn at(ms: u64) -> Time {
        Time(Duration::from_millis(ms))
    }

    #[test]
    fn the_lowest_number_is_never_one_that_was_sent_within_the_window() {
        let mut progress = Progress::new();
        let mut sent = Vec::new();
        for ms in (0..5_000).step_by(10) {
            let next = Pn(1 + ms);
            sent.push((ms, next));
            if ms % 100 == 0 {
                progress.report(at(ms), next, 0, WINDOW);
            }
            let lowest = progress.lowest(at(ms), WINDOW);
            let floor = sent
                .iter()
                .rev()
                .find(|(then, _)| ms - then >= 500)
                .map_or(Pn(1), |(_, next)| *next);
            assert!(lowest <= floor, "at {ms}: {lowest} above {floor}");
            // It follows: a sample each quarter of the window, reports each 100 ms.
            assert!(
                lowest.0 + 250 >= floor.0,
                "at {ms}: {lowest} far below {floor}"
            );
        }
    }

    #[test]
    fn it_is_at_least_one_and_starts_where_the_sa_starts() {
        let mut progress = Progress::new();
        assert_eq!(progress.lowest(at(0), WINDOW), Pn(1));
        progress.start(Pn(77));
        assert_eq!(progress.lowest(at(0), WINDOW), Pn(77));
        progress.report(at(10), Pn(80), 4, WINDOW);
        progress.report(at(5), Pn(79), 3, WINDOW);
        assert_eq!((progress.next_pn, progress.octets), (Pn(80), 4));
    }
}
