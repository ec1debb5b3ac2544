//! Several links in one process: each carries its own traffic and nothing else, on one worker and on
//! two; lanes run where the configuration says; and what can't be is refused before anything moves.
//!
//! Needs root. All in namespaces of its own.

mod support;

use std::time::Duration;
use support::{Gateway, GatewayConfig, Namespace, Pair, PairEnds, lane_count, settled_counters};

const ARRIVES: Duration = Duration::from_secs(5);
const LINKS: u8 = 3;
const FRAMES: u16 = 300;

/// A frame that tells its link, its way and its number.
fn frame(link: u8, to_right: bool, number: u16) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x88, 0xB5];
    frame.extend([link, u8::from(to_right)]);
    frame.extend(number.to_be_bytes());
    frame.resize(60 + usize::from(number) % 1400, link);
    frame
}

/// All links at once, frame by frame in turns, and every end sees its own link's frames in their order.
#[track_caller]
fn carry(pair: &Pair) {
    let mut ends: Vec<(u8, PairEnds)> = (0..LINKS)
        .map(|link| (link, pair.ends(u32::from(link))))
        .collect();
    for number in 0..FRAMES {
        for (link, end) in &ends {
            end.left.send(&frame(*link, true, number));
            end.right.send(&frame(*link, false, number));
        }
        if number % 10 == 9 {
            // A packet socket's ring is no more than a lab's.
            std::thread::sleep(Duration::from_millis(5));
        }
    }
    for (link, end) in &mut ends {
        for (to_right, capture) in [(true, &mut end.at_right), (false, &mut end.at_left)] {
            for number in 0..FRAMES {
                let seen = capture.next(ARRIVES).map(|seen| seen.0);
                let wanted = frame(*link, to_right, number);
                assert_eq!(seen, Some(wanted), "link {link}, to the right: {to_right}");
            }
            let more = capture.next(Duration::from_millis(50));
            assert_eq!(more, None, "frames that nobody sent to link {link}");
        }
    }
}

#[track_caller]
fn assert_all_carried(gateway: &Gateway<'_>) {
    let counters = settled_counters(gateway);
    for link in 0..usize::from(LINKS) {
        for lane in ["protect", "validate"] {
            let of = |name| lane_count(&counters, link, lane, name);
            let seen = (of("frames_in"), of("frames_out"), of("dropped"));
            assert_eq!(seen, (FRAMES.into(), FRAMES.into(), 0), "{counters:#}");
        }
    }
}

/// The lanes of each worker, as `status` names them.
fn lanes(gateway: &Gateway<'_>) -> Vec<Vec<String>> {
    let status = gateway.status();
    let workers = status["workers"].as_array().into_iter().flatten();
    let lanes = workers.map(|worker| {
        let lanes = worker["lanes"].as_array().into_iter().flatten();
        let names = lanes.filter_map(|lane| lane.as_str());
        names.map(str::to_owned).collect()
    });
    lanes.collect()
}

#[test]
fn three_links_on_one_worker_do_not_mix() {
    let pair = Pair::new(LINKS.into(), 1600, 1600);
    let mut configs = pair.configs([1500, 1500]);
    for config in &mut configs {
        config.cores = vec![1];
    }
    let [edge, cloud] = pair.start(&configs);
    carry(&pair);
    for gateway in [&edge, &cloud] {
        assert_all_carried(gateway);
        let all = ["dx0", "dx1", "dx2"];
        let all = all.map(|link| [format!("{link}/protect"), format!("{link}/validate")]);
        assert_eq!(lanes(gateway), [all.concat()]);
    }
    assert_eq!([edge.stop(), cloud.stop()], [0, 0]);
}

#[test]
fn three_links_on_two_workers_run_where_the_configuration_says() {
    let pair = Pair::new(LINKS.into(), 1600, 1600);
    let mut configs = pair.configs([1500, 1500]);
    let [edge, cloud] = &mut configs;
    for config in [&mut *edge, &mut *cloud] {
        config.cores = vec![0, 1];
    }
    // Each way on a worker of its own, and one link the other way round.
    for (link, protect) in edge.links.iter_mut().zip([0, 0, 1]) {
        let lines = [
            format!("protect_worker = {protect}"),
            format!("validate_worker = {}", 1 - protect),
        ];
        link.settings.extend(lines);
    }
    // One lane chosen, the rest spread.
    let chosen = cloud.links[1].clone().with("validate_worker = 0");
    cloud.links[1] = chosen;
    let [edge, cloud] = pair.start(&configs);
    carry(&pair);
    assert_all_carried(&edge);
    assert_all_carried(&cloud);
    assert_eq!(
        lanes(&edge),
        [
            ["dx0/protect", "dx1/protect", "dx2/validate"],
            ["dx0/validate", "dx1/validate", "dx2/protect"]
        ]
    );
    let spread = lanes(&cloud);
    assert_eq!(spread.iter().map(Vec::len).collect::<Vec<_>>(), [3, 3]);
    assert!(spread[0].contains(&"dx1/validate".into()), "{spread:?}");
    assert_eq!([edge.stop(), cloud.stop()], [0, 0]);
}

/// A start that must be refused: what it says.
#[track_caller]
fn refusal(ns: &Namespace, config: &GatewayConfig) -> String {
    let mut gateway = Gateway::spawn(ns, config);
    let code = gateway.daemon().wait_end(Duration::from_secs(20));
    let log = gateway.log_text();
    assert!(code.is_some_and(|code| code != 0), "{code:?}: {log}");
    assert!(!log.contains("up=true"), "a port was opened: {log}");
    // Whoever says that it is wrong says what would be right.
    assert!(!log.contains("help: \n"), "{log}");
    log
}

#[track_caller]
fn assert_says(log: &str, words: &[&str]) {
    for word in words {
        assert!(log.contains(word), "no '{word}' in: {log}");
    }
}

#[test]
fn what_ports_and_workers_can_not_give_is_refused() {
    let ns = Namespace::new("refuse");
    let other = Namespace::new("other");
    for link in 0..2 {
        ns.wire(&format!("plain{link}"), &other, &format!("l{link}"), 1600);
        ns.wire(&format!("secure{link}"), &other, &format!("w{link}"), 1600);
    }
    let pair = |links: u32| {
        let links = (0..links).map(|link| {
            let keys = Pair::keys(link, support::Suite::ALL[3]);
            let ports = [format!("plain{link}"), format!("secure{link}")];
            let name = format!("dx{link}");
            support::LinkConfig::on_interfaces(&name, link, [&*ports[0], &*ports[1]], keys)
        });
        let mut config = GatewayConfig::new("refuse", links.collect());
        config.state_fresh_keys = false;
        config
    };
    // One port for two links, by its name and by what it stands on.
    let taken = "each side of each link has a port of its own";
    let mut same = pair(2);
    same.links[1].plain = same.links[0].plain.clone();
    let words = [
        "`net_af_packet0` is already the port `link[0].plain`",
        taken,
    ];
    assert_says(&refusal(&ns, &same), &words);
    for device in ["net_af_packet2,iface=plain0", "net_af_xdp0,iface=plain0"] {
        let mut same = pair(2);
        same.links[1].secure = device.into();
        let words = ["`link[0].plain` already stands on `plain0`", taken];
        assert_says(&refusal(&ns, &same), &words);
    }
    // A lane without a queue of its own.
    let mut queues = pair(1);
    queues.links[0].plain = "net_af_packet0,iface=plain0,qpairs=0".into();
    let words = [
        "link dx0: plain port",
        "qpairs=0 is refused",
        "right would be 1",
    ];
    assert_says(&refusal(&ns, &queues), &words);
    // A worker that there is not, and a CPU.
    let mut worker = pair(1);
    worker.cores = vec![1];
    worker.links[0].settings.push("protect_worker = 1".into());
    assert_says(
        &refusal(&ns, &worker),
        &["`protect_worker` is 1", "an index into `cores`"],
    );
    let mut cpu = pair(1);
    cpu.cores = vec![999];
    assert_says(
        &refusal(&ns, &cpu),
        &["CPU 999 is not one that this process may use", "help: name"],
    );
    // More ports than DPDK was built for.
    let most = dpdk::max_ethports() / 2;
    let mut many = pair(u32::from(most) + 1);
    for (index, link) in many.links.iter_mut().enumerate() {
        link.plain = format!("net_null{}", 2 * index);
        link.secure = format!("net_null{}", 2 * index + 1);
    }
    let words = [
        format!("{} links need {} ports", most + 1, 2 * most + 2),
        format!("configure at most {most} links"),
    ];
    assert_says(&refusal(&ns, &many), &[&*words[0], &*words[1]]);
}
