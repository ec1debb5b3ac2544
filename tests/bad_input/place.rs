//! A place where a gateway could run: two wires in namespaces of its own, keys, and a config.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

use crate::support::{Daemon, Namespace, Scratch, Shell, fingerprint, wait_until};

pub(crate) const GATEWAY: &str = env!("CARGO_BIN_EXE_macsecgw");

const MTU: u32 = 1600;

#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) ns: Namespace,
    far: Namespace,
    scratch: Scratch,
    keys: [String; 2],
    name: String,
}

impl Place {
    /// With a transmit key that was said to be fresh.
    pub(crate) fn new(label: &str) -> Self {
        let place = Self::without_statement(label);
        let [tx, _] = &place.keys;
        place.write("gw.toml", place.text());
        let words = ["--link", "l0", "--fingerprint", &fingerprint(tx)];
        let config = place.path("gw.toml");
        place
            .ns
            .run(
                &[&[GATEWAY, "fresh-key", "--config", &config], &words[..]].concat(),
                Duration::from_secs(20),
            )
            .ok();
        place
    }

    pub(crate) fn without_statement(label: &str) -> Self {
        let scratch = Scratch::new(label);
        let ns = Namespace::new(&format!("{label}g"));
        let far = Namespace::new(&format!("{label}f"));
        ns.wire("plain", &far, "router", MTU);
        ns.wire("secure", &far, "cloud", MTU);
        let script = "for i in plain secure; do ip link set dev $i arp off; done";
        ns.sh(script, Duration::from_secs(20)).ok();
        let digits = |label: &str| {
            let digest = ring::digest::digest(&ring::digest::SHA256, label.as_bytes());
            digest
                .as_ref()
                .iter()
                .map(|octet| format!("{octet:02x}"))
                .collect::<String>()
        };
        let seed = scratch.path().display().to_string();
        let keys = [digits(&format!("tx{seed}")), digits(&format!("rx{seed}"))];
        let place = Self {
            name: format!("mgw-bad-{}-{label}", std::process::id()),
            ns,
            far,
            scratch,
            keys,
        };
        for (name, key) in ["tx.sak", "rx.sak"].iter().zip(&place.keys) {
            place.write_mode(name, key, 0o600);
        }
        place
    }

    /// A config with nothing wrong in it.
    pub(crate) fn text(&self) -> String {
        let folder = self.scratch.path().display();
        let name = &self.name;
        format!(
            r#"[gateway]
name = "{name}"
runtime_dir = "{folder}/run"
state_dir = "{folder}/state"
[eal]
args = ["--no-telemetry"]
memory = "no-huge"
[workers]
idle = "sleep"
[metrics]
listen = "127.0.0.1:9561"
[[link]]
name = "l0"
plain = "net_af_packet0,iface=plain"
secure = "net_af_packet1,iface=secure"
agreement = "static"
cipher_suite = "gcm-aes-xpn-256"
[link.static]
peer_sci = "02:00:00:00:00:02/1"
tx_sak_file = "tx.sak"
rx_sak_file = "rx.sak"
tx_ssci = 1
rx_ssci = 2
salt = "e0e1e2e3e4e5e6e7e8e9eaeb"
"#
        )
    }

    pub(crate) fn path_of(&self, name: &str) -> PathBuf {
        self.scratch.join(name)
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.path_of(name).display().to_string()
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        self.write_mode(name, content, 0o600);
    }

    pub(crate) fn write_mode(&self, name: &str, content: impl AsRef<[u8]>, mode: u32) {
        fs::write(self.path_of(name), content).unwrap();
        fs::set_permissions(self.path_of(name), fs::Permissions::from_mode(mode)).unwrap();
    }

    /// The transmit key's state file.
    pub(crate) fn tx_state(&self) -> PathBuf {
        let [tx, _] = &self.keys;
        self.path_of(&format!("state/tx.l0.{}.pn", fingerprint(tx)))
    }

    /// Every file of the state directory with its content; of the lock only the name: who held it last
    /// stands in it.
    pub(crate) fn state(&self) -> Vec<(String, Vec<u8>)> {
        let Ok(entries) = fs::read_dir(self.path_of("state")) else {
            return Vec::new();
        };
        let mut files: Vec<_> = entries
            .map(|entry| {
                let entry = entry.unwrap();
                let name = entry.file_name().into_string().unwrap();
                let content = fs::read(entry.path()).unwrap();
                (name, content)
            })
            .filter(|(name, _)| name != "lock")
            .collect();
        files.sort();
        files
    }

    /// Frames that came out of either wire's far end.
    pub(crate) fn frames(&self) -> u64 {
        let script = "cat /sys/class/net/router/statistics/rx_packets \
                      /sys/class/net/cloud/statistics/rx_packets";
        // The namespace's own sysfs: `ip netns exec` mounts it.
        let text = self.far.sh(script, Duration::from_secs(20)).ok();
        text.lines().map(|line| line.parse::<u64>().unwrap()).sum()
    }

    pub(crate) fn start(&self) -> Daemon {
        let config = self.path("gw.toml");
        self.ns
            .daemon("gw", &[GATEWAY, "run", "--config", &config], &self.scratch)
    }

    pub(crate) fn wait_ready(&self, gateway: &mut Daemon) {
        wait_until("ready", Duration::from_secs(30), || {
            gateway.check_alive();
            let status = self.ask()?;
            let secured = &status["links"][0]["secured"];
            (status["ready"] == true && secured == true).then_some(())
        });
    }

    fn ask(&self) -> Option<serde_json::Value> {
        let socket = self.path("run/control.sock");
        let answer = self.ns.run(
            &[GATEWAY, "status", "--json", "--socket", &socket],
            Duration::from_secs(20),
        );
        (answer.code == 0).then(|| serde_json::from_str(&answer.stdout).unwrap())
    }

    pub(crate) fn status(&self) -> serde_json::Value {
        self.ask().unwrap()
    }

    /// The process number that the running gateway wrote into its lock.
    pub(crate) fn gateway_pid(&self) -> String {
        let text = fs::read_to_string(self.path_of("state/lock")).unwrap();
        text.trim().to_owned()
    }
}
