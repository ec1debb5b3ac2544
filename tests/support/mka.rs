//! Key agreement in a gateway's configuration, and wpa_supplicant in a guest as the other end of it.

use super::process::{run, wait_until};
use super::traffic::Shell;
use super::uml::UmlPeer;
use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

/// What a guest may take to answer a short question. One that hangs is found; one that gets no CPU is waited for.
const GUEST: Duration = Duration::from_secs(60);

/// One CKN/CAK pair, both as hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CakPair {
    pub(crate) ckn: String,
    pub(crate) cak: String,
    /// Further lines of its `[[link.cak]]`, as TOML.
    pub(crate) lines: Vec<String>,
}

impl CakPair {
    /// A pair of `ckn` and `cak` octets, made of `seed`, so that two seeds make two pairs.
    pub(crate) fn new(seed: u8, ckn: usize, cak: usize) -> Self {
        let digits = |octets: usize, salt: u8| {
            (0..=u8::MAX)
                .take(octets)
                .map(|at| at.wrapping_mul(29) ^ seed.wrapping_mul(53) ^ salt)
                .map(|octet| format!("{octet:02x}"))
                .collect::<String>()
        };
        Self {
            ckn: digits(ckn, 0x61),
            cak: digits(cak, 0xC3),
            lines: Vec::new(),
        }
    }

    /// As clouds want them: 32 octets each.
    pub(crate) fn long(seed: u8) -> Self {
        Self::new(seed, 32, 32)
    }

    pub(crate) fn with(mut self, line: &str) -> Self {
        self.lines.push(line.into());
        self
    }

    fn file(&self, link: &str) -> String {
        let start = self.ckn.get(..8).unwrap_or(&self.ckn);
        format!("{link}-{start}.cak")
    }
}

/// What a link agrees on keys by.
#[derive(Debug, Clone, Default)]
pub(crate) struct MkaKeys {
    pub(crate) caks: Vec<CakPair>,
    /// Further lines of `[[link]]`: profile, suite.
    pub(crate) lines: Vec<String>,
    /// Lines of `[link.mka]`: priority, intervals.
    pub(crate) knobs: Vec<String>,
}

impl MkaKeys {
    pub(crate) fn new(caks: &[CakPair], lines: &[&str], knobs: &[&str]) -> Self {
        let texts = |lines: &[&str]| lines.iter().map(|line| (*line).into()).collect();
        Self {
            caks: caks.to_vec(),
            lines: texts(lines),
            knobs: texts(knobs),
        }
    }

    /// The lines of the link itself, then its `cak` tables.
    pub(super) fn text(&self, link: &str) -> String {
        let mut text = String::from("agreement = \"mka\"\n");
        for line in &self.lines {
            let _ = writeln!(text, "{line}");
        }
        text += "[link.mka]\n";
        for line in &self.knobs {
            let _ = writeln!(text, "{line}");
        }
        for cak in &self.caks {
            let file = cak.file(link);
            let _ = write!(
                text,
                "[[link.cak]]\nckn = \"{}\"\ncak_file = \"{file}\"\n",
                cak.ckn
            );
            for line in &cak.lines {
                let _ = writeln!(text, "{line}");
            }
        }
        text
    }

    /// Names and contents of the key files.
    pub(super) fn files(&self, link: &str) -> Vec<(String, String)> {
        let files = self.caks.iter();
        files.map(|cak| (cak.file(link), cak.cak.clone())).collect()
    }
}

/// Which wpa_supplicant runs in a guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    /// The machine's own: 2.10 on Debian 12, which makes a device of GCM-AES-128 whatever it agreed on.
    Installed,
    /// Debian testing's, 2.11 or newer, which has GCM-AES-256 as well.
    Newer,
}

impl Version {
    /// The program; fetched at the first use.
    #[track_caller]
    fn program(self) -> String {
        if self == Self::Installed {
            return "wpa_supplicant".into();
        }
        let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bed/supplicant");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bed/supplicant.sh");
        let words = [script.to_str(), cache.to_str()].map(|word| word.expect("a path in UTF-8"));
        run(&words, Duration::from_secs(500)).ok();
        cache.join("wpa_supplicant").display().to_string()
    }
}

/// How wpa_supplicant is started in a guest.
#[derive(Debug, Clone)]
pub(crate) struct SupplicantOptions {
    pub(crate) version: Version,
    pub(crate) pair: CakPair,
    /// GCM-AES-256, of which only the newer one knows how.
    pub(crate) strong: bool,
    pub(crate) priority: u8,
    pub(crate) integrity_only: bool,
    /// Of `macsec0`, with its prefix length.
    pub(crate) address: String,
}

impl SupplicantOptions {
    pub(crate) fn new(pair: &CakPair, priority: u8, address: &str) -> Self {
        Self {
            version: Version::Installed,
            pair: pair.clone(),
            strong: false,
            priority,
            integrity_only: false,
            address: address.into(),
        }
    }

    fn script(&self) -> String {
        let integrity = u8::from(self.integrity_only);
        let suite = if self.strong {
            "\n macsec_csindex=1"
        } else {
            ""
        };
        let program = self.version.program();
        format!(
            "mkdir -p /run/wpa /run/wpacli\n\
             cat > /run/wpa.conf <<END\n\
             ctrl_interface=/run/wpa\neapol_version=3\nap_scan=0\nfast_reauth=1\n\
             network={{\n key_mgmt=NONE\n eapol_flags=0\n macsec_policy=1\n mka_cak={}\n mka_ckn={}\n \
             mka_priority={}\n macsec_port=1\n macsec_integ_only={integrity}{suite}\n \
             macsec_replay_protect=1\n macsec_replay_window=0\n}}\nEND\n\
             rm -f /run/wpas.pid\n\
             {program} -D macsec_linux -i vec0 -c /run/wpa.conf -t -d -f /run/bed/wpas.log \
             -P /run/wpas.pid -B </dev/null >/dev/null 2>&1 || exit 1\n\
             n=0; while [ ! -e /sys/class/net/macsec0 ]; do \
             n=$((n+1)); [ $n -lt 100 ] || exit 2; sleep 0.05; done\n\
             ip link set macsec0 up && ip addr add {} dev macsec0",
            self.pair.cak, self.pair.ckn, self.priority, self.address
        )
    }
}

/// What the guest's kernel says of `macsec0`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct KernelSas {
    /// AN that it protects with, if its SA stands.
    pub(crate) tx: Option<u8>,
    /// Key identifiers of the transmit SAs.
    pub(crate) tx_keys: Vec<String>,
    /// Key identifiers of the receive SAs that are on.
    pub(crate) rx_keys: Vec<String>,
}

impl KernelSas {
    /// From `ip macsec show macsec0`.
    fn parse(text: &str) -> Self {
        let mut sas = Self::default();
        let mut receive = false;
        for line in text.lines() {
            let words: Vec<_> = line.split_whitespace().collect();
            let after = |word: &str| {
                let at = words.iter().position(|found| *found == word)?;
                words.get(at + 1).copied()
            };
            if line.contains("RXSC:") {
                receive = true;
            }
            if let Some(an) = line
                .contains("TXSC:")
                .then(|| words.last().and_then(|an| an.parse().ok()))
                .flatten()
            {
                sas.tx = Some(an);
            }
            let on = line.contains("state on");
            if let (true, Some(key)) = (on, after("key")) {
                let keys = if receive {
                    &mut sas.rx_keys
                } else {
                    &mut sas.tx_keys
                };
                keys.push(key.to_owned());
            }
        }
        sas
    }

    /// Whether frames can pass both ways.
    pub(crate) fn is_secured(&self) -> bool {
        !self.tx_keys.is_empty() && !self.rx_keys.is_empty()
    }
}

impl UmlPeer {
    /// Starts wpa_supplicant, which makes `macsec0`. Not yet secured when this returns.
    #[track_caller]
    pub(crate) fn supplicant(&self, options: &SupplicantOptions) {
        self.sh(&options.script(), Duration::from_secs(30)).ok();
    }

    /// Ends wpa_supplicant in the given way (a signal's name) and waits until it is gone; `macsec0` goes
    /// with it, at the latest now.
    #[track_caller]
    pub(crate) fn end_supplicant(&self, signal: &str) {
        let script = format!(
            "pid=$(cat /run/wpas.pid 2>/dev/null) || exit 0\nkill -{signal} $pid\n\
             n=0; while kill -0 $pid 2>/dev/null; do n=$((n+1)); [ $n -lt 400 ] || exit 1; sleep 0.05; done\n\
             [ ! -e /sys/class/net/macsec0 ] || ip link del macsec0"
        );
        self.sh(&script, Duration::from_secs(30)).ok();
    }

    /// What the kernel's MACsec device holds.
    #[track_caller]
    pub(crate) fn kernel_sas(&self) -> KernelSas {
        let shown = self.sh("ip macsec show macsec0", GUEST);
        KernelSas::parse(&shown.stdout)
    }

    /// Waits for SAs both ways in the guest's kernel: wpa_supplicant's own word proves nothing.
    #[track_caller]
    pub(crate) fn wait_secured(&self, limit: Duration) -> KernelSas {
        wait_until("SAs both ways in the guest's kernel", limit, || {
            let sas = self.kernel_sas();
            sas.is_secured().then_some(sas)
        })
    }

    /// What `wpa_cli status` says.
    #[track_caller]
    pub(crate) fn supplicant_status(&self) -> String {
        let script = "wpa_cli -p /run/wpa -s /run/wpacli -i vec0 status";
        self.sh(script, GUEST).ok()
    }

    /// The last lines of wpa_supplicant's log that tell what it did.
    pub(crate) fn supplicant_log(&self) -> String {
        let script = "grep -E 'KaY:|CP:|macsec' /run/bed/wpas.log | grep -v hexdump | tail -n 300";
        self.sh(script, GUEST).stdout
    }
}
