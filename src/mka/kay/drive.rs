//! The CP machine's variables out of what the KaY knows, and what its states do (802.1X-2020 12.4).

use alloc::sync::Arc;
use core::time::Duration;

use super::{Kay, entry::Entry, sa::Sa, ssci::Sscis};
use crate::{
    ieee::Pn,
    mka::{
        AgreedKey, LostWhy, Mi, SaId, Time,
        cp::{Connect, Inputs, State},
        participant::Election,
        pdu::SakUse,
    },
};

/// Steps that one settling may take: more than any way through the machine has.
const MAX_STEPS: usize = 16;

/// For how long after the old key's retirement the slots look as before to peers: one that compares the old key
/// of a SAK Use with its own retires it a little sooner or later than we do.
const SETTLING: Duration = Duration::from_secs(1);

/// After the data plane failed for a key that is repeated to us.
const RETRY: Duration = Duration::from_secs(1);

/// A key, made or received, that is to become the latest one.
#[derive(Debug)]
pub(super) struct Incoming {
    pub(super) key: Arc<AgreedKey>,
    pub(super) sscis: Sscis,
}

/// What the machine waits for.
#[derive(Debug, Default)]
pub(super) struct Deadlines {
    /// Peers have had their time to receive; it begins when the key goes out first.
    pub(super) transmit: Option<Time>,
    /// The old key may go if every peer transmits with the latest one, or a newer one is there.
    pub(super) retire: Option<Time>,
    /// The old key goes.
    pub(super) retire_at_last: Option<Time>,
    /// The data plane has had its time to answer.
    pub(super) answer: Option<Time>,
    /// Peers are told as if the old key had not retired yet.
    pub(super) settled: Option<Time>,
}

impl Deadlines {
    pub(super) fn iter(&self) -> impl Iterator<Item = Time> {
        [self.transmit, self.retire, self.retire_at_last, self.answer]
            .into_iter()
            .flatten()
    }
}

pub(super) fn is_over(deadline: Option<Time>, now: Time) -> bool {
    deadline.is_some_and(|at| at <= now)
}

/// What a peer says about its use of this key, whichever slot it has it in.
pub(super) fn uses(said: Option<&SakUse>, id: SaId) -> (bool, bool) {
    said.into_iter()
        .flat_map(SakUse::keys)
        .find(|key| key.id() == id)
        .map_or((false, false), |key| (key.rx, key.tx))
}

impl Kay {
    /// Runs the machine until it rests; says whether it moved.
    pub(super) fn drive(&mut self, now: Time) -> bool {
        let mut moved = false;
        for _ in 0..MAX_STEPS {
            self.place(now);
            let inputs = self.inputs(now);
            let Some(state) = self.cp.step(&inputs) else {
                break;
            };
            self.enter(now, state);
            moved = true;
        }
        moved
    }

    fn inputs(&self, now: Time) -> Inputs {
        let latest = self.keys.latest();
        Inputs {
            port_enabled: self.link || self.held(now) || self.principal.is_some(),
            connect: self.connect(now),
            new_sak: self.pending.is_some(),
            using_receive_sas: latest.is_some_and(|sa| sa.receiving),
            all_receiving: latest.is_some_and(|sa| {
                self.entry(&sa.key.ckn).is_some_and(Entry::is_live)
                    && self.every_peer(sa, |(rx, _)| rx)
            }),
            elected_self: latest.is_some_and(|sa| self.server.distributes(sa.id())),
            server_transmitting: latest.is_some_and(|sa| self.server_transmits(sa)),
            transmit_delay_over: is_over(self.deadlines.transmit, now),
            using_transmit_sa: latest.is_some_and(|sa| sa.in_use),
            retire_delay_over: is_over(self.deadlines.retire_at_last, now)
                || (is_over(self.deadlines.retire, now)
                    && (self.pending.is_some()
                        || latest.is_some_and(|sa| self.every_peer(sa, |(_, tx)| tx)))),
            failed: self.failed || is_over(self.deadlines.answer, now),
        }
    }

    /// Keys stay although there is no live peer.
    pub(super) fn held(&self, now: Time) -> bool {
        self.hold.is_some_and(|until| now < until)
    }

    fn connect(&self, now: Time) -> Connect {
        if self.principal.is_none() && !self.held(now) {
            Connect::Pending
        } else if self.no_macsec {
            Connect::Authenticated
        } else {
            Connect::Secure
        }
    }

    /// Whether we are the key server of the principal.
    pub(super) fn is_key_server(&self) -> bool {
        self.principal_entry()
            .is_some_and(|entry| entry.participant.elect(&self.policy) == Election::Us)
    }

    /// Whether every live peer of the key's CA says so.
    fn every_peer(&self, sa: &Sa, says: impl Fn((bool, bool)) -> bool) -> bool {
        self.entry(&sa.key.ckn)
            .into_iter()
            .flat_map(|entry| entry.participant.live())
            .all(|peer| says(uses(peer.sak_use.as_ref(), sa.id())))
    }

    /// Whether the key server that made this key says that it transmits with it.
    fn server_transmits(&self, sa: &Sa) -> bool {
        let (mi, _) = Mi::of_key(sa.id().ki);
        self.entry(&sa.key.ckn)
            .and_then(|entry| entry.participant.live_peer(mi))
            .is_some_and(|peer| uses(peer.sak_use.as_ref(), sa.id()).1)
    }

    fn enter(&mut self, now: Time, state: State) {
        match state {
            State::Init | State::Change => self.drop_keys(now),
            State::Allowed | State::Authenticated | State::Secured => {}
            State::Receive => self.enter_receive(now),
            State::Receiving => self.deadlines.answer = None,
            State::Ready => {}
            State::Transmit => {
                self.deadlines.transmit = None;
                self.deadlines.answer = Some(now + self.policy.timers.life);
                if let Some(id) = self.keys.latest {
                    self.keys.use_tx(id, &mut self.actions);
                }
            }
            State::Transmitting => self.enter_transmitting(now),
            State::Abandon => self.enter_abandon(now),
            State::Retire => self.enter_retire(now),
        }
        self.send_soon();
    }

    fn drop_keys(&mut self, now: Time) {
        self.deadlines = Deadlines::default();
        self.placing = None;
        self.failed = false;
        if self.connect(now) != Connect::Secure {
            self.pending = None;
        }
        if self.pending.is_none() {
            self.server.forget();
        }
        self.keys.retire_all(now, &mut self.actions);
    }

    fn enter_receive(&mut self, now: Time) {
        self.failed = false;
        self.deadlines.settled = None;
        self.deadlines.transmit = None;
        self.deadlines.answer = Some(now + self.policy.timers.life);
        self.placing = self.pending.take();
        self.keys.latest = self.placing.as_ref().map(|incoming| incoming.key.id);
        self.ledger.latest = self.keys.latest;
        self.place(now);
    }

    /// Has the SAs of a new key made, once its association number is free.
    fn place(&mut self, now: Time) {
        let Some(incoming) = self.placing.take() else {
            return;
        };
        let id = incoming.key.id;
        if let Some(standing) = self.keys.by_an(id.an).map(Sa::id) {
            // A key server that started over begins at the same number: the key before it is of no use any more.
            if self.keys.old == Some(standing) {
                self.keys.old = None;
            }
            self.keys.retire(now, standing, &mut self.actions);
        }
        if self.keys.by_an(id.an).is_some() {
            self.placing = Some(incoming);
            return;
        }
        let Incoming { key, sscis } = incoming;
        let ckn = key.ckn.clone();
        self.keys.add(Sa::new(key, sscis.own, sscis.peers));
        self.make_channels(&ckn, id);
        self.keys.create_tx(id, Pn::FIRST, &mut self.actions);
    }

    fn enter_transmitting(&mut self, now: Time) {
        let timers = &self.policy.timers;
        let retire = match self.keys.old() {
            Some(old) if old.receives() => timers.retire,
            _ => Duration::ZERO,
        };
        let at_last = if retire.is_zero() {
            retire
        } else {
            retire + timers.life
        };
        self.deadlines = Deadlines {
            retire: Some(now + retire),
            retire_at_last: Some(now + at_last),
            ..Deadlines::default()
        };
        self.counters.saks_installed = self.counters.saks_installed.saturating_add(1);
        if self.keys.old.is_some() {
            self.rekeys = self.rekeys.saturating_add(1);
        }
        self.last_rekey = Some(now);
    }

    fn enter_abandon(&mut self, now: Time) {
        let failed = core::mem::take(&mut self.failed) || is_over(self.deadlines.answer, now);
        self.deadlines.transmit = None;
        self.deadlines.answer = None;
        self.placing = None;
        let Some(id) = self.keys.latest.take() else {
            return;
        };
        if self.server.distributes(id) {
            self.server.forget();
        }
        let unused = self.keys.sa(id).is_some_and(Sa::is_unused);
        let pause = if failed { RETRY } else { Duration::ZERO };
        self.retry = unused.then(|| (id, now + pause));
        if let Some(old) = self.keys.old
            && self.keys.sa(id).is_some_and(|sa| sa.use_asked)
        {
            self.keys.use_tx(old, &mut self.actions);
        }
        self.keys.retire(now, id, &mut self.actions);
    }

    fn enter_retire(&mut self, now: Time) {
        self.deadlines = Deadlines {
            settled: Some(now + SETTLING),
            ..Deadlines::default()
        };
        if let Some(old) = self.keys.old.take() {
            self.keys.retire(now, old, &mut self.actions);
        }
        self.keys.old = self.keys.latest.take();
    }

    /// Peers that have to do with the keys are told at once.
    pub(super) fn send_soon(&mut self) {
        let latest = self.keys.latest().map(|sa| &sa.key.ckn);
        for entry in &mut self.entries {
            let ckn = entry.participant.ckn();
            if Some(ckn) == self.principal.as_ref() || Some(ckn) == latest {
                entry.participant.send_soon();
            }
        }
    }

    /// Why the keys are about to go, for those who ask later.
    pub(super) const fn blame(&mut self, why: LostWhy) {
        self.lost_why = why;
    }
}
