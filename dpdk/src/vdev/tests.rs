//! Names in, names out; and the arithmetic of the plans over every MTU that anyone uses.

use super::af_packet::{Ring, ring};
use super::*;

const MTUS: core::ops::RangeInclusive<u16> = 68..=9600;

fn spec(text: &str) -> DeviceSpec {
    text.parse().unwrap()
}

fn vdev(text: &str) -> Vdev {
    text.parse().unwrap()
}

fn refused(text: &str) -> SpecError {
    text.parse::<DeviceSpec>().unwrap_err()
}

#[test]
fn pci_addresses_are_normalised() {
    for (given, printed) in [
        ("0000:03:00.0", "0000:03:00.0"),
        ("03:00.0", "0000:03:00.0"),
        ("3:1f.7", "0000:03:1f.7"),
        ("0001:AF:1C.1", "0001:af:1c.1"),
        ("10000:01:00.0", "10000:01:00.0"),
    ] {
        assert_eq!(spec(given).to_string(), printed);
        assert_eq!(spec(given), spec(printed));
        assert_eq!(spec(given).port_name(), printed);
    }
    let DeviceSpec::Pci(address) = spec("0002:03:1c.5") else {
        panic!("a PCI address")
    };
    let fields = (
        address.domain(),
        address.bus(),
        address.device(),
        address.function(),
    );
    assert_eq!(fields, (2, 3, 0x1c, 5));
}

#[test]
fn a_bad_pci_address_names_the_field() {
    for (given, field) in [
        ("0000:03:00", "function"),
        ("0000:03:00.8", "function"),
        ("0000:03:00.", "function"),
        ("0000:03:20.0", "device"),
        ("0000:03:.0", "device"),
        ("0000:100:00.0", "bus"),
        ("0000:+3:00.0", "bus"),
        ("zz:03:00.0", "domain"),
        ("1:0000:03:00.0", "domain"),
        (":03:00.0", "domain"),
    ] {
        assert_eq!(
            refused(given),
            SpecError::Pci {
                text: given.to_owned(),
                field
            },
            "{given}"
        );
    }
    let with_arguments = refused("03:00.0,rx_vec_en=0");
    assert!(
        with_arguments.to_string().contains("`-a 0000:03:00.0,...`"),
        "{with_arguments}"
    );
}

#[test]
fn vdev_strings_round_trip() {
    for text in [
        "net_af_packet0,iface=plain0",
        "net_null0",
        "net_pcap0,rx_pcap=a.pcap,rx_pcap=b.pcap,tx_pcap=c.pcap",
        "net_vhost0,iface=/run/vhost.sock,queues=1",
        "net_bonding0,mode=1,member=[a,b],x=1",
    ] {
        assert_eq!(spec(text).to_string(), text);
    }
    let packet = vdev("eth_af_packet_west,iface=plain0,framesz=4096");
    assert_eq!(packet.driver(), Driver::AfPacket);
    assert_eq!(packet.name(), "eth_af_packet_west");
    assert_eq!(packet.arg("framesz"), Some("4096"));
    assert_eq!(packet.interface(), Some("plain0"));
    let bonding = vdev("net_bonding0,member=[a,b],x=1");
    assert_eq!(
        (bonding.driver(), bonding.arg("member")),
        (Driver::Other, Some("[a,b]"))
    );
}

#[test]
fn an_interface_is_found_where_there_is_one() {
    let interface = |text| vdev(text).interface().map(str::to_owned);
    assert_eq!(interface("net_tap0,iface=dtap7").as_deref(), Some("dtap7"));
    assert_eq!(vdev("net_tap0,iface=dtap7").backing(), Some(Backing::Peer));
    assert_eq!(
        interface("net_pcap0,rx_iface=e1,tx_iface=e1").as_deref(),
        Some("e1")
    );
    assert_eq!(vdev("net_pcap0,iface=e1").backing(), Some(Backing::Shared));
    assert_eq!(
        vdev("net_pcap0,iface=e1").link_down(),
        LinkDown::InterfaceFlags
    );
    assert_eq!(vdev("net_pcap0,rx_pcap=f").link_down(), LinkDown::None);
    assert_eq!(interface("net_vhost0,iface=/run/vhost.sock"), None);
    assert_eq!(vdev("net_memif0,role=client").backing(), None);
}

#[test]
fn what_is_no_device_is_refused_with_what_would_be() {
    assert_eq!(refused(""), SpecError::Empty);
    assert_eq!(refused("eth1"), SpecError::NoDevice("eth1".to_owned()));
    assert!(
        refused("eth1")
            .to_string()
            .contains("net_af_packet0,iface=eth1")
    );
    assert_eq!(
        refused("net_af packet"),
        SpecError::Name("net_af packet".to_owned())
    );
    assert!(matches!(
        refused(&format!("net_{}", "x".repeat(60))),
        SpecError::Name(_)
    ));
    assert_eq!(refused("net_null0,"), SpecError::Argument(String::new()));
    assert_eq!(
        refused("net_null0,copy"),
        SpecError::Argument("copy".to_owned())
    );
    assert_eq!(
        refused("net_null0,copy="),
        SpecError::Argument("copy=".to_owned())
    );
    for bad in ["iface=s[a", "iface=s]", "iface=]s["] {
        let error = refused(&format!("net_af_xdp0,{bad}"));
        assert_eq!(error, SpecError::Brackets(bad.to_owned()));
    }
    assert_eq!(
        refused("net_af_packet0,iface=a,iface=b"),
        SpecError::Double("iface".to_owned())
    );
    assert_eq!(
        refused("net_af_packet0"),
        SpecError::NoInterface("net_af_packet0".to_owned())
    );
    for bad in ["sixteen-letters-", "a/b", "a:b", "a b", ".", ".."] {
        let error = refused(&format!("net_af_xdp0,iface={bad}"));
        assert_eq!(error, SpecError::Interface(bad.to_owned()));
    }
}

/// What the kernel (`packet_set_ring`), the driver's probe and its queue set-up check, and what none
/// of them checks: that both see the same slots.
fn assert_ring_is_sound(ring: Ring, page: u32, mbuf_room: u32) {
    let Ring {
        framesz,
        blocksz,
        framecnt,
    } = ring;
    assert!(framesz.is_multiple_of(16) && framesz >= 52, "{ring:?}");
    assert!(blocksz > 0 && blocksz.is_multiple_of(page), "{ring:?}");
    assert!(framesz <= blocksz, "{ring:?}");
    let block_count = framecnt / (blocksz / framesz);
    assert!(block_count > 0, "{ring:?}");
    assert_eq!(blocksz / framesz * block_count, framecnt, "{ring:?}");
    assert!(blocksz.is_multiple_of(framesz), "slots drift: {ring:?}");
    assert!(
        2 * u64::from(blocksz) * u64::from(block_count) <= u64::from(u32::MAX),
        "{ring:?}"
    );
    assert!(framesz - 32 <= mbuf_room, "{ring:?}");
    assert!(mbuf_room + 128 <= u32::from(u16::MAX), "{ring:?}");
}

#[test]
fn every_mtu_has_a_sound_ring_that_shows_a_cut_frame() {
    let packet = vdev("net_af_packet0,iface=plain0");
    for mtu in MTUS {
        for page in [4096, 16_384, 65_536] {
            let largest = Side::Secure.largest_frame(mtu);
            assert_eq!(largest, u32::from(mtu) + 14 + 8 + 32);
            let ring = ring(&packet, largest, page).unwrap();
            assert_ring_is_sound(ring, page, ring.mbuf_room());
            // A frame of any length beyond the slot arrives with this many octets.
            assert!(ring.receives() > largest, "{mtu}: {ring:?}");
        }
    }
}

#[test]
fn a_plan_says_what_its_string_says() {
    for mtu in MTUS {
        for side in [Side::Plain, Side::Secure] {
            let plan = vdev("net_af_packet0,iface=plain0").plan(side, mtu).unwrap();
            let planned = vdev(&plan.vdev);
            let number = |key| planned.arg(key).unwrap().parse::<u32>().unwrap();
            let ring = Ring {
                framesz: number("framesz"),
                blocksz: number("blocksz"),
                framecnt: number("framecnt"),
            };
            assert_ring_is_sound(ring, 4096, u32::from(plan.mbuf_room));
            assert!(ring.receives() > u32::from(plan.largest_frame));
            assert!(plan.mbuf_room >= mtu + 54, "a plain frame cannot grow");
            let macsec = if side == Side::Secure { 32 } else { 0 };
            assert_eq!(plan.largest_frame, mtu + 22 + macsec);
            assert_eq!(plan.interface_mtu, Some(mtu + 8 + macsec));
            assert_eq!(
                (number("qpairs"), plan.queues, plan.contiguous_pool),
                (1, 1, false)
            );
            // A plan's own string is a fixed point.
            assert_eq!(planned.plan(side, mtu).unwrap(), plan);
        }
    }
}

#[test]
fn the_usual_mtus_have_the_usual_rings() {
    let arguments = |mtu| {
        let plan = vdev("net_af_packet0,iface=p")
            .plan(Side::Plain, mtu)
            .unwrap();
        plan.vdev.split_once("iface=p,").unwrap().1.to_owned()
    };
    assert_eq!(
        arguments(1500),
        "framesz=2048,blocksz=4096,framecnt=2048,qpairs=1"
    );
    assert_eq!(
        arguments(9000),
        "framesz=12288,blocksz=12288,framecnt=512,qpairs=1"
    );
}

fn wrong(text: &str, mtu: u16) -> (String, String) {
    match vdev(text).plan(Side::Plain, mtu) {
        Err(PlanError::Argument { key, right, .. }) => (key, right),
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn a_slot_that_is_too_small_is_refused_at_every_mtu() {
    for mtu in MTUS {
        let needed = (u32::from(mtu) + 54 + 1 + 66).next_multiple_of(16);
        let with = |framesz: u32| format!("net_af_packet0,iface=p,framesz={framesz}");
        let plan = vdev(&with(needed)).plan(Side::Secure, mtu).unwrap();
        assert!(
            plan.vdev.contains(&format!("framesz={needed},")),
            "{}",
            plan.vdev
        );
        let ring = ring(&vdev(&plan.vdev), u32::from(plan.largest_frame), 4096).unwrap();
        assert_ring_is_sound(ring, 4096, u32::from(plan.mbuf_room));
        for short in [needed - 1, needed - 16, 1] {
            let (key, right) = wrong(&with(short), mtu);
            assert_eq!(key, "framesz");
            assert!(right.contains(&format!("from {needed} to")), "{right}");
        }
        assert_eq!(wrong(&with(needed + 1), mtu).0, "framesz");
    }
}

#[test]
fn blocks_and_counts_that_tear_slots_apart_are_refused() {
    let with = |arguments: &str| format!("net_af_packet0,iface=p,{arguments}");
    for (arguments, key, right) in [
        ("framesz=3072,blocksz=4096", "blocksz", "12288"),
        ("blocksz=4095", "blocksz", "4096"),
        ("blocksz=2048", "blocksz", "4096"),
        ("blocksz=0", "blocksz", "4096"),
        ("framecnt=511", "framecnt", "2048"),
        ("framecnt=0", "framecnt", "2048"),
        ("framecnt=524290", "framecnt", "524288"),
        ("framesz=65536", "framesz", "2048"),
        ("framesz=2k", "framesz", "decimal"),
        ("framesz=-2048", "framesz", "decimal"),
        ("framesz=+2048", "framesz", "decimal"),
        ("qpairs=2", "qpairs", "1"),
        ("qpairs=0", "qpairs", "1"),
        ("qdisc_bypass=2", "qdisc_bypass", "0 or 1"),
    ] {
        let (wrong_key, would_be_right) = wrong(&with(arguments), 1500);
        assert_eq!(wrong_key, key, "{arguments}");
        assert!(
            would_be_right.contains(right),
            "{arguments}: {would_be_right}"
        );
    }
    for arguments in [
        "blocksz=8192",
        "framecnt=64",
        "qdisc_bypass=0",
        "framesz=3072,blocksz=24576",
    ] {
        let plan = vdev(&with(arguments)).plan(Side::Plain, 1500).unwrap();
        assert!(plan.vdev.starts_with(&with(arguments)), "{}", plan.vdev);
    }
}

#[test]
fn an_xdp_chunk_is_what_the_kernel_takes_or_the_mtu_is_refused() {
    let xdp = vdev("net_af_xdp0,iface=p,force_copy=1");
    let mut largest = 0;
    for mtu in MTUS {
        for side in [Side::Plain, Side::Secure] {
            match xdp.plan(side, mtu) {
                Ok(plan) => {
                    assert_eq!(plan.vdev, "net_af_xdp0,iface=p,force_copy=1,queue_count=1");
                    assert!(plan.contiguous_pool);
                    // A mempool object: header, mbuf, headroom, room; in an odd number of cache
                    // lines, which is how the mempool spreads them over memory channels.
                    let lines = (64 + 128 + 128 + u32::from(plan.mbuf_room)).div_ceil(64) | 1;
                    assert!((2048..=4096).contains(&(lines * 64)), "{mtu}");
                    let behind_headrooms = lines * 64 - (64 + 128 + 128) - 256;
                    assert!(behind_headrooms >= u32::from(mtu) + 54, "{mtu}");
                    largest = mtu;
                }
                Err(error) => {
                    assert!(mtu > largest, "{mtu}");
                    assert!(error.to_string().contains("fits is 3402"), "{error}");
                }
            }
        }
    }
    assert_eq!(largest, 3402);
    assert_eq!(
        wrong("net_af_xdp0,iface=p,queue_count=2", 1500).0,
        "queue_count"
    );
}

#[test]
fn a_tap_carries_1522_octets() {
    let tap = vdev("net_tap0,iface=t0");
    for (side, largest) in [(Side::Plain, 1500), (Side::Secure, 1468)] {
        let plan = tap.plan(side, largest).unwrap();
        assert_eq!((plan.largest_frame, plan.interface_mtu), (1522, None));
        assert!(plan.mbuf_room >= 1554);
        let error = tap.plan(side, largest + 1).unwrap_err();
        let says = format!("the largest mtu that fits is {largest}");
        assert!(error.to_string().ends_with(&says), "{error}");
    }
}

#[test]
fn other_drivers_keep_their_strings() {
    for text in [
        "net_memif0,role=client,id=1",
        "net_ring0",
        "net_null0,size=1522",
        "net_pcap0,rx_pcap=f",
    ] {
        let plan = vdev(text).plan(Side::Plain, 1500).unwrap();
        assert_eq!((plan.vdev.as_str(), plan.largest_frame), (text, 1522));
        assert_eq!((plan.mbuf_room, plan.interface_mtu), (2048, None));
    }
    assert_eq!(
        wrong("net_null0,size=1523", 1500),
        ("size".to_owned(), "at most 1522".to_owned())
    );
    let both = wrong("net_pcap0,rx_iface=p,tx_iface=p", 1500);
    assert_eq!(both.0, "rx_iface");
    assert!(both.1.contains("rx_iface_in"), "{}", both.1);
    let live = vdev("net_pcap0,iface=p").plan(Side::Secure, 1500).unwrap();
    assert_eq!(live.interface_mtu, Some(1540));
}

#[test]
fn mtus_out_of_reach_are_refused() {
    let packet = vdev("net_af_packet0,iface=p");
    assert_eq!(
        packet.plan(Side::Plain, 67),
        Err(PlanError::MtuTooSmall { mtu: 67 })
    );
    for side in [Side::Plain, Side::Secure] {
        let Err(PlanError::MtuTooLarge {
            largest,
            limit: 32_000,
            ..
        }) = packet.plan(side, u16::MAX)
        else {
            panic!("an MTU of 65,535 was taken")
        };
        assert!(packet.plan(side, largest).is_ok());
        assert!(packet.plan(side, largest + 1).is_err());
    }
}
