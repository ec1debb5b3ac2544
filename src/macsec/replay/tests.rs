use super::*;

fn window(replay: Replay) -> ReplayWindow {
    ReplayWindow::new(Pn::FIRST, replay, 64).unwrap()
}

#[test]
fn strict_order_takes_ascending_numbers_only() {
    let mut w = window(Replay::Strict);
    for pn in [1, 2, 5] {
        assert_eq!(w.admit(Pn(pn)), Ok(Timeliness::InTime));
        w.record(Pn(pn));
    }
    for pn in [5, 4, 3, 1, 0] {
        assert_eq!(w.admit(Pn(pn)), Err(Reject::Late), "{pn}");
    }
    assert_eq!((w.next_pn(), w.lowest_pn()), (Pn(6), Pn(6)));
}

#[test]
fn a_window_takes_each_number_once() {
    let mut w = window(Replay::Window(10));
    w.record(Pn(100));
    assert_eq!(w.lowest_pn(), Pn(91));
    assert_eq!(w.position(Pn(90)), Position::Below);
    assert_eq!(w.position(Pn(91)), Position::Missing);
    assert_eq!(w.admit(Pn(100)), Err(Reject::Duplicate));
    w.record(Pn(91));
    assert_eq!(w.admit(Pn(91)), Err(Reject::Duplicate));
    assert_eq!(w.admit(Pn(101)), Ok(Timeliness::InTime));
}

#[test]
fn beyond_the_depth_the_standards_rule_alone_holds() {
    let mut w = window(Replay::Window(1000));
    w.record(Pn(100));
    w.record(Pn(500));
    assert_eq!(w.position(Pn(436)), Position::Forgotten);
    assert_eq!(w.position(Pn(437)), Position::Missing);
    assert_eq!(w.admit(Pn(100)), Ok(Timeliness::InTime));
    w.record(Pn(100));
    assert_eq!(
        w.position(Pn(500)),
        Position::Seen,
        "an old bit is not a new one"
    );
}

#[test]
fn off_delivers_late_numbers_as_delayed_and_duplicates() {
    let mut w = window(Replay::Off);
    w.record(Pn(7));
    assert_eq!(w.admit(Pn(7)), Ok(Timeliness::Delayed));
    assert_eq!(w.admit(Pn(8)), Ok(Timeliness::InTime));
}

#[test]
fn the_lowest_number_never_goes_down() {
    let mut w = window(Replay::Window(100));
    w.record(Pn(1000));
    assert_eq!(w.lowest_pn(), Pn(901));
    w.set_replay(Replay::Strict);
    assert_eq!(w.lowest_pn(), Pn(1001));
    w.set_replay(Replay::Window(100));
    assert_eq!(w.lowest_pn(), Pn(1001));
    w.raise_lowest(Pn(5));
    assert_eq!(w.lowest_pn(), Pn(1001));
    w.raise_lowest(Pn(2000));
    assert_eq!((w.next_pn(), w.lowest_pn()), (Pn(2000), Pn(2000)));
}

#[test]
fn a_depth_that_is_no_ring_is_refused() {
    for depth in [0, 1, 32, 63, 65, 100, 131_072] {
        assert_eq!(
            ReplayWindow::new(Pn(1), Replay::Off, depth).unwrap_err(),
            ParamError::DuplicateDepth { found: depth }
        );
    }
}

/// Numbers recorded in one go leave what they leave one by one: whatever the rule, the gap before them and
/// their place among the words.
#[test]
fn a_row_is_recorded_as_its_numbers_are() {
    for replay in [
        Replay::Strict,
        Replay::Window(10),
        Replay::Window(1000),
        Replay::Off,
    ] {
        for start in [1, 60, 63, 64, 65, 127, 1 << 32, u64::MAX - 600] {
            for gap in [0, 1, 5, 63, 64, 65, 200] {
                for count in [0, 1, 2, 31, 63, 64] {
                    let (mut row, mut single) = (window(replay), window(replay));
                    for w in [&mut row, &mut single] {
                        (start..start + 20)
                            .step_by(3)
                            .for_each(|pn| w.record(Pn(pn)));
                    }
                    let first = Pn(row.next_pn().0.saturating_add(gap));
                    row.record_ahead(first, count);
                    (0..count).for_each(|nth| single.record(first.saturating_add(nth)));
                    assert_eq!(
                        (row.next, row.lowest, &row.seen),
                        (single.next, single.lowest, &single.seen),
                        "{replay:?}, {count} from {gap} behind {start}"
                    );
                }
            }
        }
    }
}

#[test]
fn a_row_that_starts_in_the_past_is_none() {
    let mut w = window(Replay::Window(10));
    w.record(Pn(100));
    w.record_ahead(Pn(100), 5);
    assert_eq!(w.next_pn(), Pn(101));
}
