//! The secure channel identifier (802.1AE-2018 9.9): a MAC address and a port number.

use core::{error, fmt, str::FromStr};

use super::MacAddr;

/// A secure channel identifier, as the 64-bit number that its octets spell on the wire.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sci(pub u64);

impl Sci {
    /// The port number that an end station has (802.1AE-2018 9.5).
    pub const END_STATION_PORT: u16 = 1;
    /// The port number of the EPON single copy broadcast channel (802.1AE-2018 9.5).
    pub const SINGLE_COPY_BROADCAST_PORT: u16 = 0;

    /// The channel of `address` and `port`.
    pub const fn new(address: MacAddr, port: u16) -> Self {
        let [a, b, c, d, e, f] = address.0;
        let [g, h] = port.to_be_bytes();
        Self(u64::from_be_bytes([a, b, c, d, e, f, g, h]))
    }

    /// From the octets of a SecTAG.
    pub const fn from_octets(octets: [u8; 8]) -> Self {
        Self(u64::from_be_bytes(octets))
    }

    /// The octets as a SecTAG carries them.
    pub const fn octets(self) -> [u8; 8] {
        self.0.to_be_bytes()
    }

    /// The MAC address part.
    pub const fn address(self) -> MacAddr {
        let [a, b, c, d, e, f, _, _] = self.octets();
        MacAddr([a, b, c, d, e, f])
    }

    /// The port number part.
    pub const fn port(self) -> u16 {
        let [.., g, h] = self.octets();
        u16::from_be_bytes([g, h])
    }
}

impl fmt::Display for Sci {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address(), self.port())
    }
}

impl fmt::Debug for Sci {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sci({self})")
    }
}

impl FromStr for Sci {
    type Err = ParseSciError;

    fn from_str(text: &str) -> Result<Self, ParseSciError> {
        let (address, port) = text.split_once('/').ok_or(ParseSciError)?;
        let address = address.parse().map_err(|_| ParseSciError)?;
        let port = port.parse().map_err(|_| ParseSciError)?;
        Ok(Self::new(address, port))
    }
}

/// A text that is no SCI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseSciError;

impl fmt::Display for ParseSciError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an SCI; it is written as address and port, such as 02:00:00:00:00:01/1")
    }
}

impl error::Error for ParseSciError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_octets_agree() {
        let sci: Sci = "f0:76:1e:8d:cd:3d/1".parse().unwrap();
        assert_eq!(sci.octets(), [0xf0, 0x76, 0x1e, 0x8d, 0xcd, 0x3d, 0, 1]);
        assert_eq!(Sci::from_octets(sci.octets()), sci);
        assert_eq!(sci.address(), MacAddr([0xf0, 0x76, 0x1e, 0x8d, 0xcd, 0x3d]));
        assert_eq!(alloc::format!("{sci}"), "f0:76:1e:8d:cd:3d/1");
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "f0:76:1e:8d:cd:3d",
            "f0:76:1e:8d:cd/1",
            "f0:76:1e:8d:cd:3d/65536",
            "f0:76:1e:8d:cd:3d:00/1",
        ] {
            assert_eq!(text.parse::<Sci>(), Err(ParseSciError), "{text}");
        }
    }
}
