//! Identities over crashes, cut, changed and of someone else.

use super::super::model_disk::{CRASHES, Crash, ModelDisk};
use super::*;

const SCI: Sci = Sci(0x0200_0000_0001_0001);

fn files(disk: ModelDisk) -> Files<ModelDisk> {
    Files::new(Path::new("/state"), disk)
}

fn identity(generation: u64) -> MkaIdentity {
    let number = u32::try_from(generation).unwrap();
    let member = |octet: u8, ckn_len: usize| MkaMember {
        ckn: Ckn::new(&vec![octet; ckn_len]).unwrap(),
        mi: [octet; 12],
        mn_reserved: 1000 * number,
        kn_reserved: number,
    };
    MkaIdentity {
        generation,
        sci: SCI,
        members: vec![member(0x61, 1), member(7, 32)],
        latest: (generation % 2 == 1).then_some((An::ALL[3], KeyIdentifier([0x5a; 16]))),
        next_an: An::ALL[1],
    }
}

#[test]
fn an_identity_is_read_as_it_was_saved() {
    let all = files(ModelDisk::default());
    assert_eq!(all.identity("a", SCI), Ok(None));
    for generation in [1, 2] {
        all.save_identity("a", &identity(generation)).unwrap();
        assert_eq!(all.identity("a", SCI), Ok(Some(identity(generation))));
    }
    assert_eq!(all.identity("b", SCI), Ok(None));
    let empty = MkaIdentity {
        members: Vec::new(),
        ..identity(3)
    };
    all.save_identity("a", &empty).unwrap();
    assert_eq!(all.identity("a", SCI), Ok(Some(empty)));
}

#[test]
fn as_many_caks_as_fit_fit_with_the_greatest_numbers() {
    let full = MkaIdentity {
        generation: u64::MAX,
        members: (0..MAX_MEMBERS)
            .map(|_| MkaMember {
                ckn: Ckn::new(&[0xFF; 32]).unwrap(),
                mi: [0xFF; 12],
                mn_reserved: u32::MAX,
                kn_reserved: u32::MAX,
            })
            .collect(),
        ..identity(1)
    };
    let place = std::env::temp_dir().join(format!("macsecgw-identity-{}", std::process::id()));
    let dir = StateDir::open(&place).unwrap();
    dir.identity_file("a").save(&full).unwrap();
    assert_eq!(dir.identity("a", SCI).as_ref(), Ok(&Some(full.clone())));
    let mut over = full;
    over.members.push(over.members[0].clone());
    let refused = dir.identity_file("a").save(&over);
    std::fs::remove_dir_all(&place).unwrap();
    assert!(matches!(refused, Err(KeptError::TooMuch { .. })));
}

#[test]
fn no_crash_loses_a_number_that_was_reserved() {
    let mut crashes = 0;
    for calls in 0.. {
        let disk = ModelDisk::default();
        files(disk.clone())
            .save_identity("a", &identity(1))
            .unwrap();
        let limited = files(disk.stopping_after(calls));
        let mut saved = 1;
        for generation in 2..5 {
            if limited.save_identity("a", &identity(generation)).is_err() {
                break;
            }
            saved = generation;
        }
        for crash in CRASHES {
            let after = files(disk.crash(crash));
            after.clear_aside().unwrap();
            let found = after.identity("a", SCI).unwrap().unwrap();
            assert_eq!(found, identity(found.generation), "{crash:?} at {calls}");
            assert!(found.generation >= saved, "{crash:?} at {calls}: {found:?}");
            crashes += 1;
        }
        if saved == 4 {
            break;
        }
    }
    assert!(crashes > 4 * 10, "only {crashes} crashes");
}

#[test]
fn a_failed_save_leaves_the_last_one() {
    let disk = ModelDisk::default();
    files(disk.clone())
        .save_identity("a", &identity(1))
        .unwrap();
    let failed = files(disk.stopping_after(0)).save_identity("a", &identity(2));
    assert!(matches!(failed, Err(KeptError::Io { step: "write", .. })));
    let after = files(disk.crash(Crash::LosesAll));
    assert_eq!(after.identity("a", SCI), Ok(Some(identity(1))));
}

#[test]
fn an_identity_cut_or_changed_anywhere_is_refused() {
    let path = Path::new("/state/file");
    let text = encode("a", &identity(1)).into_bytes();
    assert!(decode(path, "a", SCI, &text).is_ok());
    for length in 0..text.len() {
        let found = decode(path, "a", SCI, &text[..length]);
        assert!(
            matches!(found, Err(KeptError::Truncated { .. })),
            "{length}: {found:?}"
        );
    }
    for at in 0..text.len() {
        for bit in 0..8 {
            let mut flipped = text.clone();
            flipped[at] ^= 1 << bit;
            let found = decode(path, "a", SCI, &flipped);
            assert!(found.is_err(), "bit {bit} of octet {at}");
        }
    }
    assert!(decode(path, "a", SCI, &[text.clone(), text].concat()).is_err());
}

#[test]
fn what_is_whole_but_says_nothing_is_refused() {
    let text = encode("a", &identity(1));
    let body = text.rsplit_once("checksum").unwrap().0;
    for (what, instead) in [
        ("next_an 1", "next_an 4"),
        ("generation 1", "generation -1"),
        ("latest 3 ", "latest 3  "),
        ("latest 3 5a", "latest 3 "),
        ("member 61 ", "member  "),
        ("link a\n", ""),
        (" 1000 1\n", " 1000 1 1\n"),
        (" 1000 1\n", " 1000\n"),
        (" 1000 1\n", " 4294967296 1\n"),
    ] {
        let changed = body.replacen(what, instead, 1);
        assert_ne!(changed, body, "{what}");
        let found = decode(Path::new("f"), "a", SCI, lines::sealed(changed).as_bytes());
        assert!(
            matches!(found, Err(KeptError::Corrupt { .. })),
            "{instead}: {found:?}"
        );
    }
}

#[test]
fn what_is_another_links_ports_or_programs_is_said_so() {
    let path = Path::new("/state/file");
    let text = encode("a", &identity(1));
    let other = decode(path, "b", SCI, text.as_bytes()).unwrap_err();
    assert_eq!(
        other.to_string(),
        "/state/file belongs to link a, not to b; a state file is not copied from one link to \
         another"
    );
    let other = decode(path, "a", Sci(0x0200_0000_0002_0001), text.as_bytes()).unwrap_err();
    assert_eq!(
        other.to_string(),
        "/state/file belongs to the SCI 02:00:00:00:00:01/1, and the secure port now has \
         02:00:00:00:00:02/1"
    );
    let later = decode(path, "a", SCI, b"macsecgw-mka-identity 2\nwhatever\n");
    assert!(matches!(later, Err(KeptError::Version { found, .. }) if found == "2"));
}

#[test]
fn the_fuzzers_seeds_are_whole_files() {
    let seeds = [
        (
            "a",
            include_str!("../../../tests/fuzz/corpus/mka_identity/fresh"),
        ),
        (
            "dx-1",
            include_str!("../../../tests/fuzz/corpus/mka_identity/two_caks"),
        ),
    ];
    for (link, seed) in seeds {
        let text = lines::sealed(seed.to_owned());
        decode(Path::new("seed"), link, SCI, text.as_bytes()).unwrap();
    }
}
