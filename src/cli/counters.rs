//! `macsecgw counters`: every counter, for people or as the API's own JSON.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use std::path::Path;

use super::quantity::grouped;
use crate::api::{AskError, Counters, Counts, LinkCounters, SaCount, ask, ask_as};

/// The counters of the gateway that answers on `socket`: for people, those at 0 only with `all`, or
/// the API's own JSON.
///
/// # Errors
/// No gateway ([`AskError::exit_code`] 3), no access, or a broken reply.
pub fn run(socket: &Path, json: bool, all: bool) -> Result<String, AskError> {
    if json {
        return Ok(format!("{:#}\n", ask(socket, "counters")?));
    }
    Ok(render(&ask_as(socket, "counters")?, all))
}

/// The text for people.
pub fn render(counters: &Counters, all: bool) -> String {
    let mut text = format!("macsecgw {}\n", counters.gateway);
    let mut hidden = 0;
    let sections = counters.links.iter().flat_map(of_link).chain(
        counters
            .workers
            .iter()
            .map(|each| (format!("worker {}", each.index), &each.counters)),
    );
    for (title, counts) in sections {
        let (body, left_out) = section(counts, all);
        hidden += left_out;
        if !body.is_empty() {
            text.push_str(&format!("\n{title}\n{body}"));
        }
    }
    if hidden > 0 {
        text.push_str(&format!("\n{hidden} counters are 0; --all shows them\n"));
    }
    text
}

fn of_link(link: &LinkCounters) -> Vec<(String, &Counts)> {
    let name = &link.name;
    let mut sections = Vec::new();
    for (direction, lane) in &link.lanes {
        sections.push((format!("link {name}, {direction} lane"), &lane.counts));
        sections.push((
            format!("link {name}, {direction} lane, dropped because"),
            &lane.drops,
        ));
        sections.push((
            format!("link {name}, {direction} lane, own EAPOL not sent because"),
            &lane.eapol_unsent,
        ));
    }
    sections.push((format!("link {name}, SecY"), &link.secy));
    let tx = format!("link {name}, transmit SC {}", link.tx_sc.sci);
    sections.push((tx.clone(), &link.tx_sc.counters));
    sections.extend(of_sas(&tx, &link.tx_sc.sas));
    for sc in &link.rx_scs {
        let rx = format!("link {name}, receive SC {}", sc.sci);
        sections.push((rx.clone(), &sc.counters));
        sections.extend(of_sas(&rx, &sc.sas));
    }
    if let Some(mka) = &link.mka {
        sections.push((format!("link {name}, KaY"), &mka.kay));
        sections.extend(mka.participants.iter().map(|each| {
            let title = format!("link {name}, participant of CKN {}", each.ckn);
            (title, &each.counters)
        }));
    }
    sections.extend(
        link.ports
            .iter()
            .map(|(side, counts)| (format!("link {name}, {side} port"), counts)),
    );
    sections
}

fn of_sas<'a>(sc: &str, sas: &'a [SaCount]) -> impl Iterator<Item = (String, &'a Counts)> {
    sas.iter()
        .map(move |sa| (format!("{sc}, AN {}", sa.an), &sa.counters))
}

/// Lines with those that are not 0 first, and how many were left out.
fn section(counts: &Counts, all: bool) -> (String, usize) {
    let (some, none): (Vec<_>, Vec<_>) = counts.iter().partition(|(_, value)| **value != 0);
    let zeros = none.len();
    let shown: Vec<_> = if all {
        some.into_iter().chain(none).collect()
    } else {
        some
    };
    let width = counts.keys().map(String::len).max().unwrap_or(0);
    let digits = counts
        .values()
        .map(|value| grouped(*value).len())
        .max()
        .unwrap_or(0);
    let lines = shown
        .into_iter()
        .map(|(name, value)| format!("  {name:<width$}  {:>digits$}\n", grouped(*value)));
    (
        lines.collect::<Vec<_>>().concat().to_string(),
        if all { 0 } else { zeros },
    )
}
