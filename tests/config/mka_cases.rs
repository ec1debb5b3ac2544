//! Bad configs of links with key agreement by MKA, each by the edit that makes it out of the minimal
//! one.

use super::cases::Case;
use super::desk::MINIMAL_MKA;

/// The minimal config with `lines` in its link.
fn link(lines: &str) -> String {
    MINIMAL_MKA.replace("[[link.cak]]", &format!("{lines}\n\n[[link.cak]]"))
}

/// The minimal config with `lines` in [link.mka].
fn mka(lines: &str) -> String {
    format!("{MINIMAL_MKA}\n[link.mka]\n{lines}\n")
}

/// The minimal config with `lines` in its [[link.cak]].
fn cak(lines: &str) -> String {
    format!("{MINIMAL_MKA}{lines}\n")
}

/// The minimal config with `to` for `from`.
fn edit(from: &str, to: &str) -> String {
    let edited = MINIMAL_MKA.replace(from, to);
    assert_ne!(edited, MINIMAL_MKA, "nothing to replace: {from}");
    edited
}

/// The minimal config and more CAKs, each with the lines that it has besides its name.
fn chain(text: &str, lines: &[&str]) -> String {
    let more = lines.iter().zip(2..).map(|(lines, number)| {
        let file = char::from(b'a' + number - 1);
        format!("\n[[link.cak]]\nckn = \"0{number}\"\ncak_file = \"{file}.cak\"\n{lines}\n")
    });
    format!("{text}{}", more.collect::<String>())
}

/// The minimal config under a profile, with names of 64 digits, `lines` in its link and more CAKs.
fn under(profile: &str, lines: &str, caks: &[&str]) -> String {
    let text = link(&format!("profile = \"{profile}\"\n{lines}"));
    let mut text = chain(&text, caks);
    for number in 1..=9 {
        let short = format!("ckn = \"0{number}\"");
        text = text.replace(&short, &format!("ckn = \"{number:064}\""));
    }
    text
}

/// The same with `lines` in [link.mka].
fn under_mka(profile: &str, lines: &str) -> String {
    format!("{}\n[link.mka]\n{lines}\n", under(profile, "", &[]))
}

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut case = |name, text| cases.push(Case { name, text });
    tables(&mut case);
    names_and_keys(&mut case);
    windows(&mut case);
    knobs(&mut case);
    timers(&mut case);
    clouds(&mut case);
    cases
}

fn tables(case: &mut impl FnMut(&'static str, String)) {
    case(
        "mka_without_cak",
        MINIMAL_MKA
            .split("[[link.cak]]")
            .next()
            .unwrap_or_default()
            .to_owned(),
    );
    case("mka_without_agreement", edit("agreement = \"mka\"\n", ""));
    case(
        "mka_tables_with_static",
        edit("\"mka\"", "\"static\"") + "\n[link.mka]\n\n[link.static]\n",
    );
    case(
        "mka_profile_word",
        link("profile = \"aws-direct-conect-10g\""),
    );
    case(
        "mka_profile_with_static",
        super::desk::MINIMAL.replace("agreement", "profile = \"generic\"\nagreement"),
    );
    case(
        "mka_unknown_knob",
        mka("sak_rekey_interval = 60\npriority = 3\nckn = \"01\"\nmtu = 1500"),
    );
    case("mka_cak_entry_inline", cak("cak = \"hunter2\""));
    case(
        "mka_cak_inline",
        edit(
            "[[link.cak]]\nckn = \"01\"\ncak_file = \"a.cak\"",
            "cak = \"hunter2\"",
        ),
    );
    case(
        "mka_cak_as_list",
        edit(
            "[[link.cak]]\nckn = \"01\"\ncak_file = \"a.cak\"",
            "cak = [\"hunter2\"]",
        ),
    );
    case(
        "mka_two_links_one_sci",
        format!(
            "{}\n{}",
            link("sci = \"02:00:00:00:00:01/1\""),
            link("sci = \"02:00:00:00:00:01/1\"")
                .replace("dx1", "dx2")
                .replace("net_ring0", "net_ring2")
                .replace("net_ring1", "net_ring3")
        ),
    );
}

fn names_and_keys(case: &mut impl FnMut(&'static str, String)) {
    case("mka_no_ckn", edit("ckn = \"01\"\n", ""));
    case("mka_ckn_empty", edit("\"01\"", "\"\""));
    case("mka_ckn_odd", edit("\"01\"", "\"012\""));
    case("mka_ckn_not_hex", edit("\"01\"", "\"dx\""));
    case("mka_ckn_too_long", edit("01", &"ab".repeat(33)));
    case("mka_ckn_as_number", edit("\"01\"", "1"));
    case(
        "mka_ckn_twice",
        chain(MINIMAL_MKA, &[""]).replace("\"02\"", "\"01\""),
    );
    case("mka_ckn_is_the_cak", edit("01", &"a1".repeat(32)));
    case("mka_no_cak", edit("cak_file = \"a.cak\"\n", ""));
    case("mka_cak_missing", edit("a.cak", "absent.cak"));
    case("mka_cak_group_readable", edit("a.cak", "open.cak"));
    case("mka_cak_wrong_length", edit("a.cak", "odd.cak"));
    case("mka_cak_not_hex", edit("a.cak", "text.cak"));
    case("mka_cak_in_its_place", edit("a.cak", &"a1".repeat(32)));
    case(
        "mka_cak_file_and_credential",
        cak("cak_credential = \"dx1\""),
    );
    case(
        "mka_cak_credential_without_systemd",
        edit("cak_file", "cak_credential"),
    );
    case(
        "mka_one_cak_two_names",
        chain(MINIMAL_MKA, &[""]).replace("b.cak", "same.cak"),
    );
}

fn windows(case: &mut impl FnMut(&'static str, String)) {
    case("mka_time_without_zone", cak("start = 2026-01-01T00:00:00"));
    case("mka_time_without_time", cak("start = 2026-01-01"));
    case("mka_time_as_text", cak("end = \"tomorrow\""));
    case(
        "mka_window_never_opens",
        cak("start = 2026-01-01T00:00:00Z\nend = 2026-01-01T01:00:00+02:00"),
    );
    case(
        "mka_windows_with_a_gap",
        chain(
            &cak("end = 2098-01-01T00:00:00Z"),
            &["start = 2098-01-01T00:00:01Z"],
        ),
    );
    case(
        "mka_two_fallbacks",
        chain(MINIMAL_MKA, &["fallback = true", "fallback = true"]),
    );
    case(
        "mka_fallback_with_window",
        chain(
            MINIMAL_MKA,
            &["fallback = true\nstart = 2026-01-01T00:00:00Z\nend = 2098-01-01T00:00:00Z"],
        ),
    );
    case("mka_fallback_alone", cak("fallback = true"));
    let crowd = (1..=17).map(|number| {
        format!("\n[[link.cak]]\nckn = \"{number:02}\"\ncak_file = \"n{number}.cak\"\n")
    });
    case(
        "mka_seventeen_keys",
        edit("\n[[link.cak]]\nckn = \"01\"\ncak_file = \"a.cak\"\n", "")
            + &crowd.collect::<String>(),
    );
}

fn knobs(case: &mut impl FnMut(&'static str, String)) {
    case(
        "mka_no_macsec_in_must_encrypt",
        mka("accept_no_macsec = true"),
    );
    case(
        "mka_validate_in_must_encrypt",
        link("validate_frames = \"check\""),
    );
    case("mka_priority", mka("key_server_priority = 256"));
    case("mka_version", mka("mka_version = 4"));
    case(
        "mka_suites",
        mka("accept_cipher_suites = [\"gcm-aes-xpn-256\", \"gcm-aes-512\", \"gcm-aes-128\"]"),
    );
    case(
        "mka_offset_with_accepted_xpn",
        link("cipher_suite = \"gcm-aes-256\"\nconfidentiality_offset = 30")
            + "\n[link.mka]\naccept_cipher_suites = [\"gcm-aes-xpn-256\"]\n",
    );
    case("mka_destination", mka("eapol_destination = \"pae_grup\""));
    case(
        "mka_destination_of_another_group",
        mka("eapol_destination = \"01:00:5e:00:00:01\""),
    );
    case("mka_ethertype", mka("eapol_ethertype = 0x88E5"));
    case(
        "mka_ssci_by_list_in_version_1",
        mka("ssci = \"by-live-list\"\nmka_version = 1"),
    );
    case(
        "mka_ssci_forced_without_numbers",
        mka("ssci = \"forced\"\nown_ssci = 1"),
    );
    case(
        "mka_ssci_forced_alike",
        mka("ssci = \"forced\"\nown_ssci = 2\npeer_ssci = 2"),
    );
    case("mka_ssci_not_forced", mka("own_ssci = 1"));
    case(
        "mka_ssci_forced_in_a_group",
        mka("ssci = \"forced\"\nown_ssci = 1\npeer_ssci = 2\nmax_peers = 2"),
    );
    case(
        "mka_no_sci_in_a_group",
        link("sectag_sci = \"none\"\nsci = \"02:00:00:00:00:01/1\"")
            + "\n[link.mka]\nmax_peers = 3\n",
    );
    case("mka_max_peers", mka("max_peers = 31"));
    case("mka_saks_on_disk", mka("keep_saks_dir = \"/proc/saks\""));
    case("mka_saks_somewhere", mka("keep_saks_dir = \"saks\""));
}

fn timers(case: &mut impl FnMut(&'static str, String)) {
    case("mka_gap_without_the_word", mka("sak_gap_ms = 1000"));
    case("mka_life_time", mka("life_time_ms = 3000"));
    case("mka_hello_time", mka("hello_time_ms = 10000"));
    case(
        "mka_bounded_hello_time",
        mka("bounded_hello_time_ms = 2500"),
    );
    case(
        "mka_ramp",
        mka("ramp_ms = [100, 200, 400, 800, 1000, 1200, 1400, 1600, 1800]"),
    );
    case(
        "mka_ramp_slower_than_hello",
        mka("ramp_ms = [100, 3000, \"x\"]"),
    );
    case("mka_rekey_within_the_gap", mka("sak_rekey_interval_s = 5"));
    case("mka_rekey_share", mka("sak_rekey_pn_share = 0.95"));
    case(
        "mka_soft_threshold_below_the_share",
        link("pn_soft_threshold = 0.5"),
    );
}

fn clouds(case: &mut impl FnMut(&'static str, String)) {
    const AWS_10: &str = "aws-direct-connect-10g";
    const AWS_100: &str = "aws-direct-connect-100g";
    const GOOGLE: &str = "google-cloud-interconnect";
    const AZURE: &str = "azure-expressroute-direct";
    const ORACLE: &str = "oracle-fastconnect";
    const IBM: &str = "ibm-direct-link";
    const ALIBABA: &str = "alibaba-express-connect";
    case(
        "aws_cak_of_128_bits",
        under(AWS_10, "", &[]).replace("a.cak", "g.cak"),
    );
    case(
        "aws_ckn_too_short",
        link("profile = \"aws-direct-connect-10g\""),
    );
    case(
        "aws_suite_of_128_bits",
        under(AWS_10, "cipher_suite = \"gcm-aes-xpn-128\"", &[]),
    );
    case(
        "aws_100g_without_xpn",
        under(AWS_100, "cipher_suite = \"gcm-aes-256\"", &[]),
    );
    case(
        "aws_100g_accepts_without_xpn",
        under_mka(AWS_100, "accept_cipher_suites = [\"gcm-aes-256\"]"),
    );
    case("aws_four_keys", under(AWS_10, "", &["", "", ""]));
    case(
        "aws_sectag",
        under(
            AWS_100,
            "sectag_sci = \"none\"\nclear_vlan_tags = 1\nconfidentiality = false",
            &[],
        ),
    );
    case(
        "aws_offset",
        under(
            AWS_10,
            "cipher_suite = \"gcm-aes-256\"\nconfidentiality_offset = 50",
            &[],
        ) + "\n[link.mka]\naccept_cipher_suites = []\n",
    );
    case(
        "aws_icv_indicator",
        under_mka(AWS_100, "include_icv_indicator = true"),
    );
    case(
        "google_priority",
        under_mka(GOOGLE, "key_server_priority = 16"),
    );
    case(
        "google_icv_indicator",
        under_mka(GOOGLE, "include_icv_indicator = false"),
    );
    case(
        "google_keys_without_start",
        under(GOOGLE, "", &["", "start = 2026-01-01T00:00:00Z"]),
    );
    case(
        "google_starts_too_close",
        under(
            GOOGLE,
            "",
            &[
                "start = 2026-01-01T06:00:00Z",
                "start = 2026-01-01T11:59:59Z",
            ],
        ) + "",
    );
    case(
        "google_end",
        under(GOOGLE, "", &[]) + "end = 2098-01-01T00:00:00Z\n",
    );
    case("google_fallback", under(GOOGLE, "", &["fallback = true"]));
    case(
        "google_suite_of_128_bits",
        under(GOOGLE, "cipher_suite = \"gcm-aes-128\"", &[]),
    );
    case(
        "azure_should_encrypt",
        under(AZURE, "encryption = \"should_encrypt\"", &[]),
    );
    case("azure_three_keys", under(AZURE, "", &["", ""]));
    case("azure_fallback", under(AZURE, "", &["fallback = true"]));
    case(
        "oracle_priority",
        under_mka(ORACLE, "key_server_priority = 0"),
    );
    case(
        "oracle_rekey",
        under_mka(ORACLE, "sak_rekey_interval_s = 600"),
    );
    case(
        "oracle_ckn_too_short",
        link("profile = \"oracle-fastconnect\""),
    );
    case("ibm_priority", under_mka(IBM, "key_server_priority = 255"));
    case(
        "ibm_suite",
        under(IBM, "cipher_suite = \"gcm-aes-256\"", &[]),
    );
    case("ibm_peers", under_mka(IBM, "max_peers = 2"));
    case(
        "ibm_three_primary_keys",
        under(IBM, "", &["", "", "fallback = true"]),
    );
    case(
        "alibaba_ckn_of_another_length",
        under(ALIBABA, "", &[]).replace("a.cak", "g.cak"),
    );
    case("alibaba_four_keys", under(ALIBABA, "", &["", "", ""]));
}
