//! Receive channels of a link's peers, which come and go, and their counters, which don't go down.

use std::{collections::VecDeque, sync::Arc};

use crate::{ieee::Sci, macsec::RxScCounters};

/// Channels that are gone whose counters are kept, should they come back.
const REMEMBERED: usize = 64;

/// The channels that stand, and counters of the last ones that did.
#[derive(Debug, Default)]
pub(in crate::control) struct Channels {
    standing: Vec<(Sci, Arc<RxScCounters>)>,
    gone: VecDeque<(Sci, Arc<RxScCounters>)>,
}

impl Channels {
    /// The counters for a channel that is to be made; `None` where there is one already.
    pub(super) fn add(&mut self, sci: Sci) -> Option<Arc<RxScCounters>> {
        if self.standing.iter().any(|(standing, _)| *standing == sci) {
            return None;
        }
        let was = self.gone.iter().position(|(gone, _)| *gone == sci);
        let counters = was
            .and_then(|at| self.gone.remove(at))
            .map_or_else(Arc::default, |(_, counters)| counters);
        self.standing.push((sci, Arc::clone(&counters)));
        Some(counters)
    }

    pub(super) fn remove(&mut self, sci: Sci) {
        let Some(at) = self
            .standing
            .iter()
            .position(|(standing, _)| *standing == sci)
        else {
            return;
        };
        if self.gone.len() >= REMEMBERED {
            self.gone.pop_front();
        }
        self.gone.push_back(self.standing.remove(at));
    }

    /// Those that stand.
    pub(in crate::control) fn iter(&self) -> impl Iterator<Item = (Sci, &Arc<RxScCounters>)> {
        self.standing.iter().map(|(sci, counters)| (*sci, counters))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_that_comes_back_counts_on() {
        let mut channels = Channels::default();
        let first = channels.add(Sci(1)).unwrap();
        first.in_pkts_ok.add(7);
        assert!(channels.add(Sci(1)).is_none(), "it stands");
        channels.remove(Sci(1));
        assert_eq!(channels.iter().count(), 0);
        assert_eq!(channels.add(Sci(1)).unwrap().in_pkts_ok.value(), 7);
    }

    #[test]
    fn strangers_without_end_take_bounded_memory() {
        let mut channels = Channels::default();
        for sci in 0..1000 {
            channels.add(Sci(sci));
            channels.remove(Sci(sci));
        }
        assert_eq!(channels.gone.len(), REMEMBERED);
        assert!(channels.gone.iter().any(|(sci, _)| *sci == Sci(999)));
    }
}
