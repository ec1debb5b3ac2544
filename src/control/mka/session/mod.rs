//! One link's KaY at work: what it hears, what it wants done, and what it wants sent.
//!
//! `turn` drives it. It is there as long as the link has key agreement; a KaY is in it while one is wanted.

mod turn;

use std::{sync::Arc, time::Instant};

use super::{
    caks::{Caks, PreparedCaks},
    chronicle::Chronicle,
    filter::Filter,
    keeper::Keeper,
    saks::Saks,
    sas::Sas,
    trap::Trap,
    view::uses,
    watch::Watch,
};
use crate::{
    bus::{Direction, LaneCommand},
    config::{EncryptionMode, Link, Mka},
    control::stance::{Keys, Loss},
    crypto::{AesKeyAgreement, KeyAgreement, random::SystemRandom},
    ieee::{MacAddr, Sci},
    mka::{Kay, KaySetup, KayStatus, LostWhy, Policy, RekeyAnswer, Remembered, Time},
    state::{SakStore, StateDir},
};

pub(in crate::control) use turn::Surroundings;

/// What a session is made of.
#[derive(Debug)]
pub(in crate::control) struct SessionSetup<'a> {
    pub(in crate::control) link: &'a Link,
    pub(in crate::control) mka: &'a Mka,
    pub(in crate::control) own_sci: Sci,
    /// The secure port's address.
    pub(in crate::control) address: MacAddr,
    pub(in crate::control) caks: PreparedCaks,
    pub(in crate::control) now: Instant,
    pub(in crate::control) state: &'a StateDir,
    /// Where SAKs outlive a restart; with why they do not, where they were to.
    pub(in crate::control) saks: Option<Result<Arc<SakStore>, String>>,
}

/// Key agreement of one link.
#[derive(Debug)]
pub(in crate::control) struct Session {
    /// `None` while none is wanted: in `no_encrypt`, and at the end.
    kay: Option<Kay>,
    crypto: Box<dyn KeyAgreement>,
    /// Where the KaY's time begins.
    origin: Instant,
    pub(super) own_sci: Sci,
    address: MacAddr,
    pub(super) policy: Policy,
    pub(super) caks: Caks,
    pub(in crate::control) sas: Sas,
    pub(super) chronicle: Chronicle,
    filter: Filter,
    pub(super) trap: Trap,
    pub(super) watch: Watch,
    link_up: bool,
    /// Whether the last turn heard so much that the next one must be soon.
    pub(in crate::control) flooded: bool,
    looked: Option<Instant>,
    /// How things were at the last look.
    pub(super) status: Option<KayStatus>,
    secured: bool,
    /// When and how it ceased to be secured last.
    pub(super) loss: Option<(Instant, LostWhy)>,
    pub(super) losses: u64,
    pub(super) out_overrun: u64,
    pub(super) keeper: Keeper,
    saks: Option<Saks>,
    no_saks: Option<String>,
}

impl Session {
    pub(in crate::control) fn new(setup: SessionSetup<'_>) -> Result<Self, String> {
        let SessionSetup {
            link,
            mka,
            own_sci,
            address,
            caks,
            now,
            state,
            saks,
        } = setup;
        let (saks, no_saks) = match saks {
            None => (None, None),
            Some(Ok(store)) => (Some(Saks::new(&link.name, own_sci, store)), None),
            Some(Err(why)) => {
                tracing::error!(link = link.name, "SAKs are not kept: {why}");
                (None, Some(why))
            }
        };
        let mut session = Self {
            kay: None,
            crypto: key_agreement(),
            origin: now,
            own_sci,
            address,
            policy: policy(link, mka, address),
            caks: Caks::new(&link.name, mka, caks),
            sas: Sas::new(&link.name, own_sci),
            chronicle: Chronicle::new(&link.name),
            filter: Filter::default(),
            trap: Trap::default(),
            watch: Watch::default(),
            link_up: false,
            flooded: false,
            looked: None,
            status: None,
            secured: false,
            loss: None,
            losses: 0,
            out_overrun: 0,
            keeper: Keeper::new(&link.name),
            saks,
            no_saks,
        };
        if link.encryption != EncryptionMode::NoEncrypt {
            session.begin(now, state)?;
        }
        Ok(session)
    }

    /// Starts the KaY.
    fn begin(&mut self, now: Instant, state: &StateDir) -> Result<(), String> {
        let remembered = Remembered {
            identity: self.keeper.remembered(self.own_sci, state),
            keys: (self.saks.as_ref()).map_or_else(Vec::new, |saks| saks.take(&self.policy)),
        };
        let setup = KaySetup {
            sci: self.own_sci,
            policy: self.policy.clone(),
            crypto: key_agreement(),
            remembered,
            keeps_identity: true,
        };
        let kay = Kay::new(self.time(now), setup).map_err(|error| error.to_string())?;
        self.kay = Some(kay);
        self.looked = None;
        Ok(())
    }

    /// Ends the KaY. It says nothing to its peers: one that starts again soon goes on with them. The SAs
    /// stay until they are asked back.
    pub(in crate::control) fn end(&mut self, out: &mut impl FnMut(Direction, LaneCommand)) {
        if self.kay.take().is_some() {
            self.filter.clear();
            out(Direction::Validate, LaneCommand::EapolFilter(None));
        }
        self.link_up = false;
        self.flooded = false;
        self.status = None;
    }

    /// Ends the KaY of a link whose lanes are closed: a restart may go on where the SAs stopped.
    pub(in crate::control) fn close(&mut self, out: &mut impl FnMut(Direction, LaneCommand)) {
        if self.kay.is_some()
            && let Some(saks) = &mut self.saks
        {
            saks.end(&self.sas);
        }
        self.end(out);
    }

    /// Asks for every SA back, once, where no KaY uses them any more.
    pub(in crate::control) fn ask_back(&mut self, out: &mut impl FnMut(Direction, LaneCommand)) {
        if self.kay.is_none() {
            self.sas.retire_all(out);
        }
    }

    /// Goes on under another config. What is in use is not touched where it may stay.
    ///
    /// # Errors
    /// Where a KaY that is wanted from now on can't start.
    pub(in crate::control) fn apply(
        &mut self,
        link: &Link,
        mka: &Mka,
        caks: PreparedCaks,
        (now, state): (Instant, &StateDir),
        out: &mut impl FnMut(Direction, LaneCommand),
    ) -> Result<(), String> {
        let time = self.time(now);
        let policy = policy(link, mka, self.address);
        if let Some(kay) = &mut self.kay {
            for ckn in self.caks.rekeyed(mka) {
                kay.remove_cak(time, ckn);
            }
            for key in &mka.keychain {
                kay.set_rank(time, &key.ckn, key.rank);
            }
            if policy != self.policy {
                kay.set_policy(time, policy.clone());
            }
        }
        self.policy = policy;
        self.caks.replace(mka, caks);
        self.looked = None;
        match (link.encryption, self.kay.is_some()) {
            (EncryptionMode::NoEncrypt, true) => {
                self.end(out);
                if let Some(saks) = &mut self.saks {
                    saks.forget();
                }
            }
            (EncryptionMode::MustEncrypt | EncryptionMode::ShouldEncrypt, false) => {
                self.begin(now, state)?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Has the KaY make a new SAK.
    pub(in crate::control) fn rekey(&mut self, now: Instant) -> Result<String, String> {
        let time = self.time(now);
        let Some(kay) = &mut self.kay else {
            return Err(String::from("no key agreement runs on it now"));
        };
        match kay.rekey(time) {
            Ok(RekeyAnswer::Now) => Ok(String::from("a new SAK is made now")),
            Ok(RekeyAnswer::Queued(wait)) => Ok(format!(
                "a new SAK is made in {:.1} s, when the gap behind the last one is over",
                wait.as_secs_f64()
            )),
            Err(refused) => Err(refused.to_string()),
        }
    }

    /// Why SAKs are not kept, where they were to be.
    pub(super) fn saks_trouble(&self) -> Option<&str> {
        let saks = self.saks.as_ref().and_then(Saks::trouble);
        saks.or(self.no_saks.as_deref())
    }

    /// The CAKs that it holds.
    pub(in crate::control) const fn caks(&self) -> &Caks {
        &self.caks
    }

    /// How far the keys are, for the sentence that says why a link is not secured.
    pub(in crate::control) fn progress(&self) -> Keys {
        let status = self.status.as_ref();
        if !self.caks.any_runs() {
            Keys::NoUsableCak
        } else if status.is_none_or(|status| status.principal.is_none()) {
            Keys::NoPeer
        } else {
            Keys::Agreeing
        }
    }

    /// How the link ceased to be secured, if it is not since.
    pub(in crate::control) fn loss_for(&self, now: Instant) -> Option<Loss> {
        let (since, why) = self.loss.filter(|_| !self.secured)?;
        Some(Loss {
            ago: now.saturating_duration_since(since),
            // Told by a member that has the CAK, or waited for in vain.
            is_settled: matches!(why, LostWhy::NoMacsec | LostWhy::PeersGone),
        })
    }

    /// Whether every live peer says that it protects.
    pub(in crate::control) fn peers_protect(&self) -> bool {
        let Some((status, used)) = self.status.as_ref().zip(self.sas.encoding()) else {
            return false;
        };
        let mut live = status
            .participants
            .iter()
            .filter(|one| Some(&one.ckn) == status.principal.as_ref())
            .flat_map(|one| one.peers.iter().filter(|peer| peer.live))
            .peekable();
        live.peek().is_some() && live.all(|peer| uses(peer, Some(used.held.id())).0)
    }

    pub(super) fn time(&self, now: Instant) -> Time {
        Time(now.saturating_duration_since(self.origin))
    }
}

fn key_agreement() -> Box<dyn KeyAgreement> {
    Box::new(AesKeyAgreement::new(SystemRandom))
}

/// The link's policy, with what the config can't know.
fn policy(link: &Link, mka: &Mka, address: MacAddr) -> Policy {
    let mut policy = mka.policy.clone();
    policy.source = address;
    // However the profile would have it: nobody talks a closed link open.
    policy.accept_no_macsec &= link.encryption == EncryptionMode::ShouldEncrypt;
    policy
}
