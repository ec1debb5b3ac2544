//! Reads and checks the intervals of `[link.mka]`, and when a new SAK is made.

use std::time::Duration;

use super::agreement_read::hold;
use super::link::PnShare;
use super::mka_read::Terms;
use super::raw::{Field, Reader, Section};
use crate::mka::{Rekey, Timers};

/// The least time between two SAKs that the standard allows: MKA Life Time (802.1X-2020 9.8).
const STANDARD_GAP: u32 = 6000;

/// The shortest interval of rekeys that routers take.
const SHORT_INTERVAL: u32 = 30;

pub(super) fn read_timers(reader: &mut Reader<'_>, section: &Section<'_>) -> Timers {
    let mut ms = |key, range, default| section.number::<u32>(reader, key, range, default);
    let hello = ms("hello_time_ms", 100..=60_000, 2000);
    let bounded_hello = ms("bounded_hello_time_ms", 50..=60_000, 500);
    let life = ms("life_time_ms", 300..=600_000, 6000);
    let retire = ms("sak_retire_time_ms", 100..=60_000, 3000);
    let transmit_delay = ms("transmit_delay_ms", 100..=600_000, 6000);
    if bounded_hello.value > hello.value {
        let what = format!("{} ms, which is above `hello_time_ms`", bounded_hello.value);
        let right = format!("at most {}: it is the shorter of the two", hello.value);
        reader.wrong(&bounded_hello, what, right);
    }
    if life.value < 2 * hello.value {
        let field = if life.given { &life } else { &hello };
        let what = format!(
            "a life time of {} ms with a hello time of {} ms: one lost MKPDU would end a peer",
            life.value, hello.value
        );
        let right = "a life time of three times the hello time, as the standard has it";
        reader.wrong(field, what, right);
    } else if life.value < 3 * hello.value {
        let what = "a life time of less than three times the hello time";
        let right = "two MKPDUs lost in a row end a peer; three times is the standard's";
        reader.warn(if life.given { &life } else { &hello }, what, right);
    }
    Timers {
        hello: millis(&hello),
        bounded_hello: millis(&bounded_hello),
        life: millis(&life),
        retire: millis(&retire),
        transmit_delay: millis(&transmit_delay),
        sak_gap: read_gap(reader, section),
        ramp: read_ramp(reader, section, &hello),
    }
}

fn millis(field: &Field<u32>) -> Duration {
    Duration::from_millis(field.value.into())
}

fn read_gap(reader: &mut Reader<'_>, section: &Section<'_>) -> Duration {
    let gap = section.number::<u32>(reader, "sak_gap_ms", 0..=600_000, STANDARD_GAP);
    let short = section.flag(reader, "short_sak_gap", false);
    if gap.value < STANDARD_GAP && !short.value {
        let what = format!("{} ms between two SAKs is below the standard's", gap.value);
        let right =
            format!("{STANDARD_GAP} or more; in a test, `short_sak_gap = true` allows less");
        reader.wrong(&gap, what, right);
    } else if short.value {
        let what = "SAKs may follow each other faster than the standard allows";
        let right = "`short_sak_gap` is for tests: peers may refuse such keys; take it out";
        reader.warn(&short, what, right);
    }
    millis(&gap)
}

fn read_ramp(
    reader: &mut Reader<'_>,
    section: &Section<'_>,
    hello: &Field<u32>,
) -> arrayvec::ArrayVec<Duration, 8> {
    let default = Timers::default().ramp;
    if section.find("ramp_ms").is_none() {
        let most = millis(hello);
        return default.into_iter().filter(|step| *step <= most).collect();
    }
    let steps = section.numbers::<u32>(reader, "ramp_ms", 20..=60_000);
    if let Some(over) = steps.get(default.capacity()) {
        let right = format!(
            "{} at the most; then hello time goes on",
            default.capacity()
        );
        reader.wrong(over, format!("{} steps of a ramp", steps.len()), right);
    }
    for step in steps.iter().filter(|step| step.value > hello.value) {
        let what = format!(
            "a step of {} ms, which is above `hello_time_ms`",
            step.value
        );
        let right = "a ramp is faster than hello time";
        reader.wrong(step, what, right);
    }
    steps.iter().take(default.capacity()).map(millis).collect()
}

pub(super) fn read_rekey(
    reader: &mut Reader<'_>,
    section: &Section<'_>,
    terms: &Terms<'_>,
    timers: &Timers,
) -> Rekey {
    let rule = &terms.profile.rules().sak_rekey_interval;
    let every = section.number::<u32>(reader, "sak_rekey_interval_s", 0..=31_536_000, rule.value);
    hold(reader, terms.profile, &every, rule);
    let interval = Duration::from_secs(every.value.into());
    if every.value > 0 && interval < timers.sak_gap {
        let what = format!(
            "a new SAK every {} s, and at least {} ms between two",
            every.value,
            timers.sak_gap.as_millis()
        );
        reader.wrong(
            &every,
            what,
            "an interval no shorter than `sak_gap_ms`, or 0",
        );
    } else if every.given && (1..SHORT_INTERVAL).contains(&every.value) {
        let what = format!("a new SAK every {} s", every.value);
        let right =
            format!("routers take {SHORT_INTERVAL} s and more; 0 leaves it to packet numbers");
        reader.warn(&every, what, right);
    }
    let volume = section.number::<u64>(reader, "sak_rekey_volume_mib", 0..=1 << 43, 0);
    Rekey {
        pn_share: read_share(reader, section, &terms.pn_soft_threshold),
        every: (every.value > 0).then_some(interval),
        after_octets: (volume.value > 0).then(|| volume.value.saturating_mul(1 << 20)),
        on_live_peer_loss: section
            .flag(reader, "sak_rekey_on_live_peer_loss", false)
            .value,
    }
}

fn read_share(reader: &mut Reader<'_>, section: &Section<'_>, soft: &Field<PnShare>) -> u32 {
    let share = section.fraction(reader, "sak_rekey_pn_share", 0.000_001..=0.99, 0.75);
    let millionths = PnShare::of_whole(share.value);
    if millionths >= soft.value {
        let what = "`sak_rekey_pn_share` is not below `pn_soft_threshold`";
        let right = "the alarm tells that a new SAK did not come in time: set it above the share at \
                     which one is asked for";
        let field = if share.given {
            share.with(())
        } else {
            soft.with(())
        };
        reader.wrong(&field, what, right);
    }
    millionths.0
}
