//! What about an interface is unsafe for a gateway, and what to type against it.

use core::fmt;
use std::io;
use std::net::IpAddr;

use super::Error;
use super::ethtool::active_features;
use super::link::{Interface, addresses};
use super::offload::offloads;
use crate::vdev::Backing;

/// Something about an interface that is unsafe for a gateway that must encrypt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What was found, for example `generic receive offload is on (rx-gro)`.
    pub what: String,
    /// What would happen.
    pub why: &'static str,
    /// The command that ends it, to be typed as it is; `None` where the driver leaves no way and
    /// another interface must be used.
    pub remedy: Option<String>,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; ", self.what, self.why)?;
        match &self.remedy {
            Some(command) => write!(f, "type: {command}"),
            None => f.write_str("its driver cannot change this, use another interface"),
        }
    }
}

/// An interface and everything about it that is unsafe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Findings {
    /// The interface as the kernel described it.
    pub interface: Interface,
    /// Its addresses.
    pub addresses: Vec<IpAddr>,
    /// What is unsafe; empty for an interface that is fit.
    pub findings: Vec<Finding>,
}

/// Inspects the interface behind a vdev, in the calling thread's network namespace.
///
/// `least_mtu` is the MTU that the link needs on it ([`crate::vdev::Plan::interface_mtu`]).
/// Of the peer at the other end of a `veth` pair nothing can be seen: its checksum, segmentation
/// and VLAN offloads matter just as much, since what it leaves undone arrives undone.
///
/// # Errors
/// No such interface, or the kernel does not answer.
pub fn inspect(name: &str, backing: Backing, least_mtu: Option<u16>) -> Result<Findings, Error> {
    let interface = Interface::query(name)?;
    let failed = |action| move |error: io::Error| Error::new(name, action, &error);
    let features = active_features(name).map_err(failed("read its offload features"))?;
    let all_addresses = addresses().map_err(failed("read the addresses"))?;
    let links = Interface::all().map_err(failed("list the interfaces"))?;
    let addresses = of_interface(name, &all_addresses);
    let mut findings = offloads(name, &features, backing);
    if backing == Backing::Shared {
        let shell = shell_name(name);
        findings.extend(address_finding(&shell, &addresses));
        findings.extend(ipv6_finding(&interface));
        findings.extend(arp_finding(&shell, &interface, &all_addresses));
        findings.extend(master_finding(&shell, &interface, &links));
        findings.extend(stacked_findings(&interface, &links));
    }
    findings.extend(mtu_finding(&interface, least_mtu));
    Ok(Findings {
        interface,
        addresses,
        findings,
    })
}

fn of_interface(name: &str, all: &[(String, IpAddr)]) -> Vec<IpAddr> {
    all.iter()
        .filter(|(of, _)| of == name)
        .map(|(_, address)| *address)
        .collect()
}

fn address_finding(shell: &str, addresses: &[IpAddr]) -> Option<Finding> {
    let list: Vec<String> = addresses.iter().map(IpAddr::to_string).collect();
    (!list.is_empty()).then(|| Finding {
        what: format!(
            "{shell}: the kernel has an address on it ({})",
            list.join(", ")
        ),
        why: "the kernel answers for it and sends from it, in clear",
        remedy: Some(format!("ip addr flush dev {shell}")),
    })
}

fn ipv6_finding(interface: &Interface) -> Option<Finding> {
    let name = &interface.name;
    // A name with a dot is written with slashes: sysctl(8) would take the dot for a separator.
    let key = if name.contains('.') {
        format!("net/ipv6/conf/{name}/disable_ipv6")
    } else {
        format!("net.ipv6.conf.{name}.disable_ipv6")
    };
    (interface.ipv6 == Some(true)).then(|| Finding {
        what: format!("{name}: IPv6 is on"),
        why: "the kernel sends neighbour discovery and multicast reports by itself, in clear",
        remedy: Some(format!("sysctl -w {}=1", shell_name(&key))),
    })
}

/// By default Linux answers ARP for any address of the machine on any interface.
fn arp_finding(shell: &str, of: &Interface, all: &[(String, IpAddr)]) -> Option<Finding> {
    let foreign = |(name, address): &&(String, IpAddr)| {
        *name != of.name && address.is_ipv4() && !address.is_loopback()
    };
    let (name, address) = all.iter().find(foreign).filter(|_| of.answers_arp)?;
    Some(Finding {
        what: format!("{shell}: the kernel answers ARP on it, for {address} of {name} too"),
        why: "whoever asks on this wire gets an answer, in clear",
        remedy: Some(format!("ip link set dev {shell} arp off")),
    })
}

fn master_finding(shell: &str, interface: &Interface, links: &[Interface]) -> Option<Finding> {
    let index = interface.master?;
    let master = links.iter().find(|link| link.index == index);
    let kind = master
        .and_then(|link| link.kind.as_deref())
        .unwrap_or("another interface");
    let name = master.map_or_else(|| index.to_string(), |link| link.name.clone());
    Some(Finding {
        what: format!("{shell}: it is part of {name} ({kind})"),
        why: "the kernel forwards through it, in clear and past the gateway",
        remedy: Some(match kind {
            "openvswitch" => format!("ovs-vsctl del-port {shell}"),
            _ => format!("ip link set {shell} nomaster"),
        }),
    })
}

fn stacked_findings(interface: &Interface, links: &[Interface]) -> Vec<Finding> {
    let stacked = links.iter().filter(|link| link.is_stacked_on(interface));
    let finding = |link: &Interface| Finding {
        what: format!("{}: {} is stacked on it", interface.name, link.name),
        why: "the kernel sends through it, past the gateway",
        remedy: Some(format!("ip link del {}", shell_name(&link.name))),
    };
    stacked.map(finding).collect()
}

fn mtu_finding(interface: &Interface, least: Option<u16>) -> Option<Finding> {
    let least = least.filter(|least| interface.mtu < u32::from(*least))?;
    Some(Finding {
        what: format!(
            "{}: its mtu is {}, the link needs {least}",
            interface.name, interface.mtu
        ),
        why: "the kernel drops longer frames without a word",
        remedy: Some(format!(
            "ip link set dev {} mtu {least}",
            shell_name(&interface.name)
        )),
    })
}

/// A name as a shell wants it: quoted when it has anything but harmless characters.
pub(super) fn shell_name(name: &str) -> String {
    let harmless = |b: u8| b.is_ascii_alphanumeric() || b"-_./@+".contains(&b);
    if name.bytes().all(harmless) {
        name.to_owned()
    } else {
        format!("'{}'", name.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_names_are_quoted() {
        for (name, quoted) in [
            ("eth0.5", "eth0.5"),
            ("a;b", "'a;b'"),
            ("it's", "'it'\\''s'"),
        ] {
            assert_eq!(shell_name(name), quoted);
        }
    }
}
