//! A key's fingerprint: what people and files may know of a key.
//!
//! The first octets of a SHA-256 over a fixed text and the key. Short enough to read aloud, long
//! enough that no two of an operator's keys share one, and no way back to a key of 128 random bits.

use core::{error, fmt, str::FromStr};

use ring::digest::{Context, SHA256};

use super::{Sak, scrub::with_clean_stack};
use crate::ieee::{KeyIdentifier, decode_hex};

/// Keeps these hashes apart from any other use of SHA-256 over a key.
const DOMAIN: &[u8] = b"macsecgw key fingerprint v1";

/// Octets of a fingerprint.
const LEN: usize = 8;

/// The first 8 octets of a key's hash; printed as 16 hexadecimal digits in groups of 4.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(pub [u8; LEN]);

impl Fingerprint {
    /// The fingerprint of `sak`.
    pub fn of(sak: &Sak) -> Self {
        let mut first = [0; LEN];
        hash_into(sak.expose(), &mut first);
        Self(first)
    }

    /// The fingerprint of a key of another kind, such as a CAK.
    pub fn of_octets(key: &[u8]) -> Self {
        let mut first = [0; LEN];
        hash_into(key, &mut first);
        Self(first)
    }
}

/// The key identifier of a static key, where no key server gave it one: the first 16 octets of its
/// hash, so that it begins with the fingerprint.
pub fn static_key_identifier(sak: &Sak) -> KeyIdentifier {
    let mut first = [0; 16];
    hash_into(sak.expose(), &mut first);
    KeyIdentifier(first)
}

/// Writes the first octets of the hash of `key`. The hash's working space holds the key itself, so
/// the stack is overwritten.
fn hash_into(key: &[u8], first: &mut [u8]) {
    with_clean_stack(|| {
        let mut context = Context::new(&SHA256);
        context.update(DOMAIN);
        context.update(key);
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
