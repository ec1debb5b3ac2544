//! `[[link]]`: one plain and one secure port, and what MACsec does between them. Types only.

use std::time::Duration;

use super::device::Device;
use super::keys::KeyReference;
use super::mka::Mka;
use crate::ieee::{An, CipherSuite, EtherType, MacAddr, Pn, PnSpace, Sci};
use crate::macsec::{Confidentiality, Replay, SectagSci, ValidateFrames, XpnParams};

/// One link, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    /// Unique in the config; names the link in `status`, metrics and state files.
    pub name: String,
    /// The customer's side.
    pub plain: Device,
    /// The cloud's side.
    pub secure: Device,
    /// Largest layer-3 payload of the plain side, in octets, without Ethernet header and VLAN tags.
    pub mtu: u16,
    /// What passes while the link is not secured.
    pub encryption: EncryptionMode,
    /// `should_encrypt` only: what passes when a secured link is so no more.
    pub after_secured: AfterSecured,
    /// `should_encrypt` only: from link up until clear frames pass.
    pub clear_wait: Duration,
    /// Where keys come from. `None` only with `no_encrypt`.
    pub agreement: Option<Agreement>,
    /// Own SCI; `None`: the secure port's address and port 1.
    pub sci: Option<Sci>,
    /// The cipher suite of both directions; with MKA the one that we distribute as key server.
    pub cipher_suite: CipherSuite,
    /// Whether frames are encrypted and from which octet on, or authenticated only.
    pub confidentiality: Confidentiality,
    /// How the SecTAG names the SC on transmit.
    pub sectag_sci: SectagSci,
    /// VLAN tags that stay ahead of the SecTAG: 0 to 2.
    pub clear_vlan_tags: u8,
    /// Replay protection on receive.
    pub replay: Replay,
    /// Newest packet numbers of which each is taken once only: a power of two, 64 to 65,536.
    pub duplicate_depth: u32,
    /// What happens to frames that are not valid.
    pub validate_frames: ValidateFrames,
    /// Where the packet number space counts as nearly used up.
    pub pn_soft_threshold: PnShare,
    /// EtherTypes carried in clear.
    pub bypass: Vec<Bypass>,
    /// Worker of the protect lane: an index into `workers.cores`; `None`: spread.
    pub protect_worker: Option<usize>,
    /// Worker of the validate lane.
    pub validate_worker: Option<usize>,
    /// Crypto helpers of the protect lane: cores that seal beside its worker.
    pub protect_helpers: usize,
    /// Crypto helpers of the validate lane.
    pub validate_helpers: usize,
    /// Receive queues of the plain port, over which its NIC spreads flows.
    pub plain_queues: u16,
}

/// What a link does while it is not secured; AWS's meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EncryptionMode {
    /// Nothing passes unprotected.
    MustEncrypt,
    /// Clear frames pass while there is no secured peer.
    ShouldEncrypt,
    /// No MACsec.
    NoEncrypt,
}

impl EncryptionMode {
    /// The word in the config, `status` and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::MustEncrypt => "must_encrypt",
            Self::ShouldEncrypt => "should_encrypt",
            Self::NoEncrypt => "no_encrypt",
        }
    }
}

/// What `should_encrypt` does once a link was secured and is so no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterSecured {
    /// Clear frames pass again.
    Clear,
    /// Nothing passes until it is secured again.
    Close,
}

/// A share of a packet number space, in millionths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PnShare(pub u32);

impl PnShare {
    /// The whole.
    pub const MILLIONTHS: u32 = 1_000_000;

    /// `share` of the whole, which is 1.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a number from 0 to 1 gives 0 to 1,000,000; a cast of any other one saturates"
    )]
    pub(super) fn of_whole(share: f64) -> Self {
        Self((share * f64::from(Self::MILLIONTHS)).round() as u32)
    }

    /// The packet number that lies at this share of `space`.
    pub fn of(self, space: PnSpace) -> Pn {
        let last = u128::from(space.last().0);
        let at = last * u128::from(self.0) / u128::from(Self::MILLIONTHS);
        // A share above the whole can't be read from a config; held at the last number all the same.
        Pn(u64::try_from(at.min(last)).unwrap_or(u64::MAX))
    }
}

/// One EtherType that passes in clear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bypass {
    /// The type after the addresses of an untagged frame.
    pub ethertype: EtherType,
    /// The lanes that let it through.
    pub direction: BypassDirection,
}

/// The lanes that a bypass entry holds for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BypassDirection {
    /// Plain to secure.
    Protect,
    /// Secure to plain.
    Validate,
    /// Both.
    Both,
}

impl BypassDirection {
    /// Whether the protect lane lets it through.
    pub const fn in_protect(self) -> bool {
        matches!(self, Self::Protect | Self::Both)
    }

    /// Whether the validate lane lets it through.
    pub const fn in_validate(self) -> bool {
        matches!(self, Self::Validate | Self::Both)
    }
}

/// Where a link's keys come from: `agreement`.
#[derive(Clone, Debug, PartialEq)]
pub enum Agreement {
    /// Out of files.
    Static(StaticKeys),
    /// Agreed with the peer by MKA.
    Mka(Box<Mka>),
}

impl Agreement {
    /// The word in the config and in `status`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Static(_) => "static",
            Self::Mka(_) => "mka",
        }
    }
}

/// `[link.static]`: one SA each way, its keys from files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaticKeys {
    /// The peer's SCI.
    pub peer_sci: Sci,
    /// What we transmit with.
    pub tx: StaticSa,
    /// What we receive with.
    pub rx: StaticSa,
}

/// One direction's SA.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaticSa {
    /// Its association number.
    pub an: An,
    /// Its key.
    pub key: KeyReference,
    /// What an XPN suite's nonce is made of; `Some` exactly with an XPN suite.
    pub xpn: Option<XpnParams>,
}

impl Link {
    /// The static keys, where there are any.
    pub const fn static_keys(&self) -> Option<&StaticKeys> {
        match &self.agreement {
            Some(Agreement::Static(keys)) => Some(keys),
            _ => None,
        }
    }

    /// The static keys, to be changed.
    pub const fn static_keys_mut(&mut self) -> Option<&mut StaticKeys> {
        match &mut self.agreement {
            Some(Agreement::Static(keys)) => Some(keys),
            _ => None,
        }
    }

    /// What MKA is told, where keys are agreed by it.
    pub const fn mka(&self) -> Option<&Mka> {
        match &self.agreement {
            Some(Agreement::Mka(mka)) => Some(mka),
            _ => None,
        }
    }

    /// The same, to be changed.
    pub fn mka_mut(&mut self) -> Option<&mut Mka> {
        match &mut self.agreement {
            Some(Agreement::Mka(mka)) => Some(mka),
            _ => None,
        }
    }

    /// What is done to frames, in words for people.
    pub fn protection(&self) -> String {
        match self.confidentiality {
            Confidentiality::IntegrityOnly => "integrity only".to_owned(),
            Confidentiality::Offset0 => "encrypted".to_owned(),
            other => format!("encrypted, offset {}", other.offset()),
        }
    }

    /// What is done about replays, in words for people.
    pub fn replay_protection(&self) -> String {
        match self.replay {
            Replay::Off => "off".to_owned(),
            Replay::Strict => "strict".to_owned(),
            Replay::Window(window) => format!("window {window}"),
        }
    }

    /// Own SCI when the secure port has `address`: the configured one, or the address and port 1.
    pub fn own_sci(&self, address: MacAddr) -> Sci {
        self.sci
            .unwrap_or_else(|| Sci::new(address, Sci::END_STATION_PORT))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_of_both_spaces() {
        let share = PnShare(750_000);
        assert_eq!(share.of(PnSpace::Short), Pn(3_221_225_471));
        assert_eq!(share.of(PnSpace::Extended), Pn(13_835_058_055_282_163_710));
        assert_eq!(PnShare(u32::MAX).of(PnSpace::Short), PnSpace::Short.last());
    }
}
