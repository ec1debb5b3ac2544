//! What control says of crypto helpers: lanes do without one that stalls, and the operator should know.

use crate::bus::{AlarmView, HelperView, LinkIndex};

/// What was last said of each helper.
#[derive(Debug)]
pub(super) struct HelperWatch(Vec<Said>);

#[derive(Clone, Copy, Debug, Default)]
struct Said {
    stalls: u64,
    stalled: bool,
}

impl HelperWatch {
    pub(super) fn new(helpers: &[HelperView]) -> Self {
        Self(vec![Said::default(); helpers.len()])
    }

    /// Logs what is new.
    pub(super) fn look(&mut self, helpers: &[HelperView]) {
        for (said, helper) in self.0.iter_mut().zip(helpers) {
            let now = Said {
                stalls: helper.counters.stalls.value(),
                stalled: helper.counters.is_stalled(),
            };
            if now.stalls != said.stalls {
                tracing::warn!(
                    lane = helper.lane_name,
                    lcore = helper.lcore,
                    cpu = helper.cpu,
                    stalls = now.stalls,
                    "a crypto helper kept a burst for too long; its frames are given up and counted \
                     (helper_stalled), and it gets no more until it is back. Something else runs on its CPU: \
                     isolate it, or raise workers.helper_patience_ms"
                );
            }
            let back = said.stalled || now.stalls != said.stalls;
            if back && !now.stalled {
                tracing::info!(
                    lane = helper.lane_name,
                    lcore = helper.lcore,
                    "the crypto helper is back"
                );
            }
            *said = now;
        }
    }
}

/// The alarm of a link one of whose helpers is stalled.
pub(super) fn alarm(helpers: &[HelperView], link: LinkIndex) -> Option<AlarmView> {
    let mut stalled = helpers
        .iter()
        .filter(|helper| helper.lane.link == link && helper.counters.is_stalled());
    let first = stalled.next()?;
    let more = stalled.count();
    let more = if more > 0 {
        format!(" (and {more} more)")
    } else {
        String::new()
    };
    Some(AlarmView {
        name: "helper_stalled",
        text: format!(
            "the crypto helper of {} on CPU {}{more} does not answer: the lane does without it. Something else \
             runs on that CPU",
            first.lane_name, first.cpu
        ),
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::bus::{Direction, HelperCounters, LaneIndex, WorkerCounters};

    fn helper(link: usize) -> HelperView {
        HelperView {
            lcore: 3,
            cpu: 7,
            idle: String::from("spin"),
            lane: LaneIndex {
                link: LinkIndex(link),
                direction: Direction::Protect,
            },
            lane_name: format!("dx{link}/protect"),
            own: Arc::new(WorkerCounters::default()),
            counters: Arc::new(HelperCounters::default()),
        }
    }

    #[test]
    fn a_link_has_an_alarm_while_a_helper_of_its_own_is_stalled() {
        let helpers = [helper(0), helper(1), helper(1)];
        assert_eq!(alarm(&helpers, LinkIndex(1)), None);
        helpers[1].counters.set_stalled(true);
        assert_eq!(alarm(&helpers, LinkIndex(0)), None);
        let raised = alarm(&helpers, LinkIndex(1)).unwrap();
        assert_eq!(raised.name, "helper_stalled");
        assert!(raised.text.contains("dx1/protect on CPU 7 does not"));
        helpers[2].counters.set_stalled(true);
        let raised = alarm(&helpers, LinkIndex(1)).unwrap();
        assert!(raised.text.contains("on CPU 7 (and 1 more) does not"));
        helpers[1].counters.set_stalled(false);
        helpers[2].counters.set_stalled(false);
        assert_eq!(alarm(&helpers, LinkIndex(1)), None);
    }

    #[test]
    fn what_was_said_is_not_said_again() {
        let helpers = [helper(0)];
        let mut watch = HelperWatch::new(&helpers);
        helpers[0].counters.stalls.add(1);
        helpers[0].counters.set_stalled(true);
        watch.look(&helpers);
        assert!(watch.0[0].stalled && watch.0[0].stalls == 1);
        helpers[0].counters.set_stalled(false);
        watch.look(&helpers);
        assert!(!watch.0[0].stalled && watch.0[0].stalls == 1);
    }
}
