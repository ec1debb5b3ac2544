//! The little of rtnetlink that is needed: ask for links, change one.
//!
//! Requests are built and answers taken apart as octets, so nothing here trusts a length that the
//! kernel wrote. See rtnetlink(7).

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{FromRawFd as _, OwnedFd};

/// The kernel never answers with more than this at once.
const ANSWER_OCTETS: usize = 64 * 1024;
const MESSAGE_HEADER: usize = 16;
const ALIGNMENT: usize = 4;
/// `sizeof(struct ifinfomsg)`.
pub(super) const LINK_HEADER: usize = 16;

/// Attributes follow one another as length, type, octets, each padded to four octets.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attributes<'a>(pub(super) &'a [u8]);

impl<'a> Iterator for Attributes<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let length = usize::from(u16_at(self.0, 0)?);
        // The two top bits say "nested" and "network byte order".
        let kind = u16_at(self.0, 2)? & 0x3fff;
        let value = self.0.get(4..length)?;
        self.0 = self
            .0
            .get(length.next_multiple_of(ALIGNMENT)..)
            .unwrap_or_default();
        Some((kind, value))
    }
}

impl<'a> Attributes<'a> {
    /// The value of the first attribute of a type.
    pub(super) fn value(mut self, kind: u16) -> Option<&'a [u8]> {
        self.find(|(k, _)| *k == kind).map(|(_, value)| value)
    }

    /// The attributes nested in the first one of a type.
    pub(super) fn nested(self, kind: u16) -> Option<Self> {
        self.value(kind).map(Self)
    }
}

pub(super) fn u16_at(octets: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(octets.get(at..at + 2)?.try_into().ok()?))
}

pub(super) fn u32_at(octets: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(octets.get(at..at + 4)?.try_into().ok()?))
}

/// A request about links.
#[derive(Debug)]
pub(super) struct Request {
    kind: u16,
    flags: u16,
    body: Vec<u8>,
}

impl Request {
    /// Everything about the link of that name.
    pub(super) fn link(name: &str) -> Self {
        let mut body = vec![0; LINK_HEADER];
        push_name(&mut body, name);
        Self {
            kind: libc::RTM_GETLINK,
            flags: 0,
            body,
        }
    }

    /// Everything about every link of the namespace.
    pub(super) fn links() -> Self {
        Self {
            kind: libc::RTM_GETLINK,
            flags: DUMP,
            body: vec![0; LINK_HEADER],
        }
    }

    /// Set or clear interface flags, and only those: the kernel leaves the others alone, whoever
    /// else changes them at the same time.
    pub(super) fn set_flags(name: &str, flags: u32, mask: u32) -> Self {
        let mut body = vec![0; LINK_HEADER];
        body[8..12].copy_from_slice(&flags.to_ne_bytes());
        body[12..16].copy_from_slice(&mask.to_ne_bytes());
        push_name(&mut body, name);
        Self {
            kind: libc::RTM_NEWLINK,
            flags: ACK,
            body,
        }
    }

    fn octets(&self) -> Vec<u8> {
        let length = MESSAGE_HEADER + self.body.len();
        let mut octets = Vec::with_capacity(length);
        octets.extend_from_slice(&u32::try_from(length).unwrap_or_default().to_ne_bytes());
        octets.extend_from_slice(&self.kind.to_ne_bytes());
        octets.extend_from_slice(&(self.flags | REQUEST).to_ne_bytes());
        // Sequence and port: one request at a time on its own socket needs neither.
        octets.extend_from_slice(&[0; 8]);
        octets.extend_from_slice(&self.body);
        octets
    }
}

const REQUEST: u16 = 0x1;
const ACK: u16 = 0x4;
const DUMP: u16 = 0x300;
/// Message types below the families' own: an error (0 is an acknowledgement), the end of a dump.
const ERROR: u16 = 2;
const DONE: u16 = 3;

/// `IFLA_IFNAME`: the name with its NUL, padded.
fn push_name(body: &mut Vec<u8>, name: &str) {
    let length = 4 + name.len() + 1;
    body.extend_from_slice(&u16::try_from(length).unwrap_or_default().to_ne_bytes());
    body.extend_from_slice(&libc::IFLA_IFNAME.to_ne_bytes());
    body.extend_from_slice(name.as_bytes());
    body.resize(
        body.len() + length.next_multiple_of(ALIGNMENT) - length + 1,
        0,
    );
}

/// Sends a request and hands every link message of the answer, without its header, to `each`.
pub(super) fn ask(request: &Request, mut each: impl FnMut(&[u8])) -> io::Result<()> {
    let mut socket = open()?;
    socket.write_all(&request.octets())?;
    let mut answer = vec![0; ANSWER_OCTETS];
    loop {
        let length = socket.read(&mut answer)?;
        let mut rest = answer.get(..length).unwrap_or_default();
        if rest.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        while let Some(((kind, body), next)) = message(rest) {
            rest = next;
            match kind {
                ERROR => return verdict(body),
                DONE => return Ok(()),
                libc::RTM_NEWLINK => {
                    each(body);
                    if request.flags & DUMP == 0 {
                        return Ok(());
                    }
                }
                _ => {}
            }
        }
    }
}

type Message<'a> = (u16, &'a [u8]);

fn message(octets: &[u8]) -> Option<(Message<'_>, &[u8])> {
    let length = usize::try_from(u32_at(octets, 0)?).ok()?;
    let kind = u16_at(octets, 4)?;
    let body = octets.get(MESSAGE_HEADER..length)?;
    let rest = octets
        .get(length.next_multiple_of(ALIGNMENT)..)
        .unwrap_or_default();
    Some(((kind, body), rest))
}

fn verdict(body: &[u8]) -> io::Result<()> {
    let number = u32_at(body, 0)
        .ok_or(io::ErrorKind::InvalidData)?
        .cast_signed();
    if number == 0 {
        Ok(())
    } else {
        Err(io::Error::from_raw_os_error(-number))
    }
}

/// A netlink socket as a file: what is written goes to the kernel, what is read comes from it.
fn open() -> io::Result<File> {
    let kind = libc::SOCK_RAW | libc::SOCK_CLOEXEC;
    // SAFETY: socket takes plain numbers and touches no memory of ours.
    let fd = unsafe { libc::socket(libc::AF_NETLINK, kind, libc::NETLINK_ROUTE) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor was opened just above, is valid, and nobody else has it.
    let fd = unsafe { OwnedFd::from_raw_fd(fd) };
    Ok(File::from(fd))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_that_lie_about_their_length_end_the_walk() {
        let good = [8, 0, 4, 0, 1, 2, 3, 4];
        assert_eq!(Attributes(&good).value(4), Some(&[1, 2, 3, 4][..]));
        for length in [0_u8, 3, 9, 255] {
            let mut bad = good;
            bad[0] = length;
            assert_eq!(Attributes(&bad).count(), 0, "{length}");
        }
        // A last attribute without its padding is still one.
        let unpadded = [5, 0, 7, 0, 9];
        assert_eq!(Attributes(&unpadded).collect::<Vec<_>>(), [(7, &[9][..])]);
        assert_eq!(Attributes(&[5, 0, 7]).count(), 0);
    }

    #[test]
    fn messages_that_lie_about_their_length_end_the_walk() {
        let octets = Request::link("lo").octets();
        let ((kind, body), rest) = message(&octets).unwrap();
        assert_eq!(
            (kind, body.len(), rest.len()),
            (libc::RTM_GETLINK, 16 + 8, 0)
        );
        for length in [0_u32, 15, 41, u32::MAX] {
            let mut bad = octets.clone();
            bad[..4].copy_from_slice(&length.to_ne_bytes());
            assert!(message(&bad).is_none(), "{length}");
        }
    }

    #[test]
    fn a_name_attribute_is_padded() {
        for (name, octets) in [("lo", 8), ("eth0", 12), ("fifteen-letters", 20)] {
            let mut body = Vec::new();
            push_name(&mut body, name);
            assert_eq!(body.len(), octets, "{name}");
            let value = Attributes(&body).value(libc::IFLA_IFNAME).unwrap();
            assert_eq!(value.split_last(), Some((&0, name.as_bytes())));
        }
    }
}
