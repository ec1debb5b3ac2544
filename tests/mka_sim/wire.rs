//! A shared wire: every direction between two nodes loses, doubles, delays and reorders in its own way.

use crate::rng::Rng;

/// One direction between two nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Path {
    /// Lost, of 1000.
    pub(crate) loss: u64,
    /// Delivered twice, of 1000.
    pub(crate) duplicate: u64,
    /// Microseconds on the way, at least and at most; what comes later may arrive earlier.
    pub(crate) delay: (u64, u64),
    /// Nothing passes.
    pub(crate) cut: bool,
}

impl Path {
    pub(crate) const GOOD: Self = Self {
        loss: 0,
        duplicate: 0,
        delay: (50, 500),
        cut: false,
    };
}

#[derive(Debug)]
pub(crate) struct Wire {
    nodes: usize,
    paths: Vec<Path>,
    /// Only members of the same group hear each other.
    pub(crate) groups: Vec<u8>,
    rng: Rng,
}

impl Wire {
    pub(crate) fn new(nodes: usize, rng: Rng) -> Self {
        Self {
            nodes,
            paths: vec![Path::GOOD; nodes * nodes],
            groups: vec![0; nodes],
            rng,
        }
    }

    pub(crate) fn path(&mut self, from: usize, to: usize) -> &mut Path {
        &mut self.paths[from * self.nodes + to]
    }

    pub(crate) fn all(&mut self, path: Path) {
        self.paths.fill(path);
    }

    pub(crate) fn heal(&mut self) {
        self.all(Path::GOOD);
        self.groups.fill(0);
    }

    /// After how many microseconds each copy of a frame arrives.
    pub(crate) fn copies(&mut self, from: usize, to: usize) -> impl Iterator<Item = u64> + use<> {
        let path = *self.path(from, to);
        let passes = !path.cut && self.groups[from] == self.groups[to];
        let (low, high) = path.delay;
        let rng = &mut self.rng;
        let first = (passes && !rng.chance(path.loss)).then(|| rng.between(low, high));
        let again = (first.is_some() && rng.chance(path.duplicate)).then(|| rng.between(low, high));
        first.into_iter().chain(again)
    }
}
