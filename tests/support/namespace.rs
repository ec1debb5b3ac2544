//! Network namespaces with names of their own, and the wires between them.

use super::process::{Daemon, Outcome, run};
use super::scratch::{Scratch, unique};
use super::traffic::Shell;
use nix::sched::{CloneFlags, setns};
use std::fs::File;
use std::time::Duration;

const QUICK: Duration = Duration::from_secs(20);

/// A network namespace, deleted when dropped, with every interface in it. IPv6 is off: the kernel's own
/// neighbour discovery would else add frames that no test sent.
#[derive(Debug)]
pub(crate) struct Namespace {
    name: String,
}

impl Namespace {
    #[track_caller]
    pub(crate) fn new(label: &str) -> Self {
        let name = unique(label);
        run(&["ip", "netns", "add", &name], QUICK).ok();
        let made = Self { name };
        made.sh(
            "ip link set lo up; for f in all default; do f=/proc/sys/net/ipv6/conf/$f/disable_ipv6; \
             [ ! -e $f ] || echo 1 > $f; done",
            QUICK,
        )
        .ok();
        made
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Runs a program inside.
    #[track_caller]
    pub(crate) fn run(&self, argv: &[&str], limit: Duration) -> Outcome {
        run(&self.inside(argv), limit)
    }

    /// Starts a program inside that runs beside the test.
    #[track_caller]
    pub(crate) fn daemon(&self, name: &str, argv: &[&str], scratch: &Scratch) -> Daemon {
        Daemon::start(name, &self.inside(argv), scratch)
    }

    /// The words that run `argv` inside.
    pub(crate) fn inside<'a>(&'a self, argv: &[&'a str]) -> Vec<&'a str> {
        [&["ip", "netns", "exec", self.name.as_str()], argv].concat()
    }

    /// A wire between `near` (here) and `far` (in `other`): both up, the MTU set, every offload off, so that
    /// what one end sends is what the other receives, frame by frame, with finished checksums.
    #[track_caller]
    pub(crate) fn wire(&self, near: &str, other: &Self, far: &str, mtu: u32) {
        let argv = [
            "ip", "link", "add", "name", near, "netns", &self.name, "type", "veth", "peer",
        ];
        run(
            &[&argv[..], &["name", far, "netns", &other.name]].concat(),
            QUICK,
        )
        .ok();
        self.bare(near, mtu);
        other.bare(far, mtu);
    }

    /// A wire with any number of ends: a bridge in a namespace of its own that carries the PAE group address.
    #[track_caller]
    pub(crate) fn hub(label: &str, ends: &[(&Self, &str)]) -> Self {
        let hub = Self::new(label);
        let made = "ip link add br0 type bridge stp_state 0 mcast_snooping 0 group_fwd_mask 8 && \
                    ip link set br0 mtu 1600 up";
        hub.sh(made, QUICK).ok();
        for (at, (namespace, interface)) in ends.iter().enumerate() {
            let port = format!("port{at}");
            hub.wire(&port, namespace, interface, 1600);
            hub.sh(&format!("ip link set {port} master br0"), QUICK)
                .ok();
        }
        hub
    }

    /// A TAP for somebody else (a virtual machine) to plug into.
    #[track_caller]
    pub(crate) fn tap(&self, name: &str, mtu: u32) {
        self.run(&["ip", "tuntap", "add", name, "mode", "tap"], QUICK)
            .ok();
        self.bare(name, mtu);
    }

    /// Up, with the MTU, and nothing that changes frames.
    #[track_caller]
    fn bare(&self, interface: &str, mtu: u32) {
        let script = format!(
            "ip link set dev {interface} mtu {mtu} up || exit 1\n\
             for f in rx tx sg tso gso gro lro rxvlan txvlan rx-vlan-stag-hw-parse \
             tx-vlan-stag-hw-insert; do \
             ethtool -K {interface} $f off >/dev/null 2>&1; done; exit 0"
        );
        self.sh(&script, QUICK).ok();
    }

    #[track_caller]
    pub(crate) fn address(&self, interface: &str, address: &str) {
        self.run(&["ip", "addr", "add", address, "dev", interface], QUICK)
            .ok();
    }

    /// Sets an interface's own MAC address (text, colons).
    #[track_caller]
    pub(crate) fn mac(&self, interface: &str, mac: &str) {
        self.run(
            &["ip", "link", "set", "dev", interface, "address", mac],
            QUICK,
        )
        .ok();
    }

    /// Runs `work` on a thread of its own that has entered the namespace (sockets made there stay in it).
    #[track_caller]
    pub(crate) fn enter<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().name("bed-netns".into());
            let inner = thread.spawn_scoped(scope, || {
                let path = format!("/run/netns/{}", self.name);
                let file =
                    File::open(&path).unwrap_or_else(|error| panic!("cannot open {path}: {error}"));
                setns(file, CloneFlags::CLONE_NEWNET)
                    .unwrap_or_else(|error| panic!("cannot enter {path}: {error}"));
                work()
            });
            let joined = inner.expect("a thread for a namespace").join();
            joined.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }
}

impl Shell for Namespace {
    #[track_caller]
    fn sh(&self, script: &str, limit: Duration) -> Outcome {
        self.run(&["sh", "-c", script], limit)
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let limit = Duration::from_secs(20);
        let argv = ["ip", "netns", "del", &self.name];
        // Not `ok()`: a panic in a drop would hide the one that is on its way.
        let _ = std::panic::catch_unwind(|| run(&argv, limit));
    }
}
