//! Someone on the wires of a gateway in `must_encrypt`: what they change, repeat or invent is dropped and
//! counted under the name of what is wrong with it, and the traffic goes on. And what a wire carries, ends
//! or hands to control.

mod support;

use std::collections::BTreeMap;
use std::time::Duration;
use support::{
    Ends, Gateway, MACSEC_OCTETS, Span, Suite, assert_balanced, drop_counters, ethernet,
};

/// Octets of a protected frame with an SCI: addresses and EtherType, then the SecTAG.
const TCI_AN: usize = 14;
const SHORT_LENGTH: usize = 15;
const PN: std::ops::Range<usize> = 16..20;
const FIRST_OF_SCI: usize = 20;
const FIRST_OF_DATA: usize = 28;

/// What a frame that is to be dropped counts as: the lane, the reason, and the MIB's counter if it has one.
type Counted = (&'static str, &'static str, Option<&'static str>);

const BAD_TAG: Counted = validate("bad_tag", "macsec_secy_in_pkts_bad_tag_total");
const NOT_VALID: Counted = validate("not_valid", "macsec_rx_sc_in_pkts_not_valid_total");
const NO_SCI: Counted = validate("no_sci", "macsec_secy_in_pkts_no_sci_total");
const NO_TAG: Counted = validate("no_tag", "macsec_secy_in_pkts_no_tag_total");
const LATE: Counted = validate("late", "macsec_rx_sc_in_pkts_late_total");
const DUPLICATE: Counted = validate("duplicate", "macsec_rx_sc_in_pkts_duplicate_total");
const KAY_ONLY: Counted = ("validate", "kay_only", None);
const NOT_USING_SA: Counted = validate("not_using_sa", "macsec_rx_sc_in_pkts_not_using_sa_total");
const TOO_LONG_IN: Counted = ("validate", "too_long", None);

const TOO_LONG_OUT: Counted = (
    "protect",
    "too_long",
    Some("macsec_secy_out_pkts_too_long_total"),
);

const fn validate(reason: &'static str, mib: &'static str) -> Counted {
    ("validate", reason, Some(mib))
}

/// Which counters of dropped frames have grown, and by how much.
fn grown(before: &BTreeMap<String, u64>, after: &BTreeMap<String, u64>) -> Vec<(String, u64)> {
    let grown = after.iter().filter_map(|(name, value)| {
        let gained = value - before.get(name).copied().unwrap_or(0);
        (gained > 0).then(|| (name.clone(), gained))
    });
    grown.collect()
}

/// Runs `send`, sees that one frame was dropped as `counted` and as nothing else, and that the next frames
/// pass both ways.
#[track_caller]
fn dropped(
    ends: &mut Ends,
    gateway: &Gateway<'_>,
    case: &str,
    counted: Counted,
    send: impl FnOnce(&mut Ends),
) {
    let before = drop_counters(&gateway.metrics_text());
    send(ends);
    ends.pass();
    let (lane, reason, mib) = counted;
    let wanted = 1 + usize::from(mib.is_some());
    let mut seen = Vec::new();
    for _ in 0..100 {
        seen = grown(&before, &drop_counters(&gateway.metrics_text()));
        if seen.len() >= wanted {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let is = |name: &str| {
        let own = name.starts_with("macsecgw_lane_dropped_frames_total{");
        own && name.contains(&format!("lane=\"{lane}\""))
            && name.contains(&format!("reason=\"{reason}\""))
            || mib.is_some_and(|mib| name.split_once('{').map(|(metric, _)| metric) == Some(mib))
    };
    let right = seen.len() == wanted && seen.iter().all(|(name, gained)| *gained == 1 && is(name));
    assert!(right, "{case}: wanted {counted:?}, counted {seen:?}");
}

/// A frame of the peer, protected, then spoilt, put on the secure wire.
#[track_caller]
fn spoilt(
    ends: &mut Ends,
    gateway: &Gateway<'_>,
    case: &str,
    counted: Counted,
    spoil: impl FnOnce(&mut Vec<u8>),
) {
    dropped(ends, gateway, case, counted, |ends| {
        let frame = ends.fresh(Span::PEER_MAC, 300);
        let mut frame = ends.peer.protect(&frame);
        spoil(&mut frame);
        ends.wan.send(&frame);
    });
}

/// Every way to spoil a frame that does not depend on the replay window.
fn spoil_in_every_way(ends: &mut Ends, gateway: &Gateway<'_>) {
    let mut flip = |case: &str, counted: Counted, at: usize, bits: u8| {
        spoilt(ends, gateway, case, counted, |frame| frame[at] ^= bits);
    };
    let last = 300 + MACSEC_OCTETS - 1;
    flip("a bit of the ICV", NOT_VALID, last, 0x80);
    flip("a bit of the data", NOT_VALID, FIRST_OF_DATA + 100, 1);
    flip("a bit of the destination", NOT_VALID, 2, 4);
    flip("a bit of the source", NOT_VALID, 8, 4);
    flip("an unknown SCI", NO_SCI, FIRST_OF_SCI + 5, 4);
    flip("another port in the SCI", NO_SCI, FIRST_OF_SCI + 7, 4);
    flip("an AN without SA", NOT_USING_SA, TCI_AN, 1);
    flip("version 1", BAD_TAG, TCI_AN, 0x80);
    flip("SC and ES", BAD_TAG, TCI_AN, 0x40);
    flip("E without C", KAY_ONLY, TCI_AN, 0x04);
    flip("C without E", NOT_VALID, TCI_AN, 0x08);
    flip("neither E nor C", NOT_VALID, TCI_AN, 0x0C);
    // What is behind the data and ICV of a short length counts as pad, so these octets are no ICV.
    flip("a short length of 20", NOT_VALID, SHORT_LENGTH, 20);
    flip("a short length of 48", BAD_TAG, SHORT_LENGTH, 48);
    flip("a bit beside the short length", BAD_TAG, SHORT_LENGTH, 0x40);
    let mut cut = |case: &str, counted: Counted, length: usize| {
        spoilt(ends, gateway, case, counted, |frame| frame.truncate(length));
    };
    cut("cut by 10 octets", NOT_VALID, 300 + MACSEC_OCTETS - 10);
    cut("cut within the ICV", BAD_TAG, FIRST_OF_DATA + 8);
    cut("cut within the SecTAG", BAD_TAG, FIRST_OF_SCI + 3);
    cut("nothing behind the EtherType", BAD_TAG, TCI_AN);
    let case = "shorter than its short length";
    spoilt(ends, gateway, case, BAD_TAG, |frame| {
        frame[SHORT_LENGTH] = 40;
        frame.truncate(FIRST_OF_DATA + 39 + 16);
    });
    spoilt(ends, gateway, "longer by 5 octets", NOT_VALID, |frame| {
        frame.extend([0; 5])
    });
    dropped(ends, gateway, "in clear", NO_TAG, |ends| {
        let frame = ends.fresh(Span::PEER_MAC, 300);
        ends.wan.send(&frame);
    });
}

/// Frames that are longer than the link, in each direction: one octet too many, and more than a slot holds.
fn overlong(ends: &mut Ends, gateway: &Gateway<'_>) {
    for length in [1500 + 22 + 1, 2500] {
        dropped(
            ends,
            gateway,
            "an overlong frame of the peer",
            TOO_LONG_IN,
            |ends| {
                let frame = ends.fresh(Span::PEER_MAC, length);
                let frame = ends.peer.protect(&frame);
                ends.wan.send(&frame);
            },
        );
        dropped(
            ends,
            gateway,
            "an overlong frame of the host",
            TOO_LONG_OUT,
            |ends| {
                let frame = ends.fresh(Span::HOST_MAC, length);
                ends.lan.send(&frame);
            },
        );
    }
    // VLAN tags come on top, two at most, and only where they are.
    for tags in 0..=2 {
        let frame = tagged(tags, 1514 + 4 * tags);
        ends.out(&frame);
        ends.back(&frame);
        let frame = tagged(tags, 1514 + 4 * tags + 1);
        let case = format!("{tags} tags, an octet too long");
        dropped(ends, gateway, &case, TOO_LONG_OUT, |ends| {
            ends.lan.send(&frame);
        });
        dropped(ends, gateway, &case, TOO_LONG_IN, |ends| {
            let frame = ends.peer.protect(&frame);
            ends.wan.send(&frame);
        });
    }
}

/// A frame of the host with so many VLAN tags.
fn tagged(tags: usize, length: usize) -> Vec<u8> {
    let mut frame = ethernet(
        [2, 0, 0, 0, 0xEE, 0],
        Span::HOST_MAC,
        0x88B5,
        length - 4 * tags,
    );
    frame.splice(12..12, [0x81, 0, 0, 7].repeat(tags));
    frame
}

#[test]
fn what_is_spoilt_on_the_wire_is_dropped_counted_by_its_fault_and_harms_nothing_else() {
    let span = Span::new(3000);
    let cases = [(Suite::ALL[0], "strict"), (Suite::ALL[3], "window")];
    for (suite, replay) in cases {
        let keys = Span::keys(suite);
        let mode = format!("replay = \"{replay}\"");
        let lines = match replay {
            "window" => vec![mode.as_str(), "replay_window = 8"],
            _ => vec![mode.as_str()],
        };
        let gateway = span.start(&Span::config(&keys, &lines));
        let mut ends = Ends::new(&span, &keys, 1);
        ends.pass();
        spoil_in_every_way(&mut ends, &gateway);
        overlong(&mut ends, &gateway);

        let again = match replay {
            "window" => DUPLICATE,
            _ => LATE,
        };
        let frame = ends.fresh(Span::PEER_MAC, 300);
        let frame = ends.peer.protect(&frame);
        ends.wan.send(&frame);
        assert!(
            ends.from_gateway_plain
                .next(Duration::from_secs(5))
                .is_some()
        );
        dropped(&mut ends, &gateway, "repeated", again, |ends| {
            ends.wan.send(&frame)
        });
        for _ in 0..10 {
            ends.pass();
        }
        dropped(
            &mut ends,
            &gateway,
            "repeated below the window",
            LATE,
            |ends| {
                ends.wan.send(&frame);
            },
        );
        spoilt(&mut ends, &gateway, "packet number 0", BAD_TAG, |frame| {
            frame[PN].fill(0);
        });
        assert_balanced(&gateway);
        assert_eq!(gateway.stop(), 0);
    }
}

const PAUSE: [u8; 6] = [1, 0x80, 0xC2, 0, 0, 1];
const LLDP: [u8; 6] = [1, 0x80, 0xC2, 0, 0, 0x0E];
const EAPOL: [u8; 6] = [1, 0x80, 0xC2, 0, 0, 3];

/// What switches and routers say to their next neighbour, and a wire carries: address and EtherType (or,
/// for STP, a length).
const NEIGHBOURLY: [([u8; 6], u16); 5] = [
    ([1, 0x80, 0xC2, 0, 0, 2], 0x8809),
    (LLDP, 0x88CC),
    ([1, 0x80, 0xC2, 0, 0, 0], 38),
    (LLDP, 0x88F7),
    ([1, 0, 0x0C, 0xCC, 0xCC, 0xCC], 80),
];

fn to_control(gateway: &Gateway<'_>) -> u64 {
    let lane = [("lane", "validate")];
    gateway
        .metrics()
        .count("macsecgw_lane_to_control_frames_total", &lane)
}

#[test]
fn eapol_pause_and_neighbours_frames_go_where_a_wire_with_its_own_key_agreement_takes_them() {
    let span = Span::new(1600);
    let keys = Span::keys(Suite::ALL[1]);
    let gateway = span.start(&Span::config(&keys, &[]));
    let mut ends = Ends::new(&span, &keys, 1);
    for (to, ethertype) in NEIGHBOURLY {
        ends.out(&ethernet(to, Span::HOST_MAC, ethertype, 124));
        ends.back(&ethernet(to, Span::PEER_MAC, ethertype, 124));
    }

    // EAPOL on the secure wire is control's, at any destination; what comes next shows it is nobody else's.
    for (count, to) in [(1, EAPOL), (2, [2, 0, 0, 0, 0xEE, 0])] {
        ends.wan.send(&ethernet(to, Span::PEER_MAC, 0x888E, 124));
        ends.pass();
        assert_eq!(to_control(&gateway), count);
    }
    // Of the host, and inside MACsec, it is data.
    ends.out(&ethernet(EAPOL, Span::HOST_MAC, 0x888E, 124));
    ends.back(&ethernet(EAPOL, Span::PEER_MAC, 0x888E, 124));
    assert_eq!(to_control(&gateway), 2);

    let ended = |lane| (lane, "mac_control", None);
    dropped(
        &mut ends,
        &gateway,
        "pause of the host",
        ended("protect"),
        |ends| {
            ends.lan.send(&ethernet(PAUSE, Span::HOST_MAC, 0x8808, 60));
        },
    );
    dropped(
        &mut ends,
        &gateway,
        "pause on the secure wire",
        ended("validate"),
        |ends| {
            ends.wan.send(&ethernet(PAUSE, Span::PEER_MAC, 0x8808, 60));
        },
    );
    dropped(
        &mut ends,
        &gateway,
        "pause inside MACsec",
        ended("validate"),
        |ends| {
            let pause = ends
                .peer
                .protect(&ethernet(PAUSE, Span::PEER_MAC, 0x8808, 60));
            ends.wan.send(&pause);
        },
    );
    assert_balanced(&gateway);
    assert_eq!(gateway.stop(), 0);
}

#[test]
fn the_bypass_list_lets_its_types_through_in_its_direction_alone() {
    let span = Span::new(1600);
    let keys = Span::keys(Suite::ALL[2]);
    let bypass = "bypass = [{ ethertype = 0x88CC, direction = \"protect\" }, \
                  { ethertype = 0x88F7, direction = \"validate\" }]";
    let gateway = span.start(&Span::config(&keys, &[bypass]));
    let mut ends = Ends::new(&span, &keys, 1);
    let frame = |from, ethertype| ethernet(LLDP, from, ethertype, 124);
    let (host, peer) = (Span::HOST_MAC, Span::PEER_MAC);

    let lldp = frame(host, 0x88CC);
    ends.lan.send(&lldp);
    let seen = ends.from_gateway_secure.next(Duration::from_secs(5));
    assert_eq!(seen.map(|seen| seen.0).as_ref(), Some(&lldp), "in clear");
    let ptp = frame(peer, 0x88F7);
    ends.wan.send(&ptp);
    let seen = ends.from_gateway_plain.next(Duration::from_secs(5));
    assert_eq!(seen.map(|seen| seen.0).as_ref(), Some(&ptp), "in clear");

    // The other directions: protected, or refused.
    ends.out(&frame(host, 0x88F7));
    ends.back(&frame(peer, 0x88CC));
    dropped(&mut ends, &gateway, "LLDP in clear", NO_TAG, |ends| {
        ends.wan.send(&frame(peer, 0x88CC));
    });
    // What may come in clear may come protected too.
    ends.back(&frame(peer, 0x88F7));

    let metrics = gateway.metrics();
    for lane in ["protect", "validate"] {
        let name = "macsecgw_lane_bypassed_frames_total";
        assert_eq!(metrics.count(name, &[("lane", lane)]), 1, "{lane}");
    }
    let alarm = [("alarm", "bypass_in_must_encrypt")];
    assert_eq!(metrics.count("macsecgw_link_alarm", &alarm), 1);
    assert_balanced(&gateway);
    assert_eq!(gateway.stop(), 0);
}
