//! The table of bad starts and bad reloads.

use std::fs;

use crate::place::{GATEWAY, Place};

pub(crate) const CLI: &str = GATEWAY;

/// Makes a bad config of the good one.
type Edit = Box<dyn Fn(&str) -> Vec<u8>>;

/// A bad start.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// What makes the good config bad.
    pub(crate) edit: Edit,
    /// What else is made bad first.
    pub(crate) prepare: fn(&Place),
    /// What puts that right again.
    pub(crate) undo: fn(&Place),
    /// What the gateway is run by.
    pub(crate) wrap: &'static [&'static str],
    /// What the message says: what is wrong, and the remedy.
    pub(crate) says: &'static [&'static str],
}

fn case(
    name: &'static str,
    edit: impl Fn(&str) -> Vec<u8> + 'static,
    says: &'static [&'static str],
) -> Case {
    Case {
        name,
        edit: Box::new(edit),
        prepare: |_| {},
        undo: |_| {},
        wrap: &[],
        says,
    }
}

/// A config in which one text stands for another.
fn put(
    name: &'static str,
    from: &'static str,
    to: &'static str,
    says: &'static [&'static str],
) -> Case {
    let edit = move |text: &str| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1).into_bytes()
    };
    case(name, edit, says)
}

const PLAIN: &str = "net_af_packet0,iface=plain";

pub(crate) fn all() -> Vec<Case> {
    [memory(), ports(), keys(), agreement(), state(), configs()]
        .into_iter()
        .flatten()
        .collect()
}

fn memory() -> Vec<Case> {
    const NO_HUGE: &str = "memory = \"no-huge\"";
    vec![
        put(
            "no memory for no-huge",
            NO_HUGE,
            "memory = \"no-huge\"\nmemory_mib = 1048576",
            &[
                "1048576 MiB",
                "MiB left",
                "help: set a smaller eal.memory_mib",
            ],
        ),
        put(
            "too little memory for the buffers",
            NO_HUGE,
            "memory = \"no-huge\"\nmemory_mib = 8",
            &["no memory for 4096 buffers", "help: raise eal.memory_mib"],
        ),
        put(
            "no hugepages",
            NO_HUGE,
            "memory = \"hugepages\"\nmemory_mib = 65536",
            &[
                "eal.memory = \"hugepages\", but",
                "nr_hugepages",
                "eal.memory = \"auto\"",
            ],
        ),
        put(
            "an argument that EAL does not know",
            "args = [\"--no-telemetry\"]",
            "args = [\"--no-such-thing\"]",
            &[
                "EAL refuses an argument",
                "eal.args is [\"--no-such-thing\"]",
            ],
        ),
    ]
}

fn ports() -> Vec<Case> {
    let many = |text: &str| {
        let links = (0..17).map(|n| {
            format!(
                "[[link]]\nname = \"n{n}\"\nplain = \"net_null{}\"\nsecure = \"net_null{}\"\n\
                 encryption = \"no_encrypt\"\n",
                2 * n,
                2 * n + 1
            )
        });
        let head = text.split("[[link]]").next().unwrap().to_owned();
        (head + &links.collect::<String>()).into_bytes()
    };
    vec![
        put(
            "absent PCI device",
            PLAIN,
            "0000:7f:1f.7",
            &["0000:7f:1f.7", "no such PCI device", "lspci -D"],
        ),
        put(
            "vdev of no driver",
            PLAIN,
            "net_nosuch0",
            &[
                "no driver",
                "net_nosuch0",
                "help: write a driver's name and a number",
            ],
        ),
        put(
            "interface that is not there",
            "iface=plain",
            "iface=absent0",
            &["no interface `absent0`", "`ip link` shows"],
        ),
        put(
            "two ports on one interface",
            "iface=plain",
            "iface=secure",
            &["secure", "help: "],
        ),
        put(
            "more lanes than queues",
            PLAIN,
            "net_af_packet0,iface=plain,qpairs=2",
            &["qpairs", "1"],
        ),
        put(
            "queues that the driver can't spread flows over",
            "name = \"l0\"",
            "name = \"l0\"\nplain_queues = 2",
            &[
                "plain_queues is 2, and net_af_packet",
                "help: set plain_queues = 1",
            ],
        ),
        put(
            "helpers without CPUs",
            "name = \"l0\"",
            "name = \"l0\"\nprotect_helpers = 32",
            &["the lanes want 32 helpers", "workers.helper_cores"],
        ),
        put(
            "more lanes than workers",
            "name = \"l0\"",
            "name = \"l0\"\nprotect_worker = 7",
            &["protect_worker", "help: "],
        ),
        put(
            "a CPU that is not there",
            "idle = \"sleep\"",
            "idle = \"sleep\"\ncores = [1000]",
            &["CPU 1000", "help: name CPUs of that list"],
        ),
        case(
            "more ports than DPDK was built for",
            many,
            &[
                "17 links need 34 ports",
                "built for 32",
                "help: configure at most 16 links",
            ],
        ),
    ]
}

fn keys() -> Vec<Case> {
    let with = |name, prepare: fn(&Place), says| Case {
        prepare,
        ..put(name, "tx.sak", "bad.sak", says)
    };
    vec![
        with(
            "key missing",
            |_| {},
            &[
                "bad.sak",
                "not there",
                "help: make one: macsecgw keygen sak",
            ],
        ),
        with(
            "key world-readable",
            |place| place.write_mode("bad.sak", "ab".repeat(32), 0o644),
            &["bad.sak", "chmod 600"],
        ),
        with(
            "key of a wrong length",
            |place| place.write_mode("bad.sak", "ab".repeat(31), 0o600),
            &["bad.sak", "62", "64", "help: "],
        ),
        with(
            "key not hex",
            |place| place.write_mode("bad.sak", "xy".repeat(32), 0o600),
            &["bad.sak", "hexadecimal", "help: "],
        ),
        with(
            "key of another suite's length",
            |place| place.write_mode("bad.sak", "ab".repeat(16), 0o600),
            &["bad.sak", "gcm-aes-xpn-256", "help: "],
        ),
        put(
            "offset 30 with XPN",
            "agreement = ",
            "confidentiality_offset = 30\nagreement = ",
            &["confidentiality_offset", "XPN", "help: "],
        ),
        put(
            "window over the limit",
            "agreement = ",
            "replay_window = 4294967295\nagreement = ",
            &["replay_window", "1073741823"],
        ),
    ]
}

/// Links with key agreement by MKA. The two CAKs of `tx.sak` and `rx.sak` would do.
fn agreement() -> Vec<Case> {
    let mka = |name, lines: &'static str, caks: &'static [&'static str], says| {
        let edit = move |text: &str| {
            let (head, _) = text.split_once("[link.static]").unwrap();
            let head = head.replace("\"static\"", "\"mka\"");
            let caks = caks.iter().map(|lines| format!("[[link.cak]]\n{lines}\n"));
            (head + lines + "\n" + &caks.collect::<String>()).into_bytes()
        };
        case(name, edit, says)
    };
    const AWS: &str = "profile = \"aws-direct-connect-100g\"";
    const ONE: &str = "ckn = \"01\"\ncak_file = \"tx.sak\"";
    const OTHER: &str = "ckn = \"02\"\ncak_file = \"rx.sak\"";
    vec![
        mka(
            "MKA without a CAK",
            "",
            &[],
            &["no [[link.cak]]", "macsecgw keygen cak"],
        ),
        mka(
            "CAK missing",
            "",
            &["ckn = \"01\"\ncak_file = \"no.cak\""],
            &["no.cak", "not there", "macsecgw keygen cak --out-dir"],
        ),
        Case {
            prepare: |place| place.write_mode("bad.cak", "ab".repeat(16), 0o600),
            ..mka(
                "CAK of the wrong length for the profile",
                AWS,
                &[
                    "ckn = \"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\"\n\
                   cak_file = \"bad.cak\"",
                ],
                &[
                    "32 digits",
                    "AWS Direct Connect",
                    "256 bits, 64 hexadecimal digits",
                ],
            )
        },
        mka(
            "CKN over 32 octets",
            "",
            &[
                "ckn = \"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20\"\n\
               cak_file = \"tx.sak\"",
            ],
            &["33 octets are no CKN", "1 to 32 octets"],
        ),
        mka(
            "CKN twice on a link",
            "",
            &[ONE, "ckn = \"01\"\ncak_file = \"rx.sak\""],
            &["already names the CAK", "help: "],
        ),
        mka(
            "one CAK under two CKNs",
            "",
            &[ONE, "ckn = \"02\"\ncak_file = \"tx.sak\""],
            &["under another name", "macsecgw keygen cak"],
        ),
        mka(
            "two fallbacks",
            "",
            &[
                "ckn = \"01\"\ncak_file = \"tx.sak\"\nfallback = true",
                "ckn = \"02\"\ncak_file = \"rx.sak\"\nfallback = true",
            ],
            &["is the fallback already", "help: a link has one"],
        ),
        mka(
            "windows that leave a gap",
            "",
            &[
                "ckn = \"01\"\ncak_file = \"tx.sak\"\nend = 2098-01-01T00:00:00Z",
                "ckn = \"02\"\ncak_file = \"rx.sak\"\nstart = 2098-01-02T00:00:00Z",
            ],
            &["no CAK may be used", "help: let the windows overlap"],
        ),
        mka(
            "a window that never opens",
            "",
            &[
                ONE,
                "ckn = \"02\"\ncak_file = \"rx.sak\"\nstart = 2026-02-01T00:00:00Z\n\
                 end = 2026-01-01T00:00:00Z",
            ],
            &["ends before it starts", "help: an `end` after `start`"],
        ),
        mka(
            "a suite that no engine has",
            "[link.mka]\naccept_cipher_suites = [\"gcm-aes-xpn-512\"]",
            &[ONE],
            &[
                "gcm-aes-xpn-512",
                "help: `accept_cipher_suites` is a list of",
            ],
        ),
        mka(
            "a profile with a contradicting key",
            "profile = \"google-cloud-interconnect\"\n[link.mka]\nkey_server_priority = 16",
            &[ONE],
            &[
                "against the profile",
                "Google Cloud Interconnect: ",
                "priority 15",
            ],
        ),
        mka(
            "must_encrypt with a key server that may end MACsec",
            "[link.mka]\naccept_no_macsec = true",
            &[ONE, OTHER],
            &["must_encrypt", "help: "],
        ),
        mka(
            "SAKs on a disk",
            "[link.mka]\nkeep_saks_dir = \"/proc/saks\"",
            &[ONE],
            &["SAKs would reach a disk", "help: a directory in RAM"],
        ),
    ]
}

/// Keeps the good state file and writes `change` of it in its place.
fn spoil(place: &Place, change: impl Fn(&str) -> String) {
    let good = fs::read_to_string(place.tx_state()).unwrap();
    fs::write(place.path_of("good.pn"), &good).unwrap();
    fs::write(place.tx_state(), change(&good)).unwrap();
}

fn restore(place: &Place) {
    fs::copy(place.path_of("good.pn"), place.tx_state()).unwrap();
}

fn state() -> Vec<Case> {
    let bad = |name, prepare: fn(&Place), says| Case {
        prepare,
        undo: restore,
        ..case(name, |text| text.as_bytes().to_vec(), says)
    };
    vec![
        bad(
            "state file truncated",
            |place| spoil(place, |good| good[..good.len() / 2].to_owned()),
            &["ends too early", "macsecgw keygen sak"],
        ),
        bad(
            "state file empty",
            |place| spoil(place, |_| String::new()),
            &["ends too early", "macsecgw keygen sak"],
        ),
        bad(
            "state file of another content",
            |place| {
                spoil(place, |good| {
                    good.replacen("pn 0", "pn 7", 1).replacen("= 0", "= 7", 1)
                })
            },
            &["not what the gateway wrote", "macsecgw keygen sak"],
        ),
        bad(
            "state file from the future",
            |place| spoil(place, |good| good.replacen('1', "9", 1)),
            &["version 9", "use the newer program"],
        ),
        put(
            "state directory that cannot be made",
            "/state\"",
            "/gw.toml/state\"",
            &["can't make the state directory", "help: `state_dir`"],
        ),
        Case {
            prepare: |place| {
                fs::set_permissions(
                    place.path_of("state"),
                    std::os::unix::fs::PermissionsExt::from_mode(0o777),
                )
                .unwrap();
            },
            undo: |place| {
                fs::set_permissions(
                    place.path_of("state"),
                    std::os::unix::fs::PermissionsExt::from_mode(0o700),
                )
                .unwrap();
            },
            ..case(
                "state directory of everyone",
                |text| text.as_bytes().to_vec(),
                &["others than root", "chmod 700"],
            )
        },
    ]
}

fn configs() -> Vec<Case> {
    vec![
        put(
            "runtime directory that cannot be made",
            "/run\"",
            "/gw.toml/run\"",
            &["control.sock", "cannot make its directory", "runtime_dir"],
        ),
        case("config empty", |_| Vec::new(), &["help: "]),
        case(
            "config binary",
            |_| b"\x7fELF\x02\x01\x01\x00\xff\xfe\x80".to_vec(),
            &["help: "],
        ),
        case("config of 10 MB", |_| vec![b'#'; 10_000_000], &["help: "]),
        Case {
            wrap: &[
                "setpriv",
                "--reuid=65534",
                "--regid=65534",
                "--clear-groups",
            ],
            ..case(
                "no root",
                |text| text.as_bytes().to_vec(),
                &["not root", "help: run it as root"],
            )
        },
    ]
}

/// Configs that a running gateway refuses, by name.
pub(crate) fn reloads(good: &str) -> Vec<(&'static str, Vec<u8>)> {
    let put = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}");
        good.replacen(from, to, 1).into_bytes()
    };
    vec![
        ("empty", Vec::new()),
        ("binary", vec![0x7f, b'E', b'L', b'F', 0, 0xff]),
        ("10 MB", vec![b'#'; 10_000_000]),
        ("syntax", put("[[link]]", "[[link]")),
        ("unknown key", put("idle =", "idel =")),
        (
            "offset with XPN",
            put("agreement =", "confidentiality_offset = 30\nagreement ="),
        ),
        ("key missing", put("tx.sak", "absent.sak")),
        ("another key under the same AN", put("tx.sak", "rx.sak")),
        (
            "window over the limit",
            put("agreement =", "replay_window = 4294967295\nagreement ="),
        ),
        (
            "no CAK",
            put("agreement = \"static\"", "agreement = \"mka\""),
        ),
        (
            "two ports one device",
            put("net_af_packet1,iface=secure", "net_af_packet0,iface=plain"),
        ),
    ]
}
