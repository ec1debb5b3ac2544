//! Ports: bring-up, queues, what the driver refuses, start and stop under a quiesced queue.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, helpers included"
)]

mod support;

use dpdk::{
    Burst, Eal, Error, Mbuf, Mempool, PortConfig, PortControl, RxQueue, Setting, SocketId, TxQueue,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use support::{alone, assert_full, eal, pool, wait_for};

/// A started port with one queue each way.
struct Running {
    control: PortControl,
    rx: RxQueue,
    tx: TxQueue,
}

fn start(eal: &Eal, name: &str, pool: &Mempool) -> Running {
    let port = eal.port_by_name(name).unwrap();
    let mut port = port.configure(PortConfig::wire(pool)).unwrap();
    let mut queues = port.take_queues().unwrap();
    assert!(port.take_queues().is_none(), "queues have one owner");
    let port = port.start().unwrap();
    Running {
        control: port.control(),
        rx: queues.rx.remove(0),
        tx: queues.tx.remove(0),
    }
}

fn fill(pool: &Mempool, count: u8) -> Burst {
    let mut burst = Burst::new();
    for n in 0..count {
        let mut mbuf = pool.alloc().unwrap();
        mbuf.append(60).unwrap().fill(n);
        burst.push(mbuf).unwrap();
    }
    burst
}

fn marks(burst: &Burst) -> Vec<u8> {
    burst.iter().map(|mbuf| mbuf.data()[0]).collect()
}

#[test]
fn frames_cross_a_ring_in_order() {
    alone("frames_cross_a_ring_in_order", || {
        let eal = eal(&["--vdev=net_ring0"]);
        let pool = pool(&eal);
        let Running {
            control,
            mut rx,
            mut tx,
        } = start(&eal, "net_ring0", &pool);
        let mut out = fill(&pool, 40);
        assert_eq!(tx.tx_burst(&mut out), 40);
        assert!(out.is_empty());
        assert_eq!(pool.in_use(), 40);
        let mut came = Burst::new();
        assert_eq!(rx.rx_burst(&mut came), 40);
        assert_eq!(marks(&came), (0..40).collect::<Vec<u8>>());
        assert_eq!(rx.rx_burst(&mut came), 0);
        let stats = control.stats().unwrap();
        assert_eq!((stats.ipackets, stats.opackets), (40, 40));
        drop(came);
        assert_full(&pool);
    });
}

#[test]
fn what_a_full_ring_refuses_stays_owned_and_in_order() {
    alone("what_a_full_ring_refuses_stays_owned_and_in_order", || {
        let eal = eal(&["--vdev=net_ring0"]);
        let pool = Mempool::create(
            &eal,
            "pool",
            4095,
            0,
            2048 + dpdk::headroom(),
            SocketId::Any,
        )
        .unwrap();
        let Running { mut rx, mut tx, .. } = start(&eal, "net_ring0", &pool);
        let mut sent = 0;
        // 48 does not divide the ring's size, so that its last burst is taken in part.
        let left = loop {
            let mut burst = fill(&pool, 48);
            let taken = tx.tx_burst(&mut burst);
            sent += taken;
            assert_eq!(burst.len(), 48 - taken);
            if taken < 48 {
                let first = u8::try_from(taken).unwrap();
                assert_eq!(marks(&burst), (first..48).collect::<Vec<u8>>());
                break burst;
            }
        };
        assert!(
            !left.is_empty() && left.len() < 48,
            "a part was taken: {}",
            left.len()
        );
        assert_eq!(pool.in_use() as usize, sent + left.len());
        drop(left);
        assert_eq!(pool.in_use() as usize, sent);
        let mut received = 0;
        let mut came = Burst::new();
        while rx.rx_burst(&mut came) > 0 {
            received += came.drain().count();
        }
        assert_eq!(received, sent);
        assert_full(&pool);
    });
}

#[test]
fn a_full_burst_receives_nothing() {
    alone("a_full_burst_receives_nothing", || {
        let eal = eal(&["--vdev=net_ring0"]);
        let pool = pool(&eal);
        let Running { mut rx, mut tx, .. } = start(&eal, "net_ring0", &pool);
        assert_eq!(tx.tx_burst(&mut fill(&pool, 64)), 64);
        let mut burst = fill(&pool, 60);
        assert_eq!(rx.rx_burst(&mut burst), 4);
        assert_eq!(rx.rx_burst(&mut burst), 0);
        assert_eq!(burst.len(), 64);
        assert_eq!(marks(&burst)[56..], [56, 57, 58, 59, 0, 1, 2, 3]);
        while rx.rx_burst(&mut burst) > 0 || !burst.is_empty() {
            burst.clear();
        }
        assert_full(&pool);
    });
}

#[test]
fn a_port_stops_only_when_its_queues_are_quiesced() {
    alone("a_port_stops_only_when_its_queues_are_quiesced", || {
        let eal = eal(&["--vdev=net_ring0"]);
        let pool = pool(&eal);
        let Running {
            control,
            mut rx,
            mut tx,
        } = start(&eal, "net_ring0", &pool);
        let mut burst = fill(&pool, 5);
        assert_eq!((tx.tx_burst(&mut burst), rx.rx_burst(&mut burst)), (5, 5));
        let in_use = |queues| {
            Err(Error::QueuesInUse {
                port: "net_ring0".to_owned(),
                queues,
            })
        };
        assert_eq!(control.stop(), in_use(2));
        rx.quiesce();
        assert_eq!(control.stop(), in_use(1));
        // A refused stop changes nothing.
        assert_eq!(tx.tx_burst(&mut burst), 5);
        tx.quiesce();
        control.stop().unwrap();
        assert!(!control.is_started());
        control.stop().unwrap();

        // Neither quiesced nor resumed queues move frames on a stopped port.
        let mut burst = fill(&pool, 5);
        assert_eq!((tx.tx_burst(&mut burst), rx.rx_burst(&mut burst)), (0, 0));
        rx.resume();
        tx.resume();
        assert_eq!((tx.tx_burst(&mut burst), rx.rx_burst(&mut burst)), (0, 0));
        assert_eq!(burst.len(), 5);

        control.start().unwrap();
        control.start().unwrap();
        assert!(control.is_started());
        assert_eq!(tx.tx_burst(&mut burst), 5);
        let mut came = Burst::new();
        // The ring kept what was in it.
        assert_eq!(rx.rx_burst(&mut came), 10);
        drop(came);
        assert_full(&pool);
        // Dropped queues need no quiescing.
        drop((rx, tx));
        control.stop().unwrap();
    });
}

#[test]
fn a_quiesced_queue_waits_for_its_owner() {
    alone("a_quiesced_queue_waits_for_its_owner", || {
        let eal = eal(&["--vdev=net_ring0"]);
        let pool = pool(&eal);
        let Running {
            control,
            mut rx,
            mut tx,
        } = start(&eal, "net_ring0", &pool);
        assert_eq!(tx.tx_burst(&mut fill(&pool, 3)), 3);
        rx.quiesce();
        let mut burst = Burst::new();
        assert_eq!(rx.rx_burst(&mut burst), 0);
        rx.resume();
        assert_eq!(rx.rx_burst(&mut burst), 3);
        assert_eq!(control.stats().unwrap().ipackets, 3);
    });
}

#[test]
fn the_typestate_stops_and_starts_again() {
    alone("the_typestate_stops_and_starts_again", || {
        let eal = eal(&["--vdev=net_null0"]);
        let pool = pool(&eal);
        let port = eal.port_by_name("net_null0").unwrap();
        let port = port.configure(PortConfig::wire(&pool)).unwrap();
        let mut port = port.start().unwrap();
        let mut queues = port.take_queues().unwrap();
        let mut burst = Burst::new();
        assert!(queues.rx[0].rx_burst(&mut burst) > 0);
        let (port, error) = port.stop().unwrap_err();
        assert_eq!(
            error,
            Error::QueuesInUse {
                port: "net_null0".to_owned(),
                queues: 1
            }
        );
        queues.rx[0].quiesce();
        let port = port.stop().unwrap();
        queues.rx[0].resume();
        let _port = port.start().unwrap();
        burst.clear();
        assert!(queues.rx[0].rx_burst(&mut burst) > 0);
        drop(burst);
        assert_full(&pool);
    });
}

#[test]
fn control_reads_facts_and_learns_what_the_driver_cannot() {
    alone(
        "control_reads_facts_and_learns_what_the_driver_cannot",
        || {
            let eal = eal(&["--vdev=net_null0,size=128"]);
            let pool = pool(&eal);
            let Running {
                control, mut rx, ..
            } = start(&eal, "net_null0", &pool);
            let info = control.info();
            assert_eq!(
                (info.name.as_str(), info.driver.as_str()),
                ("net_null0", "net_null")
            );
            assert_eq!(info.bus.as_deref(), Some("vdev"));
            assert!(!info.lsc_interrupt);
            assert!(control.link().unwrap().up);
            assert!(control.set_link_down().unwrap_err().is_not_supported());
            assert!(control.set_link_up().unwrap_err().is_not_supported());
            assert_ne!(control.mac().unwrap(), [0; 6]);

            let facts = control.facts();
            assert_eq!(facts.promiscuous, Setting::Applied);
            assert_eq!(facts.flow_control_off, Setting::NotSupported);
            assert_eq!(facts.mtu, Setting::Untouched);
            assert!(!facts.link_interrupt);

            let mut burst = Burst::new();
            let received = rx.rx_burst(&mut burst) as u64;
            assert!(received > 0);
            let stats = control.stats().unwrap();
            assert_eq!((stats.ipackets, stats.opackets), (received, 0));
            let xstats = control.xstats().unwrap();
            let good = xstats
                .iter()
                .find(|xstat| xstat.name == "rx_good_packets")
                .unwrap();
            assert_eq!(good.value, received);
            drop(burst);
            assert_full(&pool);
        },
    );
}

#[test]
fn a_ring_takes_its_link_down_and_up() {
    alone("a_ring_takes_its_link_down_and_up", || {
        let eal = eal(&["--vdev=net_ring0"]);
        let pool = pool(&eal);
        let Running { control, .. } = start(&eal, "net_ring0", &pool);
        assert!(control.link().unwrap().up);
        control.set_link_down().unwrap();
        assert!(!control.link().unwrap().up);
        control.set_link_up().unwrap();
        assert!(control.link().unwrap().up);
    });
}

#[test]
fn the_mtu_must_fit_the_driver_and_the_mbufs() {
    alone("the_mtu_must_fit_the_driver_and_the_mbufs", || {
        let eal = eal(&["--vdev=net_null0"]);
        let pool = pool(&eal);
        let port = |mtu| {
            let port = eal.port_by_name("net_null0").unwrap();
            port.configure(PortConfig {
                mtu: Some(mtu),
                ..PortConfig::wire(&pool)
            })
        };
        let name = "net_null0".to_owned();
        let min = eal.port_by_name("net_null0").unwrap().info().min_mtu;
        let error = port(min - 1).unwrap_err();
        let expected = Error::Mtu {
            port: name.clone(),
            asked: min - 1,
            min,
            max: u16::MAX,
        };
        assert_eq!(error, expected);
        let error = port(2048 - 25).unwrap_err();
        assert_eq!(
            error,
            Error::RoomTooSmall {
                port: name,
                needs: 2049,
                has: 2048
            }
        );
        // A refusal gives the port back.
        let port = port(2048 - 26).unwrap();
        assert_eq!(port.control().mtu(), Ok(2022));
    });
}

#[test]
fn more_queues_than_the_driver_has_are_refused() {
    alone("more_queues_than_the_driver_has_are_refused", || {
        let eal = eal(&["--vdev=net_ring0"]);
        let pool = pool(&eal);
        let port = eal.port_by_name("net_ring0").unwrap();
        let max = port.info().max_tx_queues;
        let config = PortConfig {
            tx_queues: max + 1,
            ..PortConfig::wire(&pool)
        };
        let error = port.configure(config).unwrap_err();
        let expected = Error::TooManyQueues {
            port: "net_ring0".to_owned(),
            direction: "transmit",
            asked: max + 1,
            max,
        };
        assert_eq!(error, expected);
    });
}

#[test]
fn a_port_has_one_owner() {
    alone("a_port_has_one_owner", || {
        let eal = eal(&["--vdev=net_null0", "--vdev=net_null1"]);
        let port = eal.port_by_name("net_null0").unwrap();
        let taken = Error::PortTaken {
            name: "net_null0".to_owned(),
        };
        assert_eq!(eal.port_by_name("net_null0").unwrap_err(), taken);
        assert!(eal.port_by_name("net_null1").is_ok());
        let control = port.control();
        drop(port);
        assert_eq!(
            eal.port_by_name("net_null0").unwrap_err(),
            taken,
            "control still has it"
        );
        drop(control);
        assert!(eal.port_by_name("net_null0").is_ok());
    });
}

#[test]
fn missing_ports_and_devices_are_named() {
    alone("missing_ports_and_devices_are_named", || {
        let eal = eal(&["--vdev=net_null0"]);
        let error = eal.port_by_name("net_null7").unwrap_err();
        let known = vec!["net_null0".to_owned()];
        assert_eq!(
            error,
            Error::NoSuchPort {
                name: "net_null7".to_owned(),
                known
            }
        );
        assert!(error.to_string().contains("there are net_null0"), "{error}");
        assert!(matches!(
            eal.port_by_name("a\0b").unwrap_err(),
            Error::NulInName { .. }
        ));
        for device in ["0000:ff:1f.7", "net_nosuchdriver0"] {
            let error = eal.hotplug_add(device).unwrap_err();
            assert!(
                matches!(
                    error,
                    Error::Call {
                        call: "rte_dev_probe",
                        ..
                    }
                ),
                "{device}: {error}"
            );
        }
        // Plugged already: nothing new comes of it.
        let error = eal.hotplug_add("net_null0").unwrap_err();
        assert_eq!(
            error,
            Error::NoPort {
                device: "net_null0".to_owned()
            }
        );
    });
}

#[test]
fn a_plugged_port_goes_with_its_owner_and_can_be_plugged_again() {
    alone(
        "a_plugged_port_goes_with_its_owner_and_can_be_plugged_again",
        || {
            let eal = eal(&[]);
            let pool = pool(&eal);
            assert!(eal.port_names().is_empty());
            for _ in 0..3 {
                let port = eal.hotplug_add("net_null3,size=100").unwrap();
                assert_eq!(eal.port_names(), ["net_null3"]);
                let mut port = port
                    .configure(PortConfig::wire(&pool))
                    .unwrap()
                    .start()
                    .unwrap();
                let mut queues = port.take_queues().unwrap();
                let mut burst = Burst::new();
                assert!(queues.rx[0].rx_burst(&mut burst) > 0);
                assert_eq!(burst.iter().next().unwrap().len(), 100);
                drop(burst);
                drop(port);
                // A queue alone keeps the port open.
                assert!(queues.rx[0].rx_burst(&mut Burst::new()) > 0);
                drop(queues);
                assert!(eal.port_names().is_empty());
                assert_full(&pool);
            }
        },
    );
}

#[test]
fn a_capture_file_receives_what_was_sent() {
    alone("a_capture_file_receives_what_was_sent", || {
        let file = std::env::temp_dir().join(format!("dpdk-ports-{}.pcap", std::process::id()));
        let vdev = format!("--vdev=net_pcap0,tx_pcap={},rx_iface=lo", file.display());
        let eal = eal(&[&vdev]);
        let pool = pool(&eal);
        let Running {
            control,
            mut tx,
            rx,
        } = start(&eal, "net_pcap0", &pool);
        let mut burst = fill(&pool, 7);
        assert_eq!(tx.tx_burst(&mut burst), 7);
        assert_full(&pool);
        assert_eq!(control.stats().unwrap().opackets, 7);
        drop((control, tx, rx));
        let written = std::fs::metadata(&file).unwrap().len();
        std::fs::remove_file(&file).unwrap();
        // A file header of 24 octets, and 16 before each frame.
        assert_eq!(written, 24 + 7 * (16 + 60));
    });
}

#[test]
fn a_closed_port_gives_its_pool_back() {
    alone("a_closed_port_gives_its_pool_back", || {
        let eal = eal(&["--vdev=net_null0"]);
        let pool = pool(&eal);
        let Running { control, rx, tx } = start(&eal, "net_null0", &pool);
        let weak = pool.clone();
        drop(pool);
        drop((control, rx, tx));
        assert_full(&weak);
        drop(weak);
        // The name is free again only if the pool was freed.
        let again = support::pool(&eal);
        assert_full(&again);
    });
}

/// A bond reports that its link has come up, some time after its start, on DPDK's interrupt thread.
#[test]
fn a_change_of_the_link_calls_back() {
    alone("a_change_of_the_link_calls_back", || {
        let member = if dpdk::version().as_str() < "DPDK 23.11" {
            "slave"
        } else {
            "member"
        };
        let bond = format!("--vdev=net_bonding0,mode=1,{member}=net_null0");
        let eal = eal(&["--vdev=net_null0", &bond]);
        let pool = pool(&eal);
        let port = eal.port_by_name("net_bonding0").unwrap();
        let port = port.configure(PortConfig::wire(&pool)).unwrap();
        let control = port.control();
        assert!(control.info().lsc_interrupt && port.facts().link_interrupt);
        let calls = Arc::new(AtomicU32::new(0));
        let counter = Arc::clone(&calls);
        let count = move || {
            counter.fetch_add(1, Ordering::SeqCst);
            // Must not reach DPDK's thread.
            panic!("a callback that panics");
        };
        assert!(control.on_link_change(count));
        assert!(!control.on_link_change(|| ()), "the first function stays");
        assert_eq!(control.link_changes(), 0);
        let port = port.start().unwrap();
        let limit = Duration::from_secs(10);
        assert!(wait_for(|| control.link_changes() > 0, limit), "no report");
        assert!(
            wait_for(|| calls.load(Ordering::SeqCst) > 0, limit),
            "no call"
        );
        assert!(control.link().unwrap().up);
        assert!(!control.is_removed());
        // Unregistered before the port closes, so nothing calls into what is gone.
        drop((port, control));
        assert_eq!(Arc::strong_count(&calls), 1);
    });
}

/// What may cross threads does; that `Eal` may not is the compiler's affair too (its pointer marker).
#[test]
fn handles_cross_threads() {
    fn sends<T: Send>() {}
    fn shares<T: Send + Sync>() {}
    sends::<Mbuf>();
    sends::<Burst>();
    sends::<RxQueue>();
    sends::<TxQueue>();
    shares::<PortControl>();
    shares::<Mempool>();
}
