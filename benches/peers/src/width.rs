//! The widest vectors that are compared: all that the CPU has, or 256 bits, as on a CPU without AVX-512.
//!
//! `WIDTH=256` alone limits what is ours, ipsec-mb and the bound. The other libraries look at the CPU before
//! `main` and are told by [`MASK`], which `./benches/compare.sh --width 256` sets.

use std::env;

/// Every feature of AVX-512 taken out of what libcrypto, and what came of it, found out about the CPU: words 2 and 3 of its
/// capabilities, which are EBX and ECX of CPUID's leaf 7.
const MASK: (&str, &str) = ("OPENSSL_ia32cap", "~0x0:~0x5842dc230000");

/// A limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Width {
    /// Whatever the CPU has.
    Cpu,
    /// 256 bits.
    Bits256,
}

impl Width {
    /// What the environment asks for; refused where a library would not be held to it.
    pub(crate) fn from_environment() -> Result<Self, String> {
        match env::var("WIDTH").unwrap_or_default().as_str() {
            "" => Ok(Self::Cpu),
            "256" => {
                let (name, mask) = MASK;
                if env::var(name).as_deref() == Ok(mask) {
                    return Ok(Self::Bits256);
                }
                Err(format!(
                    "WIDTH=256 wants {name}={mask}, as compare.sh --width 256 sets it"
                ))
            }
            other => Err(format!("WIDTH={other}: 256, or nothing")),
        }
    }

    /// Whether registers of so many bits are within it.
    pub(crate) const fn takes(self, bits: usize) -> bool {
        match self {
            Self::Cpu => true,
            Self::Bits256 => bits <= 256,
        }
    }
}
