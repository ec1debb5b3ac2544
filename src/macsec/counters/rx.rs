//! What the receive half of a SecY counts (802.1AE-2018 10.7.9, 10.7.10).

use super::{FrameCounters, catalogue::counter_block};
use crate::ieee::An;

counter_block! {
    /// The receive counters of one SecY.
    RxSecyCounters {
        in_pkts_untagged: Secy, Some("secyStatsRxUntaggedPkts"),
            "Frames without a SecTAG that were delivered, validation not being strict.";
        in_pkts_no_tag: Secy, Some("secyStatsRxNoTagPkts"),
            "Frames without a SecTAG that were dropped, validation being strict.";
        in_pkts_bad_tag: Secy, Some("secyStatsRxBadTagPkts"),
            "Frames dropped because of a malformed SecTAG or a length that does not fit it.";
        in_pkts_unknown_sci: Secy, Some("secyStatsRxUnknownSCIPkts"),
            "Frames of an unknown secure channel that were delivered unvalidated.";
        in_pkts_no_sci: Secy, Some("secyStatsRxNoSCIPkts"),
            "Frames of an unknown secure channel that were dropped.";
        in_pkts_overrun: Secy, Some("secyStatsRxOverrunPkts"),
            "Frames dropped because room to deliver them was lacking.";
    } with {
        /// Frames in, frames out, and every reason for a drop.
        frames: FrameCounters;
    }
}

counter_block! {
    /// The counters of one receive SC, over all SAs it ever had.
    RxScCounters {
        in_pkts_unused_sa: Sc, Some("secyRxSCStatsUnusedSAPkts"),
            "Frames of an association number not in use that were delivered unvalidated.";
        in_pkts_not_using_sa: Sc, Some("secyRxSCStatsNoUsingSAPkts"),
            "Frames of an association number not in use that were dropped.";
        in_pkts_late: Sc, Some("secyRxSCStatsLatePkts"),
            "Frames dropped because their packet number is below the lowest acceptable one.";
        in_pkts_not_valid: Sc, Some("secyRxSCStatsNotValidPkts"),
            "Frames dropped because their ICV is wrong.";
        in_pkts_invalid: Sc, Some("secyRxSCStatsInvalidPkts"),
            "Frames delivered in spite of a wrong ICV, validation being `check`.";
        in_pkts_delayed: Sc, Some("secyRxSCStatsDelayedPkts"),
            "Frames delivered with a packet number below the lowest acceptable one, replay protection being off.";
        in_pkts_unchecked: Sc, Some("secyRxSCStatsUncheckedPkts"),
            "Frames delivered without a look at their ICV, validation being disabled.";
        in_pkts_ok: Sc, Some("secyRxSCStatsOKPkts"),
            "Frames validated and delivered.";
        in_octets_validated: Sc, Some("secyRxSCStatsOctetsValidated"),
            "Octets of user data in frames that were validated and not encrypted, whatever the outcome.";
        in_octets_decrypted: Sc, Some("secyRxSCStatsOctetsDecrypted"),
            "Octets of user data in frames that were validated and decrypted, whatever the outcome.";
        in_pkts_duplicate: Sc, None,
            "Frames dropped because their packet number was received before.";
    } with {
        /// By association number, over all SAs that used it.
        sas: [RxSaCounters; An::COUNT];
    }
}

counter_block! {
    /// The counters of one association number of a receive SC, over all SAs that used it.
    RxSaCounters {
        in_pkts_unused_sa: Sa, Some("secyRxSAStatsUnusedSAPkts"),
            "Frames delivered unvalidated because this association number was not in use.";
        in_pkts_not_using_sa: Sa, Some("secyRxSAStatsNoUsingSAPkts"),
            "Frames dropped because this association number was not in use.";
        in_pkts_not_valid: Sa, Some("secyRxSAStatsNotValidPkts"),
            "Frames under this association number dropped because their ICV is wrong.";
        in_pkts_invalid: Sa, Some("secyRxSAStatsInvalidPkts"),
            "Frames under this association number delivered in spite of a wrong ICV.";
        in_pkts_ok: Sa, Some("secyRxSAStatsOKPkts"),
            "Frames under this association number validated and delivered.";
    }
}
