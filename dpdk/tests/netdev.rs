//! Inspection and link state of real interfaces, in network namespaces that each test makes.
//!
//! Needs root, `ip`, `ethtool` and `sysctl`; without root the tests say so and pass.

#![expect(clippy::unwrap_used, reason = "a failed step of a test ends the test")]

mod namespace;

use dpdk::netdev::{self, Error, Findings, inspect};
use dpdk::vdev::{Backing, Side};
use namespace::{Namespace, eventually};

impl Namespace {
    fn inspect(&self, interface: &str, backing: Backing, least_mtu: Option<u16>) -> Findings {
        self.enter(|| inspect(interface, backing, least_mtu).unwrap())
    }

    /// The commands that the findings ask for.
    fn remedies(&self, interface: &str) -> Vec<String> {
        let found = self.inspect(interface, Backing::Shared, None);
        found
            .findings
            .into_iter()
            .filter_map(|finding| finding.remedy)
            .collect()
    }
}

#[test]
fn a_fresh_veth_is_unfit_until_every_remedy_is_typed() {
    let Some(space) = Namespace::new("fresh") else {
        return;
    };
    space.sh("ip link add plain0 type veth peer name far0; ip link set plain0 up");
    space.sh("ip addr add 192.0.2.1/24 dev plain0; ip addr add 2001:db8::1/64 dev plain0");
    let found = space.inspect("plain0", Backing::Shared, None);
    assert!(
        found.addresses.contains(&"192.0.2.1".parse().unwrap()),
        "{found:?}"
    );
    assert!(
        found.addresses.contains(&"2001:db8::1".parse().unwrap()),
        "{found:?}"
    );
    assert_eq!(found.interface.kind.as_deref(), Some("veth"));
    let remedies = space.remedies("plain0");
    for expected in ["ethtool -K plain0 tx off", "ethtool -K plain0 gso off"] {
        assert!(remedies.contains(&expected.to_owned()), "{remedies:?}");
    }
    for remedy in remedies {
        space.sh(&remedy);
    }
    let found = space.inspect("plain0", Backing::Shared, None);
    assert_eq!((found.findings, found.addresses), (vec![], vec![]));
}

/// What makes an interface unfit, and the command that must then be asked for and must cure it.
const SPOILERS: [(&str, &str); 17] = [
    ("ethtool -K IF gro on", "ethtool -K IF gro off"),
    (
        "ethtool -K IF rx-gro-list on",
        "ethtool -K IF rx-gro-list off",
    ),
    (
        "ethtool -K IF rx-udp-gro-forwarding on",
        "ethtool -K IF rx-udp-gro-forwarding off",
    ),
    ("ethtool -K IF gso on", "ethtool -K IF gso off"),
    ("ethtool -K IF tx on", "ethtool -K IF tx off"),
    (
        "ethtool -K IF tx on; ethtool -K IF tso on",
        "ethtool -K IF tso off; ethtool -K IF tx off",
    ),
    ("ethtool -K IF rx on", "ethtool -K IF rx off"),
    ("ethtool -K IF txvlan on", "ethtool -K IF txvlan off"),
    ("ethtool -K IF rxvlan on", "ethtool -K IF rxvlan off"),
    (
        "ethtool -K IF tx-vlan-stag-hw-insert on",
        "ethtool -K IF tx-vlan-stag-hw-insert off",
    ),
    (
        "ethtool -K IF rx-vlan-stag-hw-parse on",
        "ethtool -K IF rx-vlan-stag-hw-parse off",
    ),
    ("ip addr add 192.0.2.1/24 dev IF", "ip addr flush dev IF"),
    (
        "ip link add br0 type bridge; ip link set IF master br0",
        "ip link set IF nomaster",
    ),
    ("ip link add mv0 link IF type macvlan", "ip link del mv0"),
    // The kernel answers ARP for an address of another interface: undone by taking it away ...
    (
        "ip addr add 192.0.2.9/24 dev far0",
        "ip link set dev IF arp off",
    ),
    // ... and by arp_ignore as well as by the command: it is enough that nobody answers.
    (
        "ip link set dev IF arp on",
        "sysctl -qw net/ipv4/conf/IF/arp_ignore=1",
    ),
    (
        "sysctl -qw net/ipv6/conf/IF/disable_ipv6=0; ip addr flush dev IF",
        SYSCTL,
    ),
];
const SYSCTL: &str = "sysctl -w net.ipv6.conf.IF.disable_ipv6=1";

fn every_finding_comes_and_goes(name: &str, interface: &str) {
    let Some(space) = Namespace::new(name) else {
        return;
    };
    space.sh(&format!("ip link add {interface} type veth peer name far0"));
    for remedy in space.remedies(interface) {
        space.sh(&remedy);
    }
    assert_eq!(space.remedies(interface), [""; 0]);
    for (spoiler, expected) in SPOILERS {
        space.sh(&spoiler.replace("IF", interface));
        let mut cure = expected.replace("IF", interface);
        if interface.contains('.') && expected == SYSCTL {
            cure = format!("sysctl -w net/ipv6/conf/{interface}/disable_ipv6=1");
        }
        let asked = space.remedies(interface).join("; ");
        if !expected.contains("arp_ignore") {
            assert_eq!(asked, cure, "after {spoiler}");
        } else {
            assert_eq!(asked, format!("ip link set dev {interface} arp off"));
        }
        space.sh(&cure);
        assert_eq!(space.remedies(interface), [""; 0], "after {cure}");
    }
}

#[test]
fn every_finding_comes_and_goes_with_its_remedy() {
    every_finding_comes_and_goes("each", "plain0");
}

#[test]
fn a_dot_in_the_name_does_not_break_a_remedy() {
    every_finding_comes_and_goes("dot", "pl.5");
}

#[test]
fn an_mtu_that_is_too_small_is_found() {
    let Some(space) = Namespace::new("mtu") else {
        return;
    };
    space.sh("ip link add plain0 type veth peer name far0");
    let least = u16::try_from(Side::Secure.interface_mtu(1500)).unwrap();
    let finding = |least| {
        let found = space.inspect("plain0", Backing::Peer, Some(least)).findings;
        found
            .into_iter()
            .find(|finding| finding.what.contains("mtu"))
    };
    assert_eq!(finding(1500), None);
    let remedy = finding(least).and_then(|finding| finding.remedy).unwrap();
    assert_eq!(remedy, "ip link set dev plain0 mtu 1540");
    space.sh(&remedy);
    assert_eq!(finding(least), None);
    assert_eq!(space.enter(|| netdev::mtu("plain0")), Ok(1540));
}

#[test]
fn of_a_tap_only_what_the_kernel_sends_matters() {
    let Some(space) = Namespace::new("tap") else {
        return;
    };
    space.sh("ip tuntap add dtap0 mode tap; ip addr add 192.0.2.1/24 dev dtap0");
    assert_eq!(space.inspect("dtap0", Backing::Peer, None).findings, []);
    let shared = space.inspect("dtap0", Backing::Shared, None).findings;
    assert!(
        shared
            .iter()
            .any(|finding| finding.what.contains("192.0.2.1")),
        "{shared:?}"
    );
}

#[test]
fn the_far_end_sees_the_link_go_down_and_come_back() {
    let Some(space) = Namespace::new("link") else {
        return;
    };
    space.sh("ip link add plain0 type veth peer name far0; ip link set far0 up");
    assert!(!space.running("plain0") && !space.running("far0"));
    for _ in 0..3 {
        space.enter(|| netdev::set_up("plain0")).unwrap();
        eventually("the far end gets a carrier", || space.running("far0"));
        assert!(space.running("plain0"));
        space.enter(|| netdev::set_down("plain0")).unwrap();
        eventually("the far end loses its carrier", || !space.running("far0"));
        assert!(!space.running("plain0"));
    }
    // The other way round: what the far end does is read back here.
    space.enter(|| netdev::set_up("plain0")).unwrap();
    space.sh("ip link set far0 down");
    eventually("the loss of carrier is read back", || {
        !space.running("plain0")
    });
    let interface = space.inspect("plain0", Backing::Shared, None).interface;
    assert!(interface.up && !interface.running, "wanted up, no carrier");
}

#[test]
fn setting_the_link_leaves_other_flags_alone() {
    let Some(space) = Namespace::new("flags") else {
        return;
    };
    space.sh("ip link add plain0 type veth peer name far0; ip link set plain0 promisc on arp off");
    space.enter(|| netdev::set_up("plain0")).unwrap();
    space.enter(|| netdev::set_down("plain0")).unwrap();
    space.sh("ip link show plain0 | grep -q 'NOARP,PROMISC'");
}

#[test]
fn an_interface_of_another_namespace_is_not_there() {
    let Some(space) = Namespace::new("none") else {
        return;
    };
    let Some(other) = Namespace::new("other") else {
        return;
    };
    other.sh("ip link add plain0 type veth peer name far0");
    let absent = || Error::NoInterface("plain0".to_owned());
    space.enter(|| {
        assert_eq!(inspect("plain0", Backing::Shared, None), Err(absent()));
        assert_eq!(netdev::set_up("plain0"), Err(absent()));
        assert_eq!(netdev::running("plain0"), Err(absent()));
    });
    assert!(
        absent().to_string().contains("ip netns exec"),
        "{}",
        absent()
    );
    assert!(other.enter(|| netdev::mtu("plain0")).is_ok());
}

#[test]
fn a_name_that_cannot_be_is_not_asked_for() {
    for name in ["", "a name", "../x", "sixteen-letters-"] {
        assert_eq!(
            netdev::set_down(name),
            Err(Error::NoInterface(name.to_owned()))
        );
        assert_eq!(netdev::mtu(name), Err(Error::NoInterface(name.to_owned())));
    }
}
