//! The control socket: who may ask, what is answered, and that nothing that is sent can break it.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "this is test code: a broken step must end the test and say why"
)]

mod scene;

use std::{
    io::{BufRead, BufReader, Read, Write},
    os::unix::{
        fs::{MetadataExt, PermissionsExt},
        net::{UnixListener, UnixStream},
        process::CommandExt,
    },
    path::Path,
    process::Command,
    sync::{Arc, atomic::AtomicBool},
    time::{Duration, Instant},
};

use macsec_gateway::{
    api::{
        ApiError, AskError, Counters, ErrorCode, LONGEST_REQUEST, Status, ask, ask_as, parse, serve,
    },
    bus::{DropReason, snapshot_channel},
    control::request_channel,
    ieee::Pn,
};
use proptest::prelude::*;
use scene::{Blocks, Directory, Served, alarm, config, one_link};
use serde_json::Value;

/// A group that every Debian has.
const GROUP: &str = "daemon";

fn ready() -> (Served, Blocks) {
    let served = Served::start(GROUP);
    let blocks = Blocks::default();
    served.publish(one_link(&blocks));
    (served, blocks)
}

fn connect(socket: &Path) -> UnixStream {
    let stream = UnixStream::connect(socket).expect("the socket is there");
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .expect("a timeout");
    stream
        .set_write_timeout(Some(Duration::from_secs(10)))
        .expect("a timeout");
    stream
}

/// The line that comes back for a line.
fn exchange(stream: &mut UnixStream, line: &[u8]) -> Value {
    stream.write_all(line).expect("it is read");
    let mut reply = String::new();
    BufReader::new(&*stream)
        .read_line(&mut reply)
        .expect("a reply");
    serde_json::from_str(&reply).unwrap_or_else(|error| panic!("{error}: {reply}"))
}

#[test]
fn status_shows_what_control_published() {
    let (served, blocks) = ready();
    blocks.traffic(0, 12);
    blocks.protect.dropped(DropReason::Closed).add(3);
    let mut scene = one_link(&blocks);
    scene.links[0].alarms.push(alarm());
    scene.links[0].plain.link.up = false;
    scene.links[0].tx_sas[0].next_pn = Pn(u64::MAX - 1);
    scene.reload_generation = 2;
    scene.last_reload = Some((Instant::now(), Err("line 4: no such suite".into())));
    served.publish(scene);

    let status = ask(&served.socket(), "status").expect("a status");
    let link = &status["links"][0];
    assert_eq!(status["v"], 1);
    assert_eq!(status["ready"], true);
    assert_eq!(status["engine"], "ring");
    assert!(status["snapshot_age_ms"].as_u64().expect("an age") < 5000);
    assert_eq!(status["capture"]["possible"], false);
    assert_eq!(
        status["capture"]["reason"],
        "memory is not shared without hugepages"
    );
    assert_eq!(status["reload"]["generation"], 2);
    assert_eq!(status["reload"]["ok"], false);
    assert_eq!(status["reload"]["error"], "line 4: no such suite");
    assert_eq!(link["name"], "dx1");
    assert_eq!(link["secured"], true);
    assert_eq!(link["controlled_port_open"], true);
    assert_eq!(link["plain"]["link_up"], false);
    assert_eq!(link["secure"]["link_up"], true);
    assert_eq!(link["protect"]["mode"], "secured");
    assert_eq!(link["protect"]["frames_in"], 12);
    assert_eq!(link["protect"]["dropped"], 3);
    assert_eq!(link["secure_mtu_needed"], 1540);
    assert_eq!(link["tx_sas"][0]["next_pn"], u64::MAX - 1);
    assert_eq!(link["tx_encoding"], 0);
    assert_eq!(link["rx_scs"][0]["sas"][0]["lowest_pn"], 400);
    assert_eq!(link["alarms"][0]["name"], "bypass_in_must_encrypt");
    let typed: Status = ask_as(&served.socket(), "status").expect("a typed status");
    assert_eq!(typed.links[0].replay.window, 100_000);
    assert!(
        typed.links[0].replay.meaning.contains("newest 4096 only"),
        "{:?}",
        typed.links[0].replay
    );
}

#[test]
fn counters_are_read_when_they_are_asked_for() {
    let (served, blocks) = ready();
    blocks.traffic(1, 5);
    let read = || -> Counters { ask_as(&served.socket(), "counters").expect("counters") };
    let before = read();
    blocks.traffic(1, 2);
    blocks.validate.dropped(DropReason::TxFull).add(1);
    let after = read();
    let (before, after) = (&before.links[0], &after.links[0]);
    assert_eq!(before.lanes["protect"].counts["frames_in"], 5);
    assert_eq!(after.lanes["protect"].counts["frames_in"], 7);
    assert_eq!(after.lanes["validate"].drops["tx_full"], 1);
    assert_eq!(after.lanes["validate"].counts["dropped"], 1);
    assert_eq!(after.tx_sc.counters["out_pkts_encrypted"], 7);
    assert_eq!(after.tx_sc.sas[1].counters["out_pkts_encrypted"], 7);
    assert_eq!(after.tx_sc.sas[0].counters["out_pkts_encrypted"], 0);
    assert_eq!(after.rx_scs[0].counters["in_pkts_ok"], 7);
    assert_eq!(after.rx_scs[0].sas[1].counters["in_pkts_ok"], 7);
    assert_eq!(after.secy["in_pkts_no_tag"], 0);
    assert_eq!(after.ports["plain"]["rx_packets"], 7);
    assert_eq!(after.lanes["protect"].drops.len(), DropReason::COUNT);
}

#[test]
fn several_requests_on_one_connection_and_a_version() {
    let (served, _blocks) = ready();
    let mut stream = connect(&served.socket());
    for _ in 0..3 {
        let reply = exchange(&mut stream, b"{\"v\":1,\"verb\":\"version\"}\n");
        assert_eq!(reply["v"], 1);
        assert_eq!(reply["ok"]["dpdk_version"], "22.11.7");
    }
    let reply = exchange(&mut stream, b"{\"v\":1,\"verb\":\"versoin\"}\r\n");
    assert_eq!(reply["error"]["code"], "unknown_verb");
    let reply = exchange(&mut stream, b"{\"v\":1,\"verb\":\"reload\"}\n");
    assert_eq!(reply["ok"]["text"], "nothing to change");
}

#[test]
fn before_the_first_snapshot_it_says_so() {
    let served = Served::start(GROUP);
    let Err(AskError::Refused(refusal)) = ask(&served.socket(), "status") else {
        panic!("a status without a snapshot");
    };
    assert_eq!(refusal.code, ErrorCode::NotReady);
}

#[test]
fn the_socket_is_the_groups_and_goes_with_the_gateway() {
    let (mut served, _blocks) = ready();
    let meta = std::fs::metadata(served.socket()).expect("a socket");
    assert_eq!(meta.permissions().mode() & 0o7777, 0o660);
    if nix::unistd::geteuid().is_root() {
        let group = nix::unistd::Group::from_name(GROUP)
            .expect("groups")
            .expect("the group");
        assert_eq!(meta.gid(), group.gid.as_raw());
    }
    served.stop();
    assert!(!served.socket().exists(), "the socket is still there");
    let error = ask(&served.socket(), "status").expect_err("no gateway");
    assert_eq!(error.exit_code(), 3);
    assert!(error.to_string().contains("control.sock"), "{error}");
    assert!(
        error.remedy().contains("macsecgw run"),
        "{}",
        error.remedy()
    );
}

#[test]
fn an_absent_group_is_a_warning() {
    let served = Served::start("no-such-group-here");
    let warnings = &served.threads.as_ref().expect("served").warnings;
    assert!(
        warnings
            .iter()
            .any(|text| text.contains("no-such-group-here")),
        "{warnings:?}"
    );
}

#[test]
fn a_dead_gateways_socket_is_replaced_and_a_live_ones_is_not() {
    let directory = Directory::new();
    let socket = directory.socket();
    std::fs::create_dir(socket.parent().expect("a directory")).expect("a directory");
    drop(UnixListener::bind(&socket).expect("a socket"));
    assert!(socket.exists(), "what a dead gateway leaves");
    let start = || {
        let (_writer, readers) = snapshot_channel(2);
        let readers = readers.try_into().expect("two readers");
        let stop = Arc::new(AtomicBool::new(false));
        (
            serve(
                &config(&directory, GROUP),
                readers,
                request_channel().0,
                &stop,
            ),
            stop,
        )
    };
    let (first, stop) = start();
    let first = first.expect("a dead gateway's socket is replaced");
    let (second, _) = start();
    let error = second.expect_err("two gateways on one socket");
    assert_eq!(
        error,
        ApiError::AlreadyRuns {
            socket: socket.clone()
        }
    );
    assert!(
        error
            .to_string()
            .contains("another gateway named edge runs"),
        "{error}"
    );
    assert!(
        UnixStream::connect(&socket).is_ok(),
        "the first one still answers"
    );
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    first.join().expect("an end");
    std::fs::write(&socket, "not a socket").expect("a file");
    let (third, _) = start();
    assert!(matches!(third, Err(ApiError::Socket { .. })), "{third:?}");
    assert_eq!(std::fs::read(&socket).expect("the file"), b"not a socket");
}

#[test]
fn an_address_in_use_is_refused_before_anything_is_served() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let directory = Directory::new();
    let mut config = config(&directory, GROUP);
    config.metrics_listen = taken.local_addr().ok();
    let (_writer, readers) = snapshot_channel(2);
    let readers = readers.try_into().expect("two readers");
    let stop = Arc::new(AtomicBool::new(false));
    let error = serve(&config, readers, request_channel().0, &stop).expect_err("a taken address");
    assert!(matches!(error, ApiError::Metrics { .. }), "{error:?}");
    assert!(error.to_string().contains("[metrics]"), "{error}");
    assert!(!directory.socket().exists());
}

#[test]
fn what_is_too_long_or_too_slow_is_refused() {
    let (served, _blocks) = ready();
    let mut long = connect(&served.socket());
    // More than is ever read: the other end may stop taking it.
    let _ = long.write_all(&vec![b'['; LONGEST_REQUEST + 100_000]);
    let mut reply = String::new();
    BufReader::new(&long)
        .read_line(&mut reply)
        .expect("a reply");
    assert!(reply.contains("too_long"), "{reply}");

    let mut slow = connect(&served.socket());
    slow.write_all(b"{\"v\":1,").expect("it is read");
    let begun = Instant::now();
    let mut reply = String::new();
    slow.read_to_string(&mut reply).expect("a reply and an end");
    assert!(reply.contains("too_slow"), "{reply}");
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "{:?}",
        begun.elapsed()
    );
    assert!(ask(&served.socket(), "version").is_ok());
}

#[test]
fn garbage_on_the_socket_breaks_nothing() {
    let (mut served, _blocks) = ready();
    let deep = "[".repeat(30_000) + "\n";
    let inputs: [&[u8]; 9] = [
        b"\n",
        b"\0\n",
        b"\xff\xfe\xfd\n",
        b"null\n",
        b"{\"v\":1e400,\"verb\":\"status\"}\n",
        b"{\"v\":18446744073709551616,\"verb\":\"status\"}\n",
        b"{\"v\":1,\"verb\":\"\\ud800\"}\n",
        b"GET / HTTP/1.1\r\n\r\n",
        deep.as_bytes(),
    ];
    for input in inputs {
        let reply = exchange(&mut connect(&served.socket()), input);
        let refusal = &reply["error"];
        for part in ["code", "text", "remedy"] {
            assert!(
                refusal[part].as_str().is_some_and(|text| !text.is_empty()),
                "{reply}"
            );
        }
    }
    // Ten thousand octets of every kind, and connections that say nothing or leave at once.
    for round in 0..50_u64 {
        let mut stream = connect(&served.socket());
        let octets: Vec<u8> = (0..200)
            .map(|n| (n * 37 + round * 101).to_le_bytes()[0])
            .collect();
        let _ = stream.write_all(&octets);
        if round % 3 == 0 {
            let _ = stream.shutdown(std::net::Shutdown::Write);
        }
    }
    assert!(ask(&served.socket(), "version").is_ok());
    served.stop();
}

#[test]
fn many_idle_connections_do_not_shut_anyone_out() {
    let (served, _blocks) = ready();
    let idle: Vec<_> = (0..60).map(|_| connect(&served.socket())).collect();
    let begun = Instant::now();
    assert!(ask(&served.socket(), "version").is_ok());
    assert!(
        begun.elapsed() < Duration::from_secs(2),
        "{:?}",
        begun.elapsed()
    );
    drop(idle);
}

#[test]
fn one_who_asks_much_and_reads_nothing_is_not_waited_for() {
    let (served, _blocks) = ready();
    let mut greedy = connect(&served.socket());
    greedy
        .set_write_timeout(Some(Duration::from_millis(200)))
        .expect("a timeout");
    let _ = greedy.write_all(&b"{\"v\":1,\"verb\":\"counters\"}\n".repeat(20_000));
    let begun = Instant::now();
    assert!(ask(&served.socket(), "version").is_ok());
    assert!(
        begun.elapsed() < Duration::from_secs(2),
        "{:?}",
        begun.elapsed()
    );
}

/// Run by the tests below in a process of another user; by itself it has nothing to do.
#[test]
fn child_asks() {
    let Some(socket) = std::env::var_os("API_TEST_SOCKET") else {
        return;
    };
    for verb in ["version", "reload"] {
        match ask(Path::new(&socket), verb) {
            Ok(_) => println!("{verb}: yes"),
            Err(AskError::Refused(refusal)) => println!("{verb}: {:?}", refusal.code),
            Err(AskError::NotAllowed { .. }) => println!("{verb}: no entry"),
            Err(error) => println!("{verb}: {error}"),
        }
    }
}

/// What another user is told.
fn as_user(uid: u32, gid: u32, socket: &Path) -> String {
    // A copy that any user may run: the build directory may be closed to them.
    let own = std::env::current_exe().expect("this test's binary");
    let copy = socket.with_file_name("child");
    if !copy.exists() {
        std::fs::copy(own, &copy).expect("a copy");
    }
    let output = Command::new(&copy)
        .args(["--exact", "child_asks", "--nocapture"])
        .env("API_TEST_SOCKET", socket)
        .current_dir("/")
        .uid(uid)
        .gid(gid)
        .output()
        .expect("a child of another user");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn members_may_read_and_only_root_may_change() {
    assert!(
        nix::unistd::geteuid().is_root(),
        "this test needs root, to be other users"
    );
    let (served, _blocks) = ready();
    let group = nix::unistd::Group::from_name(GROUP)
        .expect("groups")
        .expect("the group");
    let nobody = 65_534;

    let member = as_user(nobody, group.gid.as_raw(), &served.socket());
    assert!(member.contains("version: yes"), "{member}");
    assert!(member.contains("reload: NotAllowed"), "{member}");

    let stranger = as_user(nobody, nobody, &served.socket());
    assert!(stranger.contains("version: no entry"), "{stranger}");

    // Even where someone opened the socket's mode to all.
    let open = std::fs::Permissions::from_mode(0o666);
    std::fs::set_permissions(served.socket(), open).expect("a mode");
    let stranger = as_user(nobody, nobody, &served.socket());
    assert!(stranger.contains("version: NotAllowed"), "{stranger}");
    assert!(stranger.contains("reload: NotAllowed"), "{stranger}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_octets_panic_the_parser(octets in proptest::collection::vec(any::<u8>(), 0..200)) {
        let refusal = parse(&octets);
        prop_assert!(refusal.is_err_and(|refusal| !refusal.text.is_empty() && !refusal.remedy.is_empty()));
    }

    #[test]
    fn nothing_near_a_request_panics_the_parser(
        at in 0..40_usize,
        octet in any::<u8>(),
        verb in "[a-z-]{0,12}|status|reload",
        extra in "(,\"[a-z]{0,5}\":(null|1|\"x\"|\\[\\]|\\{\\}))?",
    ) {
        let mut line = format!("{{\"v\":1,\"verb\":\"{verb}\"{extra}}}").into_bytes();
        if let Some(place) = line.get_mut(at) {
            *place = octet;
        }
        match parse(&line) {
            Ok(call) => prop_assert!(["status", "counters", "version", "reload"].contains(&call.verb())),
            Err(refusal) => prop_assert!(refusal.text.len() < 200),
        }
    }
}
