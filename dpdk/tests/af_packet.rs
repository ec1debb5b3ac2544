//! What `net_af_packet` makes of frames, and what the plan and the fresh socket make of that.
//!
//! Two ports on the ends of a `veth` pair in a network namespace; needs root and `ip`.

#![expect(clippy::unwrap_used, reason = "a failed step of a test ends the test")]

mod namespace;
mod support;
mod wire;

use dpdk::Eal;
use dpdk::netdev::{self, leave_fanout};
use dpdk::vdev::{Plan, Side, Vdev};
use namespace::{Namespace, eventually};
use support::{alone, eal};
use wire::{ADDRESSES, End, frame, start};

fn plan(name: &str, interface: &str, mtu: u16) -> (Plan, Vdev) {
    let vdev: Vdev = format!("{name},iface={interface},framecnt=64")
        .parse()
        .unwrap();
    let plan = vdev.plan(Side::Secure, mtu).unwrap();
    let planned = plan.vdev.parse().unwrap();
    (plan, planned)
}

/// Runs a test in a process and a namespace of its own, with a `veth` pair `near` and `far` of an
/// MTU, and a port on each: `near` planned for 1,500, `far` for anything.
fn on_a_wire(name: &str, mtu: u16, leave: bool, test: impl FnOnce(&Namespace, &Eal, End, End)) {
    alone(name, || {
        let Some(space) = Namespace::new("wire") else {
            return;
        };
        space.sh("sysctl -qw net.ipv6.conf.default.disable_ipv6=1");
        space.sh(&format!(
            "ip link add near mtu {mtu} type veth peer name far mtu {mtu}"
        ));
        space.sh("ip link set near up; ip link set far up");
        space.enter_for_good();
        let (near_plan, near) = plan("net_af_packet0", "near", 1500);
        let (far_plan, _) = plan("net_af_packet1", "far", 9000);
        let vdevs = [&near_plan, &far_plan].map(|plan| format!("--vdev={}", plan.vdev));
        let eal = eal(&[&vdevs[0], &vdevs[1]]);
        let port = eal.port_by_name("net_af_packet0").unwrap();
        if leave {
            leave_fanout(&port, &near).unwrap();
        }
        let near = start(&eal, port, 255, near_plan.mbuf_room);
        let far = eal.port_by_name("net_af_packet1").unwrap();
        let far = start(&eal, far, 255, far_plan.mbuf_room);
        test(&space, &eal, near, far);
    });
}

/// The two fragments of an IPv4 packet, behind `tags`.
fn fragments(tags: &[u8]) -> [Vec<u8>; 2] {
    let fragment = |offset: u16, payload: u16| {
        let mut header = [
            0x45, 0, 0, 0, 0, 77, 0, 0, 64, 17, 0, 0, 10, 1, 0, 1, 10, 1, 0, 2,
        ];
        header[2..4].copy_from_slice(&(20 + payload).to_be_bytes());
        let more = if offset == 0 { 0x2000 } else { 0 };
        header[6..8].copy_from_slice(&(more | (offset / 8)).to_be_bytes());
        let word = |pair: &[u8]| u32::from(u16::from_be_bytes([pair[0], pair[1]]));
        let sum: u32 = header.chunks_exact(2).map(word).sum();
        let folded = u16::try_from((sum & 0xffff) + (sum >> 16)).unwrap();
        header[10..12].copy_from_slice(&(!folded).to_be_bytes());
        let payload = vec![0x5a; usize::from(payload)];
        [&ADDRESSES, tags, &[8, 0], &header, &payload].concat()
    };
    [fragment(0, 480), fragment(480, 100)]
}

#[test]
fn a_frame_longer_than_the_slot_is_never_mistaken_for_one_that_fits() {
    let name = "a_frame_longer_than_the_slot_is_never_mistaken_for_one_that_fits";
    on_a_wire(name, 9000, true, |_, _, mut near, mut far| {
        let largest = usize::from(plan("net_af_packet0", "near", 1500).0.largest_frame);
        assert_eq!(largest, 1554);
        for (mark, length) in (0..).zip([60, 1514, 1553, 1554]) {
            far.send(&frame(length, mark));
            assert_eq!(near.receive(1), [frame(length, mark)], "whole: {length}");
        }
        // Around the limit, around the slot's 1,982 octets, and as long as the wire carries.
        for (mark, length) in (0..).zip([1555, 1600, 1981, 1982, 1983, 2000, 4000, 9014]) {
            far.send(&frame(length, mark));
            let came = near.receive(1);
            assert_eq!(came.len(), 1, "{length}");
            assert!(
                came[0].len() > largest,
                "{length} came as {}",
                came[0].len()
            );
            assert_eq!(came[0].len(), length.min(1982));
        }
    });
}

#[test]
fn the_driver_alone_lets_the_kernel_join_fragments() {
    let name = "the_driver_alone_lets_the_kernel_join_fragments";
    on_a_wire(name, 1600, false, |_, _, mut near, mut far| {
        fragments(&[])
            .iter()
            .for_each(|fragment| far.send(fragment));
        let came = near.receive(1);
        // When this fails the driver has changed, and `leave_fanout` can go.
        assert_eq!(
            came.iter().map(Vec::len).collect::<Vec<_>>(),
            [14 + 20 + 580]
        );
    });
}

#[test]
fn a_fresh_socket_carries_fragments_as_they_are() {
    let name = "a_fresh_socket_carries_fragments_as_they_are";
    on_a_wire(name, 1600, true, |_, _, mut near, mut far| {
        for tags in [
            &[][..],
            &[0x81, 0, 0, 5],
            &[0x81, 0, 0, 5, 0x81, 0, 0xe0, 6],
        ] {
            let fragments = fragments(tags);
            fragments.iter().for_each(|fragment| far.send(fragment));
            assert_eq!(near.receive(2), fragments, "{tags:x?}");
        }
        // The rings go round, both ways.
        for mark in 0..200 {
            far.send(&frame(1500, mark));
            assert_eq!(near.receive(1), [frame(1500, mark)]);
            near.send(&frame(1554, mark));
            assert_eq!(far.receive(1), [frame(1554, mark)]);
        }
        assert_eq!(near.control.stats().unwrap().opackets, 200);
    });
}

#[test]
fn a_fresh_socket_does_not_hear_the_kernel_send() {
    let name = "a_fresh_socket_does_not_hear_the_kernel_send";
    on_a_wire(name, 1600, true, |_, eal, mut near, mut far| {
        let port = eal
            .hotplug_add("net_af_packet2,iface=near,qdisc_bypass=0")
            .unwrap();
        let mut beside = start(eal, port, 255, 2048);
        beside.send(&frame(100, 7));
        assert_eq!(far.receive(1), [frame(100, 7)]);
        assert_eq!(near.receive(0), [[0; 0]; 0]);
    });
}

#[test]
fn a_port_lives_through_its_interface_going_down() {
    let name = "a_port_lives_through_its_interface_going_down";
    on_a_wire(name, 1600, true, |space, _, mut near, mut far| {
        for mark in 0..5 {
            netdev::set_down("near").unwrap();
            assert_eq!(netdev::running("near"), Ok(false));
            eventually("no carrier", || !space.running("far"));
            assert_eq!(near.receive(0), [[0; 0]; 0]);
            // The driver says up whatever the interface does.
            assert!(
                near.control.link().unwrap().up,
                "the driver knows more than it did"
            );
            netdev::set_up("near").unwrap();
            eventually("carrier", || space.running("far"));
            // Receiving goes on at once. The first burst sent after an interruption is only kept;
            // the next one takes it along.
            far.send(&frame(100, mark));
            far.send(&frame(101, mark));
            assert_eq!(near.receive(2).len(), 2);
            near.send(&frame(102, mark));
            near.send(&frame(103, mark));
            assert_eq!(far.receive(2), [frame(102, mark), frame(103, mark)]);
        }
    });
}
