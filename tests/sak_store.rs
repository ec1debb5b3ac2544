//! The directory of kept SAKs on a real file system in memory: what it must be, and what is left in it.
#![cfg(feature = "std")]
#![expect(clippy::unwrap_used, reason = "a test ends where it can't go on")]

use std::fs::{self, File, Permissions};
use std::io::Read;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use macsec_gateway::crypto::Sak;
use macsec_gateway::ieee::{An, CipherSuite, Ckn, KeyIdentifier, Pn, Sci};
use macsec_gateway::state::{
    KeptError, KeptKey, KeptKeys, KeptPeer, KeptProtection, SakStore, StateDir,
};

const SCI: Sci = Sci(0x0200_0000_0001_0001);
const LIFE: Duration = Duration::from_secs(6);

/// A place for a state directory, and one in memory for the SAKs; both go at the end.
struct Place {
    state: PathBuf,
    saks: PathBuf,
}

impl Place {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("macsecgw-saks-{}-{number}", std::process::id());
        Self {
            state: std::env::temp_dir().join(&name),
            saks: Path::new("/dev/shm").join(&name),
        }
    }

    fn state(&self) -> StateDir {
        StateDir::open(&self.state).unwrap()
    }

    fn refusal(&self) -> KeptError {
        SakStore::open(&self.saks, &self.state()).unwrap_err()
    }

    fn file(&self) -> PathBuf {
        self.saks.join("a.saks")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.state);
        let _ = fs::remove_dir_all(&self.saks);
        let _ = fs::remove_file(&self.saks);
    }
}

fn keys(sak: &Sak) -> KeptKeys<&Sak> {
    KeptKeys {
        sci: SCI,
        keys: vec![KeptKey {
            ckn: Ckn::new(b"a name").unwrap(),
            an: An::ALL[1],
            ki: KeyIdentifier([1; 16]),
            suite: CipherSuite::GcmAes256,
            protection: KeptProtection::Offset0,
            salt: None,
            sak,
            own_ssci: None,
            next_pn: Some(Pn(5000)),
            peers: vec![KeptPeer {
                sci: Sci(9),
                ssci: None,
                lowest_pn: Pn(77),
            }],
        }],
    }
}

fn sak(octet: u8) -> Sak {
    Sak::take(&mut [octet; 32]).unwrap()
}

/// Whether this machine's `/dev/shm` may keep SAKs at all.
fn has_swap() -> bool {
    fs::read_to_string("/proc/swaps").unwrap().lines().count() > 1
}

#[test]
fn saks_outlive_the_store_and_are_gone_once_taken() {
    let place = Place::new();
    let state = place.state();
    if has_swap() {
        assert!(matches!(place.refusal(), KeptError::Swap { .. }));
        return;
    }
    let store = SakStore::open(&place.saks, &state).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&place.saks), 0o700);
    store.save("a", &keys(&sak(0x5a))).unwrap();
    assert_eq!(mode(&place.file()), 0o600);
    drop(store);

    let store = SakStore::open(&place.saks, &state).unwrap();
    let taken = store.take("a", SCI, LIFE).unwrap().unwrap();
    assert_eq!(taken.keys[0].sak.expose(), [0x5a; 32]);
    assert_eq!(taken.keys[0].next_pn, Some(Pn(5000)));
    assert_eq!(taken.keys[0].peers[0].lowest_pn, Pn(77));
    assert!(!place.file().exists());
    assert!(store.take("a", SCI, LIFE).unwrap().is_none());
    assert_eq!(fs::read_dir(&place.saks).unwrap().count(), 0);
}

#[test]
fn what_is_replaced_or_removed_is_overwritten() {
    if has_swap() {
        return;
    }
    let place = Place::new();
    let state = place.state();
    let store = SakStore::open(&place.saks, &state).unwrap();
    let content_of = |change: &dyn Fn()| {
        store.save("a", &keys(&sak(0x5a))).unwrap();
        let mut old = File::open(place.file()).unwrap();
        change();
        let mut content = Vec::new();
        old.read_to_end(&mut content).unwrap();
        content
    };
    let kept = content_of(&|| {});
    assert!(kept.windows(32).any(|window| window == [0x5a; 32]));
    let gone = |content: Vec<u8>| content.len() == kept.len() && content.iter().all(|&o| o == 0);
    assert!(gone(content_of(&|| store
        .save("a", &keys(&sak(1)))
        .unwrap())));
    assert!(gone(content_of(&|| store.forget("a").unwrap())));
    assert!(gone(content_of(&|| {
        let _ = store.take("a", SCI, LIFE).unwrap();
    })));
    assert!(gone(content_of(&|| store.sweep().unwrap())));
}

#[test]
fn one_process_keeps_its_saks_in_a_directory() {
    if has_swap() {
        return;
    }
    let place = Place::new();
    let (state, other) = (place.state(), Place::new());
    let store = SakStore::open(&place.saks, &state).unwrap();
    let second = SakStore::open(&place.saks, &other.state()).unwrap_err();
    assert!(matches!(second, KeptError::InUse { .. }), "{second}");
    drop(store);
    SakStore::open(&place.saks, &state).unwrap();
}

#[test]
fn a_directory_on_disk_is_refused() {
    let place = Place::new();
    let state = place.state();
    // Whatever the temporary directory is on, this is no tmpfs.
    let proc = PathBuf::from(format!("/proc/{}", std::process::id()));
    let refused = SakStore::open(&proc, &state).unwrap_err();
    assert_eq!(refused, KeptError::NotRam { path: proc });
    assert!(refused.to_string().contains("use a directory under /run"));
}

#[test]
fn a_directory_that_others_enter_or_that_is_none_is_refused() {
    let exposed = |make: fn(&Path)| {
        let place = Place::new();
        make(&place.saks);
        let refused = place.refusal();
        assert!(matches!(refused, KeptError::Exposed { .. }), "{refused}");
        assert!(refused.to_string().contains("chmod 700"), "{refused}");
    };
    for mode in [0o750, 0o701, 0o770] {
        let place = Place::new();
        fs::create_dir(&place.saks).unwrap();
        fs::set_permissions(&place.saks, Permissions::from_mode(mode)).unwrap();
        let refused = place.refusal();
        assert!(matches!(refused, KeptError::Exposed { .. }), "{refused}");
    }
    exposed(|path| fs::write(path, b"").unwrap());
    exposed(|path| symlink("/dev/shm", path).unwrap());
}

#[test]
fn a_link_in_the_place_of_a_file_is_not_followed() {
    if has_swap() {
        return;
    }
    let place = Place::new();
    let state = place.state();
    let store = SakStore::open(&place.saks, &state).unwrap();
    let target = place.state.join("target");
    fs::write(&target, b"kept").unwrap();
    symlink(&target, place.file()).unwrap();
    assert!(store.take("a", SCI, LIFE).is_err());
    assert!(!place.file().is_symlink());
    symlink(&target, place.file()).unwrap();
    let saved = store.save("a", &keys(&sak(2)));
    assert_eq!(fs::read(&target).unwrap(), b"kept", "{saved:?}");
}
