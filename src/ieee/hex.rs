//! Hexadecimal digits into octets, for the identifiers and keys that operators type.

use core::{error, fmt};

/// Why a text is not the octets that it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HexError {
    /// Another number of digits than twice the octets wanted.
    Length {
        /// Digits that there should be.
        wanted: usize,
        /// Digits that there are.
        found: usize,
    },
    /// A character that is no hexadecimal digit; the character itself is left out, it may be a secret's.
    Digit {
        /// Its place, counted from 0.
        at: usize,
    },
}

impl fmt::Display for HexError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { wanted, found } => {
                write!(
                    f,
                    "{found} characters where {wanted} hexadecimal digits belong"
                )
            }
            Self::Digit { at } => write!(f, "character {} is not a hexadecimal digit", at + 1),
        }
    }
}

impl error::Error for HexError {}

/// Fills `out` from exactly twice as many hexadecimal digits, in either case.
///
/// # Errors
/// [`HexError`] says whether the length or a digit is wrong; `out` is then unspecified.
pub fn decode_hex(text: &[u8], out: &mut [u8]) -> Result<(), HexError> {
    let wanted = out.len() * 2;
    if text.len() != wanted {
        return Err(HexError::Length {
            wanted,
            found: text.len(),
        });
    }
    for (i, (pair, octet)) in text.chunks_exact(2).zip(out).enumerate() {
        let mut value = 0;
        for (j, &digit) in pair.iter().enumerate() {
            value = value << 4 | nibble(digit).ok_or(HexError::Digit { at: 2 * i + j })?;
        }
        *octet = value;
    }
    Ok(())
}

const fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_become_octets() {
        let mut out = [0; 4];
        assert_eq!(decode_hex(b"00fFa91c", &mut out), Ok(()));
        assert_eq!(out, [0x00, 0xff, 0xa9, 0x1c]);
    }

    #[test]
    fn a_wrong_length_and_a_wrong_digit_are_told_apart() {
        let mut out = [0; 2];
        assert_eq!(
            decode_hex(b"000", &mut out),
            Err(HexError::Length {
                wanted: 4,
                found: 3
            })
        );
        assert_eq!(
            decode_hex(b"00g0", &mut out),
            Err(HexError::Digit { at: 2 })
        );
    }
}
