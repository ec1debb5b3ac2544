//! Nouns that IEEE 802.1AE and IEEE 802.1X share: addresses, identifiers, numbers and suites.
//!
//! Each is a type of its own, so that an association number can't be taken for a packet number.

mod an;
mod cipher_suite;
mod ckn;

mod ethertype;
mod hex;
mod key_identifier;
mod mac_addr;
mod pn;
mod salt;
mod sci;
mod ssci;

pub use an::An;
pub use cipher_suite::{CipherSuite, UnknownCipherSuite};
pub use ckn::{Ckn, CknError};
pub use ethertype::EtherType;
pub use hex::{HexError, decode_hex};
pub use key_identifier::KeyIdentifier;
pub use mac_addr::{MacAddr, ParseMacAddrError};
pub use pn::{Pn, PnSpace};
pub use salt::Salt;
pub use sci::{ParseSciError, Sci};
pub use ssci::Ssci;
