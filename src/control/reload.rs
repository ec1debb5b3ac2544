//! Keys at the start, and a config that is read again: prepared as a whole, then applied as a whole.

use std::time::Instant;

use super::{
    mka::{PreparedCaks, SakStores, Session, SessionSetup},
    prepared::{KeyTrouble, PreparedRx, PreparedTx, prepare_rx, prepare_tx},
    run::Control,
};
use crate::{
    bus::{Bypass, BypassEntry, Direction, LaneCommand},
    config::{self, BypassDirection, Config, EncryptionMode, Link, reload::Changes, reuse},
    control::link::{LinkControl, sender},
    ieee::Sci,
};

/// What one link's new keys come to. Nothing of it is in use before all links are prepared.
#[derive(Debug, Default)]
struct PreparedKeys {
    tx: Option<PreparedTx>,
    rx: Option<PreparedRx>,
    caks: Option<PreparedCaks>,
}

/// Reads the keys of all links and sends the first SAs.
///
/// # Errors
/// What is wrong with which link's keys, and what to do.
pub(super) fn install_first_keys(control: &mut Control) -> Result<(), String> {
    let config = control.config.clone();
    check_reuse(control, &config)?;
    let mut prepared = prepare(control, &config)?;
    let now = control.started;
    let mut stores = SakStores::default();
    for (link, keys) in control.links.iter_mut().zip(&mut prepared) {
        if let (Some(mka), Some(caks)) = (link.config.mka(), keys.caks.take()) {
            let setup = SessionSetup {
                link: &link.config,
                mka,
                own_sci: link.parts.own_sci,
                address: link.parts.secure.mac(),
                caks,
                now,
                state: control.books.dir(),
                saks: (mka.keep_saks.as_ref()).map(|path| stores.open(path, control.books.dir())),
            };
            let session = Session::new(setup)
                .map_err(|error| format!("link {}: {error}", link.config.name))?;
            link.mka = Some(Box::new(session));
        }
    }
    stores.sweep();
    commit(control, prepared);
    Ok(())
}

/// Reads the config again, applies what can change live, and says what can't.
///
/// # Errors
/// Why all of it is refused; nothing has changed then.
pub(super) fn reload(control: &mut Control, now: Instant) -> Result<String, String> {
    let new = Config::load(&control.config_path).map_err(|problems| problems.to_string())?;
    let changes = config::reload::compare(&control.config, &new);
    if !changes.refused.is_empty() {
        return Err(sentence("refused", &changes.refused));
    }
    let effective = config::reload::effective(&control.config, &new, &changes.applied);
    check_reuse(control, &effective)?;
    check_suites(control, &effective)?;
    let mut prepared = prepare(control, &effective)?;
    let caks: Vec<_> = prepared.iter_mut().map(|keys| keys.caks.take()).collect();
    commit(control, prepared);
    for ((at, link), caks) in effective.links.iter().enumerate().zip(caks) {
        apply(control, at, link);
        agree(control, at, caks, now);
    }
    control.config = effective;
    Ok(told(&changes))
}

/// Asks again, now with every SCI known, whether a key would serve two transmitters.
fn check_reuse(control: &Control, config: &Config) -> Result<(), String> {
    let transmitters: Vec<_> = config
        .links
        .iter()
        .zip(&control.links)
        .flat_map(|(link, running)| reuse::transmitters(link, Some(running.parts.own_sci)))
        .collect();
    reuse::check(&transmitters).map_err(|reuse| reuse.to_string())?;
    for (link, running) in config.links.iter().zip(&control.links) {
        let Some(keys) = link.static_keys() else {
            continue;
        };
        if keys.peer_sci == running.parts.own_sci {
            return Err(format!(
                "link {}: own SCI and peer_sci are both {}; give the peer's",
                link.name, keys.peer_sci
            ));
        }
    }
    Ok(())
}

/// Whether every key in use is one that the new config would take: the peer would go on with it, and the link
/// would count as secured by what it must not be.
fn check_suites(control: &Control, config: &Config) -> Result<(), String> {
    for (link, running) in config.links.iter().zip(&control.links) {
        let (Some(session), Some(mka)) = (&running.mka, link.mka()) else {
            continue;
        };
        let accepted = &mka.policy.suites;
        let used = session.sas.suites().find(|suite| {
            link.encryption != EncryptionMode::NoEncrypt && !accepted.contains(suite)
        });
        if let Some(suite) = used {
            return Err(format!(
                "link {}: the key in use is of {suite}, which the new config does not accept: have the other \
                 end change its suite first, keep {suite} in accept_cipher_suites, or restart the gateway",
                link.name
            ));
        }
    }
    Ok(())
}

/// Makes every new SA ready. What was reserved for them is given back if one of them fails.
fn prepare(control: &mut Control, config: &Config) -> Result<Vec<PreparedKeys>, String> {
    let mut all = Vec::with_capacity(config.links.len());
    for (at, link) in config.links.iter().enumerate() {
        let Some(running) = control.links.get(at) else {
            continue;
        };
        let (sci, ahead) = (running.parts.own_sci, running.ahead());
        let wanted = Wanted::of(running, link);
        let mut keys = PreparedKeys::default();
        let outcome = read_caks(running, link, &mut keys).and_then(|()| {
            wanted
                .make(link, sci, control, ahead, &mut keys)
                .map_err(|trouble| trouble.to_string())
        });
        all.push(keys);
        if let Err(trouble) = outcome {
            give_back(control, all);
            return Err(format!("link {}: {trouble}", link.name));
        }
    }
    Ok(all)
}

fn read_caks(running: &LinkControl, link: &Link, keys: &mut PreparedKeys) -> Result<(), String> {
    if let Some(mka) = link.mka() {
        let held = running.mka.as_ref().map(|session| session.caks());
        keys.caks = Some(PreparedCaks::read(mka, held)?);
    }
    Ok(())
}

fn give_back(control: &mut Control, all: Vec<PreparedKeys>) {
    for tx in all.into_iter().filter_map(|keys| keys.tx) {
        let (key, next) = (tx.used.fingerprint, tx.used.next_pn());
        drop(tx);
        if let Err(error) = control.books.settle(key, next) {
            tracing::error!("{error}");
        }
    }
}

/// Which directions need a new SA.
#[derive(Clone, Copy, Debug)]
struct Wanted {
    tx: bool,
    rx: bool,
}

impl Wanted {
    fn of(running: &LinkControl, link: &Link) -> Self {
        let Some(keys) = link.static_keys() else {
            return Self {
                tx: false,
                rx: false,
            };
        };
        let agreement = &running.agreement;
        let has_tx = agreement.tx.last().is_some_and(|used| {
            used.an == keys.tx.an && used.fingerprint == keys.tx.key.fingerprint
        });
        let has_rx = agreement.rx.last().is_some_and(|used| {
            used.an == keys.rx.an && used.fingerprint == keys.rx.key.fingerprint
        });
        Self {
            tx: !has_tx,
            rx: !has_rx,
        }
    }

    fn make(
        self,
        link: &Link,
        own_sci: Sci,
        control: &mut Control,
        ahead: super::line_rate::Ahead,
        made: &mut PreparedKeys,
    ) -> Result<(), KeyTrouble> {
        let Some(keys) = link.static_keys() else {
            return Ok(());
        };
        if self.rx {
            made.rx = Some(prepare_rx(
                link,
                &keys.rx,
                keys.peer_sci,
                &*control.factory,
                &mut control.books,
            )?);
        }
        if self.tx {
            if control.books.is_open(keys.tx.key.fingerprint) {
                return Err(KeyTrouble::InUse(keys.tx.key.fingerprint));
            }
            made.tx = Some(prepare_tx(
                link,
                &keys.tx,
                own_sci,
                &*control.factory,
                &mut control.books,
                ahead,
            )?);
        }
        Ok(())
    }
}

/// Sends the new SAs: receive first, so that both ways stay open at every moment.
fn commit(control: &mut Control, prepared: Vec<PreparedKeys>) {
    for (link, keys) in control.links.iter_mut().zip(prepared) {
        let mut send = sender(link.index, &mut control.out);
        if let Some(rx) = keys.rx {
            link.agreement.use_rx(rx, &mut send);
        }
        if let Some(tx) = keys.tx {
            link.agreement.use_tx(tx, &mut send);
        }
    }
}

/// Applies what is no key.
fn apply(control: &mut Control, at: usize, new: &Link) {
    let Some(link) = control.links.get_mut(at) else {
        return;
    };
    let mut send = sender(link.index, &mut control.out);
    if link.config.replay != new.replay {
        send(Direction::Validate, LaneCommand::Replay(new.replay));
    }
    if link.config.validate_frames != new.validate_frames {
        send(
            Direction::Validate,
            LaneCommand::Validate(new.validate_frames),
        );
    }
    if link.config.bypass != new.bypass {
        for direction in Direction::BOTH {
            send(direction, LaneCommand::Bypass(Box::new(bypass_list(new))));
        }
    }
    for used in &mut link.agreement.tx {
        used.soft_at = new.pn_soft_threshold.of(used.space);
    }
    link.config = new.clone();
}

/// Tells a link's key agreement what is new.
fn agree(control: &mut Control, at: usize, caks: Option<PreparedCaks>, now: Instant) {
    let Some(link) = control.links.get_mut(at) else {
        return;
    };
    let (Some(session), Some(mka), Some(caks)) = (&mut link.mka, link.config.mka(), caks) else {
        return;
    };
    let mut send = sender(link.index, &mut control.out);
    if let Err(error) = session.apply(
        &link.config,
        mka,
        caks,
        (now, control.books.dir()),
        &mut send,
    ) {
        tracing::error!(link = link.config.name, "{error}");
    }
}

/// The bypass list as lanes take it.
pub fn bypass_list(link: &Link) -> Bypass {
    Bypass(
        link.bypass
            .iter()
            .map(|entry| BypassEntry {
                ethertype: entry.ethertype,
                direction: match entry.direction {
                    BypassDirection::Protect => Some(Direction::Protect),
                    BypassDirection::Validate => Some(Direction::Validate),
                    BypassDirection::Both => None,
                },
            })
            .collect(),
    )
}

/// What was applied and what was not, for the operator.
fn told(changes: &Changes) -> String {
    if changes.is_empty() {
        return String::from("nothing changed");
    }
    let mut parts = Vec::new();
    if !changes.applied.is_empty() {
        parts.push(sentence("applied", &changes.applied));
    }
    if !changes.needs_restart.is_empty() {
        parts.push(sentence(
            "not applied, needs a restart",
            &changes.needs_restart,
        ));
    }
    parts.join("; ")
}

fn sentence(what: &str, items: &[impl std::fmt::Display]) -> String {
    let items: Vec<_> = items.iter().map(ToString::to_string).collect();
    format!("{what}: {}", items.join(", "))
}
