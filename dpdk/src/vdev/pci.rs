//! PCI addresses as DPDK and `lspci` write them.

use core::fmt;
use core::str::FromStr;

use super::SpecError;

/// The address of a PCI function: domain, bus, device, function.
///
/// Printed the way DPDK names the port: four digits of domain, two of bus and device, one of function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PciAddress {
    domain: u32,
    bus: u8,
    device: u8,
    function: u8,
}

impl PciAddress {
    /// The PCI domain (segment); 0 on nearly every machine.
    #[must_use]
    pub const fn domain(self) -> u32 {
        self.domain
    }

    /// The bus within the domain.
    #[must_use]
    pub const fn bus(self) -> u8 {
        self.bus
    }

    /// The device on the bus, 0 to 31.
    #[must_use]
    pub const fn device(self) -> u8 {
        self.device
    }

    /// The function of the device, 0 to 7.
    #[must_use]
    pub const fn function(self) -> u8 {
        self.function
    }
}

impl fmt::Display for PciAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:04x}:{:02x}:{:02x}.{:x}",
            self.domain, self.bus, self.device, self.function
        )
    }
}

impl FromStr for PciAddress {
    type Err = SpecError;

    /// Reads `0000:03:00.0` or, for domain 0, `03:00.0`; hexadecimal, either case.
    ///
    /// # Errors
    /// [`SpecError::Pci`] names the field that is missing, not hexadecimal or out of range.
    fn from_str(text: &str) -> Result<Self, SpecError> {
        let wrong = |field| SpecError::Pci {
            text: text.to_owned(),
            field,
        };
        let (head, function) = text.rsplit_once('.').ok_or_else(|| wrong("function"))?;
        let mut fields = head.rsplit(':');
        let device = fields
            .next()
            .and_then(|s| hex(s, 2, 0x1f))
            .ok_or_else(|| wrong("device"))?;
        let bus = fields
            .next()
            .and_then(|s| hex(s, 2, 0xff))
            .ok_or_else(|| wrong("bus"))?;
        let domain = match fields.next() {
            None => 0,
            Some(digits) => hex(digits, 8, u32::MAX).ok_or_else(|| wrong("domain"))?,
        };
        if fields.next().is_some() {
            return Err(wrong("domain"));
        }
        let function = hex(function, 1, 7).ok_or_else(|| wrong("function"))?;
        let octet = |value: u32, field| u8::try_from(value).map_err(|_| wrong(field));
        Ok(Self {
            domain,
            bus: octet(bus, "bus")?,
            device: octet(device, "device")?,
            function: octet(function, "function")?,
        })
    }
}

/// Hexadecimal digits only: the standard parser would take a sign too.
fn hex(digits: &str, most: usize, limit: u32) -> Option<u32> {
    if digits.is_empty() || digits.len() > most || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    u32::from_str_radix(digits, 16)
        .ok()
        .filter(|value| *value <= limit)
}
