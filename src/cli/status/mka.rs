//! A link's key agreement for people.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use std::time::Duration;

use super::super::{
    quantity::{grouped, span},
    table::{Align, Table},
};
use crate::api::{CakStatus, ClockStatus, MkaKeyStatus, MkaStatus, PeerStatus};

const NONE: &str = "-";

pub(super) fn render(mka: &MkaStatus) -> String {
    let mut text = String::new();
    for (what, said) in facts(mka) {
        text.push_str(&format!("  {what:<9}{said}\n"));
    }
    for table in [caks(mka), keys(mka)] {
        if table.has_rows() {
            text.push_str(&table.render(2));
        }
    }
    text
}

fn facts(mka: &MkaStatus) -> Vec<(&'static str, String)> {
    let server = mka.key_server.as_ref().map_or_else(
        || String::from("none elected"),
        |server| match server.is_us {
            true => format!("us ({})", server.sci),
            false => server.sci.clone(),
        },
    );
    let principal = mka.principal.as_deref().unwrap_or("none: no live peer");
    let since = mka.since_rekey_ms.map_or_else(
        || String::from("no key was in use yet"),
        |ms| format!("key in use for {}", time(ms)),
    );
    let next = mka
        .next_rekey_ms
        .map_or_else(String::new, |ms| format!(", next rekey in {}", time(ms)));
    let mut facts = Vec::from([
        (
            "mka",
            format!("key server {server}, CP machine {}", mka.cp_state),
        ),
        ("ckn", principal.to_string()),
        ("rekeys", format!("{}, {since}{next}", grouped(mka.rekeys))),
    ]);
    if let Some(loss) = &mka.last_loss {
        facts.push((
            "lost",
            format!(
                "{} times, last {} ago: {}",
                grouped(mka.losses),
                time(loss.ago_ms),
                loss.sentence
            ),
        ));
    }
    if mka.falls_to_clear > 0 {
        let times = grouped(mka.falls_to_clear);
        facts.push(("CLEAR", format!("fell from secured to clear {times} times")));
    }
    facts.extend(clock(&mka.clock).map(|said| ("CLOCK", said)));
    facts
}

/// Only what is wrong with it.
fn clock(clock: &ClockStatus) -> Option<String> {
    match clock.state.as_str() {
        "good" => None,
        "before_build" => Some(String::from(
            "stands before the day that this program was built; windows of keys can't be told",
        )),
        _ => Some(format!(
            "stepped by {} s, {} ago",
            clock.last_step_s.unwrap_or(0),
            time(clock.last_step_ago_ms.unwrap_or(0))
        )),
    }
}

fn caks(mka: &MkaStatus) -> Table {
    let columns = [
        ("CKN", Align::Left),
        ("", Align::Left),
        ("PEER", Align::Left),
        ("MEMBER", Align::Left),
        ("HEARD", Align::Right),
        ("PRIORITY", Align::Right),
        ("MKA", Align::Right),
        ("USES KEY", Align::Left),
    ];
    let mut table = Table::new(&columns);
    for cak in &mka.caks {
        let name = [shortened(&cak.ckn), how(cak, mka.clock.utc)];
        if cak.peers.is_empty() {
            let none = [NONE; 6].map(ToString::to_string);
            table.row(joined(name, none));
            continue;
        }
        for (at, peer) in cak.peers.iter().enumerate() {
            // The name stands once, with its first peer.
            let name = if at == 0 {
                name.clone()
            } else {
                [String::new(), String::new()]
            };
            table.row(joined(name, of_peer(peer)));
        }
    }
    table
}

fn joined(name: [String; 2], rest: [String; 6]) -> [String; 8] {
    let [ckn, how] = name;
    let [a, b, c, d, e, f] = rest;
    [ckn, how, a, b, c, d, e, f]
}

fn of_peer(peer: &PeerStatus) -> [String; 6] {
    let sci = peer.sci.as_deref().unwrap_or("unknown");
    let live = if peer.live { "live" } else { "potential" };
    let uses = match (peer.rx, peer.tx) {
        (true, true) => "receives, transmits",
        (true, false) => "receives",
        (false, true) => "transmits",
        (false, false) => NONE,
    };
    [
        format!("{sci} {live}"),
        peer.member_identifier.clone(),
        time(peer.heard_ms),
        peer.priority.to_string(),
        format!("v{}", peer.mka_version),
        uses.to_string(),
    ]
}

/// Its state, and when that ends by the gateway's clock, which says `utc`.
fn how(cak: &CakStatus, utc: i64) -> String {
    let until = |at: Option<i64>| {
        let seconds = u64::try_from(at?.checked_sub(utc)?).ok()?;
        Some(span(Duration::from_secs(seconds)))
    };
    let mut words = Vec::from([cak.state.clone()]);
    if cak.principal {
        words.push(String::from("IN USE"));
    }
    if cak.fallback {
        words.push(String::from("fallback"));
    }
    if let Some(time) = until(cak.start) {
        words.push(format!("starts in {time}"));
    } else if let Some(time) = until(cak.end) {
        words.push(format!("ends in {time}"));
    }
    words.join(", ")
}

/// Enough of a name to tell it from another one.
fn shortened(ckn: &str) -> String {
    match (ckn.get(..8), ckn.get(ckn.len().saturating_sub(4)..)) {
        (Some(begin), Some(end)) if ckn.len() > 16 => format!("{begin}..{end}"),
        _ => ckn.to_string(),
    }
}

fn keys(mka: &MkaStatus) -> Table {
    let columns = [
        ("KEY", Align::Left),
        ("AN", Align::Right),
        ("KEY SERVER'S MEMBER", Align::Left),
        ("NUMBER", Align::Right),
        ("SUITE", Align::Left),
        ("TX", Align::Left),
        ("RX", Align::Left),
        ("SSCI", Align::Right),
        ("NEXT PN", Align::Right),
    ];
    let mut table = Table::new(&columns);
    let slots = [
        ("latest", &mka.latest_key, ["LTX", "LRX"]),
        ("old", &mka.old_key, ["OTX", "ORX"]),
    ];
    for (name, key, flags) in slots {
        let Some(key) = key else { continue };
        let (member, number) = parts(key);
        let flag = |on: bool, flag: &str| if on { flag } else { NONE }.to_string();
        let [tx, rx] = flags;
        table.row([
            name.to_string(),
            key.an.to_string(),
            member,
            number,
            key.cipher_suite.clone(),
            flag(key.tx, tx),
            flag(key.rx, rx),
            key.ssci
                .map_or_else(|| NONE.to_string(), |ssci| ssci.to_string()),
            grouped(key.next_pn),
        ]);
    }
    table
}

/// The key server's member identifier and the key's number in a key identifier.
fn parts(key: &MkaKeyStatus) -> (String, String) {
    let ki = &key.key_identifier;
    let number = ki
        .get(24..)
        .and_then(|digits| u32::from_str_radix(digits, 16).ok());
    match (ki.get(..24), number) {
        (Some(member), Some(number)) => (member.to_string(), number.to_string()),
        _ => (ki.clone(), NONE.to_string()),
    }
}

fn time(millis: u64) -> String {
    span(Duration::from_millis(millis))
}
