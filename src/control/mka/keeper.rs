//! What a KaY has written so that a restart goes on as the member that its peers know.

use std::time::{Duration, Instant};

use crate::{
    ieee::Sci,
    mka::{Identity, Kn, Member, Mi, Mn, SaId},
    state::{KeptError, MkaIdentity, MkaMember, StateDir},
};

/// Between two tries to write what could not be written.
const TRY_AGAIN: Duration = Duration::from_secs(1);

/// Writes for one link.
#[derive(Debug)]
pub(super) struct Keeper {
    link: String,
    /// What could not be written: numbers that it reserves are not used until it is.
    unsaved: Option<Box<Identity>>,
    tried: Option<Instant>,
    trouble: Option<String>,
    errors: u64,
}

impl Keeper {
    pub(super) fn new(link: &str) -> Self {
        Self {
            link: link.to_owned(),
            unsaved: None,
            tried: None,
            trouble: None,
            errors: 0,
        }
    }

    /// Who the link was before the restart. What can't be trusted is not: the link is then a new member.
    pub(super) fn remembered(&self, sci: Sci, dir: &StateDir) -> Option<Identity> {
        let (link, kept) = (&*self.link, dir.identity(&self.link, sci));
        match kept {
            Ok(kept) => kept.map(|kept| recall(&kept)),
            Err(error) => {
                tracing::warn!(
                    link,
                    "{error}; the link begins as a new member, and its peers need some seconds"
                );
                None
            }
        }
    }

    /// Writes `identity`. Returns its generation once it is on disk; until then it is tried again.
    pub(super) fn save(
        &mut self,
        now: Instant,
        identity: Box<Identity>,
        dir: &StateDir,
    ) -> Option<u64> {
        self.tried = Some(now);
        let saved = dir.save_identity(&self.link, &keep(&identity));
        self.note(saved.as_ref().err());
        match saved {
            Ok(()) => {
                self.unsaved = None;
                Some(identity.generation)
            }
            Err(_) => {
                self.unsaved = Some(identity);
                None
            }
        }
    }

    /// Tries again what could not be written, when it is time.
    pub(super) fn retry(&mut self, now: Instant, dir: &StateDir) -> Option<u64> {
        let waits = |tried| now.saturating_duration_since(tried) < TRY_AGAIN;
        if self.tried.is_some_and(waits) {
            return None;
        }
        let unsaved = self.unsaved.take()?;
        self.save(now, unsaved, dir)
    }

    /// What is wrong with the last write.
    pub(super) fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// Writes that failed since the start.
    pub(super) const fn errors(&self) -> u64 {
        self.errors
    }

    fn note(&mut self, error: Option<&KeptError>) {
        let found = error.map(ToString::to_string);
        if let Some(trouble) = &found {
            self.errors += 1;
            if self.trouble.as_ref() != Some(trouble) {
                tracing::error!(link = self.link, "{trouble}");
            }
        }
        self.trouble = found;
    }
}

fn keep(identity: &Identity) -> MkaIdentity {
    let members = identity.members.iter();
    MkaIdentity {
        generation: identity.generation,
        sci: identity.sci,
        members: members
            .map(|member| MkaMember {
                ckn: member.ckn.clone(),
                mi: member.mi.0,
                mn_reserved: member.mn_reserved.0,
                kn_reserved: member.kn_reserved.0,
            })
            .collect(),
        latest: identity.latest.map(|id| (id.an, id.ki)),
        next_an: identity.next_an,
    }
}

fn recall(kept: &MkaIdentity) -> Identity {
    let members = kept.members.iter();
    Identity {
        generation: kept.generation,
        sci: kept.sci,
        members: members
            .map(|member| Member {
                ckn: member.ckn.clone(),
                mi: Mi(member.mi),
                mn_reserved: Mn(member.mn_reserved),
                kn_reserved: Kn(member.kn_reserved),
            })
            .collect(),
        latest: kept.latest.map(|(an, ki)| SaId { an, ki }),
        next_an: kept.next_an,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ieee::{An, Ckn, KeyIdentifier};

    #[test]
    fn an_identity_comes_back_as_it_was() {
        let identity = Identity {
            generation: 9,
            sci: Sci(77),
            members: vec![Member {
                ckn: Ckn::new(&[1, 2]).unwrap(),
                mi: Mi([3; 12]),
                mn_reserved: Mn(400),
                kn_reserved: Kn(5),
            }],
            latest: Some(SaId {
                an: An::ALL[2],
                ki: KeyIdentifier([6; 16]),
            }),
            next_an: An::ALL[3],
        };
        assert_eq!(recall(&keep(&identity)), identity);
    }
}
