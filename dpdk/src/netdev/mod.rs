//! The Linux interface behind a kernel-backed vdev: is it fit for a gateway, and its link state.
//!
//! A gateway on `net_af_packet`, `net_af_xdp` or `net_pcap` shares an interface with the kernel.
//! The kernel goes on using it: it joins received frames into longer ones, leaves checksums to
//! hardware that will never see them, and sends frames of its own, in clear. [`inspect`] finds what
//! has to be switched off and says what to type. [`set_up`], [`set_down`] and [`running`] mirror
//! the link state, since these drivers cannot.
//!
//! Everything is asked of the kernel in the **calling thread's** network namespace, by netlink and
//! ioctl: `/sys/class/net` shows the namespace that mounted it, which need not be ours.
//!
//! None of this belongs on a frame path: every call makes system calls.

mod control;
mod ethtool;
mod findings;
mod link;
mod netlink;
mod offload;
mod packet_socket;

use core::fmt;
use std::io;

pub use self::control::{mtu, running, set_down, set_up};
pub use self::findings::{Finding, Findings, inspect};
pub use self::link::Interface;
pub use self::packet_socket::{clear_error, leave_fanout};

/// Whether the kernel would take this as an interface's name: 1 to 15 octets, none of them `/`, `:`
/// or a space, and not `.` or `..`.
#[must_use]
pub fn is_interface_name(name: &str) -> bool {
    let sound = |b: u8| b != b'/' && b != b':' && !b.is_ascii_whitespace() && b != 0 && b != 0x0b;
    (1..=15).contains(&name.len()) && name != "." && name != ".." && name.bytes().all(sound)
}

/// Why an interface could not be inspected or changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// No interface of that name in this network namespace.
    NoInterface(String),
    /// The kernel refused a change for want of `CAP_NET_ADMIN`.
    NotPermitted {
        /// The interface.
        interface: String,
        /// What was to be done.
        action: &'static str,
    },
    /// The kernel refused for another reason.
    System {
        /// The interface.
        interface: String,
        /// What was asked of the kernel.
        action: &'static str,
        /// The error number it gave.
        errno: i32,
    },
    /// The kernel's answer makes no sense.
    Answer {
        /// The interface.
        interface: String,
        /// What was asked of the kernel.
        action: &'static str,
    },
}

impl Error {
    fn new(interface: &str, action: &'static str, error: &io::Error) -> Self {
        let interface = interface.to_owned();
        match error.raw_os_error() {
            Some(libc::ENODEV) => Self::NoInterface(interface),
            Some(libc::EPERM | libc::EACCES) => Self::NotPermitted { interface, action },
            Some(errno) => Self::System {
                interface,
                action,
                errno,
            },
            None => Self::Answer { interface, action },
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoInterface(interface) => write!(
                f,
                "there is no interface `{interface}` in this network namespace; `ip link` shows \
                 those that exist, and `ip netns exec NAME` runs the gateway in another namespace"
            ),
            Self::NotPermitted { interface, action } => {
                write!(
                    f,
                    "{interface}: not permitted to {action}; run as root or with CAP_NET_ADMIN"
                )
            }
            Self::System {
                interface,
                action,
                errno,
            } => {
                write!(
                    f,
                    "{interface}: cannot {action}: {}",
                    io::Error::from_raw_os_error(*errno)
                )
            }
            Self::Answer { interface, action } => {
                write!(
                    f,
                    "{interface}: cannot {action}: the kernel's answer cannot be read"
                )
            }
        }
    }
}

impl core::error::Error for Error {}
