//! The wall clock steps in the middle of a rollover, both ways, under traffic.

use std::time::Duration;

use super::ends::{Ends, Setting};
use crate::{bus::CakState, config::Utc};

const YEAR: i64 = 31_536_000;

/// Seconds from now on at the first gateway, as the config has them.
fn at(ends_now: Utc, seconds: i64) -> String {
    Utc(ends_now.0 + seconds).to_string()
}

/// CAK 1 ends 60 s from now, CAK 2 begins in 20 s.
fn rollover(more: &str) -> Setting {
    let now = Utc::now();
    let (end, start) = (at(now, 60), at(now, 20));
    Setting::plain()
        .caks(&[
            (1, &format!("end = {end}")),
            (2, &format!("start = {start}")),
        ])
        .mka(more)
}

fn states(ends: &mut Ends) -> Vec<CakState> {
    ends.a.mka().caks.iter().map(|cak| cak.state).collect()
}

#[test]
fn a_rollover_by_the_clock_costs_no_frame() {
    let mut ends = Ends::secured(&rollover(""));
    assert_eq!(states(&mut ends), [CakState::Usable, CakState::Waiting]);
    ends.pass_with_traffic(Duration::from_secs(40));
    assert_eq!(states(&mut ends), [CakState::Usable; 2]);
    assert_eq!(ends.b.mka().principal.unwrap().octets(), [2]);
    ends.pass_with_traffic(Duration::from_secs(40));
    assert_eq!(states(&mut ends), [CakState::Expired, CakState::Usable]);
    assert_eq!(ends.a.mka().losses, 0);
    assert!(ends.a.alarms().is_empty(), "{:?}", ends.a.alarms());
}

#[test]
fn a_step_forwards_keeps_the_cak_that_the_session_hangs_on() {
    let mut ends = Ends::secured(&rollover(""));
    ends.a.bed.utc_then.0 += YEAR;
    ends.pass_with_traffic(Duration::from_secs(10));
    assert_eq!(states(&mut ends), [CakState::Kept, CakState::Usable]);
    let alarms = ends.a.alarms();
    assert_eq!(alarms, ["cak_kept", "clock_not_right"]);
    // The other end's clock is right, and comes to the new one in its time.
    ends.pass_with_traffic(Duration::from_secs(30));
    assert_eq!(states(&mut ends), [CakState::Expired, CakState::Usable]);
    ends.a.bed.utc_then.0 -= YEAR;
    ends.pass_with_traffic(Duration::from_secs(60));
    assert_eq!(ends.a.mka().clock.steps, 2);
    assert_eq!(ends.a.mka().losses + ends.b.mka().losses, 0);
}

#[test]
fn a_step_back_keeps_the_cak_that_the_session_hangs_on() {
    let mut ends = Ends::secured(&rollover(""));
    ends.pass_with_traffic(Duration::from_secs(80));
    assert_eq!(ends.a.mka().principal.unwrap().octets(), [2]);
    ends.a.bed.utc_then.0 -= YEAR;
    ends.pass_with_traffic(Duration::from_secs(30));
    assert_eq!(states(&mut ends), [CakState::Usable, CakState::Kept]);
    assert_eq!(ends.a.mka().clock.last_step, Some(-YEAR));
    let alarms = ends.a.alarms();
    assert!(alarms.contains(&"clock_not_right"), "{alarms:?}");
    assert_eq!(ends.a.mka().losses, 0);
}

#[test]
fn with_hard_expiry_a_window_ends_its_session() {
    let now = Utc::now();
    let setting = Setting::plain()
        .caks(&[(1, &format!("end = {}", at(now, 20)))])
        .mka("hard_expiry = true");
    let mut ends = Ends::secured(&setting);
    assert!(ends.a.alarms().contains(&"cak_expires_soon"));
    ends.pass(Duration::from_secs(25));
    assert!(!ends.a.is_secured() && !ends.b.is_secured());
    let link = ends.a.seen();
    assert_eq!(link.reason, "closed: no CAK may be used now");
    assert!(ends.a.alarms().contains(&"no_usable_cak"));
}
