//! What a KaY has written so that a restart goes on as the member that its peers know.

use std::time::{Duration, Instant};

use super::writer::{Progress, Writer, Written};
use crate::{
    ieee::Sci,
    mka::{Identity, Kn, Member, Mi, Mn, SaId},
    state::{KeptError, MkaIdentity, MkaMember, StateDir},
};

/// Between two tries to write what could not be written.
const TRY_AGAIN: Duration = Duration::from_secs(1);

/// A disk that is not busy answers within this, and the KaY need not wait for control's next turn.
#[cfg(not(test))]
const PATIENCE: Duration = Duration::from_millis(5);
/// Unit tests run in virtual time, on disks of this world.
#[cfg(test)]
const PATIENCE: Duration = Duration::from_secs(60);

/// Writes for one link.
#[derive(Debug)]
pub(super) struct Keeper {
    link: String,
    writer: Option<Writer>,
    patience: Duration,
    /// What is not known to be written: numbers that it reserves are not used until it is.
    unsaved: Option<Box<Identity>>,
    /// It is with the writer.
    writing: bool,
    tried: Option<Instant>,
    trouble: Option<String>,
    errors: u64,
}

impl Keeper {
    pub(super) fn new(link: &str) -> Self {
        Self {
            link: link.to_owned(),
            writer: None,
            patience: PATIENCE,
            unsaved: None,
            writing: false,
            tried: None,
            trouble: None,
            errors: 0,
        }
    }

    /// Who the link was before the restart. What can't be trusted is not: the link is then a new member.
    pub(super) fn remembered(&mut self, sci: Sci, dir: &StateDir) -> Option<Identity> {
        // A KaY before this one may still be writing; nobody waits for that any more.
        self.writer = None;
        self.writing = false;
        self.unsaved = None;
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

    /// Has `identity` written. Returns its generation if it is on disk at once; else [`Self::look`] does, later.
    pub(super) fn save(
        &mut self,
        now: Instant,
        identity: Box<Identity>,
        dir: &StateDir,
    ) -> Option<u64> {
        self.unsaved = Some(identity);
        self.write(now, dir)
    }

    /// The generation that came to be on disk since. Tries again what could not be written, when it is time.
    pub(super) fn look(&mut self, now: Instant, dir: &StateDir) -> Option<u64> {
        let waits = |tried| now.saturating_duration_since(tried) < TRY_AGAIN;
        if self.writing {
            let saved = self.ended(Duration::ZERO);
            if self.writing && !self.tried.is_some_and(waits) {
                self.tell("the disk under the state directory does not answer".into());
            }
            return saved;
        }
        if self.unsaved.is_none() || self.tried.is_some_and(waits) {
            return None;
        }
        self.write(now, dir)
    }

    fn write(&mut self, now: Instant, dir: &StateDir) -> Option<u64> {
        self.tried = Some(now);
        let identity = keep(self.unsaved.as_deref()?);
        if self.writer.is_none() {
            let file = dir.identity_file(&self.link);
            match Writer::start(move |identity| file.save(identity)) {
                Ok(writer) => self.writer = Some(writer),
                Err(error) => self.tell(format!("no thread to write the identity: {error}")),
            }
        }
        self.writing = self
            .writer
            .as_ref()
            .is_some_and(|writer| writer.write(identity));
        self.ended(self.patience)
    }

    /// What the write came to, if it did within this time.
    fn ended(&mut self, patience: Duration) -> Option<u64> {
        if !self.writing {
            return None;
        }
        let Written { generation, result } = match self.writer.as_ref()?.progress(patience) {
            Progress::Writing => return None,
            Progress::Done(written) => written,
            Progress::Ended => {
                self.writer = None;
                self.writing = false;
                return None;
            }
        };
        self.writing = false;
        self.note(result.as_ref().err());
        result.ok()?;
        self.unsaved
            .take_if(|unsaved| unsaved.generation <= generation);
        Some(generation)
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
        match error {
            Some(error) => {
                self.errors += 1;
                self.tell(error.to_string());
            }
            None => self.trouble = None,
        }
    }

    /// Says what is wrong, once.
    fn tell(&mut self, trouble: String) {
        if self.trouble.as_ref() != Some(&trouble) {
            tracing::error!(link = self.link, "{trouble}");
        }
        self.trouble = Some(trouble);
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
    use std::{path::PathBuf, sync::mpsc, thread::sleep};

    use super::*;
    use crate::ieee::{An, Ckn, KeyIdentifier};

    fn identity(generation: u64) -> Identity {
        Identity {
            generation,
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
        }
    }

    /// A state directory, gone at the end.
    struct Place(PathBuf, Option<StateDir>);

    impl Place {
        fn new(name: &str) -> Self {
            let name = format!("macsecgw-keeper-{name}-{}", std::process::id());
            let path = std::env::temp_dir().join(name);
            let dir = StateDir::open(&path).unwrap();
            Self(path, Some(dir))
        }

        fn dir(&self) -> &StateDir {
            self.1.as_ref().unwrap()
        }
    }

    impl Drop for Place {
        fn drop(&mut self) {
            self.1 = None;
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    /// Looks until there is something, for 10 s at the most.
    fn until(keeper: &mut Keeper, dir: &StateDir) -> Option<u64> {
        (0..2000).find_map(|_| {
            sleep(Duration::from_millis(5));
            keeper.look(Instant::now(), dir)
        })
    }

    #[test]
    fn an_identity_comes_back_as_it_was() {
        assert_eq!(recall(&keep(&identity(9))), identity(9));
    }

    #[test]
    fn what_was_saved_is_remembered_by_the_next_one() {
        let place = Place::new("next");
        let mut keeper = Keeper::new("a");
        for generation in 1..=3 {
            let now = Instant::now();
            let saved = keeper.save(now, Box::new(identity(generation)), place.dir());
            let saved = saved.or_else(|| until(&mut keeper, place.dir()));
            assert_eq!(saved, Some(generation));
        }
        assert_eq!((keeper.trouble(), keeper.errors()), (None, 0));
        // Not even awaited.
        let _ = keeper.save(Instant::now(), Box::new(identity(4)), place.dir());
        drop(keeper);
        let next = Keeper::new("a").remembered(Sci(77), place.dir());
        assert_eq!(next, Some(identity(4)));
    }

    #[test]
    fn a_disk_that_takes_its_time_holds_nobody_up_and_is_told_of() {
        let place = Place::new("slow");
        let (disk, answers) = mpsc::channel::<Result<(), KeptError>>();
        let slow = Writer::start(move |_| answers.recv().unwrap_or(Ok(()))).unwrap();
        let mut keeper = Keeper::new("a");
        (keeper.writer, keeper.patience) = (Some(slow), Duration::ZERO);
        let begun = Instant::now();
        let saved = keeper.save(begun, Box::new(identity(1)), place.dir());
        assert_eq!(saved, None, "nothing is taken for written that is not");
        assert_eq!(keeper.look(begun, place.dir()), None);
        assert_eq!(keeper.trouble(), None, "it has its time");
        assert_eq!(keeper.look(begun + TRY_AGAIN, place.dir()), None);
        assert!(keeper.trouble().is_some());
        disk.send(Ok(())).unwrap();
        assert_eq!(until(&mut keeper, place.dir()), Some(1));
        assert_eq!((keeper.trouble(), keeper.errors()), (None, 0));
        assert_eq!(until_quiet(&mut keeper, place.dir()), None, "told once");
    }

    fn until_quiet(keeper: &mut Keeper, dir: &StateDir) -> Option<u64> {
        keeper.look(Instant::now() + TRY_AGAIN * 2, dir)
    }

    #[test]
    fn what_could_not_be_written_is_tried_again_and_not_sooner_than_in_a_second() {
        let place = Place::new("again");
        let (disk, answers) = mpsc::channel::<Result<(), KeptError>>();
        let failing = Writer::start(move |_| answers.recv().unwrap_or(Ok(()))).unwrap();
        let mut keeper = Keeper::new("a");
        (keeper.writer, keeper.patience) = (Some(failing), Duration::ZERO);
        let path = place.0.clone();
        disk.send(Err(KeptError::TooMuch { path })).unwrap();
        let begun = Instant::now();
        let mut saved = keeper.save(begun, Box::new(identity(1)), place.dir());
        for _ in 0..2000 {
            if keeper.errors() > 0 {
                break;
            }
            sleep(Duration::from_millis(5));
            let looked = keeper.look(begun, place.dir());
            saved = saved.or(looked);
        }
        assert_eq!((saved, keeper.errors()), (None, 1));
        assert!(keeper.trouble().is_some());
        disk.send(Ok(())).unwrap();
        assert_eq!(keeper.look(begun, place.dir()), None);
        assert!(!keeper.writing, "not yet");
        let again = keeper.look(begun + TRY_AGAIN, place.dir());
        let again = again.or_else(|| until(&mut keeper, place.dir()));
        assert_eq!(again, Some(1));
        assert_eq!(keeper.trouble(), None);
    }
}
