//! The windows of a keychain: whether one key is always there, and which of them is newer.

use super::utc::Utc;

/// Two ends' clocks are never the same: a change of keys needs this many seconds with both.
const OVERLAP: i64 = 60;

/// From when to when a key may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) start: Option<Utc>,
    pub(super) end: Option<Utc>,
    pub(super) fallback: bool,
}

impl Window {
    fn first(self) -> Utc {
        self.start.unwrap_or(Utc(i64::MIN))
    }

    fn past(self) -> Utc {
        self.end.unwrap_or(Utc(i64::MAX))
    }
}

/// What is wrong with the windows of a keychain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WindowTrouble {
    /// It ends before it starts.
    NeverOpens,
    /// Before it there is a time in which no key may be used but the fallback, if there is one.
    Gap { from: Utc, to: Utc, fallback: bool },
    /// It opens as the one before it closes.
    Touches { at: Utc },
    /// It is over.
    Over { at: Utc },
    /// Nothing follows it.
    Last { at: Utc, hard: bool },
    /// It is the first one, and yet to come.
    NotYet { at: Utc },
    /// More keys at a time than one link takes.
    Crowd { count: usize, most: usize },
}

impl WindowTrouble {
    /// Whether a config with it is refused.
    pub(super) const fn refuses(&self) -> bool {
        matches!(
            self,
            Self::NeverOpens
                | Self::Gap {
                    fallback: false,
                    ..
                }
                | Self::Crowd { .. }
        )
    }

    /// Whether the start of the window is to blame, not its end.
    pub(super) const fn at_start(&self) -> bool {
        matches!(
            self,
            Self::Gap { .. } | Self::Touches { .. } | Self::NotYet { .. } | Self::Crowd { .. }
        )
    }

    /// What is wrong, and what would be right.
    pub(super) fn words(&self) -> (String, &'static str) {
        match self {
            Self::NeverOpens => (
                "the window of this CAK ends before it starts".to_owned(),
                "an `end` after `start`; without `end` the key has none",
            ),
            Self::Gap {
                from,
                to,
                fallback: false,
            } => (
                format!("from {from} to {to} no CAK may be used"),
                "let the windows overlap by a minute at least, or add a fallback",
            ),
            Self::Gap { from, to, .. } => (
                format!("from {from} to {to} no CAK may be used but the fallback"),
                "let the windows overlap by a minute at least",
            ),
            Self::Touches { at } => (
                format!("the CAK before this one ends as it starts, at {at}"),
                "two clocks are never the same: let the windows overlap by a minute at least",
            ),
            Self::Over { at } => (
                format!("the window of this CAK is over since {at}"),
                "take it out, or check the clock of this machine",
            ),
            Self::Last { at, hard: true } => (
                format!(
                    "no CAK follows when this one ends at {at}, and `hard_expiry` ends the link"
                ),
                "add its successor before that, with a window that overlaps",
            ),
            Self::Last { at, hard: false } => (
                format!("no CAK follows when this one ends at {at}"),
                "add its successor before that; a live session goes on with it, under an alarm",
            ),
            Self::NotYet { at } => (
                format!("no CAK may be used before {at}"),
                "an earlier `start`, or none; or check the clock of this machine",
            ),
            Self::Crowd { count, most } => (
                format!("{count} CAKs of this link may be used at the same time"),
                if *most == 16 {
                    "16 at the most: give the old ones an `end`"
                } else {
                    "fewer: give the old ones an `end`"
                },
            ),
        }
    }
}

/// All troubles, each with the index of the window that it belongs to. `most` keys may be in use at
/// the same time. What lies wholly before `now` is of no interest.
pub(super) fn check(
    windows: &[Window],
    now: Utc,
    hard: bool,
    most: usize,
) -> Vec<(usize, WindowTrouble)> {
    let mut found = Vec::new();
    let mut ordered: Vec<(usize, Window)> = Vec::new();
    for (index, &window) in windows.iter().enumerate() {
        if window.past() <= window.first() {
            found.push((index, WindowTrouble::NeverOpens));
        } else if !window.fallback {
            ordered.push((index, window));
        }
    }
    ordered.sort_by_key(|&(index, window)| (window.first(), index));
    let fallback = windows.iter().any(|window| window.fallback);
    check_order(&mut found, &ordered, now, hard, fallback);
    let crowd = ordered.iter().rev().find_map(|&(index, window)| {
        let moment = window.first().max(now);
        let open = |other: &&Window| other.first() <= moment && moment < other.past();
        let count = windows.iter().filter(open).count();
        (count > most).then_some((index, WindowTrouble::Crowd { count, most }))
    });
    found.extend(crowd);
    found
}

fn check_order(
    found: &mut Vec<(usize, WindowTrouble)>,
    ordered: &[(usize, Window)],
    now: Utc,
    hard: bool,
    fallback: bool,
) {
    let Some(&(first_index, first)) = ordered.first() else {
        return;
    };
    if first.first() > now {
        let at = first.first();
        found.push((first_index, WindowTrouble::NotYet { at }));
    }
    let (mut last, mut reach) = (first_index, first.past());
    for &(index, window) in ordered.iter().skip(1) {
        let at = window.first();
        if at > now && at > reach {
            let (from, to) = (reach, at);
            found.push((index, WindowTrouble::Gap { from, to, fallback }));
        } else if at > now && at.0.saturating_add(OVERLAP) > reach.0 {
            found.push((index, WindowTrouble::Touches { at }));
        }
        if window.past() > reach {
            (last, reach) = (index, window.past());
        }
    }
    for &(index, window) in ordered {
        if window.past() <= now {
            let at = window.past();
            found.push((index, WindowTrouble::Over { at }));
        }
    }
    if reach < Utc(i64::MAX) && reach > now {
        found.push((last, WindowTrouble::Last { at: reach, hard }));
    }
}

/// The rank of each key, given whether it is the fallback and when it starts: the greater, the newer.
pub(super) fn ranks(keys: &[(bool, Option<Utc>)]) -> Vec<u64> {
    let mut order: Vec<usize> = (0..keys.len()).collect();
    order.sort_by_key(|&index| keys.get(index).map(|&(fallback, start)| (!fallback, start)));
    let mut ranks = vec![0; keys.len()];
    for (rank, index) in (0..).zip(order) {
        if let Some(place) = ranks.get_mut(index) {
            *place = rank;
        }
    }
    // The fallback, where there is one, came first. Where there is none, ranks begin with 1.
    if !keys.iter().any(|&(fallback, _)| fallback) {
        ranks.iter_mut().for_each(|rank| *rank += 1);
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Utc = Utc(1000);

    fn window(start: Option<i64>, end: Option<i64>) -> Window {
        Window {
            start: start.map(Utc),
            end: end.map(Utc),
            fallback: false,
        }
    }

    const FALLBACK: Window = Window {
        start: None,
        end: None,
        fallback: true,
    };

    fn found(windows: &[Window]) -> Vec<(usize, WindowTrouble)> {
        check(windows, NOW, false, 16)
    }

    #[test]
    fn keys_without_windows_and_windows_that_overlap_are_good() {
        assert_eq!(found(&[window(None, None), window(None, None)]), []);
        let chain = [window(None, Some(5000)), window(Some(4000), None)];
        assert_eq!(found(&chain), []);
        assert_eq!(found(&[chain[1], chain[0]]), []);
    }

    #[test]
    fn a_gap_is_refused_unless_a_fallback_fills_it() {
        let chain = [window(None, Some(5000)), window(Some(5001), None), FALLBACK];
        let gap = |fallback| WindowTrouble::Gap {
            from: Utc(5000),
            to: Utc(5001),
            fallback,
        };
        assert_eq!(found(&chain[..2]), [(1, gap(false))]);
        assert_eq!(found(&chain), [(1, gap(true))]);
        assert!(gap(false).refuses() && !gap(true).refuses());
        // A long window covers the gap between two short ones.
        let covered = [
            window(None, None),
            window(Some(2000), Some(3000)),
            window(Some(4000), Some(4500)),
        ];
        assert_eq!(found(&covered), []);
    }

    #[test]
    fn what_is_over_is_told_and_its_gaps_are_not() {
        let chain = [
            window(None, Some(100)),
            window(Some(500), Some(600)),
            window(Some(900), None),
        ];
        let over = |at| WindowTrouble::Over { at: Utc(at) };
        assert_eq!(found(&chain), [(0, over(100)), (1, over(600))]);
    }

    #[test]
    fn what_never_opens_is_no_part_of_the_chain() {
        let chain = [window(Some(3000), Some(3000)), window(None, None)];
        assert_eq!(found(&chain), [(0, WindowTrouble::NeverOpens)]);
    }

    #[test]
    fn ends_and_beginnings_of_the_whole_chain_are_told() {
        let chain = [
            window(Some(2000), Some(5000)),
            window(Some(4950), Some(9000)),
        ];
        let at = Utc(4950);
        assert_eq!(
            found(&chain),
            [
                (0, WindowTrouble::NotYet { at: Utc(2000) }),
                (1, WindowTrouble::Touches { at }),
                (
                    1,
                    WindowTrouble::Last {
                        at: Utc(9000),
                        hard: false
                    }
                ),
            ]
        );
    }

    #[test]
    fn no_more_keys_at_a_time_than_a_link_takes() {
        let mut chain = vec![window(None, None); 15];
        chain.push(FALLBACK);
        assert_eq!(found(&chain), []);
        chain.push(window(Some(7000), None));
        let crowd = WindowTrouble::Crowd {
            count: 17,
            most: 16,
        };
        assert_eq!(found(&chain), [(16, crowd)]);
        chain[0].end = Some(Utc(7000));
        let last = found(&chain);
        assert_eq!(last, []);
    }

    #[test]
    fn later_starts_are_newer_and_the_fallback_is_last() {
        let start = |at| (false, Some(Utc(at)));
        assert_eq!(ranks(&[start(7), (false, None), start(3)]), [3, 1, 2]);
        assert_eq!(ranks(&[(false, None), (false, None)]), [1, 2]);
        assert_eq!(ranks(&[start(5), (true, None), start(9)]), [1, 0, 2]);
    }
}
