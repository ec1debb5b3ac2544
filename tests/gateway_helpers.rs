//! The gateway as a process with crypto helpers, and with a plain port of several receive queues: every flow
//! keeps its order, and packet numbers leave in theirs.
//!
//! Needs root and two CPUs. All in namespaces of its own.

#![expect(
    clippy::expect_used,
    reason = "this is test code: a broken step must end the test and say why"
)]

mod support;

use std::time::Duration;
use support::{
    Capture, Frame, Gateway, Pair, PairEnds, RawPort, Shell, lane_count, settled_counters,
    wait_until,
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
    for config in &mut configs {
        config.cores = vec![1];
        let helpers = "helper_cores = [0]\nhelpers_when = \"always\"\nhelper_patience_ms = 1000";
        config.settings.push(("workers", helpers.into()));
        // Whatever leaves its order is late.
        config.links[0].settings.push("replay = \"strict\"".into());
    }
    let [edge, cloud] = configs.each_mut().map(|config| &mut config.links[0]);
    edge.plain = "net_tap0,iface=dtap0".into();
    edge.settings
        .push("plain_queues = 2\nprotect_helpers = 1".into());
    cloud.settings.push("validate_helpers = 1".into());
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
