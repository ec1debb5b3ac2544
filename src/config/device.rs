//! What a port is in the config: a PCI address, or the string of a DPDK virtual device.

use core::fmt;

/// A device as the config names it; the text goes to DPDK as it stands.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Device {
    text: String,
    kind: DeviceKind,
}

/// The two kinds of device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeviceKind {
    /// On the PCI bus, at this address.
    Pci(PciAddress),
    /// Made by a DPDK driver.
    Vdev,
}

/// The address of a function on the PCI bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PciAddress {
    /// Domain.
    pub domain: u32,
    /// Bus.
    pub bus: u8,
    /// Device, 0 to 31.
    pub device: u8,
    /// Function, 0 to 7.
    pub function: u8,
}

impl fmt::Display for PciAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:04x}:{:02x}:{:02x}.{}",
            self.domain, self.bus, self.device, self.function
        )
    }
}

impl Device {
    /// Checks `text` as far as that goes without asking DPDK.
    ///
    /// # Errors
    /// What is wrong with it, and what would be right.
    pub(super) fn new(text: &str) -> Result<Self, DeviceError> {
        if text.is_empty() {
            return Err(DeviceError::Empty);
        }
        if text.chars().any(|c| c.is_control() || c.is_whitespace()) || text.len() > 255 {
            return Err(DeviceError::Characters);
        }
        let name = text.split(',').next().unwrap_or_default();
        let kind = if let Some(address) = pci_address(name) {
            DeviceKind::Pci(address)
        } else if is_vdev_name(name) {
            DeviceKind::Vdev
        } else if name.contains(':') {
            return Err(DeviceError::PciAddress);
        } else {
            return Err(DeviceError::Unknown);
        };
        Ok(Self {
            text: text.to_owned(),
            kind,
        })
    }

    /// The text as it stands in the config, with the arguments after the first comma.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Which kind it is.
    pub const fn kind(&self) -> DeviceKind {
        self.kind
    }

    /// The name that DPDK knows the port by: the full PCI address, or the vdev's name.
    pub fn name(&self) -> String {
        match self.kind {
            DeviceKind::Pci(address) => address.to_string(),
            DeviceKind::Vdev => self.text.split(',').next().unwrap_or_default().to_owned(),
        }
    }

    /// The kernel interface that a kernel-backed vdev stands on, if it is one.
    pub fn interface(&self) -> Option<&str> {
        let kernel_backed = matches!(self.kind, DeviceKind::Vdev)
            && ["af_packet", "af_xdp", "tap"].iter().any(|driver| {
                let name = self.text.get(4..).unwrap_or_default();
                name.starts_with(driver)
            });
        kernel_backed.then(|| self.argument("iface")).flatten()
    }

    fn argument(&self, key: &str) -> Option<&str> {
        self.text
            .split(',')
            .skip(1)
            .filter_map(|argument| argument.split_once('='))
            .find(|&(name, _)| name == key)
            .map(|(_, value)| value)
    }

    /// Whether both are the same port, however each is written.
    pub fn is_same_port(&self, other: &Self) -> bool {
        self.name() == other.name()
            || self.interface().is_some() && self.interface() == other.interface()
    }
}

/// `0000:03:00.0`, or without the domain.
fn pci_address(text: &str) -> Option<PciAddress> {
    let hex = |text: &str, digits: core::ops::RangeInclusive<usize>| {
        (digits.contains(&text.len()) && text.bytes().all(|c| c.is_ascii_hexdigit()))
            .then(|| u32::from_str_radix(text, 16).ok())
            .flatten()
    };
    let (front, function) = text.rsplit_once('.')?;
    let (front, device) = front.rsplit_once(':')?;
    let (domain, bus) = front.rsplit_once(':').unwrap_or(("0", front));
    let address = PciAddress {
        domain: hex(domain, 1..=8)?,
        bus: u8::try_from(hex(bus, 1..=2)?).ok()?,
        device: u8::try_from(hex(device, 1..=2)?).ok()?,
        function: u8::try_from(hex(function, 1..=1)?).ok()?,
    };
    (address.device < 32 && address.function < 8).then_some(address)
}

/// DPDK's ethdev drivers are all named so.
fn is_vdev_name(name: &str) -> bool {
    (name.starts_with("net_") || name.starts_with("eth_"))
        && name.len() > 4
        && name.len() < 64
        && name
            .bytes()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'-' | b'.'))
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Device({})", self.text)
    }
}

/// Why a text is no device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceError {
    /// Nothing there.
    Empty,
    /// White space, control characters, or more than 255 octets.
    Characters,
    /// Meant as a PCI address, but none.
    PciAddress,
    /// Neither a PCI address nor a name that a DPDK driver has.
    Unknown,
}

impl fmt::Display for DeviceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "is empty",
            Self::Characters => "has white space or control characters, or is too long",
            Self::PciAddress => "is not a PCI address",
            Self::Unknown => "is neither a PCI address nor a DPDK vdev string",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_with_and_without_domain_are_the_same_port() {
        let long = Device::new("0000:03:00.0").unwrap();
        let short = Device::new("03:00.0,mprq_en=1").unwrap();
        assert!(long.is_same_port(&short));
        assert_eq!(short.name(), "0000:03:00.0");
        assert_eq!(short.as_str(), "03:00.0,mprq_en=1");
    }

    #[test]
    fn two_vdevs_on_one_interface_are_the_same_port() {
        let one = Device::new("net_af_packet0,iface=veth0,qpairs=1").unwrap();
        let two = Device::new("net_af_xdp7,iface=veth0").unwrap();
        let other = Device::new("net_af_packet1,iface=veth1").unwrap();
        assert!(one.is_same_port(&two));
        assert!(!one.is_same_port(&other));
        assert_eq!(one.interface(), Some("veth0"));
    }

    #[test]
    fn other_texts_are_refused() {
        assert_eq!(Device::new(""), Err(DeviceError::Empty));
        assert_eq!(Device::new("0000:03:00.8"), Err(DeviceError::PciAddress));
        assert_eq!(Device::new("0000:03:20.0"), Err(DeviceError::PciAddress));
        assert_eq!(Device::new("03:00"), Err(DeviceError::PciAddress));
        assert_eq!(Device::new("eth0"), Err(DeviceError::Unknown));
        assert_eq!(Device::new("net_ring0 --x"), Err(DeviceError::Characters));
    }
}
