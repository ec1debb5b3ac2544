//! EtherTypes that the gateway treats in their own way.

use core::fmt;

/// An EtherType, in host order.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct EtherType(pub u16);

impl EtherType {
    /// IPv4.
    pub const IPV4: Self = Self(0x0800);
    /// ARP.
    pub const ARP: Self = Self(0x0806);
    /// C-VLAN tag (802.1Q).
    pub const C_VLAN: Self = Self(0x8100);
    /// IPv6.
    pub const IPV6: Self = Self(0x86dd);
    /// MAC control: pause and priority flow control (802.3 annex 31).
    pub const MAC_CONTROL: Self = Self(0x8808);
    /// EAPOL (802.1X), which carries MKA.
    pub const EAPOL: Self = Self(0x888e);
    /// S-VLAN tag (802.1ad).
    pub const S_VLAN: Self = Self(0x88a8);
    /// MACsec (802.1AE-2018 9.8).
    pub const MACSEC: Self = Self(0x88e5);

    /// Whether this type opens a VLAN tag.
    pub const fn is_vlan(self) -> bool {
        matches!(self, Self::C_VLAN | Self::S_VLAN)
    }
}

impl fmt::Debug for EtherType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EtherType({:#06x})", self.0)
    }
}

impl fmt::Display for EtherType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#06x}", self.0)
    }
}
