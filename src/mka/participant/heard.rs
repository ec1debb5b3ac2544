//! What became of a MKPDU that was heard, and of silence.

use alloc::vec::Vec;

use crate::{ieee::Sci, mka::Mi};

/// A MKPDU was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::mka) struct Heard {
    /// Who sent it.
    pub(in crate::mka) mi: Mi,
    /// Its SCI.
    pub(in crate::mka) sci: Sci,
    /// It is a live peer. Parameter sets of others say nothing that may be acted on.
    pub(in crate::mka) live: bool,
    /// It became live by this very MKPDU.
    pub(in crate::mka) newly_live: bool,
    /// Our live or our potential peer list has other members than before.
    pub(in crate::mka) list_changed: bool,
    /// The live member identifier of the same SCI that it took the place of.
    pub(in crate::mka) restarted: Option<Mi>,
}

/// What ended by the passing of time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::mka) struct Expired {
    /// Live peers that were lost.
    pub(in crate::mka) lost: Vec<(Mi, Sci)>,
    /// Our live or our potential peer list has other members than before.
    pub(in crate::mka) list_changed: bool,
}

impl Expired {
    /// Whether a live peer was lost.
    pub(in crate::mka) fn live_lost(&self) -> bool {
        !self.lost.is_empty()
    }
}
