//! What is compared: every engine of the gateway, and the libraries, behind one call for a burst.

mod aes_gcm;
mod aws_lc;
mod c;
mod ours;
mod ring;

use macsec_gateway::crypto::AeadFrame;

use crate::width::Width;

/// A key that an engine made ready.
pub(crate) trait Key {
    /// Encrypts each frame in place and writes its tag.
    fn seal(&self, burst: &mut [AeadFrame<'_>]);

    /// Checks and decrypts each frame in place; bit `i` says whether frame `i` was authentic.
    fn open(&self, burst: &mut [AeadFrame<'_>]) -> u64;
}

/// Whose an engine is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// One of the gateway's; `selected` if it is what the gateway takes here by itself.
    Ours { selected: bool },
    /// A library, called directly.
    Peer,
}

/// Makes a key object of a key's octets.
type Make = Box<dyn Fn(&[u8]) -> Box<dyn Key>>;

/// An engine, and how it makes keys of 16 or 32 octets.
pub(crate) struct Engine {
    pub(crate) name: String,
    pub(crate) origin: Origin,
    /// What it runs on here, where it says so.
    pub(crate) form: String,
    pub(crate) make: Make,
}

impl Engine {
    fn peer(name: &str, form: &str, make: impl Fn(&[u8]) -> Box<dyn Key> + 'static) -> Self {
        Self {
            name: name.to_owned(),
            origin: Origin::Peer,
            form: form.to_owned(),
            make: Box::new(make),
        }
    }

    pub(crate) fn is_peer(&self) -> bool {
        self.origin == Origin::Peer
    }

    pub(crate) fn is_selected(&self) -> bool {
        self.origin == Origin::Ours { selected: true }
    }
}

/// All engines that stay within a width, ours first. The first peer is `ring`, which every other is held
/// against.
pub(crate) fn all(width: Width) -> Vec<Engine> {
    let mut engines = ours::engines(width);
    // Its code for x86-64 has vectors of 256 bits at most.
    engines.push(ring::engine());
    engines.push(aws_lc::engine());
    // It looks for AVX-512 by itself and can't be told not to.
    if width.takes(512) {
        engines.push(aes_gcm::engine());
    }
    engines.extend(c::engines(width));
    engines
}
