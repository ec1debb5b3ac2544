//! The format of a file of SAKs: numbers in network order, and a checksum.
//!
//! Not text, so that it fits into one locked buffer from which each key goes to its own place.

use core::time::Duration;
use std::path::Path;

use super::boot::{BOOT_ID_LEN, Stamp};
use super::seal::Nonce;
use super::{KeptKey, KeptKeys, KeptPeer, KeptProtection};
use crate::crypto::{KeyError, Locked, Sak, digest_of_secrets};
use crate::ieee::{An, CipherSuite, Ckn, KeyIdentifier, Pn, Salt, Sci, Ssci};
use crate::state::KeptError;

const MAGIC: [u8; 8] = *b"mgw-saks";

/// The version that is written, and the only one that is read. It rules all that follows it.
const VERSION: u8 = 1;

/// Octets of the checksum at the end.
const CHECKSUM_LEN: usize = 32;

/// Octets of the longest key: all that is in it at its longest.
const MAX_KEY: usize =
    1 + Ckn::MAX_LEN + 1 + 16 + 8 + 1 + 13 + 5 + 9 + 33 + 1 + 21 * KeptPeer::MAX_PEERS;

/// Octets of the longest file.
pub(super) const MAX_FILE: usize =
    8 + 1 + 16 + BOOT_ID_LEN + 8 + 256 + 8 + 1 + MAX_KEY * KeptKeys::<Sak>::MAX_KEYS + CHECKSUM_LEN;

/// Room for a file that is read or written: locked, and wiped afterwards.
pub(super) fn buffer() -> Result<Locked<[u8; MAX_FILE]>, KeyError> {
    Locked::new(|| Ok([0; MAX_FILE]))
}

/// What a file must say to be good.
#[derive(Debug)]
pub(super) struct Wanted<'a> {
    pub(super) link: &'a str,
    pub(super) sci: Sci,
    pub(super) now: Stamp,
    pub(super) life: Duration,
    /// The number of the one that is good, if there is one.
    pub(super) nonce: Option<Nonce>,
}

/// Writes a file into `buffer` and gives its length; `None` where it does not fit.
pub(super) fn write(
    buffer: &mut [u8],
    link: &str,
    stamp: &Stamp,
    nonce: Nonce,
    keys: &KeptKeys<&Sak>,
) -> Option<usize> {
    let room = buffer.len();
    let mut out = Writer { rest: &mut *buffer };
    out.put(&MAGIC)?;
    out.put(&[VERSION])?;
    out.put(&nonce)?;
    out.put(&stamp.boot)?;
    let since_boot = u64::try_from(stamp.since_boot.as_millis()).ok()?;
    out.put(&since_boot.to_be_bytes())?;
    out.put_counted(link.as_bytes())?;
    out.put(&keys.sci.octets())?;
    out.count(keys.keys.len(), KeptKeys::<Sak>::MAX_KEYS)?;
    for key in &keys.keys {
        put_key(&mut out, key)?;
    }
    let body_len = room - out.rest.len();
    let (body, rest) = buffer.split_at_mut_checked(body_len)?;
    let checksum = digest_of_secrets(body);
    rest.split_at_mut_checked(CHECKSUM_LEN)?
        .0
        .copy_from_slice(&checksum);
    Some(body_len + CHECKSUM_LEN)
}

fn put_key(out: &mut Writer<'_>, key: &KeptKey<&Sak>) -> Option<()> {
    out.put_counted(key.ckn.octets())?;
    out.put(&[key.an.value()])?;
    out.put(&key.ki.0)?;
    out.put(&key.suite.identifier())?;
    out.put(&[match key.protection {
        KeptProtection::IntegrityOnly => 0,
        KeptProtection::Offset0 => 1,
        KeptProtection::Offset30 => 2,
        KeptProtection::Offset50 => 3,
    }])?;
    out.put_option(key.salt.map(|salt| salt.0))?;
    out.put_option(key.own_ssci.map(|ssci| ssci.0.to_be_bytes()))?;
    out.put_option(key.next_pn.map(|pn| pn.0.to_be_bytes()))?;
    out.put_counted(key.sak.expose())?;
    out.count(key.peers.len(), KeptPeer::MAX_PEERS)?;
    for peer in &key.peers {
        out.put(&peer.sci.octets())?;
        out.put_option(peer.ssci.map(|ssci| ssci.0.to_be_bytes()))?;
        out.put(&peer.lowest_pn.0.to_be_bytes())?;
    }
    Some(())
}

/// Reads the file `path`, which had `content`. Its keys are wiped there.
pub(super) fn read(
    path: &Path,
    content: &mut [u8],
    wanted: &Wanted<'_>,
) -> Result<KeptKeys<Sak>, KeptError> {
    let owned = || path.to_path_buf();
    let corrupt = || KeptError::Corrupt { path: owned() };
    let truncated = || KeptError::Truncated { path: owned() };
    let (magic, rest) = content.split_first_chunk().ok_or_else(truncated)?;
    if *magic != MAGIC {
        return Err(corrupt());
    }
    let version = *rest.first().ok_or_else(truncated)?;
    if version != VERSION {
        return Err(KeptError::Version {
            path: owned(),
            found: version.to_string(),
        });
    }
    let body_len = content.len().checked_sub(CHECKSUM_LEN);
    let (body, checksum) = content.split_at_mut(body_len.ok_or_else(truncated)?);
    if digest_of_secrets(body) != *checksum {
        return Err(corrupt());
    }
    let (_, body) = body.split_at_mut(MAGIC.len() + 1);
    let mut file = Reader { rest: body };
    let head = head(&mut file).ok_or_else(corrupt)?;
    check(path, &head, wanted)?;
    let keys = keys(&mut file).ok_or_else(corrupt)?;
    // No one writes more, or a key without an end.
    if file.rest.is_empty() {
        Ok(KeptKeys {
            sci: head.sci,
            keys,
        })
    } else {
        Err(corrupt())
    }
}

/// What a file says of itself.
struct Head {
    nonce: Nonce,
    boot: [u8; BOOT_ID_LEN],
    since_boot: Duration,
    link: String,
    sci: Sci,
}

fn head(file: &mut Reader<'_>) -> Option<Head> {
    Some(Head {
        nonce: *file.array()?,
        boot: *file.array()?,
        since_boot: Duration::from_millis(u64::from_be_bytes(*file.array()?)),
        link: str::from_utf8(file.counted()?).ok()?.to_owned(),
        sci: Sci::from_octets(*file.array()?),
    })
}

fn check(path: &Path, head: &Head, wanted: &Wanted<'_>) -> Result<(), KeptError> {
    let path = path.to_path_buf();
    if head.link != wanted.link {
        return Err(KeptError::OtherLink {
            path,
            wanted: wanted.link.to_owned(),
            found: head.link.clone(),
        });
    }
    if head.sci != wanted.sci {
        return Err(KeptError::OtherSci {
            path,
            wanted: wanted.sci,
            found: head.sci,
        });
    }
    if head.boot != wanted.now.boot {
        return Err(KeptError::OtherBoot { path });
    }
    // A clock that no one can set does not go back: what is from the future was not written here.
    let Some(age) = wanted.now.since_boot.checked_sub(head.since_boot) else {
        return Err(KeptError::OtherBoot { path });
    };
    if age > wanted.life {
        return Err(KeptError::TooOld {
            path,
            age,
            life: wanted.life,
        });
    }
    if wanted.nonce != Some(head.nonce) {
        return Err(KeptError::Stale { path });
    }
    Ok(())
}

fn keys(file: &mut Reader<'_>) -> Option<Vec<KeptKey<Sak>>> {
    let count = file.count(KeptKeys::<Sak>::MAX_KEYS)?;
    (0..count).map(|_| key(file)).collect()
}

fn key(file: &mut Reader<'_>) -> Option<KeptKey<Sak>> {
    let ckn = Ckn::new(file.counted()?).ok()?;
    let an = An::new(file.octet()?)?;
    let ki = KeyIdentifier(*file.array()?);
    let identifier = *file.array()?;
    let suite = CipherSuite::ALL
        .into_iter()
        .find(|suite| suite.identifier() == identifier)?;
    let protection = match file.octet()? {
        0 => KeptProtection::IntegrityOnly,
        1 => KeptProtection::Offset0,
        2 => KeptProtection::Offset30,
        3 => KeptProtection::Offset50,
        _ => return None,
    };
    let salt = file.option()?.map(Salt);
    let own_ssci = file.ssci()?;
    let next_pn = file.option()?.map(|pn| Pn(u64::from_be_bytes(pn)));
    let sak = Sak::take(file.counted()?).ok()?;
    let peers = file.count(KeptPeer::MAX_PEERS)?;
    let key = KeptKey {
        ckn,
        an,
        ki,
        suite,
        protection,
        salt,
        sak,
        own_ssci,
        next_pn,
        peers: (0..peers).map(|_| peer(file)).collect::<Option<_>>()?,
    };
    let whole = key.sak.expose().len() == suite.sak_len() && key.salt.is_some() == suite.is_xpn();
    whole.then_some(key)
}

fn peer(file: &mut Reader<'_>) -> Option<KeptPeer> {
    Some(KeptPeer {
        sci: Sci::from_octets(*file.array()?),
        ssci: file.ssci()?,
        lowest_pn: Pn(u64::from_be_bytes(*file.array()?)),
    })
}

/// Fills a buffer from the front.
struct Writer<'a> {
    rest: &'a mut [u8],
}

impl Writer<'_> {
    fn put(&mut self, octets: &[u8]) -> Option<()> {
        let (place, rest) = core::mem::take(&mut self.rest).split_at_mut_checked(octets.len())?;
        place.copy_from_slice(octets);
        self.rest = rest;
        Some(())
    }

    /// How many things follow.
    fn count(&mut self, count: usize, max: usize) -> Option<()> {
        self.put(&[u8::try_from(count).ok().filter(|_| count <= max)?])
    }

    /// Octets with their number before them.
    fn put_counted(&mut self, octets: &[u8]) -> Option<()> {
        self.count(octets.len(), u8::MAX.into())?;
        self.put(octets)
    }

    fn put_option<const N: usize>(&mut self, octets: Option<[u8; N]>) -> Option<()> {
        self.put(&[u8::from(octets.is_some())])?;
        self.put(octets.as_ref().map_or(&[], |octets| octets))
    }
}

/// Empties a buffer from the front.
struct Reader<'a> {
    rest: &'a mut [u8],
}

impl<'a> Reader<'a> {
    fn octets(&mut self, len: usize) -> Option<&'a mut [u8]> {
        let (octets, rest) = core::mem::take(&mut self.rest).split_at_mut_checked(len)?;
        self.rest = rest;
        Some(octets)
    }

    fn array<const N: usize>(&mut self) -> Option<&'a [u8; N]> {
        self.octets(N)?.first_chunk()
    }

    fn octet(&mut self) -> Option<u8> {
        self.array().map(|&[octet]| octet)
    }

    /// How many things follow.
    fn count(&mut self, max: usize) -> Option<usize> {
        Some(self.octet()?.into()).filter(|count| *count <= max)
    }

    fn counted(&mut self) -> Option<&'a mut [u8]> {
        let len = self.octet()?;
        self.octets(len.into())
    }

    fn option<const N: usize>(&mut self) -> Option<Option<[u8; N]>> {
        match self.octet()? {
            0 => Some(None),
            1 => Some(Some(*self.array()?)),
            _ => None,
        }
    }

    fn ssci(&mut self) -> Option<Option<Ssci>> {
        Some(self.option()?.map(|ssci| Ssci(u32::from_be_bytes(ssci))))
    }
}

/// What a file of these octets and their checksum says, written anew, where it says anything. For the
/// fuzzer alone, which has no files and would never find a checksum.
///
/// # Errors
/// As for a file of the link, the machine and the moment that it speaks of.
#[cfg(fuzzing)]
pub fn saks_checked_again(body: &[u8]) -> Result<(Vec<u8>, Vec<u8>), KeptError> {
    let mut whole = body.to_vec();
    whole.extend_from_slice(&digest_of_secrets(body));
    let mut copy = body.to_vec();
    let said = copy
        .get_mut(MAGIC.len() + 1..)
        .and_then(|rest| head(&mut Reader { rest }));
    let stamp = Stamp {
        boot: said.as_ref().map_or([0; BOOT_ID_LEN], |said| said.boot),
        since_boot: said.as_ref().map_or(Duration::ZERO, |said| said.since_boot),
    };
    let wanted = Wanted {
        link: said.as_ref().map_or("", |said| &said.link),
        sci: said.as_ref().map_or(Sci(0), |said| said.sci),
        now: stamp,
        life: Duration::ZERO,
        nonce: said.as_ref().map(|said| said.nonce),
    };
    let keys = read(Path::new("fuzzed"), &mut whole.clone(), &wanted)?;
    let borrowed = KeptKeys {
        sci: keys.sci,
        keys: keys.keys.iter().map(KeptKey::borrowed).collect(),
    };
    let mut again = vec![0; MAX_FILE + whole.len()];
    let nonce = wanted.nonce.unwrap_or_default();
    let len = write(&mut again, wanted.link, &stamp, nonce, &borrowed).unwrap_or(0);
    again.truncate(len);
    Ok((whole, again))
}

#[cfg(fuzzing)]
impl KeptKey<Sak> {
    fn borrowed(&self) -> KeptKey<&Sak> {
        KeptKey {
            ckn: self.ckn.clone(),
            an: self.an,
            ki: self.ki,
            suite: self.suite,
            protection: self.protection,
            salt: self.salt,
            sak: &self.sak,
            own_ssci: self.own_ssci,
            next_pn: self.next_pn,
            peers: self.peers.clone(),
        }
    }
}
