//! How many lines a link's key agreement may log: frames cause most of them, and anyone can send frames.

use std::time::{Duration, Instant};

/// Lines that may come at once.
const BURST: u32 = 20;

/// One more line each.
const EVERY: Duration = Duration::from_millis(500);

/// A bucket of lines.
#[derive(Clone, Debug)]
pub(super) struct Allowance {
    left: u32,
    counted: Option<Instant>,
    since_last: u64,
    total: u64,
}

impl Default for Allowance {
    fn default() -> Self {
        Self {
            left: BURST,
            counted: None,
            since_last: 0,
            total: 0,
        }
    }
}

impl Allowance {
    /// Whether a line may be logged, and how many were not since the last one that was.
    pub(super) fn take(&mut self, now: Instant) -> Option<u64> {
        self.refill(now);
        if self.left == 0 {
            self.since_last += 1;
            self.total += 1;
            return None;
        }
        self.left -= 1;
        Some(core::mem::take(&mut self.since_last))
    }

    /// Lines that were not logged since the start.
    pub(super) const fn withheld_in_all(&self) -> u64 {
        self.total
    }

    fn refill(&mut self, now: Instant) {
        let counted = *self.counted.get_or_insert(now);
        let passed = now.saturating_duration_since(counted).as_millis() / EVERY.as_millis();
        let more = u32::try_from(passed).unwrap_or(u32::MAX);
        if more > 0 {
            self.left = self.left.saturating_add(more).min(BURST);
            // What is left of the last interval counts for the next line.
            self.counted = counted.checked_add(EVERY.saturating_mul(more));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_gets_a_burst_and_then_two_lines_a_second_with_a_count_of_the_rest() {
        let (mut lines, start) = (Allowance::default(), Instant::now());
        let mut said = Vec::new();
        for frame in 0..1_000_000_u64 {
            // 100,000 a second.
            if let Some(withheld) = lines.take(start + Duration::from_micros(10 * frame)) {
                said.push(withheld);
            }
        }
        assert_eq!(said.len(), 20 + 19);
        assert_eq!(said[..20], [0; 20]);
        assert!(
            said[21..].iter().all(|withheld| *withheld == 49_999),
            "{said:?}"
        );
        let told: u64 = said.iter().sum();
        assert_eq!(
            lines.withheld_in_all() - told,
            lines.since_last,
            "the rest comes with the next line"
        );
    }

    #[test]
    fn quiet_times_are_not_saved_up_beyond_a_burst() {
        let (mut lines, start) = (Allowance::default(), Instant::now());
        assert_eq!(lines.take(start), Some(0));
        let later = start + Duration::from_secs(100_000);
        let said = (0..100).filter(|_| lines.take(later).is_some()).count();
        assert_eq!(said, 20);
    }
}
