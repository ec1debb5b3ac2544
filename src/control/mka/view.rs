//! Key agreement of a link as an operator sees it.

use std::time::Instant;

use super::{clock::Clock, keychain::Pair, session::Session, words};
use crate::{
    bus::{
        CakState, KeyServerView, LossView, MkaCakView, MkaCounters, MkaKeyView,
        MkaParticipantCounters, MkaParticipantView, MkaPeerView, MkaView,
    },
    config::Utc,
    mka::{
        Discard, KayCounters, KayStatus, KeyStatus, ParticipantCounters, ParticipantStatus,
        PeerStatus, SaId, Time,
    },
};

/// The link's key agreement now.
pub(in crate::control) fn of_session(
    session: &Session,
    falls_to_clear: u64,
    now: Instant,
    clock: &Clock,
) -> MkaView {
    let time = session.time(now);
    let status = session.status.as_ref();
    let caks = session.caks.iter();
    MkaView {
        sci: session.own_sci,
        cp_state: status.map_or("none", |status| status.cp_state),
        caks: caks
            .map(|(pair, state)| of_cak(pair, state, status, (time, clock.utc())))
            .collect(),
        principal: status.and_then(|status| status.principal.clone()),
        key_server: status
            .and_then(|status| status.key_server)
            .map(|sci| KeyServerView {
                sci,
                is_us: sci == session.own_sci,
            }),
        latest: status.and_then(|status| status.latest.as_ref()).map(of_key),
        old: status.and_then(|status| status.old.as_ref()).map(of_key),
        rekeys: status.map_or(0, |status| status.rekeys),
        since_rekey: status
            .and_then(|status| status.last_rekey)
            .map(|at| time.since(at)),
        next_rekey: status.and_then(|status| status.next_rekey),
        last_loss: session.loss.map(|(at, why)| {
            let (why, sentence) = words::lost(why);
            LossView {
                why,
                sentence,
                ago: now.saturating_duration_since(at),
            }
        }),
        losses: session.losses,
        falls_to_clear,
        clock: clock.view(now),
        counters: of_counters(session, status.map(|status| &status.counters)),
    }
}

fn of_cak(
    pair: &Pair,
    state: CakState,
    status: Option<&KayStatus>,
    (time, utc): (Time, Utc),
) -> MkaCakView {
    let find = |status: &'_ KayStatus| {
        let mut all = status.participants.iter();
        let one = all.find(|one| one.ckn == pair.ckn)?;
        let used = status.latest.as_ref().or(status.old.as_ref());
        Some(of_participant(one, used.map(|key| key.sa), time))
    };
    MkaCakView {
        ckn: pair.ckn.clone(),
        fallback: pair.fallback,
        principal: status.is_some_and(|status| status.principal.as_ref() == Some(&pair.ckn)),
        state,
        start: pair.start.map(|utc| utc.0),
        end: pair.end.map(|utc| utc.0),
        starts_in: pair.starts_in(utc),
        expires_in: pair.expires_in(utc),
        participant: status.and_then(find),
    }
}

fn of_participant(one: &ParticipantStatus, used: Option<SaId>, time: Time) -> MkaParticipantView {
    MkaParticipantView {
        mi: one.mi.to_string(),
        mn: one.mn.0,
        peers: one
            .peers
            .iter()
            .map(|peer| of_peer(peer, used, time))
            .collect(),
        counters: of_participant_counters(&one.counters),
    }
}

fn of_peer(peer: &PeerStatus, used: Option<SaId>, time: Time) -> MkaPeerView {
    let (tx, rx) = uses(peer, used);
    MkaPeerView {
        sci: peer.sci,
        mi: peer.mi.to_string(),
        mn: peer.mn.0,
        live: peer.live,
        heard: time.since(peer.heard),
        priority: peer.priority,
        version: peer.version,
        tx,
        rx,
    }
}

/// Whether a peer says that it transmits, and receives, with this key: in either slot, for some keep
/// the one in use in the old one.
pub(super) fn uses(peer: &PeerStatus, used: Option<SaId>) -> (bool, bool) {
    let (Some(id), Some(said)) = (used, peer.sak_use) else {
        return (false, false);
    };
    let same = said.keys().filter(|slot| slot.id() == id);
    same.fold((false, false), |(tx, rx), slot| {
        (tx | slot.tx, rx | slot.rx)
    })
}

fn of_key(key: &KeyStatus) -> MkaKeyView {
    MkaKeyView {
        an: key.sa.an,
        ki: key.sa.ki,
        suite: key.suite,
        tx: key.tx,
        rx: key.rx,
        ssci: key.ssci,
        next_pn: key.next_pn,
    }
}

fn by_reason(counts: &[u64]) -> Vec<(&'static str, u64)> {
    let names = Discard::ALL.into_iter().map(Discard::name);
    names.zip(counts.iter().copied()).collect()
}

fn of_participant_counters(counters: &ParticipantCounters) -> MkaParticipantCounters {
    MkaParticipantCounters {
        in_mkpdus: counters.in_mkpdus,
        out_mkpdus: counters.out_mkpdus,
        in_sak_mkpdus: counters.in_sak_mkpdus,
        out_sak_mkpdus: counters.out_sak_mkpdus,
        in_cak_mkpdus: counters.in_cak_mkpdus,
        out_cak_mkpdus: counters.out_cak_mkpdus,
        out_errors: counters.out_errors,
        peers_gained: counters.peers_gained,
        peers_lost: counters.peers_lost,
        peer_list_errors: counters.peer_list_errors,
        discarded: by_reason(&counters.discarded),
    }
}

fn of_counters(session: &Session, counters: Option<&KayCounters>) -> MkaCounters {
    let none = KayCounters::default();
    let counters = counters.unwrap_or(&none);
    MkaCounters {
        discarded: by_reason(&counters.discarded),
        saks_generated: counters.saks_generated,
        saks_received: counters.saks_received,
        saks_installed: counters.saks_installed,
        sak_generation_errors: counters.sak_generation_errors,
        sak_wrap_errors: counters.sak_wrap_errors,
        sak_unwrap_errors: counters.sak_unwrap_errors,
        sak_suite_errors: counters.sak_suite_errors,
        saks_refused: counters.saks_refused,
        install_errors: counters.install_errors,
        out_overrun: session.out_overrun,
        save_errors: session.keeper.errors(),
        log_lines_withheld: session.chronicle.withheld(),
    }
}
