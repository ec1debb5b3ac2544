//! The wall clock, held against the monotonic one and the day of the build.
//!
//! MKA itself knows monotonic time only. The wall clock says which CAKs may be used, and it can lie: a
//! machine without a battery starts in 1970, and a time server can be wrong. That can't be put right
//! here, but it can be said.

use std::time::{Duration, Instant};

use crate::{
    bus::{ClockState, ClockView},
    config::Utc,
};

/// A step of more than this is reported.
const STEP: i64 = 60;

/// For so long after a step the clock counts as one that stepped.
const STEPPED_FOR: Duration = Duration::from_secs(3600);

/// When this program was built; the build script stamps it.
const BUILT: &str = env!("MACSECGW_BUILT");

/// The wall clock as control knows it.
#[derive(Clone, Debug)]
pub(in crate::control) struct Clock {
    built: Utc,
    /// A moment by both clocks, taken at the start and after each step.
    anchor: Option<(Instant, Utc)>,
    utc: Utc,
    last_step: Option<(Instant, i64)>,
    steps: u64,
    before_build: bool,
}

impl Clock {
    pub(in crate::control) fn new() -> Self {
        Self::built_at(Utc(BUILT.parse().unwrap_or(0)))
    }

    pub(in crate::control) const fn built_at(built: Utc) -> Self {
        Self {
            built,
            anchor: None,
            utc: Utc(0),
            last_step: None,
            steps: 0,
            before_build: false,
        }
    }

    /// What the clock says now.
    pub(in crate::control) const fn utc(&self) -> Utc {
        self.utc
    }

    /// Looks at both clocks. What is new about them goes to the log.
    pub(in crate::control) fn look(&mut self, now: Instant, utc: Utc) {
        self.utc = utc;
        let (began, at) = *self.anchor.get_or_insert((now, utc));
        let passed = i64::try_from(now.saturating_duration_since(began).as_secs());
        let expected = at.0.saturating_add(passed.unwrap_or(i64::MAX));
        let step = utc.0.saturating_sub(expected);
        if step.saturating_abs() > STEP {
            self.anchor = Some((now, utc));
            self.last_step = Some((now, step));
            self.steps += 1;
            tracing::warn!(
                step_s = step,
                %utc,
                "the wall clock stepped; CAKs start and end by it, and a live session is kept unless \
                 hard_expiry says otherwise"
            );
        }
        let before_build = utc < self.built;
        if before_build && !self.before_build {
            tracing::error!(
                %utc,
                built = %self.built,
                "the wall clock stands before the day that this program was built: CAKs with a start \
                 do not start by it; set the clock"
            );
        } else if self.before_build && !before_build {
            tracing::info!(%utc, "the wall clock is past the day of the build again");
        }
        self.before_build = before_build;
    }

    pub(in crate::control) fn view(&self, now: Instant) -> ClockView {
        let ago = |at: Instant| now.saturating_duration_since(at);
        let last_step_ago = self.last_step.map(|(at, _)| ago(at));
        ClockView {
            state: if self.before_build {
                ClockState::BeforeBuild
            } else if last_step_ago.is_some_and(|ago| ago < STEPPED_FOR) {
                ClockState::Stepped
            } else {
                ClockState::Good
            },
            utc: self.utc.0,
            last_step: self.last_step.map(|(_, step)| step),
            last_step_ago,
            steps: self.steps,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400;

    /// A clock that was built at day 20,000 and has been looked at on day 20,001.
    fn clock() -> (Clock, Instant, Utc) {
        let (now, utc) = (Instant::now(), Utc(20_001 * DAY));
        let mut clock = Clock::built_at(Utc(20_000 * DAY));
        clock.look(now, utc);
        (clock, now, utc)
    }

    #[test]
    fn the_build_is_stamped_with_a_day_that_has_been() {
        let built = Clock::new().built;
        assert!(built > Utc(20_000 * DAY) && built <= Utc::now(), "{built}");
    }

    #[test]
    fn a_clock_that_goes_along_is_good_and_so_is_one_that_is_slewed() {
        let (mut clock, now, utc) = clock();
        for second in 0..10_000 {
            let slewed = second + second / 200;
            clock.look(
                now + Duration::from_secs(second),
                Utc(utc.0 + slewed.cast_signed()),
            );
        }
        assert_eq!(clock.view(now).state, ClockState::Good);
        assert_eq!(clock.view(now).steps, 0);
    }

    #[test]
    fn a_step_over_a_minute_is_reported_for_an_hour_and_a_smaller_one_not() {
        for (step, reported) in [
            (60, false),
            (-60, false),
            (61, true),
            (-61, true),
            (DAY, true),
        ] {
            let (mut clock, now, utc) = clock();
            let later = now + Duration::from_secs(10);
            clock.look(later, Utc(utc.0 + 10 + step));
            let view = clock.view(later);
            assert_eq!(view.last_step, reported.then_some(step), "{step}");
            assert_eq!(view.state == ClockState::Stepped, reported);
            assert_eq!(view.steps, u64::from(reported));
            let hours = later + Duration::from_secs(3600);
            clock.look(hours, Utc(utc.0 + 3610 + step));
            assert_eq!(clock.view(hours).state, ClockState::Good);
            assert_eq!(clock.view(hours).steps, u64::from(reported), "said once");
        }
    }

    #[test]
    fn small_steps_add_up() {
        let (mut clock, now, utc) = clock();
        for n in 1..=4 {
            clock.look(
                now + Duration::from_secs(n),
                Utc(utc.0 + 20 * n.cast_signed()),
            );
        }
        assert_eq!(clock.view(now).steps, 1);
    }

    #[test]
    fn a_clock_before_the_build_is_told_until_it_is_set() {
        let (mut clock, now, utc) = clock();
        clock.look(now, Utc(0));
        assert_eq!(clock.view(now).state, ClockState::BeforeBuild);
        clock.look(now, utc);
        assert_eq!(clock.view(now).state, ClockState::Stepped);
    }
}
