//! Alarms that have a cause of their own: raised by it, and gone with it.

use std::time::Duration;

use super::ends::{End, Ends, Setting};
use crate::{
    bus::CakState,
    config::Utc,
    control::tests::bed::Desk,
    ieee::{Pn, PnSpace},
    macsec::{TxSa, TxSaParams, TxSaShared},
};

/// What the alarm of this name says, while it stands.
fn text(end: &mut End, name: &str) -> Option<String> {
    let alarms = end.seen().alarms;
    let alarm = alarms.into_iter().find(|alarm| alarm.name == name)?;
    Some(alarm.text)
}

/// A third station on the wire of two.
struct Third(End);

impl Third {
    fn new(ends: &Ends, setting: &Setting) -> Self {
        let mut end = End::start_at(Desk::new(), 3, setting);
        end.bed.now = ends.a.bed.now;
        Self(end)
    }

    fn pass(&mut self, ends: &mut Ends, time: Duration) {
        let until = ends.a.bed.now + time;
        while ends.a.bed.now < until {
            let before = ends.carried.len();
            ends.turn();
            self.0.bed.turn();
            for frame in &ends.carried[before..] {
                self.0.hear(frame);
            }
            for frame in self.0.said() {
                ends.a.hear(&frame);
                ends.b.hear(&frame);
            }
        }
    }
}

#[test]
fn a_member_that_there_is_no_room_for_is_told_while_it_is_there_and_a_minute_longer() {
    let setting = Setting::plain().mka("max_peers = 1");
    let mut ends = Ends::secured(&setting);
    assert_eq!(text(&mut ends.a, "unknown_member"), None);
    let mut third = Third::new(&ends, &setting);
    third.pass(&mut ends, Duration::from_secs(90));
    let told = text(&mut ends.a, "unknown_member").expect("an alarm");
    assert!(
        told.contains("02:00:00:00:00:03/1") && told.contains("the CAK 01"),
        "{told}"
    );
    assert!(!third.0.is_secured());
    assert_eq!(ends.a.mka().losses + ends.b.mka().losses, 0);
    ends.pass_with_traffic(Duration::from_secs(50));
    assert!(text(&mut ends.a, "unknown_member").is_some());
    ends.pass_with_traffic(Duration::from_secs(20));
    assert_eq!(ends.a.alarms(), [""; 0]);
}

#[test]
fn a_member_that_there_is_room_for_now_is_unknown_no_more() {
    let [one, two] = ["max_peers = 1", "max_peers = 2"].map(|line| Setting::plain().mka(line));
    let mut ends = Ends::secured(&one);
    let mut third = Third::new(&ends, &two);
    third.pass(&mut ends, Duration::from_secs(10));
    assert!(text(&mut ends.a, "unknown_member").is_some());
    ends.a.reload(&two).unwrap();
    ends.b.reload(&two).unwrap();
    third.pass(&mut ends, Duration::from_secs(15));
    assert!(third.0.is_secured());
    assert_eq!(ends.a.alarms(), [""; 0]);
}

/// CAK 1 ends in 5 s, when the 16 that one KaY takes begin. A peer that has CAK 1 alone keeps it alive beside
/// them, and so one has no place. `last` are further lines of that one.
fn crowded(last: &str) -> Ends {
    let now = Utc::now();
    let turn = Utc(now.0 + 5).to_string();
    let (end, start) = (format!("end = {turn}"), format!("start = {turn}"));
    let last = format!("{start}\n{last}");
    let mut caks = vec![(1, &*end)];
    caks.extend((2..17).map(|value| (value, &*start)));
    caks.push((17, &*last));
    let mut ends = Ends::new(&Setting::plain().caks(&caks), &Setting::plain());
    ends.until("secured", Duration::from_secs(1), Ends::both_secured);
    ends.pass_with_traffic(Duration::from_secs(20));
    let told = text(&mut ends.a, "cak_not_started").expect("an alarm");
    assert!(told.contains("the CAK 11 "), "{told}");
    assert!(ends.a.mka().caks[16].participant.is_none());
    ends
}

#[test]
fn a_cak_that_can_not_be_started_is_told_until_it_runs() {
    let mut ends = crowded("");
    // The peer comes over, the first CAK is needed no more, and its place is free.
    let both = Setting::plain().caks(&[(1, ""), (2, "")]);
    ends.b.reload(&both).unwrap();
    ends.pass_with_traffic(Duration::from_secs(30));
    assert_eq!(ends.a.alarms(), [""; 0]);
    let caks = ends.a.mka().caks;
    assert_eq!(caks[0].state, CakState::Expired);
    assert!(caks[16].participant.is_some());
    assert_eq!(ends.a.mka().losses, 0);
}

#[test]
fn a_cak_that_was_not_started_and_is_not_wanted_any_more_is_told_no_more() {
    let end = Utc(Utc::now().0 + 30).to_string();
    let mut ends = crowded(&format!("end = {end}"));
    ends.pass_with_traffic(Duration::from_secs(20));
    assert_eq!(ends.a.mka().caks[16].state, CakState::Expired);
    assert_eq!(ends.a.alarms(), ["cak_kept"]);
}

/// The key in use has protected frames up to `next_pn`, as far as control and the lane know.
fn wear_out(end: &mut End, next_pn: Pn) {
    let sci = end.bed.control.links[0].parts.own_sci;
    let sas = &mut end.session_mut().sas;
    let id = sas.encoding().unwrap().held.id();
    let used = sas.tx.iter_mut().find(|used| used.held.id() == id).unwrap();
    let key = &used.held.key;
    used.shared = TxSaShared::whole(PnSpace::Short);
    let worn = TxSa::new(TxSaParams {
        an: id.an,
        ki: id.ki,
        suite: key.suite,
        key: used.held.object.clone(),
        sci,
        xpn: None,
        confidentiality: crate::macsec::Confidentiality::Offset0,
        next_pn,
        shared: used.shared.clone(),
    });
    let tx = &mut end.bed.plane.links[0].tx;
    assert!(tx.install_sa(Box::new(worn.unwrap())).is_some());
    assert!(tx.encode_with(id.an, id.ki));
}

#[test]
fn packet_numbers_that_no_server_renews_are_told_before_they_end() {
    let suite = "cipher_suite = \"gcm-aes-128\"";
    let client = Setting::plain().link(suite).mka("key_server_priority = 32");
    // Its threshold is so late that it does not think of a new key yet.
    let late = "key_server_priority = 16\nsak_rekey_pn_share = 0.99";
    let server = Setting::plain()
        .link(&format!("{suite}\npn_soft_threshold = 0.995"))
        .mka(late);
    let mut ends = Ends::new(&client, &server);
    ends.until("secured", Duration::from_secs(1), Ends::both_secured);
    ends.pass_with_traffic(Duration::from_secs(7));
    // In the middle between the client's own threshold and the end.
    for (next_pn, told) in [(0xDFFF_0000, false), (0xE000_0000, true)] {
        wear_out(&mut ends.a, Pn(next_pn));
        ends.pass_with_traffic(Duration::from_secs(5));
        assert_eq!(text(&mut ends.a, "pn_near_end").is_some(), told);
    }
    assert_eq!(text(&mut ends.b, "pn_near_end"), None);
    let now = ends.b.bed.now;
    ends.b.bed.control.rekey(now, "l0").unwrap();
    ends.pass_with_traffic(Duration::from_secs(5));
    assert_eq!(ends.a.alarms(), [""; 0]);
    assert_eq!(ends.a.mka().losses + ends.b.mka().losses, 0);
}
