//! Frames of every length that matters, end to end through two gateways: what passes is the same octet
//! for octet, padded to Ethernet's minimum; what is too long is dropped and counted, once each.
//!
//! Needs root. All in namespaces of its own.

mod support;

use std::time::Duration;
use support::{
    Capture, Frame, Gateway, Pair, PairEnds, RawPort, Shell, lane_count, settled_counters,
    wait_until,
};

const ARRIVES: Duration = Duration::from_secs(5);

/// A frame with so many VLAN tags and an EtherType for experiments. Service tags are left out:
/// `net_af_packet` can't receive them as they are.
fn frame(length: usize, tags: usize, mark: u8) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1];
    for tag in [5, 6].iter().take(tags) {
        frame.extend([0x81, 0, 0, *tag]);
    }
    frame.extend([0x88, 0xB5, mark]);
    frame.truncate(length);
    let mut next = mark;
    frame.resize_with(length, || {
        next = next.wrapping_mul(5).wrapping_add(1);
        next
    });
    frame
}

/// The longest frame of a link that may pass, by its own tags.
fn longest(mtu: usize, tags: usize) -> usize {
    mtu + 14 + 4 * tags
}

/// All frames of interest for a link of `mtu`, in the order that they are sent.
fn frames(mtu: usize) -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    for tags in 0..=2 {
        // The shortest that Linux takes: it wants to see the type behind the outermost tag.
        let shortest = [14, 20, 22][tags];
        let fits = longest(mtu, tags);
        let mut lengths = vec![shortest, 59, 60, 61, fits - 1, fits, fits + 1, fits + 4];
        lengths.push(9023);
        lengths.sort_unstable();
        lengths.dedup();
        for length in lengths {
            let mark = (frames.len() + length).to_le_bytes()[0];
            frames.push(frame(length, tags, mark));
        }
    }
    frames
}

fn tags_of(frame: &[u8]) -> usize {
    let tagged = |at: usize| frame.get(at..at + 2) == Some(&[0x81, 0]);
    usize::from(tagged(12)) + usize::from(tagged(12) && tagged(16))
}

fn fits(frame: &[u8], mtu: usize) -> bool {
    frame.len() <= longest(mtu, tags_of(frame))
}

fn padded(mut frame: Vec<u8>) -> Vec<u8> {
    frame.resize(frame.len().max(60), 0);
    frame
}

/// Sends all frames one way and holds what comes to what must come.
#[track_caller]
fn send_all(ends: &mut PairEnds, to_right: bool, given: &[Vec<u8>], mtus: [usize; 2]) {
    let (from, to) = if to_right {
        (&ends.left, &mut ends.at_right)
    } else {
        (&ends.right, &mut ends.at_left)
    };
    given.iter().for_each(|frame| from.send(frame));
    let passing = given
        .iter()
        .filter(|frame| mtus.iter().all(|mtu| fits(frame, *mtu)));
    for wanted in passing {
        let seen = to.next(ARRIVES).map_or(vec![], |Frame(octets)| octets);
        let wanted = padded(wanted.clone());
        assert_eq!(seen.len(), wanted.len(), "to the right: {to_right}");
        assert_eq!(
            seen,
            wanted,
            "{} octets, to the right: {to_right}",
            seen.len()
        );
    }
}

/// How many frames sent toward the second MTU end at the first, and how many of the others at the second.
fn too_long(given: &[Vec<u8>], mtus: [usize; 2]) -> [u64; 2] {
    let count = |ends: &dyn Fn(&[u8]) -> bool| {
        let ended = given.iter().filter(|frame| ends(frame));
        ended.map(|_| 1).sum()
    };
    [
        count(&|frame| !fits(frame, mtus[0])),
        count(&|frame| fits(frame, mtus[0]) && !fits(frame, mtus[1])),
    ]
}

/// Too long frames are counted once each, as the MIB's object too, said once and shown.
#[track_caller]
fn assert_counts(gateway: &Gateway<'_>, protect: u64, validate: u64) {
    let counters = settled_counters(gateway);
    let of = |lane, name| lane_count(&counters, 0, lane, name);
    assert_eq!(of("protect", "drops.too_long"), protect, "{counters:#}");
    assert_eq!(of("validate", "drops.too_long"), validate, "{counters:#}");
    let mib = &counters["links"][0]["secy"]["out_pkts_too_long"];
    assert_eq!(mib.as_u64(), Some(protect));
    for lane in ["protect", "validate"] {
        let dropped = of(lane, "dropped");
        assert_eq!(dropped, of(lane, "drops.too_long"), "{counters:#}");
    }
    let log = gateway.log_text();
    assert_eq!(log.matches("too long for the link").count(), 1, "{log}");
    // The snapshot that `status` is made from follows.
    wait_until("the alarm", Duration::from_secs(2), || {
        let status = gateway.status();
        let alarms = status["links"][0]["alarms"].as_array()?;
        let mut named = alarms.iter().map(|alarm| &alarm["name"]);
        named.any(|name| name == "frame_too_long").then_some(())
    });
}

#[track_caller]
fn all_lengths(link_mtus: [u16; 2]) {
    let widest = u32::from(link_mtus[0].max(link_mtus[1])) + 100;
    let mtus = link_mtus.map(usize::from);
    let pair = Pair::new(1, widest.max(9100), widest);
    let [edge, cloud] = pair.start(&pair.configs(link_mtus.map(u32::from)));
    let mut ends = pair.ends(0);
    let mut given = frames(mtus[0]);
    if mtus[1] != mtus[0] {
        given.extend(frames(mtus[1]));
    }
    let back = [mtus[1], mtus[0]];
    send_all(&mut ends, true, &given, mtus);
    send_all(&mut ends, false, &given, back);
    let (out, home) = (too_long(&given, mtus), too_long(&given, back));
    assert_counts(&edge, out[0], home[1]);
    assert_counts(&cloud, home[0], out[1]);
    // Nothing came that was not waited for.
    for capture in [&mut ends.at_left, &mut ends.at_right] {
        assert_eq!(capture.next(Duration::from_millis(100)), None);
    }
    assert_eq!([edge.stop(), cloud.stop()], [0, 0]);
}

#[test]
fn all_lengths_on_a_link_with_the_usual_mtu() {
    all_lengths([1500, 1500]);
}

/// 9,001: with two tags a frame of 9,023 octets fits to the octet.
#[test]
fn all_lengths_on_a_jumbo_link() {
    all_lengths([9001, 9001]);
}

/// The peer's link is longer: what it sends beyond ours ends in our validate lane, what `net_af_packet`
/// cut included.
#[test]
fn a_peer_with_a_longer_mtu_is_cut_to_ours_and_told_by_counters() {
    all_lengths([1500, 9001]);
}

/// The other drivers that a laboratory has: `net_tap` towards the host, `net_af_xdp` for all the rest.
#[test]
fn ping_sized_and_longest_frames_on_xdp_and_tap() {
    let pair = Pair::new(1, 1600, 1600);
    let mut configs = pair.configs([1500, 1500]);
    let [edge, cloud] = configs.each_mut().map(|config| &mut config.links[0]);
    edge.plain = "net_tap0,iface=dtap0".into();
    edge.secure = "net_af_xdp0,iface=secure0".into();
    cloud.plain = "net_af_xdp1,iface=plain0".into();
    cloud.secure = "net_af_xdp0,iface=secure0".into();
    let cloud = Gateway::start(&pair.cloud, &configs[1]);
    let edge = Gateway::start(&pair.edge, &configs[0]);
    let carrier = |ns: &support::Namespace, interface: &str| {
        wait_until(&format!("a carrier at {interface}"), ARRIVES, || {
            let path = format!("cat /sys/class/net/{interface}/carrier");
            (ns.sh(&path, ARRIVES).stdout.trim() == "1").then_some(())
        });
    };
    pair.edge
        .sh("ip link set dev dtap0 mtu 1522 up", ARRIVES)
        .ok();
    carrier(&pair.edge, "dtap0");
    carrier(&pair.right, "r0");
    let mut ends = PairEnds {
        left: RawPort::open(&pair.edge, "dtap0"),
        at_left: Capture::incoming(&pair.edge, "dtap0", &pair.scratch),
        right: RawPort::open(&pair.right, "r0"),
        at_right: Capture::incoming(&pair.right, "r0", &pair.scratch),
    };
    let given: Vec<_> = [(60, 0), (98, 0), (102, 1), (1514, 0), (1518, 1), (1522, 2)]
        .map(|(length, tags)| frame(length, tags, length.to_le_bytes()[0]))
        .into();
    send_all(&mut ends, true, &given, [1500, 1500]);
    send_all(&mut ends, false, &given, [1500, 1500]);
    for gateway in [&edge, &cloud] {
        let counters = settled_counters(gateway);
        for lane in ["protect", "validate"] {
            let of = |name| lane_count(&counters, 0, lane, name);
            assert_eq!((of("frames_out"), of("dropped")), (6, 0), "{counters:#}");
        }
    }
    assert_eq!([edge.stop(), cloud.stop()], [0, 0]);
}
