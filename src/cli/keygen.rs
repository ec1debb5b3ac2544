//! `keygen`: keys into files. A secret is printed only on a terminal, and only when asked for.

use std::fmt::Write as _;
use std::path::Path;

use zeroize::Zeroizing;

use super::Failure;
use super::args::{KeygenCakArgs, KeygenCommand, KeygenSakArgs};
use super::new_file;
use crate::crypto::{Cak, Fingerprint, Sak, random};
use crate::ieee::Ckn;

/// Octets of a CKN and of a CAK: what AWS Direct Connect takes, 64 hexadecimal digits.
const CAK_LEN: usize = 32;

/// Makes what `command` says. `terminal`: standard output is one. Returns what to print.
///
/// # Errors
/// [`Failure`], and no file is left behind then.
pub fn run(command: &KeygenCommand, terminal: bool) -> Result<Zeroizing<String>, Failure> {
    match command {
        KeygenCommand::Cak(args) => cak(args, terminal),
        KeygenCommand::Sak(args) => sak(args, terminal),
    }
}

fn cak(args: &KeygenCakArgs, terminal: bool) -> Result<Zeroizing<String>, Failure> {
    check_shown(args.show_secret, terminal)?;
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if args.name.is_empty() || args.name.starts_with('.') || !args.name.chars().all(is_name) {
        return Err(Failure::Refused {
            what: "--name is no name for files".to_owned(),
            right: "letters, digits, `-`, `_` and `.`; the directory goes to --out-dir".to_owned(),
        });
    }
    let mut name = [0; CAK_LEN];
    random::fill(&mut name)?;
    let mut octets = Zeroizing::new([0; CAK_LEN]);
    random::fill(&mut octets[..])?;
    let (ckn, digits) = (hex(&name), hex(&octets[..]));
    let fingerprint = fingerprint(&name, &mut octets[..])?;
    let [ckn_file, cak_file] =
        ["ckn", "cak"].map(|end| args.out_dir.join(format!("{}.{end}", args.name)));
    // Without a newline: `aws ... --cak file://...` passes the whole content on.
    new_file::create(&[
        (ckn_file.clone(), ckn.as_bytes()),
        (cak_file.clone(), digits.as_bytes()),
    ])?;
    let mut text = Zeroizing::new(String::with_capacity(16_384));
    line(&mut text, "CKN", &ckn);
    line(&mut text, "CKN file", &ckn_file.display().to_string());
    line(&mut text, "CAK file", &cak_file.display().to_string());
    line(&mut text, "fingerprint", &fingerprint.to_string());
    if args.show_secret {
        line(&mut text, "CAK", &digits);
    }
    use_of_pair(&mut text, &ckn, &cak_file);
    Ok(text)
}

/// The fingerprint of the pair. The CAK is wiped where it stood.
fn fingerprint(ckn: &[u8], cak: &mut [u8]) -> Result<Fingerprint, Failure> {
    let made = |what: String| Failure::Refused {
        what,
        right: String::new(),
    };
    let ckn = Ckn::new(ckn).map_err(|error| made(error.to_string()))?;
    let cak = Cak::take(cak).map_err(|error| made(error.to_string()))?;
    Ok(Fingerprint::of_pair(&ckn, &cak))
}

/// What to do with a pair.
fn use_of_pair(text: &mut String, ckn: &str, cak_file: &Path) {
    let file = std::path::absolute(cak_file).unwrap_or_else(|_| cak_file.to_path_buf());
    let _ = write!(
        text,
        "\nFor the config, in a link with agreement = \"mka\":\n\n[[link.cak]]\nckn = \"{ckn}\"\n\
         cak_file = \"{}\"\n\nThe other end needs the same CKN and CAK, by a way that no one else can \
         read. Compare the\nfingerprint of the pair by phone: macsecgw check shows it at both ends.\n",
        file.display()
    );
}

fn sak(args: &KeygenSakArgs, terminal: bool) -> Result<Zeroizing<String>, Failure> {
    check_shown(args.show_secret, terminal)?;
    let sak = Sak::generate(args.suite)?;
    let digits = hex(sak.expose());
    let mut content = Zeroizing::new(Vec::with_capacity(digits.len() + 1));
    content.extend_from_slice(digits.as_bytes());
    content.push(b'\n');
    new_file::create(&[(args.out.clone(), &content)])?;
    let fingerprint = Fingerprint::of(&sak);
    let mut text = Zeroizing::new(String::with_capacity(1024));
    line(&mut text, "SAK file", &args.out.display().to_string());
    line(&mut text, "cipher suite", args.suite.name());
    line(&mut text, "fingerprint", &fingerprint.to_string());
    if args.show_secret {
        line(&mut text, "SAK", &digits);
    }
    next_steps(&mut text, &args.out, fingerprint);
    Ok(text)
}

fn next_steps(text: &mut String, file: &Path, fingerprint: Fingerprint) {
    let _ = write!(
        text,
        "\nCopy {} to the peer by a way that no one else can read. On the side that transmits with \
         it, say once\nthat it was never used:\n  macsecgw fresh-key --config FILE --link NAME \
         --fingerprint {fingerprint}\n",
        file.display()
    );
}

/// Refuses to print a secret into a file, a pipe or a log, before there is one.
fn check_shown(show_secret: bool, terminal: bool) -> Result<(), Failure> {
    if !show_secret || terminal {
        return Ok(());
    }
    Err(Failure::Refused {
        what: "--show-secret prints onto a terminal only, and standard output is none".to_owned(),
        right: "leave it out: the key is in its file, mode 0600".to_owned(),
    })
}

fn line(text: &mut String, name: &str, value: &str) {
    // Writing to a string can't fail.
    let _ = writeln!(text, "{name:<16} {value}");
}

/// Hexadecimal digits of `octets`, in memory that is wiped; its room is never outgrown.
fn hex(octets: &[u8]) -> Zeroizing<String> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = Zeroizing::new(String::with_capacity(2 * octets.len()));
    for octet in octets {
        for half in [octet >> 4, octet & 0xf] {
            text.push(char::from(DIGITS[usize::from(half)]));
        }
    }
    text
}
