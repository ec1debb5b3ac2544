//! What a crash leaves behind, at every step and at every length.

use std::path::Path;

use super::dir::Files;
use super::model_disk::{CRASHES, Crash, ModelDisk};
use super::record::{Direction, Record, Status};
use super::{KeyUse, Reservation, StateError};
use crate::crypto::Fingerprint;
use crate::ieee::{An, CipherSuite, Pn, Sci};

const SCI: Sci = Sci(0x0200_0000_0001_0001);

fn key(link: &str) -> KeyUse {
    KeyUse {
        link: link.to_owned(),
        fingerprint: Fingerprint([1, 2, 3, 4, 5, 6, 7, 8]),
        suite: CipherSuite::GcmAesXpn256,
        an: An::ALL[0],
    }
}

fn files(disk: ModelDisk) -> Files<ModelDisk> {
    Files::new(Path::new("/state"), disk)
}

/// A disk on which `key("a")` is fresh.
fn fresh() -> ModelDisk {
    let disk = ModelDisk::default();
    files(disk.clone()).fresh_key(&key("a"), None).unwrap();
    disk
}

fn start(disk: &ModelDisk) -> Result<Reservation, StateError> {
    let files = files(disk.clone());
    files.clear_aside()?;
    files.reservation(&key("a"), SCI)
}

/// Runs a gateway that reserves three times and stops in order, on a disk that stops after `calls`
/// calls. Returns the last number that it used, and whether it came to its end.
fn life(disk: &ModelDisk, calls: usize) -> (Pn, bool) {
    let files = files(disk.stopping_after(calls));
    let mut used = Pn(0);
    let Ok(mut reservation) = files.reservation(&key("a"), SCI) else {
        return (used, false);
    };
    for _ in 0..3 {
        let until = reservation.reserved_until().saturating_add(100);
        if files.extend(&mut reservation, until).is_err() {
            return (used, false);
        }
        used = reservation.reserved_until().saturating_sub(7);
    }
    (used, files.settle(reservation, used).is_ok())
}

#[test]
fn no_crash_gives_a_used_number_out_again() {
    let mut crashes = 0;
    for calls in 0.. {
        let before = fresh();
        let (used, ended) = life(&before, calls);
        for crash in CRASHES {
            let after = before.crash(crash);
            let again = start(&after).unwrap_or_else(|e| panic!("{crash:?} at {calls}: {e}"));
            assert!(
                again.first() > used,
                "{crash:?} at {calls}: {again:?}, used {used}"
            );
            crashes += 1;
        }
        if ended {
            assert_eq!(used, Pn(293));
            assert_eq!(
                start(&before.crash(Crash::LosesAll)).unwrap().first(),
                Pn(294)
            );
            break;
        }
    }
    assert!(crashes > 4 * 16, "only {crashes} crashes");
}

#[test]
fn a_crash_while_a_key_is_said_to_be_fresh_leaves_it_unsaid_or_said() {
    for calls in 0.. {
        let disk = ModelDisk::default();
        let said = files(disk.stopping_after(calls)).fresh_key(&key("a"), None);
        for crash in CRASHES {
            match (start(&disk.crash(crash)), &said) {
                (Ok(reservation), _) => assert_eq!(reservation.first(), Pn::FIRST),
                (Err(StateError::Missing { .. }), Err(_)) => {}
                (Err(error), said) => panic!("{crash:?} at {calls}, {said:?}: {error}"),
            }
        }
        if said.is_ok() {
            break;
        }
    }
}

#[test]
fn a_crash_while_a_key_is_retired_never_makes_it_fresh() {
    for calls in 0.. {
        let disk = fresh();
        let mut reservation = start(&disk).unwrap();
        files(disk.clone())
            .extend(&mut reservation, Pn(500))
            .unwrap();
        let retired = files(disk.stopping_after(calls)).retire(reservation);
        for crash in CRASHES {
            let after = disk.crash(crash);
            match (start(&after), &retired) {
                (Err(StateError::Retired { .. }), _) => {}
                (Ok(reservation), Err(_)) => assert_eq!(reservation.first(), Pn(501)),
                (found, retired) => panic!("{crash:?} at {calls}, {retired:?}: {found:?}"),
            }
            let fresh = files(after).fresh_key(&key("b"), None);
            assert!(matches!(fresh, Err(StateError::Known { .. })), "{fresh:?}");
        }
        if retired.is_ok() {
            break;
        }
    }
}

#[test]
fn a_floor_never_falls_whatever_crashes() {
    for calls in 0.. {
        let disk = ModelDisk::default();
        let limited = files(disk.stopping_after(calls));
        let mut saved = Pn::FIRST;
        let mut ended = true;
        for floor in [Pn(10), Pn(300), Pn(200)] {
            match limited.save_rx_floor(&key("a"), SCI, floor) {
                Ok(()) => saved = saved.max(floor),
                Err(_) => ended = false,
            }
        }
        for crash in CRASHES {
            let after = files(disk.crash(crash));
            after.clear_aside().unwrap();
            let floor = after.rx_floor(&key("a"), SCI).unwrap();
            assert!(floor >= saved, "{crash:?} at {calls}: {floor} < {saved}");
        }
        if ended {
            break;
        }
    }
}

#[test]
fn a_failed_reservation_keeps_the_old_one_and_can_be_made_again() {
    let disk = fresh();
    let mut reservation = start(&disk).unwrap();
    for calls in 0..4 {
        let failed = files(disk.stopping_after(calls)).extend(&mut reservation, Pn(100));
        assert!(
            matches!(failed, Err(StateError::Io { .. })),
            "{calls}: {failed:?}"
        );
        assert_eq!(reservation.reserved_until(), Pn(0));
    }
    disk.calls_left.set(None);
    files(disk.clone())
        .extend(&mut reservation, Pn(100))
        .unwrap();
    assert_eq!(
        start(&disk.crash(Crash::LosesAll)).unwrap().first(),
        Pn(101)
    );
}

fn some_record() -> Record {
    Record {
        direction: Direction::Transmit,
        link: "a".to_owned(),
        fingerprint: key("a").fingerprint,
        suite: CipherSuite::GcmAesXpn256,
        sci: Some(SCI),
        an: An::ALL[0],
        status: Status::Active,
        pn: Pn(123_456),
    }
}

#[test]
fn a_record_is_read_as_it_was_written() {
    let path = Path::new("/state/file");
    for status in [Status::Active, Status::Retired] {
        for sci in [None, Some(SCI)] {
            let record = Record {
                status,
                sci,
                ..some_record()
            };
            assert_eq!(Record::decode(path, record.encode().as_bytes()), Ok(record));
        }
    }
}

#[test]
fn a_record_cut_or_changed_anywhere_is_refused() {
    let path = Path::new("/state/file");
    let text = some_record().encode().into_bytes();
    for length in 0..text.len() {
        let found = Record::decode(path, &text[..length]);
        assert!(
            matches!(found, Err(StateError::Truncated { .. })),
            "{length}: {found:?}"
        );
    }
    for at in 0..text.len() {
        for bit in 0..8 {
            let mut flipped = text.clone();
            flipped[at] ^= 1 << bit;
            let found = Record::decode(path, &flipped);
            assert!(found.is_err(), "bit {bit} of octet {at}");
        }
    }
    let mut longer = text.clone();
    longer.extend_from_slice(b"x\n");
    assert!(Record::decode(path, &longer).is_err());
    let mut twice = text.clone();
    twice.extend_from_slice(&text);
    assert!(Record::decode(path, &twice).is_err());
}

#[test]
fn a_later_version_is_told_from_a_broken_file() {
    let path = Path::new("/state/file");
    let found = Record::decode(path, b"macsecgw-packet-numbers 2\nwhatever: comes\n");
    assert_eq!(
        found,
        Err(StateError::Version {
            path: path.to_path_buf(),
            found: "2".to_owned()
        })
    );
}

#[test]
fn another_use_of_a_key_is_refused_by_name() {
    let disk = fresh();
    let mut reservation = start(&disk).unwrap();
    let all = files(disk);
    all.extend(&mut reservation, Pn(9)).unwrap();
    let what = |key: &KeyUse, sci: Sci| match all.reservation(key, sci) {
        Err(StateError::Mismatch { what, .. }) => what,
        other => panic!("{other:?}"),
    };
    let other_an = KeyUse {
        an: An::ALL[1],
        ..key("a")
    };
    let other_suite = KeyUse {
        suite: CipherSuite::GcmAes256,
        ..key("a")
    };
    assert_eq!(what(&other_an, SCI), "association number");
    assert_eq!(what(&other_suite, SCI), "cipher suite");
    assert_eq!(what(&key("a"), Sci(1)), "SCI");
    assert_eq!(
        all.reservation(&key("b"), SCI),
        Err(StateError::OtherLink {
            link: "a".to_owned(),
            fingerprint: key("a").fingerprint
        })
    );
}

#[test]
fn reservations_stay_within_the_space_and_go_up() {
    let disk = ModelDisk::default();
    let all = files(disk);
    let key = KeyUse {
        suite: CipherSuite::GcmAes128,
        ..key("a")
    };
    all.fresh_key(&key, Some(SCI)).unwrap();
    let mut reservation = all.reservation(&key, SCI).unwrap();
    let last = Pn(u32::MAX.into());
    for until in [Pn(0), last.saturating_add(1)] {
        let refused = all.extend(&mut reservation, until);
        assert!(matches!(refused, Err(StateError::Range { .. })), "{until}");
    }
    all.extend(&mut reservation, last).unwrap();
    assert!(matches!(
        all.extend(&mut reservation, last),
        Err(StateError::Range { .. })
    ));
    assert_eq!(
        all.reservation(&key, SCI),
        Err(StateError::Exhausted {
            fingerprint: key.fingerprint
        })
    );
}

#[test]
fn a_stop_gives_back_only_what_was_reserved() {
    let disk = fresh();
    let all = files(disk.clone());
    let refused = |last_used: Pn| {
        let mut reservation = start(&disk).unwrap();
        let until = reservation.first().saturating_add(99);
        all.extend(&mut reservation, until).unwrap();
        matches!(
            all.settle(reservation, last_used),
            Err(StateError::Range { .. })
        )
    };
    assert!(refused(Pn(101)), "past the end of 1..=100");
    assert!(refused(Pn(99)), "before the start of 101..=200");
    assert_eq!(start(&disk).unwrap().first(), Pn(201));
}
