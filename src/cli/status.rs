//! `macsecgw status`: what runs and how it fares, for people or as the API's own JSON.

mod link;
mod mka;
mod rates;

use alloc::{format, string::String, vec::Vec};
use std::{io::Write, path::Path, thread, time::Duration};

use super::{
    quantity::span,
    table::{Align, Table},
};
use crate::api::{AskError, Status, ask, ask_as};
use rates::{Interval, percent};

/// Between the two looks that rates are made from.
const LOOKS_APART: Duration = Duration::from_secs(1);

/// What the gateway that answers on `socket` says: for people, or its own JSON.
///
/// # Errors
/// No gateway ([`AskError::exit_code`] 3), no access, or a broken reply.
pub fn run(socket: &Path, json: bool) -> Result<String, AskError> {
    if json {
        return Ok(format!("{:#}\n", ask(socket, "status")?));
    }
    let before: Status = ask_as(socket, "status")?;
    thread::sleep(LOOKS_APART);
    Ok(render(&before, &ask_as(socket, "status")?))
}

/// Shows the same for people in place, every so many seconds, until the terminal or the gateway goes
/// away.
///
/// # Errors
/// As [`run`]; a gateway that ends while it is watched, too.
pub fn watch(socket: &Path, seconds: u16, to: &mut impl Write) -> Result<(), AskError> {
    let mut before: Status = ask_as(socket, "status")?;
    loop {
        thread::sleep(Duration::from_secs(seconds.into()));
        let now: Status = ask_as(socket, "status")?;
        let shown = to.write_all(in_place(&render(&before, &now)).as_bytes());
        if shown.and_then(|()| to.flush()).is_err() {
            // Nobody looks any more.
            return Ok(());
        }
        before = now;
    }
}

/// Over what was shown before: the cursor goes home, and the rest of each line and of the screen is
/// cleared after the text, so that nothing flickers.
fn in_place(text: &str) -> String {
    let lines = text.replace('\n', "\x1b[K\n");
    format!("\x1b[H{lines}\x1b[J")
}

/// The text for people, from two looks at the same gateway.
pub fn render(before: &Status, now: &Status) -> String {
    let interval = Interval::between(before, now);
    let mut text = head(now);
    for link in &now.links {
        let earlier = before.links.iter().find(|each| each.name == link.name);
        text.push('\n');
        text.push_str(&link::render(earlier, link, interval));
    }
    text.push('\n');
    text.push_str(&workers(before, now, interval));
    text.push_str(&helpers(before, now, interval));
    text
}

fn head(status: &Status) -> String {
    let mut lines = Vec::from([format!(
        "macsecgw {}  {}  DPDK {}  up {}",
        status.gateway,
        status.version,
        status.dpdk_version,
        span(Duration::from_millis(status.uptime_ms)),
    )]);
    let age = span(Duration::from_millis(status.snapshot_age_ms));
    if status.ready {
        lines.push(format!("as of {age} ago"));
    } else {
        lines.push(format!(
            "NOT READY: the control thread has not answered for {age}"
        ));
    }
    let why = status
        .engines
        .iter()
        .find(|engine| engine.in_use)
        .map_or("", |engine| &engine.why);
    lines.push(format!("engine   {}{}", status.engine, in_parentheses(why)));
    lines.push(format!(
        "memory   {}",
        if status.hugepages {
            "hugepages"
        } else {
            "no hugepages"
        }
    ));
    lines.push(match &status.capture.reason {
        None => String::from("capture  possible with dpdk-dumpcap"),
        Some(reason) => format!("capture  not possible: {reason}"),
    });
    lines.extend(
        status
            .hardening
            .iter()
            .map(|fact| format!("process  {fact}")),
    );
    if let Some(ok) = status.reload.ok {
        let age = span(Duration::from_millis(status.reload.age_ms.unwrap_or(0)));
        let error = status.reload.error.as_deref().unwrap_or("");
        let how = if ok {
            String::from("taken")
        } else {
            format!("refused: {error}")
        };
        lines.push(format!("reload   {how}, {age} ago"));
    }
    lines.join("\n") + "\n"
}

fn in_parentheses(text: &str) -> String {
    if text.is_empty() {
        String::new()
    } else {
        format!(" ({text})")
    }
}

/// Nothing where there are none.
fn helpers(before: &Status, now: &Status, interval: Option<Interval>) -> String {
    let columns = [
        ("HELPER", Align::Right),
        ("LCORE", Align::Right),
        ("CPU", Align::Right),
        ("BUSY", Align::Right),
        ("BURSTS", Align::Right),
        ("STALLS", Align::Right),
        ("STATE", Align::Left),
        ("LANE", Align::Left),
    ];
    let mut table = Table::new(&columns);
    for helper in &now.helpers {
        let earlier = before
            .helpers
            .iter()
            .find(|each| each.index == helper.index);
        let busy = interval.and(earlier).and_then(|earlier| {
            let busy = helper.busy_cycles.checked_sub(earlier.busy_cycles)?;
            let idle = helper.idle_cycles.checked_sub(earlier.idle_cycles)?;
            percent(busy, idle)
        });
        let state = if helper.stalled { "STALLED" } else { "works" };
        table.row([
            format!("{}", helper.index),
            format!("{}", helper.lcore),
            format!("{}", helper.cpu),
            busy.unwrap_or_else(|| String::from("-")),
            format!("{}", helper.bursts),
            format!("{}", helper.stalls),
            String::from(state),
            helper.lane.clone(),
        ]);
    }
    if table.has_rows() {
        format!("\n{}", table.render(0))
    } else {
        String::new()
    }
}

fn workers(before: &Status, now: &Status, interval: Option<Interval>) -> String {
    let columns = [
        ("WORKER", Align::Right),
        ("LCORE", Align::Right),
        ("CPU", Align::Right),
        ("BUSY", Align::Right),
        ("IDLE POLICY", Align::Left),
        ("LANES", Align::Left),
    ];
    let mut table = Table::new(&columns);
    for worker in &now.workers {
        let earlier = before
            .workers
            .iter()
            .find(|each| each.index == worker.index);
        let busy = interval.and(earlier).and_then(|earlier| {
            let busy = worker.busy_cycles.checked_sub(earlier.busy_cycles)?;
            let idle = worker.idle_cycles.checked_sub(earlier.idle_cycles)?;
            percent(busy, idle)
        });
        table.row([
            format!("{}", worker.index),
            format!("{}", worker.lcore),
            format!("{}", worker.cpu),
            busy.unwrap_or_else(|| String::from("-")),
            worker.idle.clone(),
            worker.lanes.join(" "),
        ]);
    }
    if table.has_rows() {
        table.render(0)
    } else {
        String::from("no workers\n")
    }
}
