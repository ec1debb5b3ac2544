//! A machine with PCI ports, without one: QEMU in software, an emulated IOMMU, two e1000e NICs for vfio-pci,
//! Debian's stock kernel (fetched once into the target folder), and this machine's root file system.
//!
//! Inside, `/run` is its own (hugepages on `/run/huge`, the shared folder on `/run/bed`), all else is what
//! is here, read-only: a binary that was just built can be run. Slow (some 20 times): for function alone.

use super::channel::Channel;
use super::namespace::Namespace;
use super::process::{Daemon, Outcome, run, wait_until};
use super::scratch::{Scratch, tail};
use super::traffic::Shell;
use std::cell::RefCell;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How to boot the machine.
#[derive(Debug, Clone)]
pub(crate) struct PciOptions {
    /// For names and logs.
    pub(crate) name: String,
    /// What the NICs are bound to: `vfio-pci`, `e1000e` (the kernel's driver) or `none`.
    pub(crate) bind: &'static str,
    /// 2 MiB pages that it reserves.
    pub(crate) hugepages: u32,
    pub(crate) memory_mib: u32,
}

impl PciOptions {
    pub(crate) fn new(name: &str) -> Self {
        Self {
            name: name.into(),
            bind: "vfio-pci",
            hugepages: 192,
            memory_mib: 1536,
        }
    }
}

/// The running machine. Ends when dropped.
#[derive(Debug)]
pub(crate) struct PciVm {
    daemon: RefCell<Daemon>,
    channel: Channel,
    scratch: Scratch,
}

impl PciVm {
    /// PCI addresses of the two NICs, in the order of the TAPs.
    pub(crate) const NICS: [&'static str; 2] = ["0000:00:03.0", "0000:00:04.0"];
    /// Their MAC addresses.
    pub(crate) const MACS: [&'static str; 2] = ["52:54:00:00:00:01", "52:54:00:00:00:02"];
    /// Where the shared folder is inside.
    pub(crate) const SHARE: &'static str = "/run/bed";

    /// Boots the machine with its NICs on two TAPs of `ns`, and waits until it takes commands (about 10 s).
    #[track_caller]
    pub(crate) fn boot(ns: &Namespace, taps: [&str; 2], options: &PciOptions) -> Self {
        let vm = Self::start(ns, taps, options);
        vm.wait_ready();
        vm
    }

    /// Starts booting and does not wait.
    #[track_caller]
    pub(crate) fn start(ns: &Namespace, taps: [&str; 2], options: &PciOptions) -> Self {
        let kernel = kernel();
        let scratch = Scratch::new(&format!("pci-{}", options.name));
        let share = scratch.join("share");
        std::fs::create_dir(&share).expect("a folder to share with the machine");
        let words = qemu(&kernel, &scratch, taps, options);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let daemon = Daemon::start("console", &ns.inside(&words), &scratch);
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
        wait_until(
            "the machine with PCI ports",
            Duration::from_secs(120),
            || {
                self.check_alive();
                ready.exists().then_some(())
            },
        );
    }

    #[track_caller]
    fn check_alive(&self) {
        if self.daemon.borrow_mut().ended().is_some() {
            panic!("the machine with PCI ports is gone\n{}", self.logs());
        }
    }

    pub(crate) fn logs(&self) -> String {
        self.daemon.borrow().log_tail()
    }

    /// The host's side of the folder that the machine has at `SHARE`.
    pub(crate) fn share(&self) -> PathBuf {
        self.scratch.join("share")
    }

    /// Starts a script inside that runs on while other commands do. Its output goes to `SHARE/NAME.log`.
    #[track_caller]
    pub(crate) fn daemon(&self, name: &str, script: &str) -> PciDaemon<'_> {
        let pid = format!("{}/{name}.pid", Self::SHARE);
        // `exec`, so that the number is that of the program itself.
        let script = format!(
            "echo $$ > {pid}; exec > {}/{name}.log 2>&1\nexec {script}",
            Self::SHARE
        );
        let id = self.channel.start(&script);
        PciDaemon {
            vm: self,
            id,
            script,
            name: name.into(),
        }
    }

    /// Asks QEMU over its control socket (QMP), and gives what it returned.
    #[track_caller]
    pub(crate) fn qmp(&self, command: &str, arguments: serde_json::Value) -> serde_json::Value {
        let path = self.scratch.join("monitor");
        let stream = UnixStream::connect(&path)
            .unwrap_or_else(|error| panic!("no monitor at {}: {error}", path.display()));
        stream
            .set_read_timeout(Some(Duration::from_secs(10)))
            .expect("a bound on reading");
        let (mut lines, mut out) = (BufReader::new(&stream).lines(), &stream);
        let mut ask = |request: serde_json::Value| {
            writeln!(out, "{request}").expect("QEMU takes a request");
            loop {
                let line = lines
                    .next()
                    .expect("QEMU answers")
                    .expect("QEMU answers in time");
                let mut answer: serde_json::Value = serde_json::from_str(&line).expect("JSON");
                assert!(
                    answer.get("error").is_none(),
                    "QEMU refuses {request}: {answer}"
                );
                // The greeting and events come between.
                if answer.get("return").is_some() {
                    return answer["return"].take();
                }
            }
        };
        ask(serde_json::json!({ "execute": "qmp_capabilities" }));
        ask(serde_json::json!({ "execute": command, "arguments": arguments }))
    }

    /// Plugs a NIC's cable in or out, as the NIC sees it.
    #[track_caller]
    pub(crate) fn set_link(&self, nic: usize, up: bool) {
        let arguments = serde_json::json!({ "name": format!("n{nic}"), "up": up });
        self.qmp("set_link", arguments);
    }
}

impl Shell for PciVm {
    #[track_caller]
    fn sh(&self, script: &str, limit: Duration) -> Outcome {
        self.channel.exec(script, limit, || self.check_alive())
    }
}

impl Drop for PciVm {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for entry in std::fs::read_dir(self.share())
                .into_iter()
                .flatten()
                .flatten()
            {
                if entry
                    .path()
                    .extension()
                    .is_some_and(|extension| extension == "log")
                {
                    eprintln!("{}", tail(&entry.path(), 40));
                }
            }
        }
    }
}

/// A program that runs inside the machine.
#[derive(Debug)]
pub(crate) struct PciDaemon<'vm> {
    vm: &'vm PciVm,
    id: String,
    script: String,
    name: String,
}

impl PciDaemon<'_> {
    pub(crate) fn log_text(&self) -> String {
        let path = self.vm.share().join(format!("{}.log", self.name));
        String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()).into_owned()
    }

    /// The exit code, once it has ended.
    pub(crate) fn ended(&self) -> Option<i32> {
        self.vm
            .channel
            .finished(&self.id, &self.script)
            .map(|outcome| outcome.code)
    }

    #[track_caller]
    pub(crate) fn wait_log(&self, text: &str, limit: Duration) {
        let end = Instant::now() + limit;
        while !self.log_text().contains(text) {
            let log = self.log_text();
            assert!(
                self.ended().is_none(),
                "{} ended with {:?}:\n{log}",
                self.name,
                self.ended()
            );
            assert!(
                Instant::now() < end,
                "{}: no '{text}' within {limit:?}:\n{log}",
                self.name
            );
            self.vm.check_alive();
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Sends a signal by name (TERM, KILL, HUP).
    #[track_caller]
    pub(crate) fn signal(&self, signal: &str) {
        let script = format!("kill -{signal} $(cat {}/{}.pid)", PciVm::SHARE, self.name);
        self.vm.sh(&script, Duration::from_secs(20));
    }

    /// SIGTERM, and the exit code.
    #[track_caller]
    pub(crate) fn stop(&self, limit: Duration) -> i32 {
        self.signal("TERM");
        wait_until(&format!("the end of {}", self.name), limit, || self.ended())
    }
}

/// The folder with kernel and initramfs, made at the first use.
#[track_caller]
fn kernel() -> PathBuf {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bed");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bed/kernel.sh");
    let words = [script.to_str(), cache.to_str()].map(|word| word.expect("a path in UTF-8"));
    run(&words, Duration::from_secs(700)).ok();
    cache
}

fn qemu(kernel: &Path, scratch: &Scratch, taps: [&str; 2], options: &PciOptions) -> Vec<String> {
    let bed = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bed");
    let append = format!(
        "console=ttyS0 quiet panic=-1 intel_iommu=on iommu=pt BED_BIND={} BED_HUGEPAGES={} \
         BED_SERVE={}/serve.sh",
        options.bind,
        options.hugepages,
        bed.display()
    );
    let mut words: Vec<String> = Vec::new();
    let mut add = |text: &str| words.extend(text.split_whitespace().map(String::from));
    // 900 s end any machine that a bug forgot.
    add("timeout -k 5 900 qemu-system-x86_64 -accel tcg,thread=multi -M q35,kernel-irqchip=split");
    add("-smp 2 -cpu max -display none -serial stdio -no-reboot -nodefaults");
    add("-device intel-iommu,intremap=on,caching-mode=on -fsdev");
    add("local,id=h,path=/,security_model=none,readonly=on,multidevs=remap");
    add("-device virtio-9p-pci,fsdev=h,mount_tag=host,addr=5");
    add("-device virtio-9p-pci,fsdev=s,mount_tag=bed,addr=6");
    add(&format!("-m {}", options.memory_mib));
    for (index, (tap, mac)) in taps.iter().zip(PciVm::MACS).enumerate() {
        add(&format!(
            "-netdev tap,id=n{index},ifname={tap},script=no,downscript=no"
        ));
        add(&format!(
            "-device e1000e,netdev=n{index},mac={mac},addr={},romfile=",
            index + 3
        ));
    }
    // These hold paths, which may have blanks.
    let path = scratch.path().display();
    words.extend([
        "-fsdev".into(),
        format!("local,id=s,path={path}/share,security_model=none"),
    ]);
    words.extend([
        "-qmp".into(),
        format!("unix:{path}/monitor,server=on,wait=off"),
    ]);
    words.extend([
        "-kernel".into(),
        kernel.join("vmlinuz").display().to_string(),
    ]);
    words.extend([
        "-initrd".into(),
        kernel.join("initrd.gz").display().to_string(),
    ]);
    words.extend(["-append".into(), append]);
    words
}
