//! Standing alarms of a link. The names are a fixed list: they are labels in the metrics.

use std::time::Instant;

use super::{
    link::LinkControl,
    mka::{self, Clock},
    tx_use::{TxEnd, TxUse},
};
use crate::{
    bus::{AlarmView, LinkDownWay},
    config::EncryptionMode,
};

/// Everything that is not as it should be on a link, now.
pub(super) fn standing(link: &LinkControl, now: Instant, clock: &Clock) -> Vec<AlarmView> {
    let session = link.mka.as_ref();
    let mut alarms = session.map_or_else(Vec::new, |session| mka::standing(session, now, clock));
    let mut raise = |name, text: String| alarms.push(AlarmView { name, text });
    if link.in_clear() {
        raise(
            "in_clear",
            String::from("frames pass unprotected: should_encrypt has no keys in use"),
        );
    }
    let must = link.config.encryption == EncryptionMode::MustEncrypt;
    if must && !link.config.bypass.is_empty() {
        let types: Vec<_> = link
            .config
            .bypass
            .iter()
            .map(|entry| entry.ethertype.to_string())
            .collect();
        raise(
            "bypass_in_must_encrypt",
            format!(
                "these EtherTypes leave in clear by configuration: {}",
                types.join(", ")
            ),
        );
    }
    match link.tx_end() {
        TxEnd::Running => {}
        TxEnd::Exhausted => raise(
            "pn_exhausted",
            String::from("the transmit key's packet numbers are used up; give the link a new key"),
        ),
        TxEnd::ReservationEnded => raise(
            "reservation_ended",
            String::from(
                "no further packet numbers could be reserved on disk; see the state directory",
            ),
        ),
    }
    if link.agreement.encoding().is_some_and(TxUse::soft_passed) {
        raise(
            "pn_soft_threshold",
            String::from("the transmit key's packet numbers run low; plan a new key"),
        );
    }
    if let Some(trouble) = link.agreement.trouble() {
        raise("state_not_written", trouble.to_owned());
    }
    for port in [&link.plain, &link.secure] {
        if let Some(trouble) = port.trouble() {
            raise(
                "port_trouble",
                format!("{}: {trouble}", port.ops().device()),
            );
        }
    }
    if must && link.plain.ops().link_down_way() == LinkDownWay::None {
        raise(
            "plain_link_stays_up",
            format!(
                "the driver {} has no way to take its link down: the router does not see an outage",
                link.plain.ops().driver()
            ),
        );
    }
    if let Some(octets) = link.too_long {
        raise(
            "frame_too_long",
            format!(
                "a frame of {octets} octets is too long for mtu {}",
                link.config.mtu
            ),
        );
    }
    alarms
}
