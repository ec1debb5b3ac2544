//! The same for key agreement: CAK, ICK, KEK and SAKs lie in locked memory while they live and nowhere
//! after; what is made of them for one call (round keys of both directions, subkeys of CMAC) lies nowhere
//! once the call has returned.

use std::{cell::RefCell, fs, path::PathBuf, sync::mpsc, thread, time::Duration};

use macsec_gateway::crypto::{
    AesKeyAgreement, Cak, Fingerprint, Ick, KeyAgreement, Sak, random, random::SystemRandom,
};
use macsec_gateway::ieee::{An, CipherSuite, Ckn, KeyIdentifier, Pn, Salt, Sci, Ssci};
use macsec_gateway::state::{KeptKey, KeptKeys, KeptPeer, KeptProtection, SakStore, StateDir};

use zeroize::Zeroizing;

use super::needles::{
    DISGUISE, NEEDLE_LEN, cmac_subkeys, disguised, inverse_round_keys, round_keys,
};
use super::scan::{Found, locked_kib, scan};
use super::{Case, assert_all_in_locked_memory, run_with};

/// Octets of the SAK that is wrapped and unwrapped.
const SAK_LEN: usize = 32;

const SCI: Sci = Sci(0x0200_0000_0001_0001);

fn ckn() -> Ckn {
    Ckn::new(b"the name of a CAK").unwrap()
}

// The parent's half.

#[test]
fn nothing_of_a_cak_is_left() {
    for cak_len in [16, 32] {
        let (mut cak, mut sak) = (vec![0; cak_len], vec![0; SAK_LEN]);
        random::fill(&mut cak).unwrap();
        random::fill(&mut sak).unwrap();
        let keys = AesKeyAgreement::new(SystemRandom)
            .derive(&Cak::take(&mut cak.clone()).unwrap(), &ckn())
            .unwrap();
        let (ick, kek) = (keys.ick.expose(), keys.kek.expose());
        // First the keys themselves, then what is made of them for a moment.
        let mut needles = halves(&[&cak, &sak, ick, kek].concat());
        for key in [&cak, ick, kek] {
            needles.extend(round_keys(key).split_off(cak_len / NEEDLE_LEN));
            needles.extend(inverse_round_keys(key));
            needles.extend(cmac_subkeys(key));
        }
        let child = "agreement::child_agrees_and_forgets";
        run_with(child, &format!("mka {cak_len}"), &needles);
    }
}

#[test]
fn the_test_inverts_round_keys_rightly() {
    // FIPS 197 A.1's key: a round key of decryption, mixed, is one of encryption again.
    let key = *b"\x2b\x7e\x15\x16\x28\xae\xd2\xa6\xab\xf7\x15\x88\x09\xcf\x4f\x3c";
    let inverse = inverse_round_keys(&key);
    assert_eq!(inverse.len(), 9);
    // The equivalent inverse cipher's w'(36..40), from the standard's example of key 000102...0f.
    let key: [u8; 16] = std::array::from_fn(|i| u8::try_from(i).unwrap());
    let expected = "13aa29be9c8faff6f770f58000f7bf03";
    let mut wanted = [0; 16];
    macsec_gateway::ieee::decode_hex(expected.as_bytes(), &mut wanted).unwrap();
    assert_eq!(inverse_round_keys(&key)[8], wanted);
    // SP 800-38B D.1: K1 and K2.
    let key = *b"\x2b\x7e\x15\x16\x28\xae\xd2\xa6\xab\xf7\x15\x88\x09\xcf\x4f\x3c";
    let subkeys: Vec<_> = cmac_subkeys(&key)[1..]
        .iter()
        .map(|subkey| disguised(subkey))
        .collect();
    let expected = [
        "fbeed618357133667c85e08f7236a8de",
        "f7ddac306ae266ccf90bc11ee46d513b",
    ];
    let expected = expected.map(|digits| {
        let mut octets = [0; 16];
        macsec_gateway::ieee::decode_hex(digits.as_bytes(), &mut octets).unwrap();
        disguised(&octets)
    });
    assert_eq!(subkeys, expected);
}

fn halves(octets: &[u8]) -> Vec<[u8; NEEDLE_LEN]> {
    let halves = octets.chunks(NEEDLE_LEN);
    halves.map(|half| half.try_into().unwrap()).collect()
}

// The child's half.

#[test]
#[ignore = "its parent runs it in a process of its own"]
fn child_agrees_and_forgets() {
    let case = Case::of_environment();
    let cak_len = case.sak_len;
    let keys = (3 * cak_len + SAK_LEN) / NEEDLE_LEN;
    assert_eq!(scan(&case.needles), Found::new(), "before there is a key");
    let locked_before = locked_kib();

    let undisguised = |from: usize, len: usize| -> Vec<u8> {
        let octets = case.needles.iter().flatten().skip(from).take(len);
        octets.map(|octet| octet ^ DISGUISE).collect()
    };
    let cak = Cak::take(&mut undisguised(0, cak_len)).unwrap();
    let sak = Sak::take(&mut undisguised(cak_len, SAK_LEN)).unwrap();
    let _ = Fingerprint::of_pair(&ckn(), &cak);
    let stacks = Stacks::default();
    let agreement = || AesKeyAgreement::new(SystemRandom);
    let (cak, derived) = stacks.run(move || {
        let derived = agreement().derive(&cak, &ckn()).unwrap();
        (cak, derived)
    });
    for len in [0, 16, 40, 500, 1500] {
        let ick = derived.ick.expose().to_vec();
        let ick = Ick::take(&mut Zeroizing::new(ick)).unwrap();
        stacks.run(move || {
            let icv = agreement().icv(&ick, &[&vec![0x3C; len], b"more"]);
            assert_ne!(icv, [0; 16]);
        });
    }
    let kek = derived.kek;
    let (sak, kek, mut wrapped) = stacks.run(move || {
        let wrapped = agreement().wrap_sak(&kek, &sak);
        (sak, kek, wrapped)
    });
    let field = wrapped.clone();
    let (kek, unwrapped) = stacks.run(move || {
        let unwrapped = agreement().unwrap_sak(&kek, &field).unwrap();
        (kek, unwrapped)
    });
    let kek = stacks.run(move || {
        wrapped[3] ^= 1;
        assert!(agreement().unwrap_sak(&kek, &wrapped).is_err());
        kek
    });
    let (sak, taken) = stacks.run(move || {
        let taken = keep_and_take(&sak);
        (sak, taken)
    });

    let found = scan(&case.needles);
    let whole: Vec<_> = found.keys().copied().collect();
    assert_eq!(
        whole,
        (0..keys).collect::<Vec<_>>(),
        "each key, and nothing that is made of one"
    );
    assert_all_in_locked_memory(&found);

    drop((cak, sak, derived.ick, kek, unwrapped, taken));
    assert_eq!(scan(&case.needles), Found::new(), "after all were dropped");
    assert_eq!(locked_kib(), locked_before);
    stacks.end();
}

/// Threads that do one thing each and then stay, so that nothing else writes over what it left on the
/// stack.
#[derive(Default)]
struct Stacks(RefCell<Vec<(mpsc::Sender<()>, thread::JoinHandle<()>)>>);

impl Stacks {
    fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        let (done, result) = mpsc::channel();
        let (end, ended) = mpsc::channel();
        let thread = thread::Builder::new()
            .spawn(move || {
                done.send(below(work)).unwrap();
                ended.recv().unwrap();
            })
            .unwrap();
        self.0.borrow_mut().push((end, thread));
        result.recv().unwrap()
    }

    fn end(self) {
        for (end, thread) in self.0.into_inner() {
            end.send(()).unwrap();
            thread.join().unwrap();
        }
    }
}

/// Does `work` so far down the stack that the thread does not get there again.
#[inline(never)]
fn below<T>(work: impl FnOnce() -> T) -> T {
    let room = [0u8; 64 * 1024];
    let result = work();
    std::hint::black_box(&room);
    result
}

/// Through the file that SAKs outlive a restart in, where this machine may have one.
fn keep_and_take(sak: &Sak) -> Option<KeptKeys<Sak>> {
    let name = format!("macsecgw-residue-{}", std::process::id());
    let state_path = std::env::temp_dir().join(&name);
    let saks_path = PathBuf::from("/dev/shm").join(&name);
    let state = StateDir::open(&state_path).unwrap();
    let taken = SakStore::open(&saks_path, &state).ok().map(|store| {
        let kept = KeptKeys {
            sci: SCI,
            keys: vec![KeptKey {
                ckn: ckn(),
                an: An::ALL[0],
                ki: KeyIdentifier([1; 16]),
                suite: CipherSuite::GcmAesXpn256,
                protection: KeptProtection::Offset0,
                salt: Some(Salt([2; 12])),
                sak,
                own_ssci: Some(Ssci(1)),
                next_pn: Some(Pn(1)),
                peers: vec![KeptPeer {
                    sci: Sci(1),
                    ssci: Some(Ssci(2)),
                    lowest_pn: Pn(1),
                }],
            }],
        };
        store.save("a", &kept).unwrap();
        let taken = store
            .take("a", SCI, Duration::from_secs(60))
            .unwrap()
            .unwrap();
        assert!(taken.keys[0].sak.expose() == sak.expose());
        taken
    });
    drop(state);
    fs::remove_dir_all(state_path).unwrap();
    let _ = fs::remove_dir_all(saks_path);
    taken
}
