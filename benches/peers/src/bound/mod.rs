//! What the instructions of AES-GCM cost on this core at least, measured, and what that makes of a frame.
//!
//! Only AES rounds and carry-less multiplications count; loads, stores, byte swaps and additions are taken
//! as free, so no engine reaches the bound. It is taken at the widest registers that are compared.

#[cfg(target_arch = "x86_64")]
mod x86_64;

use crate::clock;
use crate::stats::low;
use crate::width;

/// Octets of an AES block.
const BLOCK: usize = 16;
/// Karatsuba's multiplications for one register of blocks.
const PRODUCTS: usize = 3;
/// AES rounds that stand beside [`PRODUCTS`] multiplications in the mixes: one register of blocks.
pub(crate) const ROUNDS: [usize; 2] = [10, 14];

/// The cost of instructions at one width of register, in cycles.
#[derive(Clone, Debug)]
pub(crate) struct Width {
    pub(crate) register: &'static str,
    /// AES blocks in a register.
    pub(crate) lanes: usize,
    /// One AES round, among others only.
    pub(crate) aes: f64,
    /// One carry-less multiplication, among others only.
    pub(crate) multiply: f64,
    /// [`ROUNDS`] AES rounds and [`PRODUCTS`] multiplications, interleaved.
    pub(crate) mixes: [f64; 2],
}

impl Width {
    /// The fewest cycles that a frame takes under a key of `key_bits`: the longer of what both kinds of
    /// instruction take together and what multiplications take alone.
    pub(crate) fn frame(&self, key_bits: usize, aad_len: usize, text_len: usize) -> f64 {
        let (rounds, mix) = if key_bits == 256 {
            (ROUNDS[1], self.mixes[1])
        } else {
            (ROUNDS[0], self.mixes[0])
        };
        let blocks = text_len.div_ceil(BLOCK);
        // The block that masks the tag is one more to encrypt; the lengths are one more to hash.
        let encrypted = (1 + blocks).div_ceil(self.lanes);
        let hashed = (aad_len.div_ceil(BLOCK) + blocks + 1).div_ceil(self.lanes);
        // The reduction of the hash is one more.
        let multiplications = (PRODUCTS * hashed + 1) as f64;
        let aes = (rounds * encrypted) as f64 * self.aes;
        let beside = (mix - rounds as f64 * self.aes).max(0.0) / PRODUCTS as f64;
        (aes + beside * multiplications).max(multiplications * self.multiply)
    }
}

/// A loop to be timed: how many instructions, or groups of them, one call runs.
#[derive(Clone, Copy)]
pub(crate) struct Loop {
    pub(crate) run: fn(u32),
    pub(crate) each: usize,
}

/// The loops of one width.
pub(crate) struct Loops {
    pub(crate) register: &'static str,
    pub(crate) lanes: usize,
    pub(crate) aes: Loop,
    pub(crate) multiply: Loop,
    pub(crate) mixes: [Loop; 2],
}

/// Cycles of one instruction, or group, of a loop.
fn cost(what: Loop) -> f64 {
    const TURNS: u32 = 400;
    let mut samples: Vec<f64> = (0..60)
        .map(|_| {
            let speed = clock::cycles_per_tick();
            let begun = clock::ticks();
            (what.run)(TURNS);
            let ticks = clock::ticks() - begun;
            ticks as f64 * speed / (f64::from(TURNS) * what.each as f64)
        })
        .collect();
    low(&mut samples)
}

/// Every width that this CPU has within the limit, the widest last; empty where none is known.
pub(crate) fn measure(limit: width::Width) -> Vec<Width> {
    #[cfg(target_arch = "x86_64")]
    let loops = x86_64::loops();
    #[cfg(not(target_arch = "x86_64"))]
    let loops: Vec<Loops> = Vec::new();
    loops
        .into_iter()
        .filter(|loops| limit.takes(loops.lanes * BLOCK * 8))
        .map(|loops| Width {
            register: loops.register,
            lanes: loops.lanes,
            aes: cost(loops.aes),
            multiply: cost(loops.multiply),
            mixes: loops.mixes.map(cost),
        })
        .collect()
}
