//! `ip macsec`: how a Linux kernel is given static SAs, and what it counted.

use std::collections::BTreeMap;
use std::fmt::Write;

/// A cipher suite by iproute2's name, which is also that of the gateway's configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Suite {
    pub(crate) name: &'static str,
    /// Octets of a SAK.
    pub(crate) key: usize,
    pub(crate) xpn: bool,
}

impl Suite {
    pub(crate) const ALL: [Self; 4] = [
        Self {
            name: "gcm-aes-128",
            key: 16,
            xpn: false,
        },
        Self {
            name: "gcm-aes-256",
            key: 32,
            xpn: false,
        },
        Self {
            name: "gcm-aes-xpn-128",
            key: 16,
            xpn: true,
        },
        Self {
            name: "gcm-aes-xpn-256",
            key: 32,
            xpn: true,
        },
    ];
}

/// A MACsec device with one transmit SA, and one receive SA of one peer.
#[derive(Debug, Clone)]
pub(crate) struct MacsecDevice {
    pub(crate) suite: Suite,
    pub(crate) encrypt: bool,
    pub(crate) send_sci: bool,
    pub(crate) end_station: bool,
    /// `None` = replay protection off.
    pub(crate) replay_window: Option<u32>,
    /// strict, check or disabled
    pub(crate) validate: &'static str,
    pub(crate) tx_an: u8,
    pub(crate) rx_an: u8,
    /// The next packet number to send, and the lowest to accept.
    pub(crate) tx_pn: u64,
    pub(crate) rx_pn: u64,
    /// Hex digits.
    pub(crate) tx_key: String,
    pub(crate) rx_key: String,
    /// The peer's MAC address (colons) and port, its SCI.
    pub(crate) peer_mac: String,
    pub(crate) peer_port: u16,
    /// XPN only; the salt in hex digits.
    pub(crate) salt: String,
    pub(crate) tx_ssci: u32,
    pub(crate) rx_ssci: u32,
}

impl MacsecDevice {
    /// Encrypting, SCI in every frame, strict order, AN 0 both ways, packet numbers from 1, keys that
    /// differ between the directions and between suites.
    pub(crate) fn new(suite: Suite, peer_mac: &str) -> Self {
        let key = |seed: u8| {
            let mut text = String::new();
            for index in 0..suite.key {
                let octet = usize::from(seed) * 31 + index * 7 + suite.name.len();
                let _ = write!(text, "{:02x}", octet & 0xFF);
            }
            text
        };
        Self {
            suite,
            encrypt: true,
            send_sci: true,
            end_station: false,
            replay_window: Some(0),
            validate: "strict",
            tx_an: 0,
            rx_an: 0,
            tx_pn: 1,
            rx_pn: 1,
            tx_key: key(3),
            rx_key: key(5),
            peer_mac: peer_mac.into(),
            peer_port: 1,
            salt: "e0e1e2e3e4e5e6e7e8e9eaeb".into(),
            tx_ssci: 1,
            rx_ssci: 2,
        }
    }

    /// The commands that make `macsec0` on `lower` anew.
    pub(crate) fn script(&self, lower: &str, address: &str) -> String {
        let onoff = |flag: bool| if flag { "on" } else { "off" };
        let pn = if self.suite.xpn { "xpn" } else { "pn" };
        let extra = |ssci: u32| match self.suite.xpn {
            true => format!("ssci {ssci} salt {}", self.salt),
            false => String::new(),
        };
        let replay = self
            .replay_window
            .map_or_else(|| "replay off".into(), |w| format!("replay on window {w}"));
        let peer = format!("port {} address {}", self.peer_port, self.peer_mac);
        let mut lines = vec![
            "set -e".into(),
            "[ ! -e /sys/class/net/macsec0 ] || ip link del macsec0".into(),
            format!(
                "ip link add link {lower} macsec0 type macsec port 1 cipher {} encrypt {} send_sci {} \
                 end_station {} scb off encodingsa {} validate {} {replay}",
                self.suite.name,
                onoff(self.encrypt),
                onoff(self.send_sci),
                onoff(self.end_station),
                self.tx_an,
                self.validate,
            ),
            format!(
                "ip macsec add macsec0 tx sa {} {pn} {} {} on key 01 {}",
                self.tx_an,
                self.tx_pn,
                extra(self.tx_ssci),
                self.tx_key
            ),
            format!("ip macsec add macsec0 rx {peer} on"),
            format!(
                "ip macsec add macsec0 rx {peer} sa {} {pn} {} {} on key 02 {}",
                self.rx_an,
                self.rx_pn,
                extra(self.rx_ssci),
                self.rx_key
            ),
            "ip link set macsec0 up".into(),
        ];
        if !address.is_empty() {
            lines.push(format!("ip addr add {address} dev macsec0"));
        }
        lines.join("\n")
    }
}

/// The counters of `ip -s macsec show`, by the kernel's names, summed over what carries each name. An SA's
/// are also in its channel's, so the parts are kept apart: `secy.`, `txsc.`, `txsa.`, `rxsc.`, `rxsa.`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct MacsecCounters(pub(crate) BTreeMap<String, u64>);

impl MacsecCounters {
    /// Reads the text: a line of `stats:` with names, then one with figures under them.
    pub(crate) fn parse(text: &str) -> Self {
        let mut counters = BTreeMap::new();
        let mut part = "secy";
        let mut names: Vec<&str> = Vec::new();
        for line in text.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            let Some(first) = words.first() else {
                continue;
            };
            if let Some(rest) = line.trim().strip_prefix("stats:") {
                names = rest.split_whitespace().collect();
                continue;
            }
            if !names.is_empty() && words.iter().all(|word| word.parse::<u64>().is_ok()) {
                for (name, word) in names.drain(..).zip(&words) {
                    *counters.entry(format!("{part}.{name}")).or_insert(0) +=
                        word.parse::<u64>().unwrap_or(0);
                }
                continue;
            }
            part = match (*first, part) {
                ("TXSC:", _) => "txsc",
                ("RXSC:", _) => "rxsc",
                (_, "txsc") if is_sa(line) => "txsa",
                (_, "rxsc") if is_sa(line) => "rxsa",
                _ => part,
            };
        }
        Self(counters)
    }

    /// A counter by part and name, for example `rxsc.InPktsOK`. Panics with the names there are.
    #[track_caller]
    pub(crate) fn of(&self, name: &str) -> u64 {
        let found = self.0.get(name);
        *found.unwrap_or_else(|| panic!("no counter {name} among {:?}", self.0))
    }
}

/// An SA's line: its number, then its packet number.
fn is_sa(line: &str) -> bool {
    line.split_once(':')
        .is_some_and(|(an, rest)| an.trim().parse::<u8>().is_ok() && rest.contains("PN"))
}
