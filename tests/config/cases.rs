//! Bad configs, each by the edit that makes it out of the minimal one.

use super::desk::MINIMAL;

/// A bad config: the name of its snapshot, and its text.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) text: String,
}

const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

/// The minimal config with `lines` in its link.
fn link(lines: &str) -> String {
    MINIMAL.replace("[link.static]", &format!("{lines}\n\n[link.static]"))
}

/// The minimal config with `to` for `from`.
fn edit(from: &str, to: &str) -> String {
    let edited = MINIMAL.replace(from, to);
    assert_ne!(edited, MINIMAL, "nothing to replace: {from}");
    edited
}

/// The minimal config below another table.
fn top(table: &str) -> String {
    format!("{table}\n\n{MINIMAL}")
}

/// The minimal config with suite and keys of 128 bits and no XPN, and `lines` in its link.
fn short(lines: &str) -> String {
    link(&format!("cipher_suite = \"gcm-aes-128\"\n{lines}"))
        .replace("tx.sak", "tx128.sak")
        .replace("rx.sak", "rx128.sak")
        .replace(
            "tx_ssci = 1\nrx_ssci = 2\nsalt = \"e0e1e2e3e4e5e6e7e8e9eaeb\"\n",
            "",
        )
}

/// The minimal config and a second link, of which `from` is replaced by `to`.
fn second(from: &str, to: &str) -> String {
    let second = MINIMAL
        .replace("dx1", "dx2")
        .replace("net_ring0", "net_ring2")
        .replace("net_ring1", "net_ring3")
        .replace("tx.sak", "tx2.sak")
        .replace("rx.sak", "rx2.sak")
        .replace(from, to);
    format!("{MINIMAL}\n{second}")
}

/// All of them. Files besides `tx.sak`, `rx.sak` and the like are those of `bad_files`.
pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut case = |name, text| cases.push(Case { name, text });
    // The file as a whole.
    case("no_link", "[gateway]\nname = \"a\"\n".to_owned());
    case("link_as_table", edit("[[link]]", "[link]"));
    case("syntax", edit("plain = ", "plain "));
    case(
        "syntax_two",
        edit("agreement = \"static\"", "agreement = \"static\nmtu = = 3"),
    );
    case(
        "syntax_with_key",
        format!("{MINIMAL}\ntx_sak_file = {KEY}\n"),
    );
    case("duplicate_key", edit("plain =", "name = \"dx2\"\nplain ="));
    case("unknown_table", top("[metric]\nlisten = \"\""));
    case(
        "unknown_key",
        link("cipher-suite = \"gcm-aes-128\"\nqos = 3"),
    );
    case("table_as_number", top("eal = 4"));
    case(
        "many_at_once",
        link("mtu = 10\nreplay = \"yes\"\nconfidentiality = 1\nclear_vlan_tags = 3"),
    );
    // The process.
    case("gateway_name", top("[gateway]\nname = \"a b\""));
    case(
        "gateway_dirs",
        top("[gateway]\nruntime_dir = \"run\"\nstate_dir = \"\""),
    );
    case("gateway_group", top("[gateway]\ngroup = \"\""));
    case(
        "eal_args",
        top("[eal]\nargs = [\"--a\", 3]\nmemory = \"hugepage\"\nmemory_mib = -1"),
    );
    case(
        "cores",
        top("[workers]\ncores = [1, 2, 1, 9999]\nidle = \"nap\"\nidle_after_polls = 0"),
    );
    case("engine", top("[crypto]\nengine = \"rign\""));
    case("listen", top("[metrics]\nlisten = \"localhost\""));
    // Names and ports.
    case("link_without_name", edit("name = \"dx1\"\n", ""));
    case("link_name", edit("dx1", "dx/1"));
    case("two_links_one_name", second("dx2", "dx1"));
    case("two_links_one_port", second("net_ring2", "net_ring1"));
    case(
        "two_links_one_interface",
        second("net_ring2", "net_af_packet5,iface=eth0")
            .replace("net_ring0", "net_af_packet0,iface=eth0"),
    );
    case("one_port_twice", edit("net_ring1", "net_ring0"));
    case(
        "one_pci_port_twice",
        edit("net_ring0", "0000:03:00.0").replace("net_ring1", "03:00.0"),
    );
    case("port_of_the_kernel", edit("net_ring0", "eth0"));
    case("pci_address", edit("net_ring0", "0000:03:00"));
    case("port_with_space", edit("net_ring0", "net_ring0, iface=a"));
    case("no_port", edit("secure = \"net_ring1\"\n", ""));
    // What the SecY does.
    case("offset_with_xpn", link("confidentiality_offset = 30"));
    case("offset_of_40", short("confidentiality_offset = 40"));
    case(
        "offset_without_confidentiality",
        short("confidentiality = false\nconfidentiality_offset = 50"),
    );
    case("window_over_xpn_limit", link("replay_window = 1073741824"));
    case("window_over_limit", short("replay_window = 4294967296"));
    case(
        "window_without_window",
        link("replay = \"strict\"\nreplay_window = 64"),
    );
    case("duplicate_depth", link("duplicate_depth = 1000"));
    case(
        "validate_in_must_encrypt",
        link("validate_frames = \"check\""),
    );
    case("encryption_word", link("encryption = \"must-encrypt\""));
    case("clear_vlan_tags", link("clear_vlan_tags = 3"));
    case("soft_threshold", link("pn_soft_threshold = 1.5"));
    case("implicit_sci_without_sci", link("sectag_sci = \"none\""));
    case(
        "end_station_without_sci",
        link("sectag_sci = \"end-station\""),
    );
    case(
        "end_station_port",
        link("sectag_sci = \"end-station\"\nsci = \"02:00:00:00:00:01/2\""),
    );
    case(
        "broadcast_port",
        link("sectag_sci = \"single-copy-broadcast\"\nsci = \"02:00:00:00:00:01/1\""),
    );
    case(
        "own_sci_is_the_peers",
        link("sci = \"02:00:00:00:00:02/1\""),
    );
    case("sci", link("sci = \"02:00:00:00:00:01\""));
    case("sci_of_a_group", link("sci = \"03:00:00:00:00:01/1\""));
    case("bypass", link(&bypass_lines()));
    case(
        "bypass_incomplete",
        link("bypass = [{ ethertype = 0x88CC }, { direction = \"both\" }]"),
    );
    case(
        "bypass_twice",
        link(
            "bypass = [{ ethertype = 0x88CC, direction = \"both\" },\n\
             { ethertype = 35020, direction = \"protect\" }]",
        ),
    );
    case("worker_without_cores", link("protect_worker = 0"));
    case(
        "worker_beyond_cores",
        format!(
            "[workers]\ncores = [2, 3]\n{}",
            link("protect_worker = 1\nvalidate_worker = 2")
        ),
    );
    case(
        "helpers_beyond_cores",
        format!(
            "[workers]\ncores = [2, 3]\nhelper_cores = [4, 3, 4]\nhelpers_when = \"loaded\"\n\
             helper_patience_ms = 0\n{}",
            link("protect_helpers = 2\nvalidate_helpers = 2\nplain_queues = 0")
        ),
    );
    // Keys.
    case("no_agreement", edit("agreement = \"static\"\n", ""));
    case("agreement_word", edit("\"static\"", "\"eap\""));
    case("agreement_of_other_tables", edit("\"static\"", "\"mka\""));
    case(
        "agreement_missing_everywhere",
        MINIMAL
            .replace("agreement = \"static\"\n", "")
            .split("[link.static]")
            .next()
            .unwrap_or_default()
            .to_owned(),
    );
    case(
        "no_static_table",
        MINIMAL
            .split("[link.static]")
            .next()
            .unwrap_or_default()
            .to_owned(),
    );
    case(
        "no_peer_sci",
        edit("peer_sci = \"02:00:00:00:00:02/1\"\n", ""),
    );
    case("no_key", edit("tx_sak_file = \"tx.sak\"\n", ""));
    case("key_missing", edit("tx.sak", "absent.sak"));
    case("key_world_readable", edit("tx.sak", "open.sak"));
    case("key_group_readable", edit("tx.sak", "group.sak"));
    case("key_of_another_user", edit("tx.sak", "foreign.sak"));
    case("key_wrong_length", edit("tx.sak", "odd.sak"));
    case("key_not_hex", edit("tx.sak", "text.sak"));
    case("key_empty", edit("tx.sak", "empty.sak"));
    case("key_too_long", edit("tx.sak", "long.sak"));
    case("key_of_two_lines", edit("tx.sak", "lines.sak"));
    case("key_is_a_link", edit("tx.sak", "link.sak"));
    case("key_is_a_directory", edit("tx.sak", "directory.sak"));
    case("key_is_a_device", edit("\"tx.sak\"", "\"/dev/zero\""));
    case("key_of_another_suite", edit("tx.sak", "tx128.sak"));
    case("key_inline", edit("tx.sak", KEY));
    case(
        "key_inline_as_number",
        edit("\"tx.sak\"", "11112222333344445555666677778888"),
    );
    case(
        "key_inline_in_unknown_key",
        edit("tx_sak_file = \"tx.sak\"", "tx_sak = \"hunter2\""),
    );
    case("cak_inline", link("cak = \"hunter2\"\nckn = \"01\""));
    case(
        "credential_without_systemd",
        edit("tx_sak_file = \"tx.sak\"", "tx_sak_credential = \"tx\""),
    );
    case(
        "credential_with_path",
        edit("tx_sak_file = \"tx.sak\"", "tx_sak_credential = \"../tx\""),
    );
    case(
        "file_and_credential",
        edit("rx_sak_file", "tx_sak_credential = \"x\"\nrx_sak_file"),
    );
    case("an", link("").replace("tx_ssci", "tx_an = 4\ntx_ssci"));
    case(
        "xpn_without_ssci_and_salt",
        edit(
            "tx_ssci = 1\nrx_ssci = 2\nsalt = \"e0e1e2e3e4e5e6e7e8e9eaeb\"\n",
            "",
        ),
    );
    case("xpn_one_ssci", edit("rx_ssci = 2", "rx_ssci = 1"));
    case("xpn_ssci_0", edit("rx_ssci = 2", "rx_ssci = 0"));
    case(
        "xpn_salt",
        edit("e0e1e2e3e4e5e6e7e8e9eaeb", "e0e1e2e3e4e5e6e7e8e9eaeg"),
    );
    case(
        "ssci_without_xpn",
        format!("{}tx_ssci = 1\nsalt = \"00\"\n", short("")),
    );
    case("one_key_two_links", second("tx2.sak", "same.sak"));
    case(
        "one_key_across_links",
        second("rx2.sak", "tx.sak")
            .replacen(
                "[link.static]",
                "sci = \"02:00:00:00:00:01/1\"\n\n[link.static]",
                1,
            )
            .replacen("tx_ssci = 1\nrx_ssci = 2", "tx_ssci = 2\nrx_ssci = 1", 1),
    );
    case(
        "one_key_both_ways",
        short("sci = \"02:00:00:00:00:02/1\"").replace("rx128.sak", "tx128.sak"),
    );
    // What only looks harmless.
    case("escape_codes", edit("dx1", "\\u001b[31mdx1\\u202e"));
    case(
        "long_line",
        link(&format!("qos = [{}] # {KEY}", "1, ".repeat(300))),
    );
    cases.extend(super::mka_cases::cases());
    cases
}

fn bypass_lines() -> String {
    let refused = [
        "0x888E", "0x88E5", "0x0800", "0x86DD", "0x0806", "0x8100", "0x88A8", "0x8808", "0x05FF",
        "0x10000", "\"lldp\"",
    ];
    let entries = refused
        .map(|ethertype| format!("  {{ ethertype = {ethertype}, direction = \"both\" }},\n"));
    format!("bypass = [\n{}]", entries.concat())
}
