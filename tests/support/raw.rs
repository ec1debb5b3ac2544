//! Frames put on a wire octet by octet.

use super::namespace::Namespace;
use nix::ifaddrs::getifaddrs;
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, bind, send, socket,
};
use std::os::fd::{AsRawFd, OwnedFd};

/// A packet socket on one interface, for sending. (To receive, use `Capture`: it keeps VLAN tags.)
#[derive(Debug)]
pub(crate) struct RawPort {
    socket: OwnedFd,
    interface: String,
}

impl RawPort {
    #[track_caller]
    pub(crate) fn open(ns: &Namespace, interface: &str) -> Self {
        let socket = ns.enter(|| {
            let made = socket(
                AddressFamily::Packet,
                SockType::Raw,
                SockFlag::SOCK_CLOEXEC,
                SockProtocol::EthAll,
            );
            let made = made.expect("a packet socket (root is needed)");
            // The list of addresses has each interface's packet address, with its index: ready to bind to.
            let address = getifaddrs()
                .expect("the list of interfaces")
                .filter(|entry| entry.interface_name == interface)
                .find_map(|entry| entry.address?.as_link_addr().copied());
            let address = address.unwrap_or_else(|| panic!("no interface {interface}"));
            bind(made.as_raw_fd(), &address).expect("a packet socket bound to its interface");
            made
        });
        Self {
            socket,
            interface: interface.into(),
        }
    }

    /// Sends one frame, from the destination address on, without FCS.
    #[track_caller]
    pub(crate) fn send(&self, frame: &[u8]) {
        let sent = send(self.socket.as_raw_fd(), frame, MsgFlags::empty());
        assert!(
            sent == Ok(frame.len()),
            "{} does not take a frame of {} octets: {sent:?}",
            self.interface,
            frame.len()
        );
    }

    /// Sends one frame if the interface takes it now (it may be down, or have no carrier).
    pub(crate) fn try_send(&self, frame: &[u8]) -> bool {
        send(self.socket.as_raw_fd(), frame, MsgFlags::MSG_DONTWAIT) == Ok(frame.len())
    }
}
