//! Configurations for the gateway, and the key files beside them.

use super::macsec::{MacsecDevice, Suite};
use super::mka::MkaKeys;
use super::scratch::write_file;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// A gateway's configuration; `write` makes the files.
#[derive(Debug, Clone)]
pub(crate) struct GatewayConfig {
    pub(crate) name: String,
    pub(crate) eal_args: Vec<String>,
    /// "auto", "hugepages" or "no-huge"
    pub(crate) memory: &'static str,
    /// CPU numbers; empty leaves the choice to the gateway.
    pub(crate) cores: Vec<u32>,
    /// "" switches metrics off.
    pub(crate) metrics: String,
    pub(crate) links: Vec<LinkConfig>,
    /// Whether the transmit keys are stated to be fresh before the first start.
    pub(crate) state_fresh_keys: bool,
    /// More lines by table: ("crypto", "engine = \"ring\"").
    pub(crate) settings: Vec<(&'static str, String)>,
}

impl GatewayConfig {
    /// For ports that the kernel backs: nothing on PCI, no hugepages needed, workers that sleep when idle
    /// (a test machine has few cores).
    ///
    /// `label` becomes part of the gateway's name, which no other gateway on the machine has.
    pub(crate) fn new(label: &str, links: Vec<LinkConfig>) -> Self {
        let mut name = super::scratch::unique(label);
        name.truncate(32);
        Self {
            name,
            eal_args: vec!["--no-pci".into(), "--no-telemetry".into()],
            memory: "no-huge",
            cores: Vec::new(),
            metrics: "127.0.0.1:9464".into(),
            links,
            state_fresh_keys: true,
            settings: vec![("workers", "idle = \"sleep\"".into())],
        }
    }

    /// The worker on the second CPU, and on the first a crypto helper of the first link's `lane` ("protect",
    /// "validate"), which gets every burst.
    pub(crate) fn use_helper_always(&mut self, lane: &str) {
        self.cores = vec![1];
        let helpers = "helper_cores = [0]\nhelpers_when = \"always\"\nhelper_patience_ms = 1000";
        self.settings.push(("workers", helpers.into()));
        if let Some(link) = self.links.first_mut() {
            link.settings.push(format!("{lane}_helpers = 1"));
        }
    }

    /// The text, with runtime and state folders below `folder`.
    pub(crate) fn text(&self, folder: &str) -> String {
        let mut text = String::new();
        let _ = writeln!(
            text,
            "[gateway]\nname = \"{}\"\nruntime_dir = \"{folder}/run\"\nstate_dir = \"{folder}/state\"",
            self.name
        );
        text += &self.more("gateway");
        let _ = writeln!(
            text,
            "[eal]\nargs = {:?}\nmemory = \"{}\"",
            self.eal_args, self.memory
        );
        text += &self.more("eal");
        let _ = writeln!(text, "[workers]\ncores = {:?}", self.cores);
        text += &self.more("workers");
        text += "[crypto]\n";
        text += &self.more("crypto");
        let _ = writeln!(text, "[metrics]\nlisten = \"{}\"", self.metrics);
        text += &self.more("metrics");
        for link in &self.links {
            text += &link.text();
        }
        text
    }

    fn more(&self, table: &str) -> String {
        let lines = self.settings.iter().filter(|(name, _)| *name == table);
        lines.fold(String::new(), |text, (_, line)| text + line + "\n")
    }

    /// Writes `gateway.toml` and the key files (mode 0600) into `folder`; gives the configuration's path.
    /// `seen` is what the gateway calls the folder of its runtime and state files.
    #[track_caller]
    pub(crate) fn write(&self, folder: &Path, seen: &str) -> PathBuf {
        for link in &self.links {
            for (name, key) in link.key_files() {
                write_file(&folder.join(name), key + "\n", 0o600);
            }
        }
        let path = folder.join("gateway.toml");
        write_file(&path, self.text(seen), 0o600);
        path
    }

    /// Name and fingerprint of each link's transmit key, as `fresh-key` wants them.
    pub(crate) fn transmit_keys(&self) -> Vec<(String, String)> {
        let keyed = self
            .links
            .iter()
            .filter_map(|link| Some((link, link.keys.as_ref()?)));
        keyed
            .map(|(link, keys)| (link.name.clone(), fingerprint(&keys.tx_key)))
            .collect()
    }
}

/// One link.
#[derive(Debug, Clone)]
pub(crate) struct LinkConfig {
    pub(crate) name: String,
    pub(crate) plain: String,
    pub(crate) secure: String,
    pub(crate) mtu: u32,
    pub(crate) keys: Option<StaticKeys>,
    /// Instead of `keys`.
    pub(crate) mka: Option<MkaKeys>,
    /// Further lines of `[[link]]`, as TOML.
    pub(crate) settings: Vec<String>,
}

impl LinkConfig {
    /// A `must_encrypt` link over two kernel interfaces. `index` counts the links of a gateway, from 0: the
    /// names of the ports' devices are made from it.
    pub(crate) fn on_interfaces(
        name: &str,
        index: u32,
        [plain, secure]: [&str; 2],
        keys: StaticKeys,
    ) -> Self {
        Self {
            keys: Some(keys),
            ..Self::bare(name, index, [plain, secure])
        }
    }

    /// The same, with keys that both ends agree on.
    pub(crate) fn agreeing(name: &str, index: u32, ports: [&str; 2], keys: MkaKeys) -> Self {
        Self {
            mka: Some(keys),
            ..Self::bare(name, index, ports)
        }
    }

    fn bare(name: &str, index: u32, [plain, secure]: [&str; 2]) -> Self {
        Self {
            name: name.into(),
            plain: format!("net_af_packet{},iface={plain}", 2 * index),
            secure: format!("net_af_packet{},iface={secure}", 2 * index + 1),
            mtu: 1500,
            keys: None,
            mka: None,
            settings: Vec::new(),
        }
    }

    pub(crate) fn with(mut self, line: impl Into<String>) -> Self {
        self.settings.push(line.into());
        self
    }

    fn text(&self) -> String {
        let mut text = format!(
            "[[link]]\nname = \"{}\"\nplain = \"{}\"\nsecure = \"{}\"\nmtu = {}\n",
            self.name, self.plain, self.secure, self.mtu
        );
        for line in &self.settings {
            text += line;
            text += "\n";
        }
        if let Some(keys) = &self.keys {
            text += &keys.text(&self.name);
        }
        if let Some(keys) = &self.mka {
            text += &keys.text(&self.name);
        }
        text
    }

    fn key_files(&self) -> Vec<(String, String)> {
        let keys = self.keys.iter();
        let files = keys.map(|keys| {
            [
                (format!("{}-tx.sak", self.name), keys.tx_key.clone()),
                (format!("{}-rx.sak", self.name), keys.rx_key.clone()),
            ]
        });
        let caks = self.mka.iter().flat_map(|keys| keys.files(&self.name));
        files.flatten().chain(caks).collect()
    }
}

/// Static SAs of a link, as the gateway is given them.
#[derive(Debug, Clone)]
pub(crate) struct StaticKeys {
    pub(crate) suite: Suite,
    /// Own SCI, "MAC/port"; "" leaves it to the gateway.
    pub(crate) sci: String,
    pub(crate) peer_sci: String,
    pub(crate) tx_key: String,
    pub(crate) rx_key: String,
    pub(crate) tx_an: u8,
    pub(crate) rx_an: u8,
    pub(crate) tx_ssci: u32,
    pub(crate) rx_ssci: u32,
    pub(crate) salt: String,
}

impl StaticKeys {
    /// The other end of a Linux device whose own MAC address is `device_mac`: what it sends with is what
    /// this receives with.
    pub(crate) fn facing(device: &MacsecDevice, device_mac: &str) -> Self {
        Self {
            suite: device.suite,
            sci: format!("{}/{}", device.peer_mac, device.peer_port),
            peer_sci: format!("{device_mac}/1"),
            tx_key: device.rx_key.clone(),
            rx_key: device.tx_key.clone(),
            tx_an: device.rx_an,
            rx_an: device.tx_an,
            tx_ssci: device.rx_ssci,
            rx_ssci: device.tx_ssci,
            salt: device.salt.clone(),
        }
    }

    /// The same SAs seen from the peer, for two gateways back to back.
    pub(crate) fn mirrored(&self) -> Self {
        Self {
            suite: self.suite,
            sci: self.peer_sci.clone(),
            peer_sci: self.sci.clone(),
            tx_key: self.rx_key.clone(),
            rx_key: self.tx_key.clone(),
            tx_an: self.rx_an,
            rx_an: self.tx_an,
            tx_ssci: self.rx_ssci,
            rx_ssci: self.tx_ssci,
            salt: self.salt.clone(),
        }
    }

    /// The link's own lines for the suite and SCI, then its `static` table.
    fn text(&self, link: &str) -> String {
        let mut text = format!(
            "agreement = \"static\"\ncipher_suite = \"{}\"\n",
            self.suite.name
        );
        if !self.sci.is_empty() {
            let _ = writeln!(text, "sci = \"{}\"", self.sci);
        }
        let _ = write!(
            text,
            "[link.static]\npeer_sci = \"{}\"\ntx_sak_file = \"{link}-tx.sak\"\ntx_an = {}\n\
             rx_sak_file = \"{link}-rx.sak\"\nrx_an = {}\n",
            self.peer_sci, self.tx_an, self.rx_an
        );
        if self.suite.xpn {
            let _ = writeln!(
                text,
                "tx_ssci = {}\nrx_ssci = {}\nsalt = \"{}\"",
                self.tx_ssci, self.rx_ssci, self.salt
            );
        }
        text
    }
}

/// The fingerprint of a key in hex digits, by its definition and not by the gateway's code.
pub(crate) fn fingerprint(key: &str) -> String {
    let mut hashed = b"macsecgw key fingerprint v1".to_vec();
    hashed.extend((0..key.len()).step_by(2).map(|at| {
        let pair = key.get(at..at + 2).unwrap_or_default();
        u8::from_str_radix(pair, 16).expect("a key in hex digits")
    }));
    let digest = ring::digest::digest(&ring::digest::SHA256, &hashed);
    let groups = digest.as_ref().chunks(2).take(4);
    let groups = groups.map(|pair| pair.iter().map(|octet| format!("{octet:02x}")).collect());
    groups.collect::<Vec<String>>().join("-")
}
