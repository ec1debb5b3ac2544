//! A link's identity in MKA, on disk: which member it is to its peers, and which numbers are taken.
//!
//! No secret is in it. It is written before the numbers that it reserves are used, in the way that
//! packet-number reservations are; a file that can't be trusted is refused, and its link is then a new
//! member, which costs its peers some seconds and nobody a packet number.

use core::fmt;
use core::str::FromStr;
use std::path::{Path, PathBuf};

use super::KeptError;
use super::dir::{Files, StateDir};
use super::disk::{self, Disk, Failed, Filesystem};
use super::lines;
use crate::ieee::{An, Ckn, KeyIdentifier, Sci, decode_hex};

/// The version that is written, and the only one that is read.
const VERSION: u32 = 1;

const MAGIC: &str = "macsecgw-mka-identity";

/// CAKs that a file has room for; a link holds fewer.
const MAX_MEMBERS: usize = 48;

/// Who a link is to its peers in MKA, over restarts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MkaIdentity {
    /// Rises with every save.
    pub generation: u64,
    /// The SCI that it belongs to.
    pub sci: Sci,
    /// One per CAK.
    pub members: Vec<MkaMember>,
    /// AN and KI of the latest key, if there was one.
    pub latest: Option<(An, KeyIdentifier)>,
    /// The next AN to give as key server.
    pub next_an: An,
}

/// One CAK's part of a [`MkaIdentity`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MkaMember {
    /// The name of the CAK.
    pub ckn: Ckn,
    /// The member identifier.
    pub mi: [u8; 12],
    /// No message number from here on was sent.
    pub mn_reserved: u32,
    /// No key number from here on was distributed.
    pub kn_reserved: u32,
}

impl StateDir {
    /// The identity that `link`, whose secure port has `sci`, has kept; `None` where there is none yet.
    ///
    /// # Errors
    /// [`KeptError`] for a file that can't be trusted or is another link's: go on without.
    pub fn identity(&self, link: &str, sci: Sci) -> Result<Option<MkaIdentity>, KeptError> {
        self.files.identity(link, sci)
    }

    /// Where the identity of `link` is kept, for another thread: a disk may take its time. To be dropped before the
    /// directory is.
    pub fn identity_file(&self, link: &str) -> IdentityFile {
        IdentityFile {
            files: Files::new(&self.files.path, Filesystem),
            link: link.to_owned(),
        }
    }
}

/// The file of one link's identity.
#[derive(Debug)]
pub struct IdentityFile {
    files: Files<Filesystem>,
    link: String,
}

impl IdentityFile {
    /// Keeps `identity`. Once this has returned, the numbers that it reserves may be used: no crash undoes it.
    ///
    /// # Errors
    /// [`KeptError::Io`], after which the last identity still holds; [`KeptError::TooMuch`] with more
    /// than 48 CAKs.
    pub fn save(&self, identity: &MkaIdentity) -> Result<(), KeptError> {
        self.files.save_identity(&self.link, identity)
    }
}

impl<D: Disk> Files<D> {
    pub(super) fn identity(&self, link: &str, sci: Sci) -> Result<Option<MkaIdentity>, KeptError> {
        let path = self.identity_file(link);
        let content = self.disk.read(&path).map_err(Failed::at("read", &path))?;
        content
            .map(|octets| decode(&path, link, sci, &octets))
            .transpose()
    }

    pub(super) fn save_identity(
        &self,
        link: &str,
        identity: &MkaIdentity,
    ) -> Result<(), KeptError> {
        let path = self.identity_file(link);
        if identity.members.len() > MAX_MEMBERS {
            return Err(KeptError::TooMuch { path });
        }
        let text = encode(link, identity);
        Ok(disk::replace(&self.disk, &path, text.as_bytes())?)
    }

    fn identity_file(&self, link: &str) -> PathBuf {
        self.path.join(format!("mka.{link}.identity"))
    }
}

/// The file's content.
fn encode(link: &str, identity: &MkaIdentity) -> String {
    lines::sealed(Text { link, identity }.to_string())
}

struct Text<'a> {
    link: &'a str,
    identity: &'a MkaIdentity,
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let identity = self.identity;
        writeln!(f, "{MAGIC} {VERSION}")?;
        writeln!(f, "link {}", self.link)?;
        writeln!(f, "sci {}", identity.sci)?;
        writeln!(f, "generation {}", identity.generation)?;
        writeln!(f, "next_an {}", identity.next_an)?;
        match identity.latest {
            Some((an, ki)) => writeln!(f, "latest {an} {ki}")?,
            None => writeln!(f, "latest none")?,
        }
        for member in &identity.members {
            write!(f, "member {} ", member.ckn)?;
            member
                .mi
                .iter()
                .try_for_each(|octet| write!(f, "{octet:02x}"))?;
            writeln!(f, " {} {}", member.mn_reserved, member.kn_reserved)?;
        }
        Ok(())
    }
}

/// Reads the content of the file `path`, which is to be that of `link` and `sci`.
fn decode(path: &Path, link: &str, sci: Sci, octets: &[u8]) -> Result<MkaIdentity, KeptError> {
    let body =
        lines::opened(MAGIC, VERSION, octets).map_err(|flaw| KeptError::of_flaw(path, flaw))?;
    let path = path.to_path_buf();
    let Some((found, identity)) = parse(body) else {
        return Err(KeptError::Corrupt { path });
    };
    if found != link {
        return Err(KeptError::OtherLink {
            path,
            wanted: link.to_owned(),
            found: found.to_owned(),
        });
    }
    if identity.sci != sci {
        return Err(KeptError::OtherSci {
            path,
            wanted: sci,
            found: identity.sci,
        });
    }
    Ok(identity)
}

/// The link and its identity, from lines that are what was written.
fn parse(body: &str) -> Option<(&str, MkaIdentity)> {
    let mut lines = body.lines();
    let mut value = |name: &str| lines.next()?.strip_prefix(name)?.strip_prefix(' ');
    let link = value("link")?;
    let sci = value("sci")?.parse().ok()?;
    let generation = value("generation")?.parse().ok()?;
    let next_an = an(value("next_an")?)?;
    let latest = match value("latest")? {
        "none" => None,
        text => {
            let (number, ki) = text.split_once(' ')?;
            Some((an(number)?, KeyIdentifier(hex(ki)?)))
        }
    };
    let members = lines.map(member).collect::<Option<_>>()?;
    let identity = MkaIdentity {
        generation,
        sci,
        members,
        latest,
        next_an,
    };
    Some((link, identity))
}

fn member(line: &str) -> Option<MkaMember> {
    let mut words = line.strip_prefix("member ")?.split(' ');
    let member = MkaMember {
        ckn: number(words.next()?)?,
        mi: hex(words.next()?)?,
        mn_reserved: number(words.next()?)?,
        kn_reserved: number(words.next()?)?,
    };
    words.next().is_none().then_some(member)
}

fn an(text: &str) -> Option<An> {
    An::new(number(text)?)
}

fn number<T: FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

fn hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut octets = [0; N];
    decode_hex(text.as_bytes(), &mut octets).ok()?;
    Some(octets)
}

/// What an identity file of these octets says, written anew. For the fuzzer alone, which has no files.
///
/// # Errors
/// As for a file that an operator handed in.
#[cfg(fuzzing)]
pub fn identity_checked_again(octets: &[u8]) -> Result<String, KeptError> {
    let path = Path::new("fuzzed");
    let body =
        lines::opened(MAGIC, VERSION, octets).map_err(|flaw| KeptError::of_flaw(path, flaw))?;
    let (link, identity) = parse(body).ok_or_else(|| KeptError::Corrupt {
        path: path.to_path_buf(),
    })?;
    Ok(encode(link, &identity))
}

#[cfg(test)]
mod tests;
