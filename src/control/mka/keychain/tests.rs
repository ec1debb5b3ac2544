use super::*;

fn ckn(name: u8) -> Ckn {
    Ckn::new(&[name]).unwrap()
}

fn pair(name: u8, start: Option<i64>, end: Option<i64>) -> Pair {
    Pair {
        ckn: ckn(name),
        fallback: false,
        start: start.map(Utc),
        end: end.map(Utc),
    }
}

fn fallback(name: u8) -> Pair {
    Pair {
        fallback: true,
        ..pair(name, None, None)
    }
}

fn chain(pairs: &[Pair]) -> Keychain {
    Keychain {
        pairs: pairs.to_vec(),
        hard_expiry: false,
    }
}

/// The states at `utc`, in letters, while the pairs in `live` have live peers.
fn states(chain: &Keychain, utc: i64, live: &[u8]) -> String {
    let is_live = |name: &Ckn| live.iter().any(|live| ckn(*live) == *name);
    let states = chain.states(Utc(utc), is_live).map(|state| match state {
        CakState::Waiting => 'w',
        CakState::Usable => 'u',
        CakState::Kept => 'k',
        CakState::Expired => 'x',
    });
    states.collect()
}

#[test]
fn a_window_begins_with_its_first_second_and_ends_before_its_last() {
    let chain = chain(&[pair(1, Some(100), Some(200))]);
    for (utc, state) in [(99, "w"), (100, "u"), (199, "u"), (200, "x")] {
        assert_eq!(states(&chain, utc, &[]), state, "at {utc}");
    }
}

#[test]
fn pairs_without_a_window_are_always_usable() {
    let chain = chain(&[pair(1, None, None), fallback(2)]);
    for utc in [i64::MIN, -5, 0, 1 << 40, i64::MAX] {
        assert_eq!(states(&chain, utc, &[]), "uu");
    }
    assert_eq!(chain.runs_out_in(Utc(0)), None);
}

/// A rollover from 1 to 2 with an overlap of 100 s.
fn rollover() -> Keychain {
    chain(&[pair(1, None, Some(1100)), pair(2, Some(1000), None)])
}

#[test]
fn a_rollover_in_peace() {
    let chain = rollover();
    assert_eq!(states(&chain, 999, &[1]), "uw");
    assert_eq!(states(&chain, 1000, &[1]), "uu");
    assert_eq!(states(&chain, 1050, &[1, 2]), "uu");
    assert_eq!(states(&chain, 1100, &[1, 2]), "xu");
    assert_eq!(states(&chain, 1100, &[2]), "xu");
}

#[test]
fn a_peer_that_never_gets_the_new_pair_keeps_the_old_one_alive() {
    let chain = rollover();
    assert_eq!(states(&chain, 1_000_000, &[1]), "ku");
    // Once its session has died it does not come back.
    assert_eq!(states(&chain, 1_000_000, &[]), "xu");
    // And it ends as soon as the new one has a session.
    assert_eq!(states(&chain, 1_000_000, &[1, 2]), "xu");
}

#[test]
fn a_live_fallback_is_a_successor() {
    let mut chain = rollover();
    chain.pairs.push(fallback(3));
    assert_eq!(states(&chain, 2000, &[1]), "kuu");
    assert_eq!(states(&chain, 2000, &[1, 3]), "xuu");
}

#[test]
fn with_hard_expiry_the_window_ends_the_session() {
    let chain = Keychain {
        hard_expiry: true,
        ..rollover()
    };
    assert_eq!(states(&chain, 1099, &[1]), "uu");
    assert_eq!(states(&chain, 1100, &[1]), "xu");
    assert_eq!(states(&chain, 500, &[2]), "uw");
}

#[test]
fn a_step_forwards_in_mid_rollover_costs_no_session() {
    let chain = rollover();
    // Both run, the peer hears only the old one; the clock jumps a year ahead, then back.
    assert_eq!(states(&chain, 1050, &[1]), "uu");
    assert_eq!(states(&chain, 1050 + 31_536_000, &[1]), "ku");
    assert_eq!(states(&chain, 1051, &[1]), "uu");
    // Before the rollover: the old one alone, a year ahead of its end.
    assert_eq!(states(&chain, 500 + 31_536_000, &[1]), "ku");
}

#[test]
fn a_step_back_in_mid_rollover_costs_no_session() {
    let chain = rollover();
    // The new one carries the session and the old one is gone; the clock jumps before both.
    assert_eq!(states(&chain, 1200, &[2]), "xu");
    assert_eq!(states(&chain, 0, &[2]), "uk");
    // The peer's clock is right: it never runs the old one again.
    assert_eq!(states(&chain, 999, &[2]), "uk");
    assert_eq!(states(&chain, 1000, &[2]), "uu");
    // Were both clocks wrong, they would meet on the old one.
    assert_eq!(states(&chain, 0, &[1, 2]), "uw");
}

#[test]
fn pairs_with_windows_that_are_all_over_do_not_run_without_a_session() {
    let chain = chain(&[pair(1, None, Some(10)), pair(2, Some(20), Some(30))]);
    assert_eq!(states(&chain, 40, &[]), "xx");
    assert_eq!(states(&chain, 15, &[]), "xw");
    assert_eq!(states(&chain, 40, &[2]), "xk");
}

#[test]
fn how_long_the_keys_last_follows_the_windows_as_they_overlap() {
    let mut chain = chain(&[
        pair(1, None, Some(100)),
        pair(2, Some(50), Some(200)),
        pair(3, Some(300), None),
    ]);
    let out = |chain: &Keychain, utc| chain.runs_out_in(Utc(utc)).map(|left| left.as_secs());
    assert_eq!(out(&chain, 0), Some(200), "then there is a gap");
    assert_eq!(out(&chain, 150), Some(50));
    assert_eq!(out(&chain, 250), Some(0));
    assert_eq!(out(&chain, 300), None);
    chain.pairs[1].end = Some(Utc(300));
    assert_eq!(out(&chain, 0), None);
    chain.pairs[2].fallback = true;
    assert_eq!(out(&chain, 0), Some(300), "the fallback does not count");
}

#[test]
fn what_is_left_of_a_window() {
    let pair = pair(1, Some(100), Some(200));
    let secs = Duration::from_secs;
    assert_eq!(pair.starts_in(Utc(40)), Some(secs(60)));
    assert_eq!(pair.starts_in(Utc(100)), None);
    assert_eq!(pair.expires_in(Utc(40)), Some(secs(160)));
    assert_eq!(pair.expires_in(Utc(250)), Some(Duration::ZERO));
}
