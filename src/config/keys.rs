//! Key files, of static SAKs and of CAKs: where they lie, and reading them without letting anyone
//! else do so.
//!
//! A key file is 32 or 64 hexadecimal digits and an optional newline. It is a regular file, not a
//! link to one, of root or of the process's user, that no one else may read. What is read passes
//! through buffers that are wiped; errors say where a file is wrong and never what is in it.

use core::fmt;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::libc;
use nix::unistd::geteuid;
use zeroize::Zeroizing;

use crate::crypto::{Cak, Fingerprint, Sak};
use crate::ieee::{CipherSuite, Ckn, HexError, decode_hex};

/// The most octets that a key file may hold: a key of 256 bits, with room for a line's end.
const MAX_KEY_FILE: usize = 66;

/// Where a key lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// A file of its own; absolute, or as found from the process's directory.
    File(PathBuf),
    /// A systemd credential: its name, and the file in `$CREDENTIALS_DIRECTORY` that it is.
    Credential {
        /// The name given by `LoadCredential=`.
        name: String,
        /// The file.
        path: PathBuf,
    },
}

impl KeySource {
    /// The file that is read.
    pub fn path(&self) -> &Path {
        match self {
            Self::File(path) | Self::Credential { path, .. } => path,
        }
    }

    /// The permission bits that the file may not have. systemd grants a credential to a service's
    /// user by an access control list, which shows as the group's bits; its directory is closed.
    const fn forbidden_mode(&self) -> u32 {
        match self {
            Self::File(_) => 0o077,
            Self::Credential { .. } => 0o037,
        }
    }
}

/// A static key that was found good when the config was read: where it lies and which one it is.
///
/// The key itself is not kept: control reads it again when it makes the SA, and the fingerprint
/// says whether it is still the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyReference {
    /// Where it lies.
    pub source: KeySource,
    /// The suite that it is for.
    pub suite: CipherSuite,
    /// Which key it was when the config was read.
    pub fingerprint: Fingerprint,
}

impl KeyReference {
    /// Reads the key again.
    ///
    /// # Errors
    /// [`KeyFileError`], of which `Changed` says that the file now holds another key than the one
    /// that the config was checked with.
    pub fn read(&self) -> Result<Sak, KeyFileError> {
        let (sak, found) = read(&self.source, self.suite)?;
        if found == self.fingerprint {
            Ok(sak)
        } else {
            Err(KeyFileError::Changed {
                wanted: self.fingerprint,
                found,
            })
        }
    }
}

/// A CAK that was found good when the config was read: where it lies and which one it is. Like
/// [`KeyReference`], without the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CakReference {
    /// Where it lies.
    pub source: KeySource,
    /// Its name, which the fingerprint covers.
    pub ckn: Ckn,
    /// Octets of the key: 16 or 32.
    pub octets: usize,
    /// Which pair of name and key it was when the config was read.
    pub fingerprint: Fingerprint,
}

impl CakReference {
    /// Reads the key again.
    ///
    /// # Errors
    /// As [`KeyReference::read`].
    pub fn read(&self) -> Result<Cak, KeyFileError> {
        let cak = read_cak(&self.source)?;
        let found = Fingerprint::of_pair(&self.ckn, &cak);
        if found == self.fingerprint {
            Ok(cak)
        } else {
            Err(KeyFileError::Changed {
                wanted: self.fingerprint,
                found,
            })
        }
    }
}

/// Reads the CAK at `source`, of 128 or 256 bits.
///
/// # Errors
/// As [`read`]; a length that no CAK has is [`KeyFileError::CakLength`].
pub fn read_cak(source: &KeySource) -> Result<Cak, KeyFileError> {
    decode_cak(&read_text(source)?)
}

/// Reads the CAK in `text`, the content of a key file.
///
/// # Errors
/// As [`read_cak`], but for what the file itself can do wrong.
pub fn decode_cak(text: &[u8]) -> Result<Cak, KeyFileError> {
    let digits = digits(text)?;
    let mut octets = Zeroizing::new([0_u8; 32]);
    let wrong = KeyFileError::CakLength {
        found: digits.len(),
    };
    let octets = match digits.len() {
        32 => &mut octets[..16],
        64 => &mut octets[..],
        // A stray character is named before the length that it may have caused.
        _ => match digits.iter().position(|octet| !octet.is_ascii_hexdigit()) {
            Some(at) => return Err(KeyFileError::NotHex { at }),
            None => return Err(wrong),
        },
    };
    decode_hex(digits, octets).map_err(|error| match error {
        HexError::Digit { at } => KeyFileError::NotHex { at },
        HexError::Length { found, .. } => KeyFileError::CakLength { found },
    })?;
    Cak::take(octets).map_err(|_| wrong)
}

/// Reads the SAK at `source`, which is for `suite`.
///
/// # Errors
/// [`KeyFileError`] says what is wrong with the file; no part of its content is in it.
pub fn read(source: &KeySource, suite: CipherSuite) -> Result<(Sak, Fingerprint), KeyFileError> {
    decode(&read_text(source)?, suite)
}

/// Reads the SAK in `text`, the content of a key file for `suite`.
///
/// # Errors
/// As [`read`], but for what the file itself can do wrong.
pub fn decode(text: &[u8], suite: CipherSuite) -> Result<(Sak, Fingerprint), KeyFileError> {
    let mut octets = Zeroizing::new([0_u8; 32]);
    let octets = &mut octets[..suite.sak_len()];
    decode_hex(digits(text)?, octets).map_err(|error| match error {
        HexError::Digit { at } => KeyFileError::NotHex { at },
        HexError::Length { found, .. } => KeyFileError::Length { suite, found },
    })?;
    let sak = Sak::take(octets).map_err(|error| KeyFileError::Length {
        suite,
        found: 2 * error.found,
    })?;
    let fingerprint = Fingerprint::of(&sak);
    Ok((sak, fingerprint))
}

/// The text without the line's end.
fn digits(text: &[u8]) -> Result<&[u8], KeyFileError> {
    if text.len() > MAX_KEY_FILE {
        return Err(KeyFileError::TooLong);
    }
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    if text.is_empty() {
        return Err(KeyFileError::Empty);
    }
    Ok(text)
}

/// The content of the key file, and one octet more than it may have.
fn read_text(source: &KeySource) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
    let path = source.path();
    // Looked at before it is opened: opening a device or a pipe can already do something.
    check_kind(&fs::symlink_metadata(path).map_err(KeyFileError::io)?)?;
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_CLOEXEC)
        .open(path)
        .map_err(KeyFileError::io)?;
    check_access(source, &file)?;
    // Room for all that is read, so that no growing vector leaves a copy behind.
    let mut text = Zeroizing::new(Vec::with_capacity(2 * MAX_KEY_FILE));
    file.take(MAX_KEY_FILE as u64 + 1)
        .read_to_end(&mut text)
        .map_err(KeyFileError::io)?;
    Ok(text)
}

fn check_kind(metadata: &Metadata) -> Result<(), KeyFileError> {
    let kind = metadata.file_type();
    let found = if kind.is_file() {
        return Ok(());
    } else if kind.is_symlink() {
        "a symbolic link"
    } else if kind.is_dir() {
        "a directory"
    } else if kind.is_fifo() {
        "a pipe"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    };
    Err(KeyFileError::NotAFile { found })
}

fn check_access(source: &KeySource, file: &File) -> Result<(), KeyFileError> {
    let metadata = file.metadata().map_err(KeyFileError::io)?;
    check_kind(&metadata)?;
    let owner = metadata.uid();
    if owner != 0 && owner != geteuid().as_raw() {
        return Err(KeyFileError::Owner { uid: owner });
    }
    let mode = metadata.mode() & 0o7777;
    if mode & source.forbidden_mode() != 0 {
        return Err(KeyFileError::Mode { mode });
    }
    Ok(())
}

/// Why a key file gave no key.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyFileError {
    /// It can't be opened or read.
    Io {
        /// What the system said.
        kind: io::ErrorKind,
    },
    /// It is something else than a regular file.
    NotAFile {
        /// What it is.
        found: &'static str,
    },
    /// It belongs to someone else.
    Owner {
        /// Whom it belongs to.
        uid: u32,
    },
    /// Others than its owner may use it.
    Mode {
        /// The mode that it has.
        mode: u32,
    },
    /// Nothing is in it.
    Empty,
    /// More is in it than any key has.
    TooLong,
    /// Another number of digits than the suite's keys have.
    Length {
        /// The suite.
        suite: CipherSuite,
        /// Characters found.
        found: usize,
    },
    /// Another number of digits than a CAK has.
    CakLength {
        /// Characters found.
        found: usize,
    },
    /// A character that is no hexadecimal digit.
    NotHex {
        /// Its place, from 0.
        at: usize,
    },
    /// Another key than the one that the config was checked with.
    Changed {
        /// The key that it was.
        wanted: Fingerprint,
        /// The key that it is.
        found: Fingerprint,
    },
}

impl KeyFileError {
    fn io(error: io::Error) -> Self {
        Self::Io { kind: error.kind() }
    }

    /// What would be right, for the static key at `source` that is for `suite`.
    pub fn remedy(&self, source: &KeySource, suite: CipherSuite) -> String {
        let path = source.path().display();
        match self {
            Self::Length { .. } => format!(
                "a key for {suite} has {} hexadecimal digits; name a file with one, or another \
                 `cipher_suite`",
                2 * suite.sak_len()
            ),
            _ => self.remedy_with(
                source,
                &format!("macsecgw keygen sak --suite {suite} --out {path}"),
            ),
        }
    }

    /// What would be right, for the CAK at `source`.
    pub fn cak_remedy(&self, source: &KeySource) -> String {
        let path = source.path();
        let directory = path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty());
        let directory = directory.unwrap_or_else(|| Path::new(".")).display();
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let make = format!("macsecgw keygen cak --out-dir {directory} --name {name}");
        self.remedy_with(source, &make)
    }

    /// What would be right, where `make` is the command that makes such a key.
    fn remedy_with(&self, source: &KeySource, make: &str) -> String {
        let path = source.path().display();
        if let KeySource::Credential { name, .. } = source
            && matches!(
                self,
                Self::Io { .. } | Self::Mode { .. } | Self::Owner { .. }
            )
        {
            return format!("have systemd pass it on: LoadCredential={name}:FILE in the unit");
        }
        match self {
            Self::Io { kind } if *kind == io::ErrorKind::NotFound => format!("make one: {make}"),
            Self::Io { kind } if *kind == io::ErrorKind::PermissionDenied => {
                "key files are root's: run this as root".to_owned()
            }
            Self::Io { .. } => format!("look at it: ls -l {path}"),
            Self::NotAFile { .. } => "name the key file itself".to_owned(),
            Self::Owner { .. } => format!("chown root {path}; then think of making a new key"),
            Self::Mode { .. } => {
                format!("chmod 600 {path}; whoever could read it may have the key: make a new one")
            }
            Self::Empty | Self::TooLong | Self::NotHex { .. } | Self::Length { .. } => {
                "a key file holds 32 or 64 hexadecimal digits and an optional newline".to_owned()
            }
            Self::CakLength { .. } => "32 digits, or 64; a cloud that pads short keys pads them \
                                       with zeros at the end: write those, too"
                .to_owned(),
            Self::Changed { .. } => "reload the config to use the new key".to_owned(),
        }
    }
}

impl fmt::Display for KeyFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { kind } if *kind == io::ErrorKind::NotFound => {
                f.write_str("the key file is not there")
            }
            Self::Io { kind } => write!(f, "the key file can't be read: {kind}"),
            Self::NotAFile { found } => write!(f, "the key file is {found}"),
            Self::Owner { uid } => write!(
                f,
                "the key file belongs to user {uid}, neither root nor the gateway's own user"
            ),
            Self::Mode { mode } => write!(
                f,
                "the key file has mode {mode:04o}, so others than its owner may use it"
            ),
            Self::Empty => f.write_str("the key file is empty"),
            Self::TooLong => write!(f, "the key file has more than {MAX_KEY_FILE} octets"),
            Self::Length { suite, found } => write!(
                f,
                "the key file has {found} digits where a key for {suite} has {}",
                2 * suite.sak_len()
            ),
            Self::CakLength { found } => write!(
                f,
                "the key file has {found} digits where a CAK has 32 or 64"
            ),
            Self::NotHex { at } => write!(
                f,
                "character {} of the key file is not a hexadecimal digit",
                at + 1
            ),
            Self::Changed { wanted, found } => write!(
                f,
                "the key file held key {wanted} when the config was read, and now holds {found}"
            ),
        }
    }
}

impl core::error::Error for KeyFileError {}
