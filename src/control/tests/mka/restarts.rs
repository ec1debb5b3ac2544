//! Gateways that are killed or stopped, and start again beside a peer that went on.

use std::{collections::BTreeSet, fs, os::unix::fs::DirBuilderExt, path::PathBuf, time::Duration};

use super::ends::{End, Ends, Setting};
use crate::{control::tests::plane::Frame, macsec::FrameBuf};

/// A directory in RAM.
struct Ram(PathBuf);

impl Ram {
    fn new(name: &str) -> Self {
        let path = PathBuf::from(format!("/dev/shm/macsecgw-{}-{name}", std::process::id()));
        fs::DirBuilder::new().mode(0o700).create(&path).unwrap();
        Self(path)
    }

    fn setting(&self) -> Setting {
        Setting::plain().mka(&format!("keep_saks_dir = \"{}/saks\"", self.0.display()))
    }
}

impl Drop for Ram {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// AN and packet number of a protected frame with an explicit SCI.
fn numbers(frame: &Frame) -> (u8, u32) {
    let octets = frame.octets();
    let pn = u32::from_be_bytes(octets[16..20].try_into().unwrap());
    (octets[14] & 3, pn)
}

/// Sends a frame of the first end to the second and says which numbers it had.
fn send(ends: &mut Ends, seen: &mut BTreeSet<(u8, u32)>) -> Frame {
    let frame = ends.a.bed.plane.protect().unwrap();
    assert!(seen.insert(numbers(&frame)), "{:?} again", numbers(&frame));
    assert_eq!(ends.b.bed.plane.receive(frame.clone()), None);
    frame
}

fn restart(ends: &mut Ends, setting: &Setting) {
    let desk = ends.a.kill();
    ends.a = End::start_at(desk, 1, setting);
    ends.a.bed.now = ends.b.bed.now;
}

#[test]
fn a_killed_gateway_goes_on_with_its_saks_and_no_number_comes_twice() {
    let ram = Ram::new("killed");
    let mut ends = Ends::secured(&ram.setting());
    let (mut seen, mut recorded) = (BTreeSet::new(), Vec::new());
    for _ in 0..300 {
        ends.turn();
        send(&mut ends, &mut seen);
        recorded.push(ends.b.bed.plane.protect().unwrap());
        let last = recorded.last().unwrap().clone();
        assert_eq!(ends.a.bed.plane.receive(last), None);
    }
    let ki = ends.a.session().sas.encoding().unwrap().held.id().ki;
    restart(&mut ends, &ram.setting());
    let files = fs::read_dir(ram.0.join("saks")).unwrap();
    let saks = files
        .flatten()
        .filter(|file| file.path().to_string_lossy().contains("l0.saks"));
    assert_eq!(saks.count(), 0, "taken before the first frame");
    let took = ends.until("secured", Duration::from_secs(1), |ends| {
        ends.a.is_secured()
    });
    assert!(took < Duration::from_millis(500), "{took:?}");
    assert_eq!(ends.a.session().sas.encoding().unwrap().held.id().ki, ki);
    send(&mut ends, &mut seen);
    // What was taken a second or more before the kill is not taken again.
    for frame in recorded.iter().take(150) {
        assert!(ends.a.bed.plane.receive(frame.clone()).is_some());
    }
    let frame = ends.b.bed.plane.protect().unwrap();
    assert_eq!(
        ends.a.bed.plane.receive(frame),
        None,
        "the peer was never told anything"
    );
    // A new SAK comes soon, and costs nothing.
    ends.pass_with_traffic(Duration::from_secs(9));
    assert_ne!(ends.a.session().sas.encoding().unwrap().held.id().ki, ki);
    assert_eq!(ends.b.mka().losses, 0);
}

#[test]
fn without_leave_a_killed_gateway_is_the_same_member_and_soon_secured() {
    let mut ends = Ends::secured(&Setting::plain());
    let mi = |end: &mut End| end.mka().caks[0].participant.as_ref().unwrap().mi.clone();
    ends.pass(Duration::from_secs(1));
    let before = mi(&mut ends.a);
    restart(&mut ends, &Setting::plain());
    assert_eq!(ends.a.bed.keys.alive(), 0);
    ends.until("secured", Duration::from_secs(8), |ends| {
        ends.a.is_secured()
    });
    ends.pass(Duration::from_millis(300));
    assert_eq!(mi(&mut ends.a), before);
    ends.pass_with_traffic(Duration::from_secs(1));
}

#[test]
fn an_identity_that_is_damaged_is_not_believed() {
    let mut ends = Ends::secured(&Setting::plain());
    let desk = ends.a.kill();
    fs::write(desk.state().join("mka.l0.identity"), "x").unwrap();
    ends.a = End::start_at(desk, 1, &Setting::plain());
    ends.a.bed.now = ends.b.bed.now;
    ends.until("secured", Duration::from_secs(12), Ends::both_secured);
}

#[test]
fn a_disk_that_fails_stops_new_numbers_and_not_the_session() {
    let mut ends = Ends::secured(&Setting::plain());
    let state = ends.a.bed.desk.state();
    let away = ends.a.bed.desk.path.join("away");
    fs::rename(&state, &away).unwrap();
    let both = Setting::plain().caks(&[(1, ""), (2, "")]);
    ends.a.reload(&both).unwrap();
    ends.b.reload(&both).unwrap();
    ends.pass_with_traffic(Duration::from_secs(20));
    let alarms = ends.a.alarms();
    assert!(alarms.contains(&"state_not_written"), "{alarms:?}");
    assert!(ends.a.mka().counters.save_errors > 10, "it is tried again");
    assert_eq!(ends.b.mka().principal.unwrap().octets(), [1]);
    fs::rename(&away, &state).unwrap();
    ends.pass_with_traffic(Duration::from_secs(15));
    assert!(!ends.a.alarms().contains(&"state_not_written"));
    assert_eq!(ends.b.mka().principal.unwrap().octets(), [2]);
}

#[test]
fn a_gateway_that_ends_in_order_wipes_its_keys_and_may_go_on_with_them() {
    let ram = Ram::new("ended");
    let mut ends = Ends::secured(&ram.setting());
    let mut seen = BTreeSet::new();
    for _ in 0..50 {
        ends.turn();
        send(&mut ends, &mut seen);
    }
    let ki = ends.a.session().sas.encoding().unwrap().held.id().ki;
    let desk = ends.a.end_in_order();
    ends.a = End::start_at(desk, 1, &ram.setting());
    ends.a.bed.now = ends.b.bed.now;
    ends.until("secured", Duration::from_secs(1), |ends| {
        ends.a.is_secured()
    });
    assert_eq!(ends.a.session().sas.encoding().unwrap().held.id().ki, ki);
    // Where it stopped was known: not one number was skipped.
    let last = seen.iter().map(|(_, pn)| *pn).max().unwrap();
    let frame = send(&mut ends, &mut seen);
    assert_eq!(numbers(&frame).1, last + 1);
    assert_eq!(ends.b.mka().losses, 0);
}
