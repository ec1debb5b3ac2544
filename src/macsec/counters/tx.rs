//! What the transmit half of a SecY counts (802.1AE-2018 10.7.18, 10.7.19).

use super::super::{FrameSet, Reject, Verdicts};
use super::{FrameCounters, catalogue::counter_block};
use crate::ieee::An;

impl TxCounters {
    /// Counts frames that go no further, for the reasons that `verdicts` gives.
    pub(in super::super) fn count_refused(&self, refused: FrameSet, verdicts: &Verdicts) {
        self.frames.count(refused, verdicts);
        let is_too_long = |at: &usize| verdicts.reject_of(*at) == Some(Reject::TooLong);
        let too_long = refused.iter().filter(is_too_long).count();
        self.out_pkts_too_long.add(too_long as u64);
    }
}

counter_block! {
    /// The transmit counters of one SecY and its one SC.
    ///
    /// A block has its cache lines to itself (128 octets: processors fetch lines in pairs).
    TxCounters {
        out_pkts_untagged: Secy, Some("secyStatsTxUntaggedPkts"),
            "Frames sent without a SecTAG because frames are not to be protected.";
        out_pkts_too_long: Secy, Some("secyStatsTxTooLongPkts"),
            "Frames dropped because they are longer than the link's MTU allows.";
        out_pkts_protected: Sc, Some("secyTxSCStatsProtectedPkts"),
            "Frames sent with integrity protection and without encryption.";
        out_pkts_encrypted: Sc, Some("secyTxSCStatsEncryptedPkts"),
            "Frames sent with integrity protection and encryption.";
        out_octets_protected: Sc, Some("secyTxSCStatsOctetsProtected"),
            "Octets of user data sent with integrity protection and without encryption.";
        out_octets_encrypted: Sc, Some("secyTxSCStatsOctetsEncrypted"),
            "Octets of user data sent with integrity protection and encryption.";
    } with {
        /// By association number, over all SAs that used it.
        sas: [TxSaCounters; An::COUNT];
        /// Frames in, frames out, and every reason for a drop.
        frames: FrameCounters;
    }
}

counter_block! {
    /// The counters of one association number, over all SAs that used it.
    TxSaCounters {
        out_pkts_protected: Sa, Some("secyTxSAStatsProtectedPkts"),
            "Frames sent under this association number with integrity protection and without encryption.";
        out_pkts_encrypted: Sa, Some("secyTxSAStatsEncryptedPkts"),
            "Frames sent under this association number with integrity protection and encryption.";
    }
}
