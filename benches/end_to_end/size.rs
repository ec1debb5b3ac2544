//! Frame sizes as tables name them: octets on the plain wire, with FCS.

use std::fmt;

/// Octets of the check sequence, which no program here sees.
const FCS: usize = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Size {
    Fixed(usize),
    /// Seven of 64, four of 576, one of 1,500.
    Imix,
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(size) => write!(f, "{size}"),
            Self::Imix => f.write_str("imix"),
        }
    }
}

impl Size {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "imix" => Some(Self::Imix),
            _ => text
                .parse()
                .ok()
                .filter(|size| (64..=9216).contains(size))
                .map(Self::Fixed),
        }
    }

    /// Octets without FCS of the `number`-th frame.
    pub(crate) const fn of(self, number: usize) -> usize {
        const IMIX: [usize; 12] = [64, 576, 64, 64, 576, 64, 1500, 64, 576, 64, 64, 576];
        match self {
            Self::Fixed(size) => size - FCS,
            Self::Imix => IMIX[number % IMIX.len()] - FCS,
        }
    }

    /// Octets without FCS of the longest frame.
    pub(crate) fn longest(self) -> usize {
        (0..12).map(|number| self.of(number)).max().unwrap()
    }

    /// Octets with FCS of a frame, in the middle of `count`.
    pub(crate) fn mean(self, count: usize) -> f64 {
        (0..count)
            .map(|number| self.of(number) + FCS)
            .sum::<usize>() as f64
            / count as f64
    }
}
