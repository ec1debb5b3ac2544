//! SAKs over kills at every call, copies put back, files cut, changed, old and of someone else.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io;
use std::rc::Rc;

use super::boot::{BOOT_ID_LEN, Stamp};
use super::*;
use crate::state::model_disk::ModelDisk;

const SCI: Sci = Sci(0x0200_0000_0001_0001);
const LIFE: Duration = Duration::from_secs(6);

/// A directory in memory. A killed process loses nothing of it.
#[derive(Clone, Default)]
struct ModelRam {
    files: Rc<RefCell<BTreeMap<String, Vec<u8>>>>,
    swap: Rc<Cell<bool>>,
    /// Shared with the disk: the process is killed at one call of all.
    calls_left: Rc<Cell<Option<usize>>>,
}

impl ModelRam {
    fn step(&self) -> io::Result<()> {
        match self.calls_left.get() {
            Some(0) => Err(io::Error::other("killed")),
            left => {
                self.calls_left.set(left.map(|left| left - 1));
                Ok(())
            }
        }
    }
}

impl Ram for ModelRam {
    fn is_swappable(&self) -> io::Result<bool> {
        Ok(self.swap.get())
    }

    fn read(&self, name: &str, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        self.step()?;
        Ok(self.files.borrow().get(name).map(|content| {
            let len = content.len().min(buffer.len());
            buffer[..len].copy_from_slice(&content[..len]);
            len
        }))
    }

    fn write(&self, name: &str, content: &[u8]) -> io::Result<()> {
        let stopped = self.step();
        // The call that the kill falls into has written a part.
        let end = if stopped.is_ok() {
            content.len()
        } else {
            content.len() / 2
        };
        let written = content[..end].to_vec();
        self.files.borrow_mut().insert(name.to_owned(), written);
        stopped
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.step()?;
        let mut files = self.files.borrow_mut();
        let content = files.remove(from).ok_or(io::ErrorKind::NotFound)?;
        files.insert(to.to_owned(), content);
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.step()?;
        self.files.borrow_mut().remove(name);
        Ok(())
    }

    fn names(&self) -> io::Result<Vec<String>> {
        self.step()?;
        Ok(self.files.borrow().keys().cloned().collect())
    }
}

/// A machine whose clock and runs the test makes.
#[derive(Clone)]
struct ModelBoot(Rc<Cell<Stamp>>);

impl Boot for ModelBoot {
    fn stamp(&self) -> Result<Stamp, Failed> {
        Ok(self.0.get())
    }
}

/// The store and what is around it.
struct Scene {
    shelf: Shelf<ModelRam, ModelDisk, ModelBoot>,
}

impl Scene {
    fn new() -> Self {
        let (ram, disk) = (ModelRam::default(), ModelDisk::default());
        let ram = ModelRam {
            calls_left: Rc::clone(&disk.calls_left),
            ..ram
        };
        let stamp = Stamp {
            boot: [b'a'; BOOT_ID_LEN],
            since_boot: Duration::from_secs(1000),
        };
        Self {
            shelf: Shelf {
                ram,
                path: PathBuf::from("/run/saks"),
                disk,
                state: PathBuf::from("/state"),
                boot: ModelBoot(Rc::new(Cell::new(stamp))),
            },
        }
    }

    /// Lets the process make so many more calls; without a number, any.
    fn calls(&self, calls: Option<usize>) {
        self.shelf.disk.calls_left.set(calls);
    }

    fn save(&self, number: u8) -> Result<(), KeptError> {
        let sak = sak(number, 32);
        self.shelf.save("a", &keys(number, &sak))
    }

    fn take(&self) -> Result<Option<u8>, KeptError> {
        let taken = self.shelf.take("a", SCI, LIFE)?;
        Ok(taken.map(|kept| {
            let key = &kept.keys[0];
            let number = key.sak.expose()[0];
            assert_eq!(key.next_pn, Some(Pn(1000 * u64::from(number))));
            number
        }))
    }

    /// What is in memory, as someone might copy it.
    fn copy(&self) -> BTreeMap<String, Vec<u8>> {
        self.shelf.ram.files.borrow().clone()
    }

    fn put_back(&self, copy: &BTreeMap<String, Vec<u8>>) {
        *self.shelf.ram.files.borrow_mut() = copy.clone();
    }

    fn file(&self) -> Vec<u8> {
        self.shelf.ram.files.borrow()["a.saks"].clone()
    }

    fn put(&self, content: &[u8]) {
        let mut files = self.shelf.ram.files.borrow_mut();
        files.insert("a.saks".to_owned(), content.to_vec());
    }

    fn is_empty(&self) -> bool {
        self.shelf.ram.files.borrow().is_empty()
    }

    fn set(&self, change: impl FnOnce(&mut Stamp)) {
        let mut stamp = self.shelf.boot.0.get();
        change(&mut stamp);
        self.shelf.boot.0.set(stamp);
    }
}

fn sak(octet: u8, len: usize) -> Sak {
    Sak::take(&mut vec![octet; len]).unwrap()
}

/// A key that tells by its octets and its next packet number which save it is from.
fn key<S>(number: u8, suite: CipherSuite, sak: S) -> KeptKey<S> {
    KeptKey {
        ckn: Ckn::new(&[0x61; 32]).unwrap(),
        an: An::ALL[usize::from(number % 4)],
        ki: KeyIdentifier([number; 16]),
        suite,
        protection: KeptProtection::Offset0,
        salt: suite.is_xpn().then_some(Salt([3; 12])),
        sak,
        own_ssci: suite.is_xpn().then_some(Ssci(2)),
        next_pn: Some(Pn(1000 * u64::from(number))),
        peers: vec![KeptPeer {
            sci: Sci(7),
            ssci: suite.is_xpn().then_some(Ssci(1)),
            lowest_pn: Pn(u64::MAX),
        }],
    }
}

fn keys(number: u8, sak: &Sak) -> KeptKeys<&Sak> {
    KeptKeys {
        sci: SCI,
        keys: vec![key(number, CipherSuite::GcmAesXpn256, sak)],
    }
}

/// All of it but the key's octets.
fn shown<S>(keys: &KeptKeys<S>) -> String {
    let keys: Vec<_> = keys
        .keys
        .iter()
        .map(|key| {
            format!(
                "{:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?}",
                key.ckn,
                key.an,
                key.ki,
                key.suite,
                key.protection,
                key.salt,
                key.own_ssci,
                key.next_pn,
                key.peers
            )
        })
        .collect();
    keys.join("\n")
}

#[test]
fn what_is_saved_is_taken_as_it_was() {
    let protections = [
        KeptProtection::IntegrityOnly,
        KeptProtection::Offset0,
        KeptProtection::Offset30,
        KeptProtection::Offset50,
    ];
    let saks: Vec<_> = CipherSuite::ALL
        .iter()
        .zip(1..)
        .map(|(suite, number)| sak(number, suite.sak_len()))
        .collect();
    let mut kept = KeptKeys {
        sci: SCI,
        keys: Vec::new(),
    };
    for (i, suite) in CipherSuite::ALL.into_iter().enumerate() {
        let mut key = key(u8::try_from(i).unwrap(), suite, &saks[i]);
        key.ckn = Ckn::new(&vec![9; 8 * i + 1]).unwrap();
        key.protection = protections[i];
        key.next_pn = (i != 2).then_some(Pn(u64::MAX - 1));
        key.peers.resize(i * 10, key.peers[0]);
        kept.keys.push(key);
    }
    let scene = Scene::new();
    scene.shelf.save("a", &kept).unwrap();
    let taken = scene.shelf.take("a", SCI, LIFE).unwrap().unwrap();
    assert_eq!(taken.sci, SCI);
    assert_eq!(shown(&taken), shown(&kept));
    for (taken, saved) in taken.keys.iter().zip(&saks) {
        assert_eq!(taken.sak.expose(), saved.expose());
    }
    assert!(scene.is_empty());
}

#[test]
fn it_is_taken_once() {
    let scene = Scene::new();
    assert_eq!(scene.take(), Ok(None));
    scene.save(1).unwrap();
    assert_eq!(scene.take(), Ok(Some(1)));
    assert_eq!(scene.take(), Ok(None));
    assert!(scene.is_empty());
}

#[test]
fn a_copy_put_back_is_refused() {
    let scene = Scene::new();
    scene.save(1).unwrap();
    let first = scene.copy();
    scene.save(2).unwrap();
    let second = scene.copy();

    scene.put_back(&first);
    assert!(
        matches!(scene.take(), Err(KeptError::Stale { .. })),
        "of an earlier save"
    );
    scene.put_back(&second);
    assert!(
        matches!(scene.take(), Err(KeptError::Stale { .. })),
        "after it was taken"
    );
    scene.save(3).unwrap();
    let third = scene.copy();
    for copy in [first, second, third] {
        scene.put_back(&copy);
        assert!(matches!(scene.take(), Err(KeptError::Stale { .. })));
    }
}

/// Takes after the process was killed at any call of a save: the one before it, the one that was being
/// made, or nothing; never less than what a save had promised, and never two.
#[test]
fn a_kill_at_any_call_of_a_save_leaves_one_that_is_good_or_none() {
    let mut outcomes = [0; 3];
    for calls in 0.. {
        let scene = Scene::new();
        scene.save(1).unwrap();
        let before = scene.copy();
        scene.calls(Some(calls));
        let saved = scene.save(2);
        scene.calls(None);
        let taken = scene.take();
        match (&saved, &taken) {
            (Ok(()), Ok(Some(2))) => {}
            (Err(_), Ok(Some(1))) => outcomes[0] += 1,
            (Err(_), Ok(Some(2))) => outcomes[1] += 1,
            (Err(_), Err(KeptError::Stale { .. })) => outcomes[2] += 1,
            other => panic!("{calls}: {other:?}"),
        }
        assert_eq!(scene.take(), Ok(None), "{calls}");
        assert!(scene.is_empty());
        scene.put_back(&before);
        assert!(
            matches!(scene.take(), Err(KeptError::Stale { .. })),
            "{calls}"
        );
        if saved.is_ok() {
            assert_eq!(calls, 4, "write, write, rename, rename");
            break;
        }
    }
    assert_eq!(outcomes, [3, 0, 1]);
}

#[test]
fn a_kill_at_any_call_of_a_take_never_gives_it_out_twice() {
    let mut unused = 0;
    for calls in 0.. {
        let scene = Scene::new();
        scene.save(1).unwrap();
        let copy = scene.copy();
        scene.calls(Some(calls));
        let first = scene.take();
        scene.calls(None);
        let second = scene.take();
        scene.put_back(&copy);
        let third = scene.take();
        let given = [&first, &second, &third];
        let given = given
            .iter()
            .filter(|taken| matches!(taken, Ok(Some(_))))
            .count();
        assert!(given <= 1, "{calls}: {first:?} {second:?} {third:?}");
        match first {
            Ok(found) => {
                assert_eq!(found, Some(1));
                assert!(unused > 2, "only {unused}");
                break;
            }
            // Nothing was used under it, so it is still good if it is still there.
            Err(error) => {
                assert!(matches!(error, KeptError::Io { .. }), "{error}");
                unused += 1;
            }
        }
    }
}

#[test]
fn what_can_not_be_removed_is_not_used() {
    let scene = Scene::new();
    scene.save(1).unwrap();
    // The file is read, the seal is read, and there it ends.
    scene.calls(Some(2));
    let taken = scene.take();
    assert!(
        matches!(taken, Err(KeptError::Io { step: "remove", .. })),
        "{taken:?}"
    );
}

#[test]
fn it_is_good_in_its_own_run_and_for_its_life() {
    let taken_after = |change: fn(&mut Stamp)| {
        let scene = Scene::new();
        scene.save(1).unwrap();
        scene.set(change);
        let taken = scene.take();
        assert!(scene.is_empty());
        assert_eq!(scene.take(), Ok(None));
        taken
    };
    let life = taken_after(|stamp| stamp.since_boot += LIFE);
    assert_eq!(life, Ok(Some(1)));
    let old = taken_after(|stamp| stamp.since_boot += LIFE + Duration::from_millis(1));
    assert!(matches!(old, Err(KeptError::TooOld { .. })), "{old:?}");
    let early = taken_after(|stamp| stamp.since_boot -= Duration::from_secs(1));
    assert!(
        matches!(early, Err(KeptError::OtherBoot { .. })),
        "{early:?}"
    );
    let other = taken_after(|stamp| stamp.boot[BOOT_ID_LEN - 1] = b'b');
    assert!(
        matches!(other, Err(KeptError::OtherBoot { .. })),
        "{other:?}"
    );
}

#[test]
fn another_links_file_and_another_ports_are_refused() {
    let scene = Scene::new();
    scene.save(1).unwrap();
    let content = scene.file();
    scene
        .shelf
        .ram
        .files
        .borrow_mut()
        .insert("b.saks".to_owned(), content);
    let other = scene.shelf.take("b", SCI, LIFE).map(|_| ()).unwrap_err();
    assert!(
        matches!(&other, KeptError::OtherLink { wanted, found, .. } if wanted == "b" && found == "a")
    );
    assert_eq!(scene.take(), Ok(Some(1)), "the one of a is untouched");

    scene.save(2).unwrap();
    let other = scene.shelf.take("a", Sci(1), LIFE).map(|_| ()).unwrap_err();
    assert!(
        matches!(other, KeptError::OtherSci { found: SCI, .. }),
        "{other}"
    );
    assert!(scene.is_empty());
}

#[test]
fn a_file_cut_or_changed_anywhere_is_refused() {
    let scene = Scene::new();
    scene.save(1).unwrap();
    let file = scene.file();
    let wanted = file::Wanted {
        link: "a",
        sci: SCI,
        now: scene.shelf.boot.0.get(),
        life: LIFE,
        nonce: seal::read(&scene.shelf.disk, &scene.shelf.state, "a"),
    };
    let path = Path::new("f");
    let read = |content: &[u8]| file::read(path, &mut content.to_vec(), &wanted).map(|_| ());
    assert_eq!(read(&file), Ok(()));
    for length in 0..file.len() {
        let found = read(&file[..length]);
        let damaged = matches!(
            found,
            Err(KeptError::Truncated { .. } | KeptError::Corrupt { .. })
        );
        assert!(damaged, "{length}: {found:?}");
    }
    for at in 0..file.len() {
        for bit in 0..8 {
            let mut flipped = file.clone();
            flipped[at] ^= 1 << bit;
            let found = read(&flipped);
            let damaged = match at {
                8 => matches!(found, Err(KeptError::Version { .. })),
                _ => matches!(found, Err(KeptError::Corrupt { .. })),
            };
            assert!(damaged, "bit {bit} of octet {at}: {found:?}");
        }
    }
    let longer = [&file[..], &[0]].concat();
    assert!(matches!(read(&longer), Err(KeptError::Corrupt { .. })));
    // A whole one, through the store: what is refused is gone.
    scene.put(&file[1..]);
    assert!(matches!(scene.take(), Err(KeptError::Corrupt { .. })));
    assert_eq!(scene.take(), Ok(None));
}

/// What has its checksum and still makes no sense: of a program that is not this one.
#[test]
fn what_is_whole_but_says_nothing_is_refused() {
    let scene = Scene::new();
    let sak = sak(1, 32);
    let senseless: [fn(&mut KeptKey<&Sak>); 3] = [
        |key| key.suite = CipherSuite::GcmAesXpn128,
        |key| key.suite = CipherSuite::GcmAes256,
        |key| key.salt = None,
    ];
    for change in senseless {
        let mut kept = keys(1, &sak);
        change(&mut kept.keys[0]);
        scene.shelf.save("a", &kept).unwrap();
        assert!(matches!(scene.take(), Err(KeptError::Corrupt { .. })));
    }
}

#[test]
fn all_that_may_be_kept_fits_and_more_is_refused() {
    let scene = Scene::new();
    let sak = sak(1, 32);
    let mut kept = keys(1, &sak);
    let one = kept.keys[0].peers[0];
    kept.keys[0].peers.resize(KeptPeer::MAX_PEERS, one);
    for number in 2..=4 {
        let mut key = key(number, CipherSuite::GcmAesXpn256, &sak);
        key.peers.resize(KeptPeer::MAX_PEERS, one);
        kept.keys.push(key);
    }
    let link = "x".repeat(255);
    scene.shelf.save(&link, &kept).unwrap();
    let taken = scene.shelf.take(&link, SCI, LIFE).unwrap().unwrap();
    assert_eq!(shown(&taken), shown(&kept));

    kept.keys[0].peers.push(one);
    let refused = scene.shelf.save("a", &kept);
    assert!(matches!(refused, Err(KeptError::TooMuch { .. })));
    kept.keys[0].peers.clear();
    kept.keys.push(key(5, CipherSuite::GcmAesXpn256, &sak));
    let refused = scene.shelf.save("a", &kept);
    assert!(matches!(refused, Err(KeptError::TooMuch { .. })));
}

#[test]
fn where_swap_appears_nothing_is_kept_any_more() {
    let scene = Scene::new();
    scene.save(1).unwrap();
    scene.shelf.ram.swap.set(true);
    assert!(matches!(scene.save(2), Err(KeptError::Swap { .. })));
    assert!(scene.is_empty());
    assert_eq!(scene.take(), Ok(None));
}

#[test]
fn no_keys_are_nothing_to_keep_and_a_sweep_leaves_nothing() {
    let scene = Scene::new();
    scene.save(1).unwrap();
    let none = KeptKeys {
        sci: SCI,
        keys: Vec::new(),
    };
    scene.shelf.save("a", &none).unwrap();
    assert!(scene.is_empty());
    scene.save(1).unwrap();
    scene.shelf.forget("a").unwrap();
    assert!(scene.is_empty());
    scene.save(1).unwrap();
    let others = ["b.saks", "a.saks.aside", "notes.txt"];
    for name in others {
        let mut files = scene.shelf.ram.files.borrow_mut();
        files.insert(name.to_owned(), b"x".to_vec());
    }
    scene.shelf.sweep().unwrap();
    let left: Vec<_> = scene.copy().into_keys().collect();
    assert_eq!(left, ["notes.txt"], "none of ours");
    assert_eq!(scene.take(), Ok(None));
}

#[test]
fn keys_are_in_no_message() {
    let scene = Scene::new();
    scene.save(0x5a).unwrap();
    let taken = scene.shelf.take("a", SCI, LIFE).unwrap().unwrap();
    let text = format!("{taken:?}");
    assert!(text.contains("Sak(secret)"), "{text}");
    assert!(!text.contains("90, 90"), "{text}");
}

/// The fuzzer starts from files that are read, or it would seldom get past their first octets.
#[test]
fn the_fuzzers_seeds_are_whole_files() {
    let seeds = [
        &include_bytes!("../../../tests/fuzz/corpus/mka_saks/none")[..],
        include_bytes!("../../../tests/fuzz/corpus/mka_saks/xpn"),
        include_bytes!("../../../tests/fuzz/corpus/mka_saks/two_keys"),
    ];
    for (seed, keys) in seeds.into_iter().zip(0..) {
        let mut whole = seed.to_vec();
        whole.extend_from_slice(&crate::crypto::digest_of_secrets(seed));
        let boot = *seed[25..].first_chunk().unwrap();
        let wanted = file::Wanted {
            link: "dx-1",
            sci: SCI,
            now: Stamp {
                boot,
                since_boot: Duration::from_secs(1000),
            },
            life: LIFE,
            nonce: Some([0x99; 16]),
        };
        let found = file::read(Path::new("seed"), &mut whole, &wanted).unwrap();
        assert_eq!(found.keys.len(), keys);
    }
}
