//! A MAC address.

use core::{error, fmt, str::FromStr};

use super::decode_hex;

/// A 48-bit MAC address, in wire order.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MacAddr(pub [u8; 6]);

impl MacAddr {
    /// The group address of port access entities, which MKA uses (802.1X-2020 table 11-1).
    pub const PAE_GROUP: Self = Self([0x01, 0x80, 0xc2, 0x00, 0x00, 0x03]);

    /// Whether this addresses a group: multicast or broadcast.
    pub const fn is_group(self) -> bool {
        let [first, ..] = self.0;
        first & 1 != 0
    }
}

impl fmt::Display for MacAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl fmt::Debug for MacAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MacAddr({self})")
    }
}

impl FromStr for MacAddr {
    type Err = ParseMacAddrError;

    fn from_str(text: &str) -> Result<Self, ParseMacAddrError> {
        let mut address = [0; 6];
        let mut parts = text.split(':');
        for octet in &mut address {
            let part = parts.next().ok_or(ParseMacAddrError)?;
            decode_hex(part.as_bytes(), core::slice::from_mut(octet))
                .map_err(|_| ParseMacAddrError)?;
        }
        if parts.next().is_some() {
            Err(ParseMacAddrError)
        } else {
            Ok(Self(address))
        }
    }
}

/// A text that is no MAC address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseMacAddrError;

impl fmt::Display for ParseMacAddrError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a MAC address; it is written as six octets, such as 02:00:00:00:00:01")
    }
}

impl error::Error for ParseMacAddrError {}
