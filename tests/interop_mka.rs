//! The gateway's key agreement against wpa_supplicant 2.10 and a Linux kernel's MACsec, over real DPDK ports,
//! and against a newer one.
//!
//! wpa_supplicant's own word is not believed: a link counts as secured when the guest's kernel holds SAs both
//! ways and pings pass. wpa_supplicant 2.10 on Linux knows GCM-AES-128 only, a newer one GCM-AES-256 too, and
//! none XPN.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "this is test code: a broken step must end the test and say why"
)]

mod support;

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use support::{
    CakPair, Capture, Frame, Gateway, GatewayConfig, KernelSas, Line, LinkConfig, MkaKeys,
    Namespace, Shell, SupplicantOptions, UmlOptions, UmlPeer, Version, iperf_client, iperf_server,
    ping, wait_until,
};

/// wpa_supplicant sends each 2 s and counts in whole seconds: what it needs for an agreement, and some more
/// for a busy machine.
const AGREED: Duration = Duration::from_secs(30);

const EAPOL: u16 = 0x888E;

/// A gateway's configuration with this pair and further lines of its link. Its priority is 16.
fn config(pair: &CakPair, lines: &[&str]) -> GatewayConfig {
    config_of("gcm-aes-128", 16, pair, lines)
}

fn config_of(suite: &str, priority: u8, pair: &CakPair, lines: &[&str]) -> GatewayConfig {
    let suite = format!("cipher_suite = \"{suite}\"");
    let always = [&suite, "replay = \"strict\""];
    let keys = MkaKeys::new(
        std::slice::from_ref(pair),
        &[lines, &always].concat(),
        &[&format!("key_server_priority = {priority}")],
    );
    let link = LinkConfig::agreeing("dx1", 0, ["plain0", "secure0"], keys);
    GatewayConfig::new("interop", vec![link])
}

/// wpa_supplicant's options on the guest of a [`Line`].
fn supplicant(pair: &CakPair, priority: u8) -> SupplicantOptions {
    SupplicantOptions::new(pair, priority, &format!("{}/24", Line::PEER))
}

/// Waits until the host may send, which in `must_encrypt` it may only once the link is secured.
fn wait_open(line: &Line) {
    wait_until("a link on the plain side", AGREED, || {
        let state = line
            .host
            .sh("cat /sys/class/net/lan/operstate", Duration::from_secs(10));
        (state.stdout.trim() == "up").then_some(())
    });
}

/// Secured, by the guest's kernel and by what the host sees; wpa_supplicant's log if not.
fn wait_agreed(line: &Line) -> KernelSas {
    let begun = Instant::now();
    let sas = loop {
        let sas = line.guest.kernel_sas();
        if sas.is_secured() {
            break sas;
        }
        assert!(
            begun.elapsed() < AGREED,
            "not secured: {sas:?}\n{}",
            line.guest.supplicant_log()
        );
        std::thread::sleep(Duration::from_millis(100));
    };
    wait_open(line);
    sas
}

fn pings(line: &Line) {
    for (from, to) in [
        (&line.host as &dyn Shell, Line::PEER),
        (&line.guest, Line::HOST),
    ] {
        for (count, payload) in [(10, 56), (3, 1472)] {
            ping(from, to, count, payload).lossless();
        }
    }
}

fn bulk(line: &Line) {
    for options in ["", "-R"] {
        iperf_server(&line.guest);
        let bulk = iperf_client(&line.host, Line::PEER, 1, options);
        assert!(bulk.octets > 200_000, "{bulk:?}");
    }
}

/// Nothing but MACsec and MKA was on the wire.
fn assert_no_clear(frames: &[Frame]) {
    let clear = frames
        .iter()
        .find(|frame| !frame.is_macsec() && frame.ethertype() != Some(EAPOL));
    assert_eq!(clear, None, "a clear frame on the wire");
    assert!(frames.iter().any(Frame::is_macsec), "no MACsec on the wire");
}

/// How an agreement is to come about.
#[derive(Clone, Copy, Debug)]
struct How {
    version: Version,
    suite: &'static str,
    we_serve: bool,
    integrity_only: bool,
}

impl How {
    const fn with_installed(we_serve: bool, integrity_only: bool) -> Self {
        Self {
            version: Version::Installed,
            suite: "gcm-aes-128",
            we_serve,
            integrity_only,
        }
    }
}

/// One agreement from nothing, with traffic, and a look at the wire.
fn agree(line: &Line, pair: &CakPair, how: How) {
    let octets = [&pair.ckn, &pair.cak].map(|digits| digits.len() / 2);
    println!("case: octets of CKN and CAK {octets:?}, {how:?}");
    let How {
        we_serve, suite, ..
    } = how;
    let confidentiality = format!("confidentiality = {}", !how.integrity_only);
    let wire = Capture::start(&line.peer, "wan", "", &line.scratch);
    let config = config_of(suite, 16, pair, &[&confidentiality]);
    let gateway = Gateway::start(&line.gateway, &config);
    let mut options = supplicant(pair, if we_serve { 32 } else { 8 });
    options.version = how.version;
    options.strong = suite == "gcm-aes-256";
    options.integrity_only = how.integrity_only;
    line.guest.supplicant(&options);
    wait_agreed(line);
    let theirs = line.guest.supplicant_status();
    let server = if we_serve {
        Line::SECURE_MAC
    } else {
        Line::PEER_MAC
    };
    // Its "Is Key Server" says something else.
    assert!(
        theirs.contains(&format!("key_server_sci={server}@1")),
        "{theirs}"
    );
    let ours = &gateway.status()["links"][0]["mka"];
    assert_eq!(ours["key_server"]["is_us"], we_serve, "{ours:#}");
    let device = line.guest.sh("ip -d macsec show macsec0", AGREED).ok();
    assert!(
        device.contains(&format!("cipher suite: {}", suite.to_uppercase())),
        "{device}"
    );
    pings(line);
    bulk(line);
    line.guest.end_supplicant("TERM");
    assert_eq!(gateway.stop(), 0);
    assert_no_clear(&wire.stop());
}

#[test]
fn either_end_serves_with_keys_and_names_of_every_length() {
    let line = Line::new();
    for (seed, ckn, cak, we_serve) in [
        (1, 16, 16, true),
        (2, 16, 16, false),
        (3, 1, 16, true),
        (4, 32, 32, true),
        (5, 32, 32, false),
    ] {
        let how = How::with_installed(we_serve, false);
        agree(&line, &CakPair::new(seed, ckn, cak), how);
    }
    for (seed, we_serve) in [(6, true), (7, false)] {
        let how = How::with_installed(we_serve, true);
        agree(&line, &CakPair::new(seed, 16, 16), how);
    }
}

#[test]
fn a_newer_one_agrees_with_keys_of_every_length_and_with_gcm_aes_256() {
    let line = Line::new();
    for (seed, [ckn, cak], suite, [we_serve, integrity_only]) in [
        (21, [16, 16], "gcm-aes-128", [true, false]),
        (22, [1, 16], "gcm-aes-256", [true, false]),
        (23, [32, 32], "gcm-aes-256", [false, false]),
        (24, [32, 32], "gcm-aes-256", [true, true]),
    ] {
        let how = How {
            version: Version::Newer,
            suite,
            we_serve,
            integrity_only,
        };
        agree(&line, &CakPair::new(seed, ckn, cak), how);
    }
}

/// Pings every 20 ms in the background while `meanwhile` runs, and loses none.
fn without_loss(line: &Line, meanwhile: impl FnOnce()) {
    let (sent, lost) = pinged(line, meanwhile);
    // One may be on its way when the interrupt comes.
    assert!(sent > 50 && lost <= 1, "{lost} of {sent} were lost");
}

/// Pings every 20 ms in the background while `meanwhile` runs: how many, and how many of them were lost.
fn pinged(line: &Line, meanwhile: impl FnOnce()) -> (u64, u64) {
    let script = format!(
        "ping -n -q -i 0.02 -W 5 {} >/tmp/pings.$$ 2>&1 & pid=$!; echo $pid /tmp/pings.$$",
        Line::PEER
    );
    let started = line.host.sh(&script, Duration::from_secs(10)).ok();
    let (pid, file) = started.trim().split_once(' ').expect("a pid and a file");
    meanwhile();
    // An interrupted ping reports; what is under way at that moment is not lost.
    let script = format!(
        "kill -INT {pid}; n=0; while kill -0 {pid} 2>/dev/null; do n=$((n+1)); [ $n -lt 100 ] || exit 1; \
         sleep 0.05; done; cat {file}; rm -f {file}"
    );
    let report = line.host.sh(&script, Duration::from_secs(10)).ok();
    let counts = report
        .lines()
        .find(|text| text.contains("packets transmitted"));
    let counts = counts.unwrap_or_else(|| panic!("no report of pings: {report}"));
    let mut figures = counts
        .split(|letter: char| !letter.is_ascii_digit())
        .filter_map(|word| word.parse::<u64>().ok());
    let (Some(sent), Some(received)) = (figures.next(), figures.next()) else {
        panic!("no figures in {counts}");
    };
    (sent, sent - received)
}

#[test]
fn packet_numbers_of_either_side_call_for_a_new_key_and_no_frame_is_lost() {
    let line = Line::new();
    let pair = CakPair::new(8, 16, 16);
    // With "we": their numbers reach us by their lowest PN. With "they": their own.
    for we_serve in [true, false] {
        let gateway = Gateway::start(&line.gateway, &config(&pair, &[]));
        line.guest
            .supplicant(&supplicant(&pair, if we_serve { 32 } else { 8 }));
        let before = wait_agreed(&line);
        pings(&line);
        // Not before the gap between two SAKs is over: wpa_supplicant forgets what is asked for within it.
        std::thread::sleep(Duration::from_secs(7));
        without_loss(&line, || {
            let an = before.tx.expect("an AN in use");
            let script = format!("ip macsec set macsec0 tx sa {an} pn 3221225480");
            line.guest.sh(&script, Duration::from_secs(10)).ok();
            let limit = Duration::from_secs(20);
            wait_until("another key in the guest", limit, || {
                let now = line.guest.kernel_sas();
                (now.tx != before.tx && now.is_secured()).then_some(())
            });
            // And until the old one is gone at both ends.
            wait_until("one key only", limit, || {
                let now = line.guest.kernel_sas();
                (now.rx_keys.len() == 1 && now.tx_keys.len() == 1).then_some(())
            });
        });
        pings(&line);
        line.guest.end_supplicant("TERM");
        assert_eq!(gateway.stop(), 0);
    }
}

/// wpa_supplicant elects a key server when its live peers change, and at no other time: it goes on as a client of a
/// key server that became the worse one, and as key server beside a better one. As that it discards what has a
/// key in it, until its peer's time is over, and then elects.
#[test]
fn another_priority_of_ours_on_a_live_link_costs_a_life_time_at_the_most() {
    let line = Line::new();
    let pair = CakPair::new(14, 16, 16);
    let life = Duration::from_secs(6);
    // Theirs is 32. We serve after both.
    for (before, after) in [(16, 64), (64, 16)] {
        println!("case: our priority from {before} to {after}");
        let mut config = config_of("gcm-aes-128", before, &pair, &[]);
        let gateway = Gateway::start(&line.gateway, &config);
        line.guest.supplicant(&supplicant(&pair, 32));
        wait_agreed(&line);
        pings(&line);
        config.links = config_of("gcm-aes-128", after, &pair, &[]).links;
        let begun = Instant::now();
        let (sent, lost) = pinged(&line, || {
            gateway.rewrite(&config, &[]);
            assert!(gateway.reload(), "{:#}", gateway.status()["reload"]);
            // Its peer's time, what it looks for only each 2 s, and one more life.
            std::thread::sleep(life * 2 + Duration::from_secs(4));
        });
        let outage = begun.elapsed().mul_f64(lost as f64 / sent as f64);
        println!("{lost} of {sent} pings were lost, about {outage:?}");
        assert!(outage < life, "{lost} of {sent} were lost");
        wait_agreed(&line);
        pings(&line);
        let ours = &gateway.status()["links"][0]["mka"];
        assert_eq!(ours["key_server"]["is_us"], true, "{ours:#}");
        let theirs = line.guest.supplicant_status();
        let server = format!("key_server_sci={}@1", Line::SECURE_MAC);
        assert!(theirs.contains(&server), "{theirs}");
        line.guest.end_supplicant("TERM");
        assert_eq!(gateway.stop(), 0);
    }
}

#[test]
fn both_ends_may_be_killed_and_started_again() {
    let line = Line::new();
    let pair = CakPair::new(9, 16, 16);
    for we_serve in [true, false] {
        let priority = if we_serve { 32 } else { 8 };
        let config = config(&pair, &[]);
        let mut gateway = Gateway::start(&line.gateway, &config);
        line.guest.supplicant(&supplicant(&pair, priority));
        wait_agreed(&line);
        pings(&line);

        println!("case: wpa_supplicant killed, we serve {we_serve}");
        line.guest.end_supplicant("KILL");
        line.guest.supplicant(&supplicant(&pair, priority));
        wait_agreed(&line);
        pings(&line);

        println!("case: gateway killed, we serve {we_serve}");
        let wire = Capture::start(&line.peer, "wan", "", &line.scratch);
        gateway.end(Signal::SIGKILL);
        gateway.start_again();
        gateway.wait_ready(Duration::from_secs(30));
        let begun = Instant::now();
        wait_open(&line);
        println!("secured again {:?} after it was ready", begun.elapsed());
        wait_until("pings again", AGREED, || {
            let pings = ping(&line.host, Line::PEER, 1, 56);
            (pings.received == 1).then_some(())
        });
        pings(&line);
        line.guest.end_supplicant("TERM");
        assert_eq!(gateway.stop(), 0);
        assert_no_clear(&wire.stop());
    }
}

#[test]
fn a_wrong_key_or_name_never_secures_and_nothing_passes() {
    let line = Line::new();
    let pair = CakPair::new(10, 16, 16);
    let wrong_cak = CakPair {
        cak: CakPair::new(11, 16, 16).cak,
        ..pair.clone()
    };
    let wrong_ckn = CakPair {
        ckn: CakPair::new(12, 16, 16).ckn,
        ..pair.clone()
    };
    for wrong in [wrong_cak, wrong_ckn] {
        let wire = Capture::start(&line.peer, "wan", "", &line.scratch);
        let gateway = Gateway::start(&line.gateway, &config(&pair, &[]));
        line.guest.supplicant(&supplicant(&wrong, 32));
        // Twice the life of a peer.
        std::thread::sleep(Duration::from_secs(12));
        assert!(!line.guest.kernel_sas().is_secured());
        let carrier = line
            .host
            .sh("cat /sys/class/net/lan/carrier", Duration::from_secs(10));
        assert_eq!(carrier.stdout.trim(), "0", "the plain side has no link");
        assert_eq!(
            gateway
                .metrics()
                .count("macsecgw_lane_out_frames_total", &[]),
            0
        );
        line.guest.end_supplicant("TERM");
        assert_eq!(gateway.stop(), 0);
        let frames = wire.stop();
        assert!(
            frames.iter().all(|frame| frame.ethertype() == Some(EAPOL)),
            "only MKA was on the wire"
        );
        assert!(frames.len() > 6);
    }
}

/// For so long nothing may change before a group counts as together: wpa_supplicant keeps a peer that took a new
/// member identifier for up to 6 s more, looks for such ones each 2 s, and drops that peer's receive channel
/// then, whatever it had in it.
const SETTLED: Duration = Duration::from_secs(9);

/// Waits until all that both guests' kernels have is one transmit SA and two receive SAs, all of one key, and stay so;
/// how long that took. Their wpa_supplicants' logs if not.
fn wait_one_key(guests: &[UmlPeer; 2]) -> Duration {
    let begun = Instant::now();
    let mut since: Option<(String, Instant)> = None;
    loop {
        let sas = guests.each_ref().map(UmlPeer::kernel_sas);
        let key = sas[0].tx_keys.first().cloned().unwrap_or_default();
        let alone = |keys: &[String], count| keys.len() == count && keys.iter().all(|k| *k == key);
        let one = sas
            .iter()
            .all(|sas| alone(&sas.tx_keys, 1) && alone(&sas.rx_keys, 2));
        since = since.filter(|(before, _)| one && *before == key);
        if one {
            let (_, since) = since.get_or_insert_with(|| (key, Instant::now()));
            if since.elapsed() > SETTLED {
                return begun.elapsed();
            }
        }
        // A member that is held up on a busy machine is lost, and all begins anew.
        if begun.elapsed() > AGREED * 5 {
            let logs = guests.each_ref().map(UmlPeer::supplicant_log);
            panic!(
                "not one key: {sas:?}\nleft\n{}\nright\n{}",
                logs[0], logs[1]
            );
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn a_group_of_three_speaks_with_one_key() {
    let [host, gateway, left, right] = ["host", "gateway", "left", "right"].map(Namespace::new);
    host.wire("lan", &gateway, "plain0", 1508);
    host.mac("lan", Line::HOST_MAC);
    host.address("lan", &format!("{}/24", Line::HOST));
    let _hub = Namespace::hub(
        "hub",
        &[(&gateway, "secure0"), (&left, "wan"), (&right, "wan")],
    );
    gateway.mac("secure0", Line::SECURE_MAC);
    let start = |namespace, name: &str, mac: &str| {
        UmlPeer::start(namespace, "wan", &UmlOptions::new(name, mac))
    };
    let guests = [
        start(&left, "left", Line::PEER_MAC),
        start(&right, "right", "02:00:00:00:00:0d"),
    ];
    guests.iter().for_each(UmlPeer::wait_ready);
    let pair = CakPair::new(13, 16, 16);
    let running = Gateway::start(&gateway, &config(&pair, &[]));
    for (guest, address) in guests.iter().zip(["10.9.0.1/24", "10.9.0.3/24"]) {
        guest.supplicant(&SupplicantOptions::new(&pair, 32, address));
    }
    let took = wait_one_key(&guests);
    println!("three members with one key after {took:?}");
    for address in ["10.9.0.1", "10.9.0.3"] {
        wait_until("the first ping", Duration::from_secs(20), || {
            (ping(&host, address, 1, 56).received == 1).then_some(())
        });
        ping(&host, address, 10, 56).lossless();
    }
    ping(&guests[0], "10.9.0.3", 5, 56).lossless();
    assert_eq!(running.stop(), 0);
}
