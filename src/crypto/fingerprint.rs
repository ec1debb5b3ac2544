//! A key's fingerprint: what people and files may know of a key.
//!
//! The first octets of a SHA-256 over a fixed text and the key. Short enough to read aloud, long
//! enough that no two of an operator's keys share one, and no way back to a key of 128 random bits.

use core::{error, fmt, str::FromStr};

use ring::digest::{Context, SHA256};

use super::{Cak, Sak, scrub::with_clean_stack};
use crate::ieee::{Ckn, KeyIdentifier, decode_hex};

/// Keeps these hashes apart from any other use of SHA-256 over a key.
const DOMAIN: &[u8] = b"macsecgw key fingerprint v1";

/// The same for a CAK under its name.
const PAIR_DOMAIN: &[u8] = b"macsecgw CKN and CAK fingerprint v1";

/// Octets of a fingerprint.
const LEN: usize = 8;

/// The first 8 octets of a key's hash; printed as 16 hexadecimal digits in groups of 4.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(pub [u8; LEN]);

impl Fingerprint {
    /// The fingerprint of `sak`.
    pub fn of(sak: &Sak) -> Self {
        let mut first = [0; LEN];
        hash_into(&[DOMAIN, sak.expose()], &mut first);
        Self(first)
    }

    /// The fingerprint of a CAK and its name together: what two operators compare by phone before they
    /// use the pair. Either one wrong, on either side, gives another fingerprint. It says no more of the
    /// key than an MKPDU on the wire does: enough to test a guess, which is no help against 128 random
    /// bits.
    pub fn of_pair(ckn: &Ckn, cak: &Cak) -> Self {
        let mut first = [0; LEN];
        // A name's length is part of it, and keeps the name and the key apart.
        let len = u8::try_from(ckn.octets().len()).unwrap_or(u8::MAX);
        let parts = [PAIR_DOMAIN, &[len], ckn.octets(), cak.expose()];
        hash_into(&parts, &mut first);
        Self(first)
    }

    /// The fingerprint of a key of another kind, such as a CAK.
    pub fn of_octets(key: &[u8]) -> Self {
        let mut first = [0; LEN];
        hash_into(&[DOMAIN, key], &mut first);
        Self(first)
    }
}

/// The key identifier of a static key, where no key server gave it one: the first 16 octets of its
/// hash, so that it begins with the fingerprint.
pub fn static_key_identifier(sak: &Sak) -> KeyIdentifier {
    let mut first = [0; 16];
    hash_into(&[DOMAIN, sak.expose()], &mut first);
    KeyIdentifier(first)
}

/// The SHA-256 of what holds secrets, as a checksum of it: nothing is left of it on the stack. No one else
/// is to be shown it.
pub fn digest_of_secrets(octets: &[u8]) -> [u8; 32] {
    let mut digest = [0; 32];
    hash_into(&[octets], &mut digest);
    digest
}

/// Writes the first octets of the hash of `parts` in a row. The hash's working space holds the key
/// itself, so the stack is overwritten.
fn hash_into(parts: &[&[u8]], first: &mut [u8]) {
    with_clean_stack(|| {
        let mut context = Context::new(&SHA256);
        parts.iter().for_each(|part| context.update(part));
        for (to, from) in first.iter_mut().zip(context.finish().as_ref()) {
            *to = *from;
        }
    });
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, pair) in self.0.chunks(2).enumerate() {
            if i > 0 {
                f.write_str("-")?;
            }
            pair.iter().try_for_each(|octet| write!(f, "{octet:02x}"))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

impl FromStr for Fingerprint {
    type Err = ParseFingerprintError;

    /// Takes 16 hexadecimal digits in either case, with a `-` after every fourth or with none.
    fn from_str(text: &str) -> Result<Self, ParseFingerprintError> {
        let mut digits = [0; 2 * LEN];
        let groups = text.len() == 2 * LEN + 3;
        let mut kept = text
            .bytes()
            .enumerate()
            .filter(|&(at, octet)| !(groups && at % 5 == 4 && octet == b'-'))
            .map(|(_, octet)| octet);
        for digit in &mut digits {
            *digit = kept.next().ok_or(ParseFingerprintError)?;
        }
        if kept.next().is_some() {
            return Err(ParseFingerprintError);
        }
        let mut octets = [0; LEN];
        decode_hex(&digits, &mut octets).map_err(|_| ParseFingerprintError)?;
        Ok(Self(octets))
    }
}

/// A text that is no fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseFingerprintError;

impl fmt::Display for ParseFingerprintError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a key fingerprint; 16 hexadecimal digits such as 0123-4567-89ab-cdef")
    }
}

impl error::Error for ParseFingerprintError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn sak(octet: u8, len: usize) -> Sak {
        Sak::take(&mut vec![octet; len]).unwrap()
    }

    /// Figures from Python's `hashlib`.
    #[test]
    fn it_is_the_agreed_hash() {
        assert_eq!(
            Fingerprint::of(&sak(0, 16)).to_string(),
            "6958-8994-3bf5-4562"
        );
        assert_eq!(
            Fingerprint::of(&sak(0x42, 32)).to_string(),
            "cf83-7f4a-dc22-cba6"
        );
        assert_eq!(
            static_key_identifier(&sak(0x42, 32)).to_string(),
            "cf837f4adc22cba6a0ea945657fcab49"
        );
    }

    #[test]
    fn keys_of_another_kind_are_hashed_alike() {
        assert_eq!(
            Fingerprint::of_octets(&[0x42; 32]),
            Fingerprint::of(&sak(0x42, 32))
        );
    }

    fn pair(ckn: &str, octet: u8, len: usize) -> String {
        let cak = Cak::take(&mut vec![octet; len]).unwrap();
        Fingerprint::of_pair(&ckn.parse().unwrap(), &cak).to_string()
    }

    /// Figures from Python's `hashlib`.
    #[test]
    fn a_pair_has_one_fingerprint() {
        assert_eq!(pair("61", 0x42, 16), "1ebe-df63-bb81-9111");
        assert_eq!(pair("6100", 0x42, 32), "dcdf-a891-790d-ddea");
    }

    #[test]
    fn either_part_of_a_pair_changes_its_fingerprint() {
        let one = pair("6162", 0x42, 32);
        for other in [
            pair("61", 0x42, 32),
            pair("6163", 0x42, 32),
            pair("616242", 0x42, 32),
            pair("6162", 0x43, 32),
            pair("6162", 0x42, 16),
        ] {
            assert_ne!(one, other);
        }
        let alone = Fingerprint::of_octets(&[0x42; 32]);
        assert_ne!(one, alone.to_string());
    }

    #[test]
    fn it_is_read_as_it_is_written_and_as_people_type_it() {
        let expected = Fingerprint([0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef]);
        assert_eq!(expected.to_string(), "0123-4567-89ab-cdef");
        for text in [
            "0123-4567-89ab-cdef",
            "0123456789abcdef",
            "0123-4567-89AB-CDEF",
        ] {
            assert_eq!(text.parse(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "0123-4567-89ab-cde",
            "0123-4567-89ab-cdef-",
            "0123456789abcdef0",
            "012-34567-89ab-cdef",
            "0123--567-89ab-cdef",
            "0123-4567-89ab-cdeg",
            "0123 4567 89ab cdef",
            "0123-456789abcdef",
            "-------------------",
        ] {
            assert_eq!(
                text.parse::<Fingerprint>(),
                Err(ParseFingerprintError),
                "{text}"
            );
        }
    }
}
