//! No branch and no address in an engine depends on a key, on clear text, or on an octet of a frame.
//!
//! A burst is sealed and opened one instruction at a time, by two processes that differ in nothing but
//! key, text and additional data. For every engine both must go the same way. For engines of our own
//! nothing of these may reach a general-purpose register at all: an address is made of such registers,
//! so where they are alike at every step, so are all addresses. A gather or a scatter would take them from
//! a vector register, so none may be executed.
//!
//! What is shipped is what is looked at: `cargo test --profile counts --test crypto_constant_time`.
#![cfg(all(feature = "std", target_arch = "x86_64"))]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends where it can't go on"
)]

#[path = "crypto_engines/frames.rs"]
#[expect(dead_code, reason = "this file needs less of it")]
mod frames;
mod single_step;

use std::{collections::BTreeSet, hint::black_box};

use frames::{Frame, Octets, engines, key, with_burst};
use macsec_gateway::crypto::{KeyFactory, open_each};
use single_step::{Step, Stepped, be_stepped, section};

/// Text lengths of a burst: small, odd, whole blocks, more than one stride, and none.
const BURST: [usize; 9] = [48, 17, 48, 64, 110, 0, 494, 1488, 1];

/// Whether an engine is of our own, and held to more than others'.
fn is_own(engine: &str) -> bool {
    engine.starts_with("vaes") || engine == INDEXES
}

/// Engines that are wrong: they show that the test can fail.
const BRANCHES: &str = "branches-on-the-key";
const INDEXES: &str = "indexes-by-the-text";

/// What a child does: an engine by name, octets of its SAK, and what all secrets come from.
fn case(engine: &str, sak_len: usize, seed: u8) -> String {
    format!("{engine} {sak_len} {seed:03}")
}

/// Nonces are public, and the same for all.
fn burst(octets: &mut Octets, lengths: &[usize]) -> Vec<Frame> {
    let frame = |(text_len, pn): (&usize, u8)| {
        let mut nonce = [0x11; 12];
        nonce[11] = pn;
        Frame::roomy(nonce, 28, &octets.vec(28 + text_len + 16))
    };
    lengths.iter().zip(1..).map(frame).collect()
}

#[test]
#[ignore = "a child of the tests below"]
fn seals_and_opens() {
    let case = be_stepped();
    let words: Vec<_> = case.split(' ').collect();
    let mut octets = Octets(0x9E37_79B9 + words[2].parse::<u64>().unwrap());
    let sak = octets.vec(words[1].parse().unwrap());
    if [BRANCHES, INDEXES].contains(&words[0]) {
        let text = octets.vec(64);
        return section(|| wrong(words[0], &sak, &text));
    }
    let engines = engines();
    let engine = engines.iter().find(|engine| engine.name() == words[0]);
    let key = key(&**engine.unwrap(), &sak);
    // All before the first section, so that no register keeps in it what octets come next.
    let bursts = [&BURST[..], &BURST[..1], &BURST[7..8]].map(|lengths| burst(&mut octets, lengths));
    for mut frames in bursts {
        with_burst(&mut frames, |burst| section(|| key.seal(burst)));
        // One of them is refused, so that the way of a refusal is seen too.
        let last = frames[0].len - 1;
        frames[0].octets_mut()[last] ^= 0x40;
        let opened = with_burst(&mut frames, |burst| section(|| key.open(burst)));
        assert_eq!(opened.0.count_ones() as usize, frames.len() - 1);
    }
    under_several_keys(&**engine.unwrap(), &mut octets, sak.len());
}

/// Each frame of a burst under a key of its own, but for the last.
fn under_several_keys(engine: &dyn KeyFactory, octets: &mut Octets, sak_len: usize) {
    let lengths = [48, 17, 52, 64, 48, 110, 150, 250, 494, 1488, 0];
    let own: Vec<_> = (1..lengths.len())
        .map(|_| key(engine, &octets.vec(sak_len)))
        .collect();
    let keys: Vec<_> = own.iter().chain(own.last()).map(|key| &**key).collect();
    let mut frames = burst(octets, &lengths);
    with_burst(&mut frames, |burst| {
        for (key, frame) in keys.iter().zip(burst) {
            key.seal(std::slice::from_mut(frame));
        }
    });
    let last = frames[2].len - 1;
    frames[2].octets_mut()[last] ^= 0x40;
    let opened = with_burst(&mut frames, |burst| section(|| open_each(&keys, burst)));
    assert_eq!(opened.0.count_ones() as usize, frames.len() - 1);
}

/// What no engine may do.
#[inline(never)]
fn wrong(how: &str, sak: &[u8], text: &[u8]) {
    let table: [u8; 256] = black_box([7; 256]);
    for (key, text) in sak.iter().zip(text).cycle().take(256) {
        if how == INDEXES {
            black_box(table[usize::from(*text)]);
        } else if key & 1 == 1 {
            black_box(key);
        }
    }
}

/// The place in the program, and what addresses are made of; the stack pointer goes the way of the calls.
fn registers(step: &Step) -> [u64; 16] {
    let regs = &step.registers;
    let all = [
        regs.rip, regs.rax, regs.rbx, regs.rcx, regs.rdx, regs.rsi, regs.rdi, regs.rbp, regs.r8,
        regs.r9, regs.r10, regs.r11, regs.r12, regs.r13, regs.r14, regs.r15,
    ];
    all.map(|value| if step.is_own_number(value) { 0 } else { value })
}

/// Whether the instruction takes addresses from a vector register: opcodes 90 to 93 (gather) and A0 to A3
/// (scatter) of the map 0F38, behind a prefix of VEX or EVEX.
fn gathers(code: [u8; 8]) -> bool {
    let opcode = match code {
        [0xC4, map, _, opcode, ..] if map & 0x1F == 2 => opcode,
        [0x62, map, _, _, opcode, ..] if map & 0x07 == 2 => opcode,
        _ => return false,
    };
    matches!(opcode, 0x90..=0x93 | 0xA0..=0xA3)
}

/// Every section of one child: the registers before each instruction.
fn trace(engine: &str, sak_len: usize, seed: u8) -> Vec<Vec<[u64; 16]>> {
    let mut child = Stepped::start("seals_and_opens", &case(engine, sak_len, seed));
    let mut sections = Vec::new();
    let mut seen = BTreeSet::new();
    loop {
        let mut steps = Vec::new();
        let section = child.section(|step| {
            if is_own(engine) && seen.insert(step.registers.rip) {
                assert!(!gathers(step.code()), "{engine} gathers or scatters");
            }
            steps.push(registers(step));
        });
        if section.is_none() {
            return sections;
        }
        sections.push(steps);
    }
}

/// The first step at which two sections differ in their first `compared` registers. What the test itself
/// left in a register before the section counts only once the register was written to.
fn difference(one: &[[u64; 16]], two: &[[u64; 16]], compared: usize) -> Option<usize> {
    let (Some(first_one), Some(first_two)) = (one.first(), two.first()) else {
        return Some(0);
    };
    let mut left: Vec<_> = (0..compared)
        .filter(|at| first_one[*at] != first_two[*at])
        .collect();
    let differs = |(one, two): (&[u64; 16], &[u64; 16])| {
        left.retain(|at| one[*at] == first_one[*at] && two[*at] == first_two[*at]);
        (0..compared).any(|at| one[at] != two[at] && !left.contains(&at))
    };
    let step = one.iter().zip(two).position(differs);
    step.or_else(|| (one.len() != two.len()).then_some(one.len().min(two.len())))
}

/// Where the ways of two runs with different secrets part, if they do.
fn parting(engine: &str, sak_len: usize) -> Option<String> {
    let (one, two) = (trace(engine, sak_len, 1), trace(engine, sak_len, 200));
    assert!(!one.is_empty() && one.len() == two.len(), "{engine}");
    let compared = if is_own(engine) { 16 } else { 1 };
    for (number, (one, two)) in one.iter().zip(&two).enumerate() {
        assert!(one.len() > 200, "{engine}: only {} instructions", one.len());
        if let Some(step) = difference(one, two, compared) {
            let (one, two) = (one.get(step), two.get(step));
            return Some(format!(
                "{engine}, key of {sak_len} octets, section {number}, step {step}: {one:x?} and {two:x?}"
            ));
        }
    }
    None
}

#[test]
#[cfg_attr(debug_assertions, ignore = "for optimised code: --profile counts")]
fn no_engine_goes_another_way_for_other_secrets() {
    for engine in engines() {
        for sak_len in [16, 32] {
            assert_eq!(parting(engine.name(), sak_len), None);
        }
    }
}

#[test]
fn an_engine_that_branches_or_indexes_is_found() {
    for engine in [BRANCHES, INDEXES] {
        assert!(parting(engine, 32).is_some(), "{engine}");
    }
    // vpgatherqq zmm17{k1}, [rax+zmm16*8], vpgatherdd ymm0, [rax+ymm1*4], ymm2; and two that are none.
    assert!(gathers([0x62, 0xE2, 0xFD, 0x41, 0x91, 0x0C, 0xC0, 0]));
    assert!(gathers([0xC4, 0xE2, 0x6D, 0x90, 0x04, 0x88, 0, 0]));
    assert!(!gathers([0xC4, 0xE2, 0x7D, 0xDC, 0xC1, 0, 0, 0]));
    assert!(!gathers([0x90; 8]));
}
