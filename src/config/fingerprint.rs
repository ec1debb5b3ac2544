//! Stand-in for the fingerprint of a key, until `crypto` has its own.

use core::fmt;

use ring::digest::{Context, SHA256};

use crate::crypto::Sak;

/// What may be shown of a key: the first 64 bits of a hash of it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(pub [u8; 8]);

impl Fingerprint {
    /// The fingerprint of `sak`.
    pub fn of(sak: &Sak) -> Self {
        let mut context = Context::new(&SHA256);
        context.update(b"macsecgw key fingerprint v1");
        context.update(sak.expose());
        let mut first = [0; 8];
        for (to, from) in first.iter_mut().zip(context.finish().as_ref()) {
            *to = *from;
        }
        Self(first)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, octet) in self.0.iter().enumerate() {
            let dash = if i > 0 && i % 2 == 0 { "-" } else { "" };
            write!(f, "{dash}{octet:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}
