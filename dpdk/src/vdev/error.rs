//! What can be wrong with a device name.

use core::fmt;

use super::{NAME_LIMIT, PciAddress};

/// Why a text does not name a DPDK device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SpecError {
    /// Nothing is there.
    Empty,
    /// Neither a PCI address nor a vdev.
    NoDevice(String),
    /// It looks like a PCI address, but a field of it cannot be.
    Pci {
        /// What was given.
        text: String,
        /// The field that is missing or out of range.
        field: &'static str,
    },
    /// A PCI address with arguments behind it.
    PciArguments(PciAddress),
    /// A vdev name that is too long or has characters that DPDK or its file names cannot bear.
    Name(String),
    /// An argument that is not `key=value`.
    Argument(String),
    /// An argument with a `[` that no `]` closes, or the other way round.
    Brackets(String),
    /// The same key twice.
    Double(String),
    /// A kernel-backed vdev without `iface`.
    NoInterface(String),
    /// An `iface` that cannot be a kernel interface's name.
    Interface(String),
}

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => {
                write!(
                    f,
                    "no device given; write 0000:03:00.0 or net_af_packet0,iface=eth1"
                )
            }
            Self::NoDevice(text) => write!(
                f,
                "`{text}` is neither a PCI address (0000:03:00.0) nor a DPDK vdev (net_...); for a \
                 kernel interface of that name write net_af_packet0,iface={text}"
            ),
            Self::Pci { text, field } => write!(
                f,
                "`{text}` is no PCI address: the {field} is missing or out of range; write \
                 domain:bus:device.function in hexadecimal as lspci -D prints it, for example \
                 0000:03:00.0 (device to 1f, function to 7)"
            ),
            Self::PciArguments(address) => write!(
                f,
                "arguments after a PCI address are not taken here; write `{address}` and pass \
                 them as the EAL argument `-a {address},...`"
            ),
            Self::Name(name) => write!(
                f,
                "`{name}` is no vdev name; use up to {NAME_LIMIT} letters, digits, `_` and `-`, for \
                 example net_af_packet0"
            ),
            Self::Argument(part) => {
                write!(
                    f,
                    "`{part}` is no vdev argument; write key=value, for example iface=eth1"
                )
            }
            Self::Brackets(part) => write!(
                f,
                "the brackets of `{part}` don't pair; write key=[one,two], or leave them out"
            ),
            Self::Double(key) => write!(f, "the vdev argument `{key}` is given twice; keep one"),
            Self::NoInterface(name) => write!(
                f,
                "`{name}` has no kernel interface; add it, for example `{name},iface=eth1`"
            ),
            Self::Interface(name) => write!(
                f,
                "`{name}` cannot be the name of a kernel interface; it has 1 to 15 octets without \
                 `/`, `:` and spaces (ip link shows those that exist)"
            ),
        }
    }
}

impl core::error::Error for SpecError {}
