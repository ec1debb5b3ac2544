//! A peer that nobody here wrote: Debian's user-mode-linux kernel, an ordinary process, on a veth end.
//!
//! Its root is this machine's, read-only, so `ip macsec`, ping and iperf3 are the same programs. It knows
//! one interface, `vec0`; frames longer than its MTU + 66 octets are cut by its driver without a word.

use super::channel::Channel;
use super::macsec::{MacsecCounters, MacsecDevice};
use super::namespace::Namespace;
use super::process::{Daemon, Outcome, wait_until};
use super::scratch::{Scratch, tail};
use super::traffic::Shell;
use std::cell::RefCell;
use std::path::Path;
use std::time::Duration;

/// Drops what the guest itself sent: its driver receives from the same interface that it sends to, and
/// would see each of its own frames. A classic BPF program: load the packet type, drop if outgoing.
const NOT_OUTGOING: [u8; 32] = [
    0x30, 0, 0, 0, 0x04, 0xF0, 0xFF, 0xFF, // ldb [SKF_AD_PKTTYPE]
    0x15, 0, 0, 1, 4, 0, 0, 0, // jeq #PACKET_OUTGOING, next, skip one
    0x06, 0, 0, 0, 0, 0, 0, 0, // ret #0
    0x06, 0, 0, 0, 0, 0, 4, 0, // ret #262144
];

/// How to boot a guest.
#[derive(Debug, Clone)]
pub(crate) struct UmlOptions {
    /// For names and logs.
    pub(crate) name: String,
    /// Of `vec0`, text with colons.
    pub(crate) mac: String,
    /// Of `vec0`. A MACsec device on it gets 32 less.
    pub(crate) mtu: u32,
}

impl UmlOptions {
    /// With room for 1500 octets inside MACsec.
    pub(crate) fn new(name: &str, mac: &str) -> Self {
        Self {
            name: name.into(),
            mac: mac.into(),
            mtu: 1532,
        }
    }
}

/// A booted (or booting) guest. Ends when dropped.
#[derive(Debug)]
pub(crate) struct UmlPeer {
    daemon: RefCell<Daemon>,
    channel: Channel,
    scratch: Scratch,
}

impl UmlPeer {
    /// Boots a guest on `interface` and waits until it takes commands (about 3 s).
    #[track_caller]
    pub(crate) fn boot(ns: &Namespace, interface: &str, options: &UmlOptions) -> Self {
        let peer = Self::start(ns, interface, options);
        peer.wait_ready();
        peer
    }

    /// Starts booting and does not wait: two guests boot in the time of one.
    #[track_caller]
    pub(crate) fn start(ns: &Namespace, interface: &str, options: &UmlOptions) -> Self {
        // In RAM, as its memory is: a guest is one thread, and a write to a disk that others keep busy stops all of
        // it, for longer than a peer lives.
        let memory = if roomy("/dev/shm") {
            "/dev/shm"
        } else {
            "/tmp"
        };
        let scratch = Scratch::within(Path::new(memory), &format!("uml-{}", options.name));
        let share = scratch.join("share");
        std::fs::create_dir(&share).expect("a folder to share with the guest");
        let filter = scratch.write("not-outgoing.bpf", NOT_OUTGOING, 0o600);
        let bed = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bed");
        let nic = format!(
            "vec0:transport=raw,ifname={interface},mac={},mtu={},depth=128,gro=0,bpffile={}",
            options.mac,
            options.mtu,
            filter.display()
        );
        let init = format!("init={}/uml-init.sh", bed.display());
        let serve = format!("BED_SERVE={}/serve.sh", bed.display());
        let folder = format!("BED_DIR={}", share.display());
        let mtu = format!("BED_MTU={}", options.mtu);
        let (umid, uml_dir) = (
            format!("umid={}", options.name),
            format!("uml_dir={}/", scratch.path().display()),
        );
        // 600 s end any guest that a bug forgot; no test runs that long with one.
        let argv = [
            "timeout",
            "-k",
            "5",
            "600",
            "linux.uml",
            "mem=128M",
            "root=/dev/root",
        ];
        let mut argv = ns.inside(&argv);
        argv.extend([
            "rootfstype=hostfs",
            "rootflags=/",
            "ro",
            &init,
            &serve,
            &folder,
            &mtu,
        ]);
        argv.extend([
            &*umid,
            &*uml_dir,
            &*nic,
            "con=null",
            "con0=null,fd:1",
            "con1=null",
        ]);
        argv.extend(["ssl=null", "loglevel=5", "noreboot", "panic=-1"]);
        // The guest's memory is a file too.
        let daemon = Daemon::start_with("console", &argv, &scratch, &[("TMPDIR", memory)]);
        let channel = Channel::new(share.join("cmd"));
        Self {
            daemon: RefCell::new(daemon),
            channel,
            scratch,
        }
    }

    #[track_caller]
    pub(crate) fn wait_ready(&self) {
        let ready = self.scratch.join("share/ready");
        wait_until("a user-mode-linux guest", Duration::from_secs(60), || {
            self.check_alive();
            ready.exists().then_some(())
        });
    }

    #[track_caller]
    fn check_alive(&self) {
        let failed = std::fs::read_to_string(self.scratch.join("share/failed"));
        if failed.is_ok() || self.daemon.borrow_mut().ended().is_some() {
            panic!("the guest is gone\n{}", self.logs());
        }
    }

    /// The tails of the guest's logs.
    pub(crate) fn logs(&self) -> String {
        let guest = tail(&self.scratch.join("share/guest.log"), 20);
        guest + &self.daemon.borrow().log_tail()
    }

    /// Makes `macsec0` anew from `device`, up and with an address ("" for none). SAs of before are gone,
    /// and with them their counters.
    #[track_caller]
    pub(crate) fn secure(&self, device: &MacsecDevice, address: &str) {
        self.sh(&device.script("vec0", address), Duration::from_secs(20))
            .ok();
    }

    /// Removes `macsec0`, if there is one.
    #[track_caller]
    pub(crate) fn insecure(&self) {
        let script = "[ ! -e /sys/class/net/macsec0 ] || ip link del macsec0";
        self.sh(script, Duration::from_secs(20)).ok();
    }

    /// The counters of `macsec0`.
    #[track_caller]
    pub(crate) fn macsec_counters(&self) -> MacsecCounters {
        let text = self
            .sh("ip -s macsec show macsec0", Duration::from_secs(10))
            .ok();
        MacsecCounters::parse(&text)
    }

    /// Ends the guest in its own way.
    pub(crate) fn power_off(self) {
        self.channel.start("sync; echo o > /proc/sysrq-trigger");
        self.daemon.borrow_mut().wait_end(Duration::from_secs(10));
    }
}

impl Shell for UmlPeer {
    #[track_caller]
    fn sh(&self, script: &str, limit: Duration) -> Outcome {
        self.channel.exec(script, limit, || self.check_alive())
    }
}

impl Drop for UmlPeer {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!(
                "bed: the guest's log\n{}",
                tail(&self.scratch.join("share/guest.log"), 20)
            );
        }
    }
}

fn roomy(folder: &str) -> bool {
    let stat = nix::sys::statvfs::statvfs(folder);
    stat.is_ok_and(|stat| stat.blocks_available() * stat.fragment_size() > 300 << 20)
}
