//! The Announcement parameter set (802.1X-2020 figure 11-15, 11.12): TLVs.
//!
//! ```text
//!  +--------+--------+----- - - -+
//!  | type   | length |   value   |
//!  +--------+--------+----- - - -+
//!   7 bits   9 bits
//! ```

use alloc::boxed::Box;
use core::fmt;

use super::{
    Capability, Frame, Kmd, SuiteField,
    set::{self, Set, kind, put},
};

/// Octets of a TLV's header.
const HEADER_LEN: usize = 2;

/// Octets of the longest value.
const VALUE_MAX: usize = 0x1ff;

/// Types of TLVs (802.1X-2020 11.12).
const ACCESS: u8 = 111;
const SUITES: u8 = 112;
const DOMAIN: u8 = 113;
const NETWORK: u8 = 114;

/// Octets of a suite in the TLV of suites: what is possible with it, then its identifier.
const SUITE_LEN: usize = 10;

/// What a peer announces, as it came. We send none.
///
/// TLVs are told apart when they are asked for: nothing that MKA does depends on one, so one that does
/// not fit ends the announcement and is no reason to refuse the MKPDU.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Announcement(Box<[u8]>);

impl Announcement {
    /// An announcement of these octets.
    pub fn new(octets: &[u8]) -> Self {
        Self(octets.into())
    }

    /// The octets.
    pub fn octets(&self) -> &[u8] {
        &self.0
    }

    /// Its TLVs in their order, to the first that does not fit.
    pub fn tlvs(&self) -> Tlvs<'_> {
        Tlvs(&self.0)
    }

    /// Reads the set.
    pub(super) fn parse(set: Set<'_>) -> Self {
        Self::new(set.body)
    }

    /// Appends the set.
    pub(super) fn emit(&self, out: &mut Frame) -> Option<()> {
        set::emit(out, [kind::ANNOUNCEMENT, 0, 0], |out| put(out, &self.0))
    }
}

impl fmt::Debug for Announcement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.tlvs()).finish()
    }
}

/// One TLV of an announcement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tlv<'a> {
    /// Access information: status and capabilities of the network, as octets.
    Access(&'a [u8]),
    /// MACsec suites.
    Suites(AnnouncedSuites<'a>),
    /// Key management domain.
    Kmd(Kmd),
    /// A network identity and what is said of it, as octets.
    Nid(&'a [u8]),
    /// Another type, or a value that its type can't have.
    Other {
        /// The type, 0 to 127.
        kind: u8,
        /// The value.
        value: &'a [u8],
    },
}

impl<'a> Tlv<'a> {
    fn new(kind: u8, value: &'a [u8]) -> Self {
        let other = Self::Other { kind, value };
        match kind {
            ACCESS => Self::Access(value),
            NETWORK => Self::Nid(value),
            DOMAIN => Kmd::new(value).map_or(other, Self::Kmd),
            SUITES => AnnouncedSuites::new(value).map_or(other, Self::Suites),
            _ => other,
        }
    }
}

/// TLVs in the order of the wire.
#[derive(Clone, Debug)]
pub struct Tlvs<'a>(&'a [u8]);

impl<'a> Iterator for Tlvs<'a> {
    type Item = Tlv<'a>;

    fn next(&mut self) -> Option<Tlv<'a>> {
        let (&[first, second], rest) = self.0.split_first_chunk::<HEADER_LEN>()?;
        let len = usize::from(u16::from_be_bytes([first, second])) & VALUE_MAX;
        let (value, rest) = rest.split_at_checked(len)?;
        self.0 = rest;
        Some(Tlv::new(first >> 1, value))
    }
}

/// The suites that a peer's SecY can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnnouncedSuites<'a>(&'a [[u8; SUITE_LEN]]);

impl<'a> AnnouncedSuites<'a> {
    /// `None` unless the value is a whole count of suites.
    fn new(value: &'a [u8]) -> Option<Self> {
        let (suites, rest) = value.as_chunks();
        rest.is_empty().then_some(Self(suites))
    }

    /// Each suite, and what can be done with it.
    pub fn suites(self) -> impl Iterator<Item = (SuiteField, Capability)> + 'a {
        self.0.iter().map(|&[_, ability, identifier @ ..]| {
            let capability = Capability::from_bits(ability);
            (SuiteField::from_identifier(identifier), capability)
        })
    }
}
