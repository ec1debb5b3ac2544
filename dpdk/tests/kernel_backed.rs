//! `net_af_xdp` and `net_tap` as planned: what fits crosses whole, what does not never arrives.
//!
//! In a network namespace; needs root and `ip`.

#![expect(clippy::unwrap_used, reason = "a failed step of a test ends the test")]

mod namespace;
mod support;
mod wire;

use dpdk::Eal;
use dpdk::netdev;
use dpdk::vdev::{Plan, Side, Vdev};
use namespace::{Namespace, eventually};
use support::{alone, arguments};
use wire::{End, frame, start};

fn plan(text: &str, side: Side, mtu: u16) -> Plan {
    let vdev: Vdev = text.parse().unwrap();
    vdev.plan(side, mtu).unwrap()
}

/// A `net_af_xdp` port and a `net_af_packet` port on the ends of a `veth` pair.
fn xdp_wire(name: &str, mtu: u16, wire_mtu: u16, test: impl FnOnce(&Plan, End, End)) {
    alone(name, || {
        let Some(space) = Namespace::new("xdp") else {
            return;
        };
        let near = plan("net_af_xdp0,iface=near", Side::Secure, mtu);
        let far = plan("net_af_packet0,iface=far,framecnt=64", Side::Secure, 9000);
        assert!(near.interface_mtu.unwrap() <= wire_mtu);
        space.sh("sysctl -qw net.ipv6.conf.default.disable_ipv6=1");
        space.sh(&format!(
            "ip link add near mtu {wire_mtu} type veth peer name far mtu {wire_mtu}"
        ));
        space.sh("ethtool -K far txvlan off; ip link set near up; ip link set far up");
        space.enter_for_good();
        let vdevs = [&near, &far].map(|plan| format!("--vdev={}", plan.vdev));
        let eal = Eal::init(&arguments(&["-m", "256", &vdevs[0], &vdevs[1]])).unwrap();
        let port = eal.port_by_name("net_af_xdp0").unwrap();
        let near_end = start(&eal, port, 8191, near.mbuf_room);
        let port = eal.port_by_name("net_af_packet0").unwrap();
        let far_end = start(&eal, port, 255, far.mbuf_room);
        test(&near, near_end, far_end);
    });
}

#[test]
fn an_xdp_port_carries_frames_as_they_are() {
    xdp_wire(
        "an_xdp_port_carries_frames_as_they_are",
        1500,
        1540,
        |plan, mut near, mut far| {
            assert!(plan.contiguous_pool);
            let largest = usize::from(plan.largest_frame);
            for (mark, length) in (0..).zip([60, 1514, largest - 1, largest]) {
                far.send(&frame(length, mark));
                assert_eq!(near.receive(1), [frame(length, mark)], "{length}");
                near.send(&frame(length, mark));
                assert_eq!(far.receive(1), [frame(length, mark)], "{length}");
            }
            // Service tags too, which net_af_packet cannot receive.
            let mut tagged = frame(200, 3);
            tagged[12..20].copy_from_slice(&[0x88, 0xa8, 0, 5, 0x81, 0, 0, 6]);
            far.send(&tagged);
            assert_eq!(near.receive(1), [tagged]);
        },
    );
}

#[test]
fn an_xdp_port_at_its_largest_mtu() {
    xdp_wire(
        "an_xdp_port_at_its_largest_mtu",
        3402,
        3442,
        |plan, mut near, mut far| {
            let largest = usize::from(plan.largest_frame);
            far.send(&frame(largest, 1));
            assert_eq!(near.receive(1), [frame(largest, 1)]);
            near.send(&frame(largest, 2));
            assert_eq!(far.receive(1), [frame(largest, 2)]);
        },
    );
}

#[test]
fn an_xdp_port_lives_through_its_interface_going_down() {
    xdp_wire(
        "an_xdp_port_lives_through_its_interface_going_down",
        1500,
        1540,
        |_, mut near, mut far| {
            for mark in 0..3 {
                netdev::set_down("near").unwrap();
                eventually("no carrier", || netdev::running("far") == Ok(false));
                netdev::set_up("near").unwrap();
                eventually("carrier", || netdev::running("far") == Ok(true));
                far.send(&frame(100, mark));
                far.send(&frame(101, mark));
                assert_eq!(near.receive(2).len(), 2);
                near.send(&frame(102, mark));
                assert_eq!(far.receive(1), [frame(102, mark)]);
            }
        },
    );
}

#[test]
fn an_xdp_port_drops_what_does_not_fit_and_counts_it() {
    let name = "an_xdp_port_drops_what_does_not_fit_and_counts_it";
    xdp_wire(name, 1500, 3000, |plan, mut near, mut far| {
        // What a mempool object of this room leaves behind all headrooms.
        let fits = usize::from(plan.mbuf_room) - 256;
        far.send(&frame(fits, 1));
        assert_eq!(near.receive(1), [frame(fits, 1)]);
        for (mark, length) in (2..).zip([fits + 1, 2048, 3000, 3014]) {
            far.send(&frame(length, mark));
        }
        assert_eq!(near.receive(0), [[0; 0]; 0]);
        far.send(&frame(100, 6));
        assert_eq!(near.receive(1), [frame(100, 6)]);
        assert_eq!(near.control.stats().unwrap().imissed, 4);
    });
}

#[test]
fn a_tap_carries_what_its_plan_says_both_ways() {
    let name = "a_tap_carries_what_its_plan_says_both_ways";
    alone(name, || {
        let Some(space) = Namespace::new("tap") else {
            return;
        };
        space.sh("sysctl -qw net.ipv6.conf.default.disable_ipv6=1");
        space.enter_for_good();
        let tap = plan("net_tap0,iface=dtap0", Side::Plain, 1500);
        let vdev = format!("--vdev={}", tap.vdev);
        let eal = Eal::init(&arguments(&[&vdev])).unwrap();
        let port = eal.port_by_name("net_tap0").unwrap();
        let mut tap_end = start(&eal, port, 4095, tap.mbuf_room);
        // The kernel is the far end: a packet socket stands for it, with room for two tags.
        space.sh("ip link set dtap0 mtu 1508 up");
        let far = plan("net_af_packet0,iface=dtap0,framecnt=64", Side::Secure, 1500);
        let port = eal.hotplug_add(&far.vdev).unwrap();
        let mut far_end = start(&eal, port, 255, far.mbuf_room);
        let largest = usize::from(tap.largest_frame);
        for (mark, length) in (0..).zip([60, 1514, largest]) {
            tap_end.send(&frame(length, mark));
            assert_eq!(far_end.receive(1), [frame(length, mark)], "{length}");
            far_end.send(&frame(length, mark));
            assert_eq!(tap_end.receive(1), [frame(length, mark)], "{length}");
        }
        // What the driver says about its link is what the interface does, and it can change it.
        assert!(tap_end.control.link().unwrap().up);
        tap_end.control.set_link_down().unwrap();
        assert_eq!(netdev::running("dtap0"), Ok(false));
        assert!(!tap_end.control.link().unwrap().up);
        tap_end.control.set_link_up().unwrap();
        eventually("it runs again", || netdev::running("dtap0") == Ok(true));
    });
}
