//! Lanes: every frame that came in is counted once more where it ended.

use super::{Family, Kind, Source, family::row};

const BLOCK: &str = "the lane's own counter block";

pub(super) const TABLE: &[Family] = &[
    row(
        "macsecgw_lane_mode",
        Kind::Gauge,
        "1 = in force",
        "What a lane lets through, as its worker reported: 1 for the mode in force.",
        "workers' reports",
        Source::LaneMode,
    ),
    row(
        "macsecgw_lane_in_frames_total",
        Kind::Counter,
        "frames",
        "Frames taken from the port; equals those out, to control and dropped.",
        BLOCK,
        Source::Lane(|lane| lane.frames_in.value()),
    ),
    row(
        "macsecgw_lane_in_bytes_total",
        Kind::Counter,
        "bytes",
        "Octets of the frames taken from the port, without FCS.",
        BLOCK,
        Source::Lane(|lane| lane.octets_in.value()),
    ),
    row(
        "macsecgw_lane_out_frames_total",
        Kind::Counter,
        "frames",
        "Frames that the other port took.",
        BLOCK,
        Source::Lane(|lane| lane.frames_out.value()),
    ),
    row(
        "macsecgw_lane_out_bytes_total",
        Kind::Counter,
        "bytes",
        "Octets of the frames that the other port took, without FCS.",
        BLOCK,
        Source::Lane(|lane| lane.octets_out.value()),
    ),
    row(
        "macsecgw_lane_to_control_frames_total",
        Kind::Counter,
        "frames",
        "EAPOL frames handed to control.",
        BLOCK,
        Source::Lane(|lane| lane.to_control.value()),
    ),
    row(
        "macsecgw_lane_bypassed_frames_total",
        Kind::Counter,
        "frames",
        "Frames out that the bypass list let through in clear.",
        BLOCK,
        Source::Lane(|lane| lane.bypassed.value()),
    ),
    row(
        "macsecgw_lane_clear_frames_total",
        Kind::Counter,
        "frames",
        "Frames out that left in clear because the link is in clear.",
        BLOCK,
        Source::Lane(|lane| lane.clear.value()),
    ),
    row(
        "macsecgw_lane_bursts_total",
        Kind::Counter,
        "bursts",
        "Bursts of at least one frame; frames in over bursts is the burst fill.",
        BLOCK,
        Source::Lane(|lane| lane.bursts.value()),
    ),
    row(
        "macsecgw_lane_tx_retries_total",
        Kind::Counter,
        "tries",
        "Times that a full transmit queue was tried again.",
        BLOCK,
        Source::Lane(|lane| lane.tx_retries.value()),
    ),
    row(
        "macsecgw_lane_dropped_frames_total",
        Kind::Counter,
        "frames",
        "Frames that ended in the gateway, by reason.",
        BLOCK,
        Source::Drop,
    ),
];
