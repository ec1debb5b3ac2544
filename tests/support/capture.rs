//! What crossed a wire: tcpdump into a file, and a reader that gives the frames while it still runs.
//!
//! Capture on the end that *receives*: DPDK's `net_af_packet` sends past the place where captures of its
//! own end look. libpcap puts VLAN tags back that the kernel took out of a frame; a bare socket would not.

use super::namespace::Namespace;
use super::process::Daemon;
use super::scratch::Scratch;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const FILE_HEADER: usize = 24;
const RECORD_HEADER: usize = 16;

/// One frame, from the destination address on, without FCS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame(pub(crate) Vec<u8>);

impl Frame {
    /// The EtherType that stands first, a VLAN tag's included; `None` in a frame cut before it.
    pub(crate) fn ethertype(&self) -> Option<u16> {
        let field = self.0.get(12..14)?;
        Some(u16::from_be_bytes([*field.first()?, *field.get(1)?]))
    }

    pub(crate) fn is_macsec(&self) -> bool {
        self.ethertype() == Some(0x88E5)
    }
}

/// A running capture of one interface; ends when dropped. The file stays for the scratch's lifetime.
#[derive(Debug)]
pub(crate) struct Capture {
    daemon: Daemon,
    file: PathBuf,
    /// Where in the file the next frame begins, for `next`.
    offset: usize,
}

impl Capture {
    /// Captures both directions of `interface`, with a pcap filter ("" for everything).
    #[track_caller]
    pub(crate) fn start(ns: &Namespace, interface: &str, filter: &str, scratch: &Scratch) -> Self {
        Self::start_directed(ns, interface, filter, "inout", scratch)
    }

    /// Captures what `interface` receives, not what it sends.
    #[track_caller]
    pub(crate) fn incoming(ns: &Namespace, interface: &str, scratch: &Scratch) -> Self {
        Self::start_directed(ns, interface, "", "in", scratch)
    }

    #[track_caller]
    fn start_directed(
        ns: &Namespace,
        interface: &str,
        filter: &str,
        direction: &str,
        scratch: &Scratch,
    ) -> Self {
        let name = super::scratch::unique(interface);
        let file = scratch.join(&format!("{name}.pcap"));
        let path = file.to_str().expect("a path in UTF-8");
        let argv = [
            "tcpdump", "-i", interface, "-n", "-s", "0", "-U", "-B", "16384", "-Z", "root",
        ];
        let mut argv = ns.inside(&argv);
        argv.extend(["--immediate-mode", "-Q", direction, "-w", path]);
        if !filter.is_empty() {
            argv.push(filter);
        }
        let mut daemon = Daemon::start(&format!("tcpdump-{name}"), &argv, scratch);
        daemon.wait_log("listening on", Duration::from_secs(10));
        Self {
            daemon,
            file,
            offset: FILE_HEADER,
        }
    }

    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    /// The next frame that this has not given yet; `None` when none comes in time.
    #[track_caller]
    pub(crate) fn next(&mut self, limit: Duration) -> Option<Frame> {
        self.next_where(limit, |_| true)
    }

    /// The next frame that `wanted` takes; those before it are passed over.
    #[track_caller]
    pub(crate) fn next_where(
        &mut self,
        limit: Duration,
        wanted: impl Fn(&Frame) -> bool,
    ) -> Option<Frame> {
        let end = Instant::now() + limit;
        loop {
            let bytes = std::fs::read(&self.file).unwrap_or_default();
            while let Some((frame, next)) = record(&bytes, self.offset) {
                self.offset = next;
                if wanted(&frame) {
                    return Some(frame);
                }
            }
            if Instant::now() > end {
                return None;
            }
            self.daemon.check_alive();
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Ends the capture and gives everything, from the first frame on.
    pub(crate) fn stop(mut self) -> Vec<Frame> {
        self.daemon.stop();
        read_pcap(&self.file)
    }
}

/// All whole frames of a pcap file that tcpdump wrote on this machine.
#[track_caller]
pub(crate) fn read_pcap(file: &Path) -> Vec<Frame> {
    let bytes = std::fs::read(file)
        .unwrap_or_else(|error| panic!("cannot read {}: {error}", file.display()));
    let magic = u32_at(&bytes, 0);
    assert!(
        matches!(magic, Some(0xA1B2_C3D4 | 0xA1B2_3C4D)),
        "{}: not a pcap file of this machine's byte order ({magic:08x?})",
        file.display()
    );
    let mut frames = Vec::new();
    let mut offset = FILE_HEADER;
    while let Some((frame, next)) = record(&bytes, offset) {
        frames.push(frame);
        offset = next;
    }
    frames
}

/// The record at `offset` and where the next begins; `None` when it is not there whole.
fn record(bytes: &[u8], offset: usize) -> Option<(Frame, usize)> {
    let captured = usize::try_from(u32_at(bytes, offset + 8)?).ok()?;
    let original = usize::try_from(u32_at(bytes, offset + 12)?).ok()?;
    assert!(
        captured == original,
        "the capture cut a frame of {original} octets to {captured}"
    );
    let from = offset + RECORD_HEADER;
    let frame = bytes.get(from..from + captured)?;
    Some((Frame(frame.to_vec()), from + captured))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}
