//! The loops for x86-64: registers of 128, 256 and 512 bits.
//!
//! Fourteen registers hold states that do not depend on each other, one takes products, one is the
//! operand of all. The mixes are one register's share: so many AES rounds, and three multiplications
//! spread between them.

use std::arch::asm;

use super::{Loop, Loops};

/// Groups that one turn of a loop runs.
const GROUPS: usize = 4;
/// States, and so instructions of a group of one kind.
const STATES: usize = 14;

/// A function that runs `$body` [`GROUPS`] times in each of its turns.
macro_rules! turns {
    ($name:ident, $features:literal, [$($body:expr),+ $(,)?]) => {
        #[target_feature(enable = $features)]
        fn $name(turns: u32) {
            // SAFETY: the instructions work on registers only, all of which are named as lost; the
            // features that they need are the function's.
            unsafe {
                asm!(
                    "2:", ".rept 4", $($body,)+ ".endr", "dec {turns:e}", "jnz 2b", "vzeroupper",
                    turns = inout(reg) turns => _,
                    out("xmm0") _, out("xmm1") _, out("xmm2") _, out("xmm3") _, out("xmm4") _,
                    out("xmm5") _, out("xmm6") _, out("xmm7") _, out("xmm8") _, out("xmm9") _,
                    out("xmm10") _, out("xmm11") _, out("xmm12") _, out("xmm13") _, out("xmm14") _,
                    out("xmm15") _,
                    options(nostack, nomem),
                );
            }
        }
    };
}

/// AES rounds on the states that `$states` lists.
macro_rules! aes {
    ($r:literal, $states:literal) => {
        concat!(
            ".irp n,",
            $states,
            "\nvaesenc ",
            $r,
            "\\n, ",
            $r,
            "\\n, ",
            $r,
            "15\n.endr"
        )
    };
}

/// One multiplication.
macro_rules! multiply {
    ($r:literal) => {
        concat!("vpclmulqdq ", $r, "14, ", $r, "15, ", $r, "15, 16")
    };
}

/// The loops of one width: a module with the four, and what lists them.
macro_rules! width {
    ($module:ident, $r:literal, $lanes:literal, $features:literal) => {
        mod $module {
            use super::*;

            turns!(
                aes,
                $features,
                [aes!($r, "0,1,2,3,4,5,6,7,8,9,10,11,12,13")]
            );
            turns!(
                multiply,
                $features,
                [concat!(
                    ".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13\nvpclmulqdq ",
                    $r,
                    "\\n, ",
                    $r,
                    "14, ",
                    $r,
                    "15, 16\n.endr"
                )]
            );
            turns!(
                mix_10,
                $features,
                [
                    aes!($r, "0,1,2,3"),
                    multiply!($r),
                    aes!($r, "4,5,6"),
                    multiply!($r),
                    aes!($r, "7,8,9"),
                    multiply!($r),
                ]
            );
            turns!(
                mix_14,
                $features,
                [
                    aes!($r, "0,1,2,3,4"),
                    multiply!($r),
                    aes!($r, "5,6,7,8,9"),
                    multiply!($r),
                    aes!($r, "10,11,12,13"),
                    multiply!($r),
                ]
            );

            /// To be called only on a CPU with this width's features.
            pub(super) fn loops() -> Loops {
                // SAFETY: `super::loops` looks for the features before it calls this one, and the
                // loops go nowhere else.
                let aes = |turns| unsafe { aes(turns) };
                // SAFETY: as above.
                let multiply = |turns| unsafe { multiply(turns) };
                // SAFETY: as above.
                let mix_10 = |turns| unsafe { mix_10(turns) };
                // SAFETY: as above.
                let mix_14 = |turns| unsafe { mix_14(turns) };
                Loops {
                    register: $r,
                    lanes: $lanes,
                    aes: Loop {
                        run: aes,
                        each: GROUPS * STATES,
                    },
                    multiply: Loop {
                        run: multiply,
                        each: GROUPS * STATES,
                    },
                    mixes: [
                        Loop {
                            run: mix_10,
                            each: GROUPS,
                        },
                        Loop {
                            run: mix_14,
                            each: GROUPS,
                        },
                    ],
                }
            }
        }
    };
}

width!(narrow, "xmm", 1, "avx,aes,pclmulqdq");
width!(wide, "ymm", 2, "avx2,vaes,vpclmulqdq");
width!(widest, "zmm", 4, "avx512f,vaes,vpclmulqdq");

/// The loops of every width that this CPU has, the widest last.
pub(super) fn loops() -> Vec<Loops> {
    let mut found = Vec::new();
    if is_x86_feature_detected!("avx")
        && is_x86_feature_detected!("aes")
        && is_x86_feature_detected!("pclmulqdq")
    {
        found.push(narrow::loops());
    }
    let vectors = is_x86_feature_detected!("vaes") && is_x86_feature_detected!("vpclmulqdq");
    if vectors && is_x86_feature_detected!("avx2") {
        found.push(wide::loops());
    }
    if vectors && is_x86_feature_detected!("avx512f") {
        found.push(widest::loops());
    }
    found
}
