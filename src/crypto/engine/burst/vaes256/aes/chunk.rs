//! Eight units in a row, and GHASH of eight others beside them.

use core::arch::{asm, x86_64::__m256i};

use super::super::{
    sums::Sums,
    tables::{COUNTERS, POWERS, Tables},
};

/// A unit's two blocks, mirrored, times the lower and the upper halves of two powers.
macro_rules! low {
    ($unit:literal) => {
        concat!(
            "vmovdqu ymm12, [{hashed} + 32*",
            $unit,
            "]\n vpshufb ymm12, ymm12, [{tables} + {order}]\n",
            "vpclmulqdq ymm13, ymm12, [{powers} + 32*",
            $unit,
            "], 0x00\n vpxor ymm9, ymm9, ymm13\n",
        )
    };
}

macro_rules! high {
    ($unit:literal) => {
        concat!(
            "vpclmulqdq ymm14, ymm12, [{powers} + 32*",
            $unit,
            "], 0x11\n vpxor ymm11, ymm11, ymm14\n",
            "vpshufd ymm15, ymm12, 0x4E\n vpxor ymm12, ymm12, ymm15\n",
        )
    };
}

/// The sums of the halves, multiplied: Karatsuba's middle product.
macro_rules! middle {
    ($unit:literal) => {
        concat!(
            "vpclmulqdq ymm12, ymm12, [{powers} + {middles} + 32*",
            $unit,
            "], 0x00\n",
            "vpxor ymm10, ymm10, ymm12\n",
        )
    };
}

/// A chunk: eight units in a row, while eight others are hashed.
macro_rules! chunk {
    ([$($rounds:expr),*], $tables:expr, $nonce:expr, $counters:expr, $octets:expr, $hashed:expr,
     $powers:expr, $sums:expr) => {
        asm!(
            concat!(
                "vmovdqu ymm8, [{nonce}]\n vpxor ymm8, ymm8, [{tables}]\n",
                "vpxor ymm0, ymm8, [{counters}]\n vpxor ymm1, ymm8, [{counters} + 32]\n",
                "vpxor ymm2, ymm8, [{counters} + 64]\n vpxor ymm3, ymm8, [{counters} + 96]\n",
                "vpxor ymm4, ymm8, [{counters} + 128]\n vpxor ymm5, ymm8, [{counters} + 160]\n",
                "vpxor ymm6, ymm8, [{counters} + 192]\n vpxor ymm7, ymm8, [{counters} + 224]\n",
                $($rounds,)*
                "vpxor ymm0, ymm0, [{octets}]\n vpxor ymm1, ymm1, [{octets} + 32]\n",
                "vpxor ymm2, ymm2, [{octets} + 64]\n vpxor ymm3, ymm3, [{octets} + 96]\n",
                "vpxor ymm4, ymm4, [{octets} + 128]\n vpxor ymm5, ymm5, [{octets} + 160]\n",
                "vpxor ymm6, ymm6, [{octets} + 192]\n vpxor ymm7, ymm7, [{octets} + 224]\n",
                "vmovdqu [{octets}], ymm0\n vmovdqu [{octets} + 32], ymm1\n",
                "vmovdqu [{octets} + 64], ymm2\n vmovdqu [{octets} + 96], ymm3\n",
                "vmovdqu [{octets} + 128], ymm4\n vmovdqu [{octets} + 160], ymm5\n",
                "vmovdqu [{octets} + 192], ymm6\n vmovdqu [{octets} + 224], ymm7\n",
            ),
            tables = in(reg) $tables,
            nonce = in(reg) $nonce,
            counters = in(reg) $counters,
            octets = in(reg) $octets,
            hashed = in(reg) $hashed,
            powers = in(reg) $powers,
            order = const Tables::ORDER,
            middles = const Tables::MIDDLES,
            inout("ymm9") $sums.low,
            inout("ymm10") $sums.middle,
            inout("ymm11") $sums.high,
            out("ymm0") _, out("ymm1") _, out("ymm2") _, out("ymm3") _, out("ymm4") _, out("ymm5") _,
            out("ymm6") _, out("ymm7") _, out("ymm8") _, out("ymm12") _, out("ymm13") _,
            out("ymm14") _, out("ymm15") _,
            options(nostack, preserves_flags),
        )
    };
}

/// XORs the keystream onto a chunk whose first unit is the frame's `unit`, and adds the chunk at `hashed` to
/// `sums`, its first block by power `exponent`. Both may be the same: what is hashed is read before.
///
/// # Safety
/// A chunk may be read and written at `octets` and read at `hashed`; its units' counters are in the table;
/// `exponent` is in `16..=POWERS`.
#[inline]
#[target_feature(enable = "avx2,vaes,vpclmulqdq")]
pub(in super::super) unsafe fn encrypt_and_hash_chunk<const ROUNDS: usize>(
    tables: &Tables,
    nonce: &__m256i,
    unit: usize,
    octets: *mut u8,
    hashed: *const u8,
    exponent: usize,
    sums: &mut Sums,
) {
    let counters = COUNTERS.0.as_ptr().wrapping_add(unit);
    let powers = tables.powers.as_ptr().wrapping_add(POWERS - exponent);
    // SAFETY: the code reads the tables, eight entries of counters, eight pairs of powers and as many of
    // their middles from `powers` on, and the chunks, by the caller; it writes the chunk at `octets`.
    unsafe {
        if ROUNDS == 10 {
            chunk!(
                [
                    round!(1, low!(0), high!(0), middle!(0)),
                    round!(2, low!(1), high!(1), middle!(1)),
                    round!(3, low!(2), high!(2), middle!(2)),
                    round!(4, low!(3), high!(3), middle!(3)),
                    round!(5, low!(4), high!(4), middle!(4)),
                    round!(6, low!(5), high!(5), middle!(5)),
                    round!(7, low!(6), high!(6), middle!(6)),
                    round!(8, low!(7), high!(7), middle!(7)),
                    round!([0 1 2 3 4 5 6 7], 9, "vaesenc"),
                    round!([0 1 2 3 4 5 6 7], 10, "vaesenclast")
                ],
                tables,
                nonce,
                counters,
                octets,
                hashed,
                powers,
                sums
            );
        } else {
            chunk!(
                [
                    round!(1, low!(0), "", high!(0)),
                    round!(2, middle!(0), "", low!(1)),
                    round!(3, high!(1), "", middle!(1)),
                    round!(4, low!(2), "", high!(2)),
                    round!(5, middle!(2), "", low!(3)),
                    round!(6, high!(3), "", middle!(3)),
                    round!(7, low!(4), "", high!(4)),
                    round!(8, middle!(4), "", low!(5)),
                    round!(9, high!(5), "", middle!(5)),
                    round!(10, low!(6), "", high!(6)),
                    round!(11, middle!(6), "", low!(7)),
                    round!(12, high!(7), "", middle!(7)),
                    round!([0 1 2 3 4 5 6 7], 13, "vaesenc"),
                    round!([0 1 2 3 4 5 6 7], 14, "vaesenclast")
                ],
                tables,
                nonce,
                counters,
                octets,
                hashed,
                powers,
                sums
            );
        }
    }
}

/// XORs the keystream onto a chunk whose first unit is the frame's `unit`.
///
/// # Safety
/// A chunk may be read and written at `octets`; its units' counters are in the table.
#[inline]
#[target_feature(enable = "avx2,vaes,vpclmulqdq")]
pub(in super::super) unsafe fn encrypt_chunk<const ROUNDS: usize>(
    tables: &Tables,
    nonce: &__m256i,
    unit: usize,
    octets: *mut u8,
) {
    let counters = COUNTERS.0.as_ptr().wrapping_add(unit);
    // SAFETY: the code reads the round keys and eight entries of counters, and reads and writes the chunk.
    // Nothing is hashed, so what it is told of that is not read.
    unsafe {
        let mut unused = Sums::zero();
        if ROUNDS == 10 {
            chunk!(
                [
                    rounds!(10, [0 1 2 3 4 5 6 7]),
                    "/* {hashed} {powers} {order} {middles} */\n"
                ],
                tables,
                nonce,
                counters,
                octets,
                octets,
                octets,
                unused
            );
        } else {
            chunk!(
                [
                    rounds!(14, [0 1 2 3 4 5 6 7]),
                    "/* {hashed} {powers} {order} {middles} */\n"
                ],
                tables,
                nonce,
                counters,
                octets,
                octets,
                octets,
                unused
            );
        }
        let _ = unused.low;
    }
}
