//! All engines on the same frames, in rounds that take turns.

use crate::bound::{self, Width};
use crate::clock;
use crate::engine::{self, Engine, Key};
use crate::frames::{Direction, FRAMES, Ring, Size, text_len};
use crate::row::EngineRow;
use crate::settings::Settings;
use crate::stats::{low, median};

/// One line of a table before it is measured.
#[derive(Clone, Copy, Debug)]
struct Case {
    key_bits: usize,
    direction: Direction,
    size: Size,
    burst: usize,
}

/// What one engine took in one case: a frame's share of each round.
#[derive(Clone, Debug, Default)]
struct Samples {
    ticks: Vec<f64>,
    cycles: Vec<f64>,
}

/// What the engines part found.
#[derive(Debug)]
pub(crate) struct Found {
    /// Each engine and what it runs on here.
    pub(crate) forms: Vec<(String, String)>,
    pub(crate) widths: Vec<Width>,
    pub(crate) rows: Vec<EngineRow>,
}

const KEY: [u8; 32] = *b"a key that guards nothing at all";

fn cases(settings: &Settings) -> Vec<Case> {
    let mut cases = Vec::new();
    let directions = [Direction::Seal, Direction::Open];
    for &key_bits in &settings.key_bits {
        for direction in directions {
            for &size in &settings.sizes {
                cases.push(Case {
                    key_bits,
                    direction,
                    size,
                    burst: settings.burst,
                });
            }
        }
    }
    for direction in directions {
        for &size in &settings.sweep {
            for burst in [1, 2, 4, 8, 16, 32] {
                let done = burst == settings.burst && settings.sizes.contains(&size);
                if !done {
                    cases.push(Case {
                        key_bits: 256,
                        direction,
                        size,
                        burst,
                    });
                }
            }
        }
    }
    cases
}

fn wanted(settings: &Settings) -> Vec<Engine> {
    let mut engines = engine::all(settings.width);
    if !settings.engines.is_empty() {
        engines.retain(|engine| {
            settings
                .engines
                .iter()
                .any(|part| engine.name.contains(part))
        });
    }
    engines
}

/// Every engine must seal what `ring` seals, open that, and take nothing that was tampered with.
fn check(engine: &Engine, oracle: &Engine, settings: &Settings) -> Result<(), String> {
    for &key_bits in &settings.key_bits {
        let key = (engine.make)(&KEY[..key_bits / 8]);
        let right = (oracle.make)(&KEY[..key_bits / 8]);
        for &size in settings.sizes.iter().chain(&settings.sweep) {
            for burst in [settings.burst, 1, 3] {
                let what = format!(
                    "{} AES-{key_bits} {size} octets, bursts of {burst}",
                    engine.name
                );
                let mut ring = Ring::new(size, Direction::Seal, settings.aad_len);
                ring.restore();
                let plain = ring.octets();
                ring.pass(burst, |frames| right.seal(frames));
                let sealed = ring.octets();
                ring.restore();
                ring.pass(burst, |frames| key.seal(frames));
                if ring.octets() != sealed {
                    return Err(format!("{what}: does not seal as {} does", oracle.name));
                }
                if authentic(&*key, &mut ring, burst) != FRAMES as u32 {
                    return Err(format!("{what}: does not open what is authentic"));
                }
                let opened = ring.octets();
                if !same_but_tags(&opened, &plain, size, settings.aad_len) {
                    return Err(format!("{what}: does not open what was sealed"));
                }
                ring.pass(burst, |frames| right.seal(frames));
                ring.tamper();
                if authentic(&*key, &mut ring, burst) != 0 {
                    return Err(format!("{what}: takes what was tampered with"));
                }
            }
        }
    }
    Ok(())
}

/// Whether two rings' octets are the same but for the tags, which opening leaves as they are.
fn same_but_tags(found: &[u8], wanted: &[u8], size: Size, aad_len: usize) -> bool {
    let mut at = 0;
    size.each().iter().all(|size| {
        let text = at..at + aad_len + text_len(*size);
        at = text.end + 16;
        found[text.clone()] == wanted[text]
    })
}

fn authentic(key: &dyn Key, ring: &mut Ring, burst: usize) -> u32 {
    let mut authentic = 0;
    ring.pass(burst, |frames| authentic += key.open(frames).count_ones());
    authentic
}

/// Measures all cases.
pub(crate) fn measure(settings: &Settings) -> Result<Found, String> {
    let engines = wanted(settings);
    let all = engine::all(settings.width);
    let oracle = all
        .iter()
        .find(|engine| engine.is_peer())
        .ok_or("no peer")?;
    for engine in &engines {
        check(engine, oracle, settings)?;
    }
    println!("every engine's output is that of {}", oracle.name);
    let widths = bound::measure(settings.width);
    let cases = cases(settings);
    let keys: Vec<[Box<dyn Key>; 2]> = engines
        .iter()
        .map(|engine| [16, 32].map(|len| (engine.make)(&KEY[..len])))
        .collect();
    let mut rings: Vec<Ring> = cases
        .iter()
        .map(|case| ready(case, oracle, settings))
        .collect();
    let mut samples = vec![vec![Samples::default(); engines.len()]; cases.len()];
    for round in 0..settings.rounds {
        for ((case, ring), samples) in cases.iter().zip(&mut rings).zip(&mut samples) {
            for turn in 0..engines.len() {
                let at = (round + turn) % engines.len();
                let key = &*keys[at][usize::from(case.key_bits == 256)];
                let ticks = timed(key, case, ring) as f64 / FRAMES as f64;
                samples[at].ticks.push(ticks);
                samples[at].cycles.push(ticks * clock::cycles_per_tick());
            }
        }
    }
    let second = clock::ticks_per_second();
    let rows = cases
        .iter()
        .zip(&mut samples)
        .flat_map(|(case, samples)| rows(case, samples, &engines, &widths, settings, second))
        .collect();
    let forms = engines.into_iter().map(|engine| (engine.name, engine.form));
    Ok(Found {
        forms: forms.collect(),
        widths,
        rows,
    })
}

/// The ring of a case, with what each pass begins from.
fn ready(case: &Case, oracle: &Engine, settings: &Settings) -> Ring {
    let mut ring = Ring::new(case.size, case.direction, settings.aad_len);
    if case.direction == Direction::Open {
        ring.restore();
        let key = (oracle.make)(&KEY[..case.key_bits / 8]);
        ring.pass(case.burst, |frames| key.seal(frames));
        ring.keep();
    }
    ring
}

fn timed(key: &dyn Key, case: &Case, ring: &mut Ring) -> u64 {
    ring.restore();
    match case.direction {
        Direction::Seal => ring.pass(case.burst, |frames| key.seal(frames)),
        Direction::Open => {
            let mut authentic = 0;
            let ticks = ring.pass(case.burst, |frames| {
                authentic += key.open(frames).count_ones()
            });
            assert_eq!(
                authentic, FRAMES as u32,
                "authentic frames that were refused"
            );
            ticks
        }
    }
}

fn rows(
    case: &Case,
    samples: &mut [Samples],
    engines: &[Engine],
    widths: &[Width],
    settings: &Settings,
    second: f64,
) -> Vec<EngineRow> {
    let sizes = case.size.each();
    let octets = sizes.iter().sum::<usize>() as f64 / FRAMES as f64;
    let bound = widths.last().map(|width| {
        let frame = |size: &usize| width.frame(case.key_bits, settings.aad_len, text_len(*size));
        sizes.iter().map(frame).sum::<f64>() / FRAMES as f64
    });
    let costs: Vec<f64> = samples
        .iter()
        .map(|one| low(&mut one.cycles.clone()))
        .collect();
    let best = (0..engines.len())
        .filter(|at| engines[*at].is_peer())
        .min_by(|a, b| costs[*a].total_cmp(&costs[*b]));
    engines
        .iter()
        .enumerate()
        .map(|(at, engine)| {
            let ratio = best.map(|best| {
                let rounds = samples[best].ticks.iter().zip(&samples[at].ticks);
                median(&mut rounds.map(|(peer, own)| peer / own).collect::<Vec<f64>>())
            });
            let rate = second / low(&mut samples[at].ticks.clone());
            EngineRow {
                engine: engine.name.clone(),
                peer: engine.is_peer(),
                selected: engine.is_selected(),
                key_bits: case.key_bits,
                direction: case.direction.name().to_owned(),
                size: case.size.to_string(),
                burst: case.burst,
                aad_len: settings.aad_len,
                rate,
                gbit: rate * octets * 8.0 / 1e9,
                cycles: costs[at],
                best_peer: best.map_or_else(|| "-".to_owned(), |best| engines[best].name.clone()),
                ratio: ratio.unwrap_or(f64::NAN),
                ratio_low: best.map_or(f64::NAN, |best| costs[best] / costs[at]),
                of_bound: bound.map_or(f64::NAN, |bound| bound / costs[at] * 100.0),
            }
        })
        .collect()
}
