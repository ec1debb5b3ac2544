//! Someone on the wire between the gateway and its peer: every frame that they change, repeat or invent is
//! dropped and counted under the name of what is wrong with it, and the traffic goes on.

mod support;

use std::time::Duration;
use support::{Capture, Frame, Gateway, Line, MacsecDevice, Metrics, RawPort, Suite, ping};

/// Octets of a protected frame with an SCI: addresses and EtherType, then the SecTAG.
const TCI_AN: usize = 14;
const SHORT_LENGTH: usize = 15;
const PN: std::ops::Range<usize> = 16..20;
const LAST_OF_SCI: usize = 27;
const FIRST_OF_DATA: usize = 28;
/// Octets of the peer's address.
const PEER: [u8; 6] = [2, 0, 0, 0, 0, 0x0B];

/// The same frame under a packet number that was not used yet, and not far ahead.
fn unused_pn(frame: &[u8]) -> Vec<u8> {
    let mut frame = frame.to_vec();
    let pn = frame[PN]
        .iter()
        .fold(0, |pn: u32, octet| pn << 8 | u32::from(*octet));
    frame[PN].copy_from_slice(&(pn + 7).to_be_bytes());
    frame
}

fn flipped(mut frame: Vec<u8>, at: usize, bits: u8) -> Vec<u8> {
    frame[at] ^= bits;
    frame
}

/// What each counter must have gained: exactly one, under exactly this name.
fn counters(metrics: &Metrics) -> Vec<(&'static str, u64)> {
    let names = [
        "macsec_rx_sc_in_pkts_late_total",
        "macsec_rx_sc_in_pkts_not_valid_total",
        "macsec_rx_sc_in_pkts_not_using_sa_total",
        "macsec_secy_in_pkts_no_sci_total",
        "macsec_secy_in_pkts_no_tag_total",
        "macsec_secy_in_pkts_bad_tag_total",
    ];
    names.map(|name| (name, metrics.count(name, &[]))).to_vec()
}

/// Puts `frame` on the wire and checks that `name` alone has one more, and that pings still pass.
fn dropped_as(line: &Line, gateway: &Gateway<'_>, case: &str, frame: &[u8], name: &str) {
    let before = counters(&gateway.metrics());
    RawPort::open(&line.peer, "wan").send(frame);
    let mut expected = before.clone();
    for (counter, count) in &mut expected {
        *count += u64::from(*counter == name);
    }
    assert_ne!(before, expected, "{name} is no counter that this looks at");
    let mut after = Vec::new();
    for _ in 0..50 {
        after = counters(&gateway.metrics());
        if after == expected {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(after, expected, "{case}");
    ping(&line.guest, Line::HOST, 3, 56).lossless();
    ping(&line.host, Line::PEER, 3, 56).lossless();
    assert_eq!(
        counters(&gateway.metrics()),
        expected,
        "{case}: the traffic after it"
    );
}

#[test]
fn what_is_changed_on_the_wire_is_dropped_and_counted_by_its_fault() {
    let line = Line::new();
    for suite in [Suite::ALL[0], Suite::ALL[3]] {
        let device = MacsecDevice::new(suite, Line::SECURE_MAC);
        let gateway = line.start(&device, &["replay = \"strict\""]);
        let mut wire = Capture::start(&line.peer, "wan", "ether proto 0x88e5", &line.scratch);
        ping(&line.guest, Line::HOST, 3, 56).lossless();
        let mut payload = 200;
        // A frame that the gateway has just taken. Its length is that of no other before it.
        let mut genuine = || {
            payload += 1;
            ping(&line.guest, Line::HOST, 1, payload).lossless();
            let length = 14 + 20 + 8 + payload + 16 + 16;
            let wanted = |frame: &Frame| frame.0[6..12] == PEER && frame.0.len() == length as usize;
            let seen = wire.next_where(Duration::from_secs(10), wanted);
            seen.unwrap_or_else(|| panic!("no frame of {length} octets from the peer"))
                .0
        };
        let not_valid = "macsec_rx_sc_in_pkts_not_valid_total";
        let bad_tag = "macsec_secy_in_pkts_bad_tag_total";
        let try_one = |case: &str, frame: &[u8], name: &str| {
            dropped_as(&line, &gateway, case, frame, name);
        };

        try_one("repeated", &genuine(), "macsec_rx_sc_in_pkts_late_total");
        let frame = flipped(unused_pn(&genuine()), FIRST_OF_DATA, 1);
        try_one("a bit of the data", &frame, not_valid);
        let frame = unused_pn(&genuine());
        let last = frame.len() - 1;
        try_one("a bit of the ICV", &flipped(frame, last, 0x80), not_valid);
        let frame = flipped(unused_pn(&genuine()), 0, 2);
        try_one("a bit of the destination", &frame, not_valid);
        let mut frame = unused_pn(&genuine());
        frame.truncate(frame.len() - 10);
        try_one("cut by 10 octets", &frame, not_valid);
        let mut frame = unused_pn(&genuine());
        frame.truncate(FIRST_OF_DATA + 8);
        try_one("cut within the ICV", &frame, bad_tag);
        let frame = flipped(unused_pn(&genuine()), LAST_OF_SCI, 0x40);
        try_one("unknown SCI", &frame, "macsec_secy_in_pkts_no_sci_total");
        let frame = flipped(unused_pn(&genuine()), TCI_AN, 2);
        try_one(
            "wrong AN",
            &frame,
            "macsec_rx_sc_in_pkts_not_using_sa_total",
        );
        let frame = flipped(unused_pn(&genuine()), TCI_AN, 0x80);
        try_one("version 1", &frame, bad_tag);
        // A length that fits takes what follows for padding, and the ICV is looked for where it is not.
        let frame = flipped(unused_pn(&genuine()), SHORT_LENGTH, 20);
        try_one("short length of 20 on a long frame", &frame, not_valid);
        let frame = flipped(unused_pn(&genuine()), SHORT_LENGTH, 60);
        try_one("short length over 47", &frame, bad_tag);
        let mut frame = flipped(unused_pn(&genuine()), SHORT_LENGTH, 40);
        frame.truncate(FIRST_OF_DATA + 39 + 16);
        try_one("short length of more than there is", &frame, bad_tag);
        let mut clear = genuine();
        clear[12..14].copy_from_slice(&[0x08, 0x00]);
        try_one("in clear", &clear, "macsec_secy_in_pkts_no_tag_total");
        assert_eq!(gateway.stop(), 0);
    }
}
