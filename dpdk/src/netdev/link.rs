//! What the kernel says about an interface.

use core::ptr;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::netlink::{Attributes, LINK_HEADER, Request, ask, u16_at, u32_at};
use super::{Error, is_interface_name};

/// Types of nested attributes that crate `libc` does not name (`linux/if_link.h`).
const IFLA_INET_CONF: u16 = 1;
const IFLA_INET6_CONF: u16 = 2;
/// Where the settings are in those (`linux/ip.h`, less one; `linux/ipv6.h`).
const ARP_IGNORE: usize = 18;
const DISABLE_IPV6: usize = 26;

/// An interface as the kernel described it at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// Its number in the namespace.
    pub index: u32,
    /// `IFF_UP`: somebody wants it up.
    pub up: bool,
    /// `IFF_RUNNING`: it is up and has a carrier.
    pub running: bool,
    /// The octets that it carries behind the Ethernet header.
    pub mtu: u32,
    /// The kind of virtual interface (`veth`, `tun`, `bridge`, ...); `None` for most hardware.
    pub kind: Option<String>,
    /// The number of the bridge, bond or similar that it is part of.
    pub master: Option<u32>,
    /// Whether IPv6 is on; `None` when the kernel has none here.
    pub ipv6: Option<bool>,
    /// Whether the kernel answers ARP requests on it, for whatever address.
    pub answers_arp: bool,
    /// The number of the interface that it is stacked on, or of its peer (`veth`), if that is in
    /// the same namespace.
    pub(super) lower: Option<u32>,
}

impl Interface {
    /// Asks for one interface.
    pub(super) fn query(name: &str) -> Result<Self, Error> {
        const ACTION: &str = "read its state";
        if !is_interface_name(name) {
            return Err(Error::NoInterface(name.to_owned()));
        }
        let mut found = None;
        ask(&Request::link(name), |message| found = Self::parse(message))
            .map_err(|error| Error::new(name, ACTION, &error))?;
        found.ok_or_else(|| Error::Answer {
            interface: name.to_owned(),
            action: ACTION,
        })
    }

    /// Asks for every interface of the namespace.
    pub(super) fn all() -> io::Result<Vec<Self>> {
        let mut found = Vec::new();
        ask(&Request::links(), |message| {
            found.extend(Self::parse(message))
        })?;
        Ok(found)
    }

    fn parse(message: &[u8]) -> Option<Self> {
        let flags = u32_at(message, 8)?;
        let attributes = Attributes(message.get(LINK_HEADER..)?);
        let number = |kind| attributes.value(kind).and_then(|value| u32_at(value, 0));
        let text = |value: &[u8]| {
            let end = value.iter().position(|b| *b == 0).unwrap_or(value.len());
            String::from_utf8_lossy(value.get(..end).unwrap_or_default()).into_owned()
        };
        let info = attributes.nested(libc::IFLA_LINKINFO);
        let ipv4 = setting(attributes, libc::AF_INET, IFLA_INET_CONF, ARP_IGNORE);
        let ipv6 = setting(attributes, libc::AF_INET6, IFLA_INET6_CONF, DISABLE_IPV6);
        let elsewhere = attributes.value(libc::IFLA_LINK_NETNSID).is_some();
        Some(Self {
            name: text(attributes.value(libc::IFLA_IFNAME)?),
            index: u32_at(message, 4)?,
            up: flags & IFF_UP != 0,
            running: flags & IFF_RUNNING != 0,
            mtu: number(libc::IFLA_MTU)?,
            kind: info
                .and_then(|info| info.value(libc::IFLA_INFO_KIND))
                .map(text),
            master: number(libc::IFLA_MASTER),
            ipv6: ipv6.map(|disabled| disabled == 0),
            answers_arp: flags & IFF_NOARP == 0 && ipv4.is_none_or(|ignore| ignore == 0),
            lower: number(libc::IFLA_LINK).filter(|_| !elsewhere),
        })
    }

    /// Whether the kernel has made this interface out of another one and sends through that.
    pub(super) fn is_stacked_on(&self, lower: &Self) -> bool {
        self.lower == Some(lower.index)
            && self.index != lower.index
            && self.kind.as_deref() != Some("veth")
    }
}

pub(super) const IFF_UP: u32 = libc::IFF_UP.cast_unsigned();
const IFF_RUNNING: u32 = libc::IFF_RUNNING.cast_unsigned();
const IFF_NOARP: u32 = libc::IFF_NOARP.cast_unsigned();

/// A per-interface sysctl of an address family, from the array that the kernel sends with a link.
fn setting(link: Attributes<'_>, family: i32, conf: u16, index: usize) -> Option<u32> {
    let families = link.nested(libc::IFLA_AF_SPEC)?;
    let family = families.nested(u16::try_from(family).ok()?)?;
    u32_at(family.value(conf)?, index * 4)
}

/// The addresses of every interface in the namespace, by the interface's name.
pub(super) fn addresses() -> io::Result<Vec<(String, IpAddr)>> {
    let mut list = ptr::null_mut();
    // SAFETY: `list` is a valid place for the head of the list that the call allocates.
    let status = unsafe { libc::getifaddrs(&raw mut list) };
    if status != 0 {
        return Err(io::Error::last_os_error());
    }
    let mut found = Vec::new();
    let mut next = list;
    // SAFETY: `next` is null or an entry of the list, which lives until freeifaddrs below.
    while let Some(entry) = unsafe { next.as_ref() } {
        if let Some(address) = address_of(entry) {
            found.push((name_of(entry), address));
        }
        next = entry.ifa_next;
    }
    // SAFETY: the list came from getifaddrs, is freed once, and no reference into it is left.
    unsafe { libc::freeifaddrs(list) };
    Ok(found)
}

fn name_of(entry: &libc::ifaddrs) -> String {
    // SAFETY: an entry's name is a NUL-terminated string that lives as long as the entry.
    let name = unsafe { core::ffi::CStr::from_ptr(entry.ifa_name) };
    name.to_string_lossy().into_owned()
}

fn address_of(entry: &libc::ifaddrs) -> Option<IpAddr> {
    // SAFETY: the address is null or points to a sockaddr, which begins with its family.
    let family = unsafe { entry.ifa_addr.as_ref() }?.sa_family;
    let length = match i32::from(family) {
        libc::AF_INET => size_of::<libc::sockaddr_in>(),
        libc::AF_INET6 => size_of::<libc::sockaddr_in6>(),
        _ => return None,
    };
    // SAFETY: an address of either family has that many octets, and any octets are valid u8.
    let octets = unsafe { core::slice::from_raw_parts(entry.ifa_addr.cast::<u8>(), length) };
    // Family (2) and port (2), then the IPv4 address; or flow information (4), then the IPv6 one.
    debug_assert_eq!(u16_at(octets, 0), Some(family));
    if i32::from(family) == libc::AF_INET {
        let octets: [u8; 4] = octets.get(4..8)?.try_into().ok()?;
        Some(Ipv4Addr::from(octets).into())
    } else {
        let octets: [u8; 16] = octets.get(8..24)?.try_into().ok()?;
        Some(Ipv6Addr::from(octets).into())
    }
}
