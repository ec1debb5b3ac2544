//! One key, one transmit SA: the check that no two transmitters can ever make the same nonce.
//!
//! AES-GCM is broken for good once a key meets a nonce twice. A nonce is SCI and PN, or with XPN
//! SSCI, salt and PN, so what must differ between two transmitters of one key is the part before
//! the PN. Between two SAs of ours nothing is asked: a key of ours serves one SA (other links count
//! their PNs apart). Toward a peer's SA the parts are compared. Keys are compared by fingerprint.
//! The config can't know an SCI that is the secure port's address, so control asks again with it.

use core::fmt;

use super::link::Link;
use super::link_read::ReadLink;
use super::raw::Reader;
use crate::crypto::Fingerprint;
use crate::ieee::{An, Sci};
use crate::macsec::XpnParams;

/// An SA that someone transmits on: we, or the peer of one of our links.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transmitter {
    /// The link.
    pub link: String,
    /// We transmit on it, not the peer.
    pub ours: bool,
    /// The SC; `None` while it is not known yet.
    pub sci: Option<Sci>,
    /// The association number.
    pub an: An,
    /// What an XPN suite's nonce is made of.
    pub xpn: Option<XpnParams>,
    /// The key.
    pub fingerprint: Fingerprint,
}

/// Two SAs that must not have the same key, and have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reuse {
    /// One of them, ours.
    pub ours: Box<Transmitter>,
    /// The other one.
    pub other: Box<Transmitter>,
    /// Why they must not.
    pub why: ReuseReason,
}

/// Why two SAs must not have the same key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReuseReason {
    /// Both are ours.
    TwoOfOurs,
    /// The peer transmits with the same SCI.
    SameSci,
    /// The peer transmits with the same SSCI and salt.
    SameSsciAndSalt,
}

impl fmt::Display for Reuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Transmitter {
            link, fingerprint, ..
        } = &*self.other;
        write!(f, "the key {fingerprint} ")?;
        match self.why {
            ReuseReason::TwoOfOurs => write!(f, "is already the transmit key of link {link}"),
            ReuseReason::SameSci => {
                write!(f, "also serves the peer of link {link}, with the same SCI")
            }
            ReuseReason::SameSsciAndSalt => write!(
                f,
                "also serves the peer of link {link}, with the same SSCI and salt"
            ),
        }
    }
}

impl core::error::Error for Reuse {}

/// The two transmitters of `link`, where it has static keys. `own_sci` is ours, if known.
pub fn transmitters(link: &Link, own_sci: Option<Sci>) -> Vec<Transmitter> {
    let Some(keys) = link.static_keys() else {
        return Vec::new();
    };
    [
        (true, own_sci, &keys.tx),
        (false, Some(keys.peer_sci), &keys.rx),
    ]
    .into_iter()
    .map(|(ours, sci, sa)| Transmitter {
        link: link.name.clone(),
        ours,
        sci,
        an: sa.an,
        xpn: sa.xpn,
        fingerprint: sa.key.fingerprint,
    })
    .collect()
}

/// The first key that serves two of `transmitters` and must not.
///
/// # Errors
/// [`Reuse`] names both.
pub fn check(transmitters: &[Transmitter]) -> Result<(), Reuse> {
    for (index, later) in transmitters.iter().enumerate() {
        for earlier in transmitters.iter().take(index) {
            if let Some(why) = reason(earlier, later) {
                let (ours, other) = if later.ours {
                    (later, earlier)
                } else {
                    (earlier, later)
                };
                return Err(Reuse {
                    ours: Box::new(ours.clone()),
                    other: Box::new(other.clone()),
                    why,
                });
            }
        }
    }
    Ok(())
}

/// Why `a` and `b` must not have one key, if they have one and must not.
fn reason(a: &Transmitter, b: &Transmitter) -> Option<ReuseReason> {
    if a.fingerprint != b.fingerprint || !(a.ours || b.ours) {
        return None;
    }
    if a.ours && b.ours {
        return Some(ReuseReason::TwoOfOurs);
    }
    let same_sci = a.sci.is_some() && a.sci == b.sci;
    // Two links of one process may be each other's peers. Then the peer's SA is ours, seen from
    // the other end, and that is one SA with one PN.
    let one_sa =
        a.link != b.link && a.an == b.an && (same_sci || a.sci.is_none() || b.sci.is_none());
    if one_sa {
        None
    } else if same_sci {
        Some(ReuseReason::SameSci)
    } else if a.xpn.is_some() && a.xpn == b.xpn {
        Some(ReuseReason::SameSsciAndSalt)
    } else {
        None
    }
}

/// Notes the reuse of keys within a config, at the place of the later key.
pub(super) fn check_read(reader: &mut Reader<'_>, links: &[ReadLink]) {
    let mut seen: Vec<Transmitter> = Vec::new();
    for link in links {
        let Some(checked) = &link.checked else {
            continue;
        };
        for transmitter in transmitters(checked, checked.sci) {
            let field = if transmitter.ours {
                &link.tx_key
            } else {
                &link.rx_key
            };
            seen.push(transmitter);
            if let (Err(reuse), Some(field)) = (check(&seen), field) {
                seen.pop();
                let right = "make a key of its own for it: macsecgw keygen sak";
                reader.wrong(field, reuse.to_string(), right);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ieee::{Salt, Ssci};

    fn transmitter(link: &str, ours: bool, sci: Option<u64>, ssci: Option<u32>) -> Transmitter {
        let mut octets = [7; 16];
        let sak = crate::crypto::Sak::take(&mut octets).unwrap();
        Transmitter {
            link: link.to_owned(),
            ours,
            sci: sci.map(Sci),
            an: An::ALL[0],
            xpn: ssci.map(|ssci| XpnParams {
                ssci: Ssci(ssci),
                salt: Salt([1; 12]),
            }),
            fingerprint: Fingerprint::of(&sak),
        }
    }

    fn why(a: Transmitter, b: Transmitter) -> Option<ReuseReason> {
        let forward = check(&[a.clone(), b.clone()]).err().map(|reuse| reuse.why);
        assert_eq!(forward, check(&[b, a]).err().map(|reuse| reuse.why));
        forward
    }

    #[test]
    fn a_key_of_ours_serves_one_sa() {
        let a = transmitter("a", true, Some(1), None);
        let b = transmitter("b", true, Some(2), None);
        assert_eq!(why(a, b), Some(ReuseReason::TwoOfOurs));
    }

    #[test]
    fn both_directions_share_a_key_only_under_different_scis() {
        let ours = transmitter("a", true, Some(1), None);
        assert_eq!(
            why(ours.clone(), transmitter("a", false, Some(2), None)),
            None
        );
        assert_eq!(
            why(ours, transmitter("a", false, Some(1), None)),
            Some(ReuseReason::SameSci)
        );
    }

    #[test]
    fn with_xpn_ssci_and_salt_count_and_the_sci_does_not() {
        let ours = transmitter("a", true, Some(1), Some(1));
        assert_eq!(
            why(ours.clone(), transmitter("a", false, Some(2), Some(2))),
            None
        );
        assert_eq!(
            why(ours.clone(), transmitter("a", false, Some(2), Some(1))),
            Some(ReuseReason::SameSsciAndSalt)
        );
        assert_eq!(
            why(ours, transmitter("b", false, Some(3), Some(1))),
            Some(ReuseReason::SameSsciAndSalt)
        );
    }

    #[test]
    fn two_links_may_be_each_others_peers() {
        let ours = transmitter("a", true, Some(1), Some(1));
        assert_eq!(
            why(ours.clone(), transmitter("b", false, Some(1), Some(1))),
            None
        );
        let mut other_an = transmitter("b", false, Some(1), Some(1));
        other_an.an = An::ALL[1];
        assert_eq!(why(ours, other_an), Some(ReuseReason::SameSci));
    }
}
