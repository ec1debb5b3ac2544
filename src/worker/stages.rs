//! How many cycles each stage of a lane's turn takes, for `benches/stages`. Without the feature
//! `stage-cycles` nothing of it is in the build.

use crate::{bus::Direction, pipeline::Piece};

/// A stage of a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The driver's receive.
    Receive,
    /// A piece of the lane's work.
    Lane(Piece),
    /// Frees what ends here, and the driver's transmit.
    Transmit,
}

impl Stage {
    /// All, in the order of a turn.
    pub const ALL: [Self; 6] = [
        Self::Receive,
        Self::Lane(Piece::Classify),
        Self::Lane(Piece::Prepare),
        Self::Lane(Piece::Crypto),
        Self::Lane(Piece::Finish),
        Self::Transmit,
    ];

    /// The place in [`Self::ALL`].
    pub const fn index(self) -> usize {
        match self {
            Self::Receive => 0,
            Self::Lane(piece) => 1 + piece as usize,
            Self::Transmit => 5,
        }
    }

    /// The name in the table.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Receive => "receive",
            Self::Lane(Piece::Classify) => "classify",
            Self::Lane(Piece::Prepare) => "prepare",
            Self::Lane(Piece::Crypto) => "crypto",
            Self::Lane(Piece::Finish) => "finish",
            Self::Transmit => "transmit",
        }
    }
}

#[cfg(feature = "stage-cycles")]
pub(super) use measured::Clock;
#[cfg(feature = "stage-cycles")]
pub use measured::{StageCycles, stage_cycles};

#[cfg(feature = "stage-cycles")]
mod measured {
    use super::{Direction, Stage};
    use crate::macsec::Counter;

    const STAGES: usize = Stage::ALL.len();

    /// What one direction's turns took. One worker writes; more would lose counts.
    #[derive(Debug)]
    pub struct StageCycles {
        /// Cycles of the time stamp counter, by stage, of turns that moved frames.
        pub cycles: [Counter; STAGES],
        /// Frames of those turns.
        pub frames: Counter,
        /// Those turns.
        pub turns: Counter,
    }

    impl StageCycles {
        const fn new() -> Self {
            Self {
                cycles: [const { Counter::new() }; STAGES],
                frames: Counter::new(),
                turns: Counter::new(),
            }
        }
    }

    static TABLE: [StageCycles; 2] = [StageCycles::new(), StageCycles::new()];

    /// The counts of one direction, over all lanes.
    pub fn stage_cycles(direction: Direction) -> &'static StageCycles {
        match direction {
            Direction::Protect => &TABLE[0],
            Direction::Validate => &TABLE[1],
        }
    }

    /// The clock of one turn.
    pub(in super::super) struct Clock {
        cycles: [u64; STAGES],
        last: u64,
    }

    impl Clock {
        pub(in super::super) fn start() -> Self {
            Self {
                cycles: [0; STAGES],
                last: dpdk::tsc(),
            }
        }

        /// What passed since the last mark was `stage`.
        pub(in super::super) fn mark(&mut self, stage: Stage) {
            let now = dpdk::tsc();
            self.cycles[stage.index()] += now.wrapping_sub(self.last);
            self.last = now;
        }

        pub(in super::super) fn end(self, direction: Direction, frames: usize) {
            let table = stage_cycles(direction);
            for (counter, cycles) in table.cycles.iter().zip(self.cycles) {
                counter.add(cycles);
            }
            table.frames.add(frames as u64);
            table.turns.add(1);
        }
    }
}

/// Nothing.
#[cfg(not(feature = "stage-cycles"))]
pub(super) struct Clock;

#[cfg(not(feature = "stage-cycles"))]
#[expect(clippy::unused_self, reason = "the clock that tells no time")]
impl Clock {
    #[inline]
    pub(super) const fn start() -> Self {
        Self
    }

    #[inline]
    pub(super) const fn mark(&mut self, _: Stage) {}

    #[inline]
    pub(super) const fn end(self, _: Direction, _: usize) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_stage_stands_at_its_index() {
        for (index, stage) in Stage::ALL.into_iter().enumerate() {
            assert_eq!(stage.index(), index, "{}", stage.name());
        }
    }
}
