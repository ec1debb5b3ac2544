//! What can go wrong below the wrapper: one enum, comparable, each saying what was asked and what is.

use std::ffi::CStr;
use std::fmt;

/// A failure of DPDK, or a refusal of the wrapper before DPDK was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// A DPDK function failed.
    Call {
        /// The function, by its name in DPDK's documentation.
        call: &'static str,
        /// The errno that it gave, positive. Values above 1,000 are DPDK's own.
        code: i32,
    },
    /// `Eal::init` was called before in this process. EAL starts once, even after a failed start.
    AlreadyInitialised,
    /// An EAL argument that the wrapper does not pass on.
    Argument {
        /// The argument as it was given.
        argument: String,
        /// Why not.
        why: &'static str,
    },
    /// A name, or device arguments, with a NUL octet inside.
    NulInName {
        /// The text as it was given.
        name: String,
    },
    /// No port has this name.
    NoSuchPort {
        /// The name that was asked for.
        name: String,
        /// The names that exist.
        known: Vec<String>,
    },
    /// The port is already owned in this process: one port serves one link.
    PortTaken {
        /// The port's name.
        name: String,
    },
    /// A device was probed but brought no new port: it was there already, or is no network device.
    NoPort {
        /// The device arguments.
        device: String,
    },
    /// A port has fewer queues than were asked for.
    TooManyQueues {
        /// The port's name.
        port: String,
        /// `receive` or `transmit`.
        direction: &'static str,
        /// Queues asked for.
        asked: u16,
        /// Queues that the driver offers.
        max: u16,
    },
    /// The MTU is outside of what the driver takes.
    Mtu {
        /// The port's name.
        port: String,
        /// The MTU asked for, octets.
        asked: u16,
        /// The smallest that the driver takes.
        min: u16,
        /// The largest that the driver takes.
        max: u16,
    },
    /// A frame of the MTU would not fit an mbuf, and scattered receive is off.
    RoomTooSmall {
        /// The port's name.
        port: String,
        /// Octets behind the headroom that the MTU needs.
        needs: u32,
        /// Octets behind the headroom that the mempool's mbufs have.
        has: u32,
    },
    /// The port's queues are still polled: their owners must quiesce them first.
    QueuesInUse {
        /// The port's name.
        port: String,
        /// How many are in use.
        queues: u32,
    },
    /// There's no shared memory, so no other process can look in.
    NoSharedMemory {
        /// Why, and what would be right.
        why: &'static str,
    },
    /// The lcore is unknown, is the main one, or runs something else.
    Lcore {
        /// The lcore's number.
        lcore: u32,
        /// Which of these.
        why: &'static str,
    },
}

impl Error {
    /// The errno, where DPDK gave one. Positive.
    #[must_use]
    pub fn code(&self) -> Option<i32> {
        match self {
            Self::Call { code, .. } => Some(*code),
            _ => None,
        }
    }

    /// Whether the driver does not implement what was asked.
    #[must_use]
    pub fn is_not_supported(&self) -> bool {
        matches!(self.code(), Some(libc::ENOTSUP | libc::ENOSYS))
    }
}

/// DPDK's text for a positive errno.
pub(crate) fn strerror(code: i32) -> String {
    // SAFETY: rte_strerror takes any number and returns a NUL-terminated string, static or per thread.
    let text = unsafe { dpdk_sys::rte_strerror(code) };
    if text.is_null() {
        return format!("error {code}");
    }
    // SAFETY: not null, NUL-terminated, and not written by others: its buffer belongs to this thread and
    // is copied before this thread can ask again.
    unsafe { CStr::from_ptr(text) }
        .to_string_lossy()
        .into_owned()
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call { call, code } => write!(f, "{call}: {} ({code})", strerror(*code)),
            Self::AlreadyInitialised => {
                f.write_str("EAL starts once per process and was started before")
            }
            Self::Argument { argument, why } => write!(f, "EAL argument `{argument}`: {why}"),
            Self::NulInName { name } => write!(f, "{name:?} has a NUL octet inside"),
            Self::NoSuchPort { name, known } if known.is_empty() => {
                write!(f, "no port `{name}`: DPDK found no port at all")
            }
            Self::NoSuchPort { name, known } => {
                write!(f, "no port `{name}`: there are {}", known.join(", "))
            }
            Self::PortTaken { name } => write!(f, "port `{name}` is in use by another link"),
            Self::NoPort { device } => {
                write!(
                    f,
                    "`{device}` brings no new port: it is there already, or is no network device"
                )
            }
            Self::TooManyQueues {
                port,
                direction,
                asked,
                max,
            } => {
                write!(
                    f,
                    "port `{port}`: {asked} {direction} queues asked for, the driver offers {max}"
                )
            }
            Self::Mtu {
                port,
                asked,
                min,
                max,
            } => {
                write!(
                    f,
                    "port `{port}`: MTU {asked} asked for, the driver takes {min} to {max}"
                )
            }
            Self::RoomTooSmall { port, needs, has } => write!(
                f,
                "port `{port}`: frames of this MTU need {needs} octets in an mbuf, the mempool's have {has}"
            ),
            Self::QueuesInUse { port, queues } => {
                write!(
                    f,
                    "port `{port}`: {queues} queues are still polled; quiesce them first"
                )
            }
            Self::NoSharedMemory { why } => f.write_str(why),
            Self::Lcore { lcore, why } => write!(f, "lcore {lcore} {why}"),
        }
    }
}

impl std::error::Error for Error {}

/// For functions that return 0 or more, or a negative errno.
pub(crate) fn check(call: &'static str, returned: i32) -> Result<i32, Error> {
    if returned < 0 {
        Err(Error::Call {
            call,
            code: returned.saturating_neg(),
        })
    } else {
        Ok(returned)
    }
}

/// The calling thread's `rte_errno`, for functions that return -1 or NULL.
pub(crate) fn last(call: &'static str) -> Error {
    // SAFETY: reads a thread-local integer.
    let code = unsafe { dpdk_sys::dpdk_shim_errno() };
    Error::Call {
        call,
        code: if code < 0 {
            code.saturating_neg()
        } else {
            code
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_negative_return_is_an_error_with_its_text() {
        let error = check("rte_eth_dev_set_link_up", -libc::ENOTSUP).unwrap_err();
        assert!(error.is_not_supported());
        assert_eq!(error.code(), Some(libc::ENOTSUP));
        assert!(
            error.to_string().starts_with("rte_eth_dev_set_link_up: "),
            "{error}"
        );
        assert!(error.to_string().contains("not supported"), "{error}");
    }

    #[test]
    fn zero_and_more_are_passed_on() {
        assert_eq!(check("x", 0), Ok(0));
        assert_eq!(check("x", 7), Ok(7));
    }

    #[test]
    fn the_smallest_number_does_not_overflow() {
        assert_eq!(
            check("x", i32::MIN),
            Err(Error::Call {
                call: "x",
                code: i32::MAX
            })
        );
    }
}
