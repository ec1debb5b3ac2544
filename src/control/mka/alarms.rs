//! Standing alarms of a link's key agreement. The names are a fixed list: they are labels in the metrics.

use std::time::{Duration, Instant};

use super::{clock::Clock, session::Session, watch::is_told, words};
use crate::{
    bus::{AlarmView, CakState, ClockState},
    ieee::{CipherSuite, Pn, Sci},
    mka::KayStatus,
};

/// Keys that end sooner than this are told of.
const SOON: Duration = Duration::from_secs(7 * 24 * 3600);

/// Everything that is not as it should be with a link's keys, now.
pub(in crate::control) fn standing(
    session: &Session,
    now: Instant,
    clock: &Clock,
) -> Vec<AlarmView> {
    let mut alarms = Vec::new();
    let mut raise = |name, text: String| alarms.push(AlarmView { name, text });
    of_caks(session, now, clock, &mut raise);
    if let Some(trouble) = session.keeper.trouble() {
        raise("state_not_written", trouble.to_owned());
    }
    if let Some(trouble) = session.saks_trouble() {
        raise(
            "saks_not_kept",
            format!("a restart will begin with a new SAK: {trouble}"),
        );
    }
    let Some(status) = &session.status else {
        return alarms;
    };
    of_peers(session, status, now, &mut raise);
    of_keys(session, &mut raise);
    alarms
}

fn of_caks(
    session: &Session,
    now: Instant,
    clock: &Clock,
    raise: &mut impl FnMut(&'static str, String),
) {
    let caks = &session.caks;
    if !caks.any_runs() {
        raise(
            "no_usable_cak",
            String::from("no CAK's window is open: add one, or look at the clock"),
        );
    }
    if let Some(ckn) = caks.failed().next() {
        raise(
            "cak_not_started",
            format!("the CAK {ckn} may be used and can't be; the log says why"),
        );
    }
    for (pair, state) in caks.iter() {
        if state == CakState::Kept {
            raise(
                "cak_kept",
                format!(
                    "the CAK {} is out of its window and is kept, because the session hangs on it; give \
                     both ends the next one",
                    pair.ckn
                ),
            );
        }
    }
    let left = caks.keychain.runs_out_in(clock.utc());
    if let Some(left) = left.filter(|left| !left.is_zero() && *left < SOON) {
        raise(
            "cak_expires_soon",
            format!(
                "in {} hours the last CAK with a window ends; add the next one at both ends",
                left.as_secs() / 3600
            ),
        );
    }
    let has_windows = caks
        .iter()
        .any(|(pair, _)| pair.start.is_some() || pair.end.is_some());
    let view = clock.view(now);
    match view.state {
        ClockState::BeforeBuild if has_windows => raise(
            "clock_not_right",
            String::from(
                "the wall clock stands before the day of this program's build, and CAKs start and end by it",
            ),
        ),
        ClockState::Stepped if has_windows => raise(
            "clock_not_right",
            format!(
                "the wall clock stepped by {} s, and CAKs start and end by it",
                view.last_step.unwrap_or(0)
            ),
        ),
        _ => {}
    }
}

fn of_peers(
    session: &Session,
    status: &KayStatus,
    now: Instant,
    raise: &mut impl FnMut(&'static str, String),
) {
    let principal = status.principal.as_ref();
    let mut caks = session.caks.iter();
    if caks.any(|(pair, _)| pair.fallback && Some(&pair.ckn) == principal) {
        raise(
            "fallback_in_use",
            String::from(
                "the session runs by the fallback CAK: no other one has a live peer; compare the CKNs and \
                 the fingerprints of both ends",
            ),
        );
    }
    if let Some(ckn) = session.watch.other_cak(now) {
        raise(
            "cak_mismatch",
            format!(
                "MKPDUs of the CAK {ckn} come with a wrong ICV: the other end has another key under that name, \
                 or computes the ICV over another header; compare the fingerprints"
            ),
        );
    }
    if let Some(sci) = session.watch.deaf(now, &session.policy) {
        raise(
            "peer_not_receiving",
            format!(
                "the live peer {sci} does not say that it receives with the key in use; look at its log"
            ),
        );
    }
    let is_live = |sci: Sci| {
        let mut peers = status.participants.iter().flat_map(|one| &one.peers);
        peers.any(|peer| peer.live && peer.sci == Some(sci))
    };
    let stranger = session.chronicle.stranger();
    if let Some((_, ckn, sci)) = stranger.filter(|(at, _, sci)| is_told(now, *at) && !is_live(*sci))
    {
        raise(
            "unknown_member",
            format!(
                "the member {sci} has the CAK {ckn} and is not taken: there are as many peers as max_peers \
                 allows"
            ),
        );
    }
    if session.watch.is_reflected(now) {
        raise(
            "own_frames_back",
            String::from(
                "MKPDUs come back from our own address or SCI: the wire loops, or another station has the \
                 same; see sci and the port's address",
            ),
        );
    }
}

fn of_keys(session: &Session, raise: &mut impl FnMut(&'static str, String)) {
    if let Some((_, from, why)) = session.chronicle.refused() {
        raise(
            "sak_refused",
            format!("a SAK of {from} was refused: {}", words::sak_refused(*why)),
        );
    }
    let encoding = session.sas.encoding();
    if let Some(failed) = session.trap.failing() {
        let suite = encoding.map(|used| used.held.key.suite);
        let knob = if suite.is_some_and(CipherSuite::is_xpn) {
            "the ends number their SSCIs differently, which may use a nonce twice: close the link and try ssci = \"by-sci\", then \"by-live-list\", or force them"
        } else {
            "compare sectag_sci and confidentiality_offset of both ends"
        };
        raise(
            "peer_frames_fail",
            format!("secured, and all {failed} frames of the peer fail their ICV; {knob}"),
        );
    }
    let near_end = encoding.is_some_and(|used| {
        let space = used.held.key.suite.pn_space();
        let threshold = session.policy.rekey.pn_threshold(space);
        // A rekey that is due at the threshold is done long before this.
        used.shared.next_pn() > Pn(threshold / 2 + space.last().0 / 2)
    });
    if near_end {
        raise(
            "pn_near_end",
            String::from(
                "the packet numbers of the key in use are nearly used up and no new key came; look at the key \
                 server",
            ),
        );
    }
}
