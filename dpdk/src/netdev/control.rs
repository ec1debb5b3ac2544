//! Link state of an interface: wanted, and as it is.
//!
//! What an `AF_PACKET` port does while its interface is down and when it comes up again is written
//! down in `docs/drivers.md`.

use super::Error;
use super::link::{IFF_UP, Interface};
use super::netlink::{Request, ask};

/// Sets `IFF_UP`: the far end of the wire sees a carrier once both ends are up.
///
/// # Errors
/// No such interface in this namespace, or no `CAP_NET_ADMIN`.
pub fn set_up(interface: &str) -> Result<(), Error> {
    set(interface, IFF_UP, "set it up")
}

/// Clears `IFF_UP`: the far end of the wire loses its carrier.
///
/// # Errors
/// No such interface in this namespace, or no `CAP_NET_ADMIN`.
pub fn set_down(interface: &str) -> Result<(), Error> {
    set(interface, 0, "set it down")
}

fn set(interface: &str, flags: u32, action: &'static str) -> Result<(), Error> {
    if !super::is_interface_name(interface) {
        return Err(Error::NoInterface(interface.to_owned()));
    }
    ask(&Request::set_flags(interface, flags, IFF_UP), |_| {})
        .map_err(|error| Error::new(interface, action, &error))
}

/// Whether it is up and has a carrier (`IFF_UP` and `IFF_RUNNING`).
///
/// `net_af_packet` and `net_af_xdp` of 22.11 report their link up whatever the interface does, so
/// this is the link state of such a port.
///
/// # Errors
/// No such interface in this namespace.
pub fn running(interface: &str) -> Result<bool, Error> {
    Interface::query(interface).map(|found| found.up && found.running)
}

/// Its MTU: the octets that it carries behind the Ethernet header.
///
/// # Errors
/// No such interface in this namespace.
pub fn mtu(interface: &str) -> Result<u32, Error> {
    Interface::query(interface).map(|found| found.mtu)
}
