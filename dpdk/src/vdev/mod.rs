//! DPDK device names as a configuration gives them, and what follows from one.
//!
//! A port is a PCI function (`0000:03:00.0`) or a virtual device (`net_af_packet0,iface=plain0`).
//! [`DeviceSpec`] reads either. For a virtual device [`Vdev::plan`] works out, from the side of the
//! gateway that it serves and the link's MTU, the arguments that the driver gets and the size of
//! the mbufs that it needs: several drivers take no notice of an mbuf's room or cut long frames
//! silently, so these numbers are derived together or not at all.

mod af_packet;
mod af_xdp;
mod driver;
mod error;
mod pci;
mod plan;

use core::fmt;
use core::str::FromStr;

pub use self::driver::{Backing, BurstCost, Driver, Facts, LinkDown};
pub use self::error::SpecError;
pub use self::pci::PciAddress;
pub use self::plan::{LONGEST_VLAN_TAGS, MACSEC_OVERHEAD, Plan, PlanError, Side};

/// The longest device name that DPDK takes (`RTE_DEV_NAME_MAX_LEN` less its NUL).
const NAME_LIMIT: usize = 63;

/// A DPDK device as the configuration names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeviceSpec {
    /// A PCI function.
    Pci(PciAddress),
    /// A virtual device with its arguments.
    Vdev(Vdev),
}

impl DeviceSpec {
    /// The name under which ethdev knows the port: the address, or the vdev's name without arguments.
    #[must_use]
    pub fn port_name(&self) -> String {
        match self {
            Self::Pci(address) => address.to_string(),
            Self::Vdev(vdev) => vdev.name.clone(),
        }
    }
}

impl fmt::Display for DeviceSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pci(address) => address.fmt(f),
            Self::Vdev(vdev) => vdev.fmt(f),
        }
    }
}

impl FromStr for DeviceSpec {
    type Err = SpecError;

    /// Reads a PCI address or a vdev string.
    ///
    /// # Errors
    /// [`SpecError`] says what is wrong and what would be right.
    fn from_str(text: &str) -> Result<Self, SpecError> {
        let name = text.split(',').next().unwrap_or_default();
        if text.is_empty() {
            Err(SpecError::Empty)
        } else if name.starts_with("net_") || name.starts_with("eth_") {
            text.parse().map(Self::Vdev)
        } else if name.contains(':') {
            let address = name.parse()?;
            if name == text {
                Ok(Self::Pci(address))
            } else {
                Err(SpecError::PciArguments(address))
            }
        } else {
            Err(SpecError::NoDevice(text.to_owned()))
        }
    }
}

/// A virtual device: the driver its name picks, the name, and its arguments in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vdev {
    driver: Driver,
    name: String,
    args: Vec<(String, String)>,
}

impl Vdev {
    /// The driver that the name picks.
    #[must_use]
    pub const fn driver(&self) -> Driver {
        self.driver
    }

    /// The port's name, for example `net_af_packet0`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The arguments, key and value, in the order given; a key can repeat (`net_pcap`).
    #[must_use]
    pub fn args(&self) -> &[(String, String)] {
        &self.args
    }

    /// The first value of an argument.
    #[must_use]
    pub fn arg(&self, key: &str) -> Option<&str> {
        self.args
            .iter()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value.as_str())
    }

    /// The kernel interface behind the device, if it has one: see [`Self::backing`].
    ///
    /// For a TAP it exists only once the device does.
    #[must_use]
    pub fn interface(&self) -> Option<&str> {
        match self.driver {
            Driver::AfPacket | Driver::AfXdp => self.arg("iface"),
            // The driver's own default is dtapN; a gateway names it so that it can be found.
            Driver::Tap => self.arg("iface"),
            Driver::Pcap => ["iface", "rx_iface", "rx_iface_in", "tx_iface"]
                .iter()
                .find_map(|key| self.arg(key)),
            Driver::Memif | Driver::Ring | Driver::Null | Driver::Vhost | Driver::Other => None,
        }
    }

    /// How the kernel takes part in this device; `None` when it does not.
    #[must_use]
    pub fn backing(&self) -> Option<Backing> {
        self.interface()?;
        Some(if self.driver == Driver::Tap {
            Backing::Peer
        } else {
            Backing::Shared
        })
    }

    /// How the far end can be made to see the link go down.
    ///
    /// As the driver's [`Facts`], but a `net_pcap` on capture files has no far end.
    #[must_use]
    pub fn link_down(&self) -> LinkDown {
        match (self.driver, self.interface()) {
            (Driver::Pcap, None) => LinkDown::None,
            _ => self.driver.facts().link_down,
        }
    }

    /// The same device with an argument set: the first of that key replaced, or appended.
    #[must_use]
    fn with_arg(mut self, key: &str, value: String) -> Self {
        match self.args.iter_mut().find(|(name, _)| name == key) {
            Some((_, old)) => *old = value,
            None => self.args.push((key.to_owned(), value)),
        }
        self
    }
}

impl fmt::Display for Vdev {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        self.args
            .iter()
            .try_for_each(|(key, value)| write!(f, ",{key}={value}"))
    }
}

impl FromStr for Vdev {
    type Err = SpecError;

    /// Reads `NAME[,key=value]...`, a value being free of commas unless they are in `[]`.
    ///
    /// # Errors
    /// [`SpecError`] names the argument that cannot be read.
    fn from_str(text: &str) -> Result<Self, SpecError> {
        let mut parts = split_outside_brackets(text).into_iter();
        let name = parts.next().unwrap_or_default();
        let sound = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if name.len() > NAME_LIMIT || !name.chars().all(sound) {
            return Err(SpecError::Name(name.to_owned()));
        }
        let args = parts.map(argument).collect::<Result<_, _>>()?;
        let vdev = Self {
            driver: Driver::of(name),
            name: name.to_owned(),
            args,
        };
        vdev.refuse_doubles()?;
        vdev.check_interface()?;
        Ok(vdev)
    }
}

impl Vdev {
    /// Repeated keys mean several queues in `net_pcap`; elsewhere the driver would take one of them.
    fn refuse_doubles(&self) -> Result<(), SpecError> {
        if matches!(self.driver, Driver::Pcap | Driver::Other) {
            return Ok(());
        }
        let mut keys: Vec<&str> = self.args.iter().map(|(key, _)| key.as_str()).collect();
        keys.sort_unstable();
        match keys.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(SpecError::Double(pair[0].to_owned())),
            None => Ok(()),
        }
    }

    fn check_interface(&self) -> Result<(), SpecError> {
        match self.interface() {
            Some(name) if !crate::netdev::is_interface_name(name) => {
                Err(SpecError::Interface(name.to_owned()))
            }
            None if matches!(self.driver, Driver::AfPacket | Driver::AfXdp) => {
                Err(SpecError::NoInterface(self.name.clone()))
            }
            _ => Ok(()),
        }
    }
}

fn argument(part: &str) -> Result<(String, String), SpecError> {
    match part.split_once('=') {
        Some((key, value)) if !key.is_empty() && !value.is_empty() => {
            // An open one would take in the arguments that `plan` puts behind.
            if !has_paired_brackets(part) {
                return Err(SpecError::Brackets(part.to_owned()));
            }
            Ok((key.to_owned(), value.to_owned()))
        }
        _ => Err(SpecError::Argument(part.to_owned())),
    }
}

fn has_paired_brackets(part: &str) -> bool {
    let mut open = 0_usize;
    part.chars().all(|c| {
        match c {
            '[' => open += 1,
            ']' if open == 0 => return false,
            ']' => open -= 1,
            _ => {}
        }
        true
    }) && open == 0
}

fn split_outside_brackets(text: &str) -> Vec<&str> {
    let mut depth = 0_usize;
    text.split(|c: char| {
        match c {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    })
    .collect()
}

#[cfg(test)]
mod tests;
