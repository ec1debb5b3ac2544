//! The gateway as a process with crypto helpers, and with a plain port of several receive queues: every flow
//! keeps its order, and packet numbers leave in theirs.
//!
//! Needs root and two CPUs. All in namespaces of its own.

#![expect(
    clippy::expect_used,
    reason = "this is test code: a broken step must end the test and say why"
)]

mod support;

use serde_json::Value;
use std::time::Duration;
use support::{
    Capture, Ends, Frame, Gateway, Pair, PairEnds, RawPort, Shell, Span, Suite, lane_count,
    settled_counters, wait_until,
};

const SOON: Duration = Duration::from_secs(10);

const FLOWS: u16 = 64;

/// Frame `number` of a flow: UDP over IPv4, so that the kernel spreads flows by their ports.
fn frame(flow: u16, number: u16) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x08, 0x00];
    frame.extend([
        0x45, 0, 0, 86, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2,
    ]);
    frame.extend((10_000 + flow).to_be_bytes());
    frame.extend([0x13, 0x88, 0, 66, 0, 0]);
    frame.extend(flow.to_be_bytes());
    frame.extend(number.to_be_bytes());
    frame.resize(100, 0x5a);
    frame
}

fn flow_and_number(frame: &[u8]) -> Option<(usize, u16)> {
    let at = |at: usize| Some(u16::from_be_bytes(*frame.get(at..)?.first_chunk()?));
    (frame.len() == 100 && at(12) == Some(0x0800))
        .then(|| Some((usize::from(at(42)?), at(44)?)))
        .flatten()
}

/// Sends `rounds` frames of each flow and takes them at the other end: all of them, each flow in order.
#[track_caller]
fn carry(from: &RawPort, to: &mut Capture, rounds: u16) {
    let mut seen = [0_u16; FLOWS as usize];
    for number in 0..rounds {
        for flow in 0..FLOWS {
            from.send(&frame(flow, number));
        }
        for _ in 0..FLOWS {
            let next = to.next_where(SOON, |Frame(octets)| flow_and_number(octets).is_some());
            let Frame(octets) = next.expect("a frame");
            let (flow, number) = flow_and_number(&octets).expect("a frame of ours");
            assert_eq!(number, seen[flow], "flow {flow}");
            seen[flow] += 1;
        }
    }
    assert_eq!(seen, [rounds; FLOWS as usize]);
}

#[test]
fn helpers_and_two_queues_carry_every_flow_in_order() {
    let pair = Pair::new(1, 1600, 1600);
    let mut configs = pair.configs([1500, 1500]);
    for (config, lane) in configs.iter_mut().zip(["protect", "validate"]) {
        config.use_helper_always(lane);
        // Whatever leaves its order is late.
        config.links[0].settings.push("replay = \"strict\"".into());
    }
    let edge = &mut configs[0].links[0];
    edge.plain = "net_tap0,iface=dtap0".into();
    edge.settings.push("plain_queues = 2".into());
    let cloud = Gateway::start(&pair.cloud, &configs[1]);
    let edge = Gateway::start(&pair.edge, &configs[0]);
    let up = "ip link set dev dtap0 mtu 1522 up";
    pair.edge.sh(up, SOON).ok();
    for (ns, interface) in [(&pair.edge, "dtap0"), (&pair.right, "r0")] {
        wait_until(&format!("a carrier at {interface}"), SOON, || {
            let carrier = ns.sh(&format!("cat /sys/class/net/{interface}/carrier"), SOON);
            (carrier.stdout.trim() == "1").then_some(())
        });
    }
    let mut ends = PairEnds {
        left: RawPort::open(&pair.edge, "dtap0"),
        at_left: Capture::incoming(&pair.edge, "dtap0", &pair.scratch),
        right: RawPort::open(&pair.right, "r0"),
        at_right: Capture::incoming(&pair.right, "r0", &pair.scratch),
    };
    carry(&ends.left, &mut ends.at_right, 20);
    carry(&ends.right, &mut ends.at_left, 20);
    let all = 20 * u64::from(FLOWS);
    for gateway in [&edge, &cloud] {
        let counters = settled_counters(gateway);
        for lane in ["protect", "validate"] {
            let of = |name| lane_count(&counters, 0, lane, name);
            assert!(of("frames_out") >= all, "{counters:#}");
            let lost = [
                "late",
                "not_valid",
                "duplicate",
                "helper_stalled",
                "tx_full",
            ];
            for reason in lost {
                let name = format!("drops.{reason}");
                let lost = lane_count(&counters, 0, lane, &name);
                assert_eq!(lost, 0, "{counters:#}");
            }
        }
        let status = gateway.status();
        let helper = &status["helpers"][0];
        assert!(helper["bursts"].as_u64() > Some(0), "{status:#}");
        assert_eq!(helper["stalled"], false);
        let lane = if gateway.config() == edge.config() {
            "dx0/protect"
        } else {
            "dx0/validate"
        };
        assert_eq!(helper["lane"], lane);
        assert_eq!((&helper["cpu"], &helper["lcore"]), (&0.into(), &2.into()));
        let bursts = gateway.metrics().sum("macsecgw_helper_bursts_total", &[]);
        assert!(bursts > Some(0.0));
        let shown = gateway.ask(&["status"]).stdout;
        assert!(shown.contains("HELPER") && shown.contains(lane), "{shown}");
    }
    assert_eq!([edge.stop(), cloud.stop()], [0, 0]);
}

/// How many groups of frames the peer sends, and frames in each.
const GROUPS: u16 = 60;
const GROUP: u16 = 20;

/// Frame `number` of the peer, as its wire carries it: most are right, and each of the others has a fault of
/// its own. `earlier` is a right one that arrived long ago.
fn right_or_not(ends: &mut Ends, number: u16, earlier: &[u8]) -> Vec<u8> {
    let plain = ends.fresh(Span::PEER_MAC, 60 + usize::from(number % 7) * 200);
    // Beside what is hit, a frame of the peer uses its packet number up, so that these rise all the same.
    let mut frame = ends.peer.protect(&plain);
    let last = frame.len() - 1;
    match number % 23 {
        3 => frame[last] ^= 1,
        7 => frame[40] ^= 0x80,
        11 => return earlier.to_vec(),
        13 => frame[25] ^= 4,
        17 => frame[14] ^= 1,
        19 => return plain,
        _ => {}
    }
    frame
}

/// What became of the peer's frames.
struct Judged {
    /// Frames that arrived, in their order.
    arrived: Vec<u16>,
    /// What the lane counted.
    lane: Value,
    /// What SecY and receive channels did.
    mib: Value,
    /// Bursts that the helper had.
    bursts: u64,
}

/// Has the peer send right and wrong frames.
#[track_caller]
fn judged(span: &Span, helper: bool, replay: &[&str]) -> Judged {
    let keys = Span::keys(Suite::ALL[3]);
    let mut config = Span::config(&keys, replay);
    config.cores = vec![1];
    if helper {
        config.use_helper_always("validate");
    }
    let gateway = span.start(&config);
    let mut ends = Ends::new(span, &keys, 1);
    let plain = ends.fresh(Span::PEER_MAC, 200);
    let earlier = ends.peer.protect(&plain);
    ends.wan.send(&earlier);
    let seen = ends.from_gateway_plain.next(SOON);
    assert_eq!(seen.map(|seen| seen.0).as_ref(), Some(&plain));
    let mut arrived = Vec::new();
    for group in 0..GROUPS {
        let numbers = group * GROUP..(group + 1) * GROUP;
        // All at once, so that they come in bursts.
        let frames: Vec<_> = numbers
            .map(|number| right_or_not(&mut ends, number, &earlier))
            .collect();
        frames.iter().for_each(|frame| ends.wan.send(frame));
        // What comes last has all others before it.
        let end = ends.fresh(Span::PEER_MAC, 60);
        let protected = ends.peer.protect(&end);
        ends.wan.send(&protected);
        loop {
            let Frame(octets) = ends.from_gateway_plain.next(SOON).expect("a frame");
            if octets == end {
                break;
            }
            arrived.push(u16::from_be_bytes([octets[14], octets[15]]));
        }
    }
    let counters = settled_counters(&gateway);
    let mut link = counters["links"][0].clone();
    let mut lane = link["lanes"]["validate"].take();
    // How frames fall into bursts is the wire's affair.
    if let Some(lane) = lane.as_object_mut() {
        lane.remove("bursts");
        lane.remove("tx_retries");
    }
    let mib = Value::Array(vec![link["secy"].take(), link["rx_scs"].take()]);
    let helpers = gateway.status()["helpers"][0]["bursts"].as_u64();
    assert_eq!(gateway.stop(), 0);
    Judged {
        arrived,
        lane,
        mib,
        bursts: helpers.unwrap_or(0),
    }
}

#[test]
fn right_and_wrong_frames_get_the_same_verdicts_with_a_helper_as_without() {
    let span = Span::new(1600);
    for replay in [
        &["replay = \"strict\""][..],
        &["replay = \"window\"", "replay_window = 64"],
    ] {
        let [without, with] = [false, true].map(|helper| judged(&span, helper, replay));
        assert_eq!(without.bursts, 0);
        assert!(with.bursts > GROUPS.into(), "the helper: {}", with.bursts);
        let right =
            (0..GROUPS * GROUP).filter(|number| ![3, 7, 11, 13, 17, 19].contains(&(number % 23)));
        assert_eq!(without.arrived.len(), right.count());
        assert!(without.arrived.is_sorted(), "out of order");
        assert_eq!(with.arrived, without.arrived);
        assert_eq!((with.lane, with.mib), (without.lane.clone(), without.mib));
        let drops = without.lane["drops"].as_object().into_iter().flatten();
        let reasons = drops.filter(|(_, count)| count.as_u64() > Some(0)).count();
        assert!(reasons >= 5, "{:#}", without.lane);
    }
}
