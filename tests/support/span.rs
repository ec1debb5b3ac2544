//! A gateway between two ends that the test itself plays, frame by frame.
//!
//! ```text
//! namespace host         namespace gateway            namespace peer
//!   lan ---- veth ---- plain0 [macsecgw] secure0 ---- veth ---- wan
//! ```

use super::capture::Capture;
use super::config::{GatewayConfig, LinkConfig, StaticKeys};
use super::gateway::Gateway;
use super::macsec::{MacsecDevice, Suite};
use super::namespace::Namespace;
use super::played_peer::PlayedPeer;
use super::process::wait_until;
use super::raw::RawPort;
use super::scratch::Scratch;
use super::traffic::Shell;
use std::collections::BTreeMap;
use std::time::Duration;

const ARRIVES: Duration = Duration::from_secs(5);
const QUICK: Duration = Duration::from_secs(10);

/// Namespaces and wires. Gateways are started in it one after the other.
#[derive(Debug)]
pub(crate) struct Span {
    pub(crate) host: Namespace,
    pub(crate) gateway: Namespace,
    pub(crate) peer: Namespace,
    pub(crate) scratch: Scratch,
}

impl Span {
    pub(crate) const HOST_MAC: [u8; 6] = [2, 0, 0, 0, 0, 0xC1];
    pub(crate) const PEER_MAC: [u8; 6] = [2, 0, 0, 0, 0, 0x0B];
    const SECURE: &'static str = "02:00:00:00:00:1c";
    const PEER: &'static str = "02:00:00:00:00:0b";

    /// With both wires of this MTU.
    #[track_caller]
    pub(crate) fn new(mtu: u32) -> Self {
        let [host, gateway, peer] = ["host", "gateway", "peer"].map(Namespace::new);
        host.wire("lan", &gateway, "plain0", mtu);
        gateway.wire("secure0", &peer, "wan", mtu);
        gateway.mac("secure0", Self::SECURE);
        let quiet = "ip link set dev plain0 arp off && ip link set dev secure0 arp off";
        gateway.sh(quiet, QUICK).ok();
        Self {
            host,
            gateway,
            peer,
            scratch: Scratch::new("span"),
        }
    }

    /// The gateway's keys with AN 0 both ways.
    pub(crate) fn keys(suite: Suite) -> StaticKeys {
        let device = MacsecDevice::new(suite, Self::SECURE);
        StaticKeys::facing(&device, Self::PEER)
    }

    /// A configuration of one `must_encrypt` link, with further lines of it.
    pub(crate) fn config(keys: &StaticKeys, lines: &[&str]) -> GatewayConfig {
        let mut link = LinkConfig::on_interfaces("dx1", 0, ["plain0", "secure0"], keys.clone());
        link.settings
            .extend(lines.iter().map(|line| (*line).into()));
        GatewayConfig::new("span", vec![link])
    }

    /// A gateway that is secured: its plain side has a carrier.
    #[track_caller]
    pub(crate) fn start(&self, config: &GatewayConfig) -> Gateway<'_> {
        let gateway = Gateway::start(&self.gateway, config);
        self.wait_carrier(true);
        gateway
    }

    /// Waits until the host's end has a carrier, or none.
    #[track_caller]
    pub(crate) fn wait_carrier(&self, wanted: bool) {
        let what = format!("carrier on the plain side = {wanted}");
        wait_until(&what, QUICK, || (self.carrier() == wanted).then_some(()));
    }

    /// Whether the host's end has a carrier.
    #[track_caller]
    pub(crate) fn carrier(&self) -> bool {
        let carrier = self.host.sh("cat /sys/class/net/lan/carrier", QUICK);
        carrier.stdout.trim() == "1"
    }
}

/// Both ends of a span while a gateway runs in it.
#[derive(Debug)]
pub(crate) struct Ends {
    pub(crate) lan: RawPort,
    pub(crate) wan: RawPort,
    pub(crate) from_gateway_plain: Capture,
    pub(crate) from_gateway_secure: Capture,
    pub(crate) peer: PlayedPeer,
    count: u16,
}

impl Ends {
    #[track_caller]
    pub(crate) fn new(span: &Span, keys: &StaticKeys, first_pn: u64) -> Self {
        Self {
            lan: RawPort::open(&span.host, "lan"),
            wan: RawPort::open(&span.peer, "wan"),
            from_gateway_plain: Capture::incoming(&span.host, "lan", &span.scratch),
            from_gateway_secure: Capture::incoming(&span.peer, "wan", &span.scratch),
            peer: PlayedPeer::facing(keys, first_pn),
            count: 0,
        }
    }

    /// A frame that was not sent before, for the other side's end.
    pub(crate) fn fresh(&mut self, from: [u8; 6], length: usize) -> Vec<u8> {
        self.count += 1;
        let mut frame = ethernet([2, 0, 0, 0, 0xEE, 0], from, 0x88B5, length);
        let stamp = self.count.to_be_bytes();
        frame.splice(14..16, stamp);
        frame
    }

    /// The host sends `frame`; it arrives at the peer, protected, as it was.
    #[track_caller]
    pub(crate) fn out(&mut self, frame: &[u8]) {
        self.lan.send(frame);
        let seen = self.from_gateway_secure.next(ARRIVES);
        let seen = seen.expect("a frame of the host leaves the secure side");
        assert!(seen.is_macsec(), "in clear on the secure wire: {seen:02x?}");
        let plain = self.peer.validate(&seen.0);
        assert_eq!(plain.as_deref(), Ok(frame), "protected: {seen:02x?}");
    }

    /// The peer sends `frame` protected; it arrives at the host as it was.
    #[track_caller]
    pub(crate) fn back(&mut self, frame: &[u8]) {
        let protected = self.peer.protect(frame);
        self.wan.send(&protected);
        let seen = self.from_gateway_plain.next(ARRIVES);
        assert_eq!(seen.map(|seen| seen.0).as_deref(), Some(frame));
    }

    /// One frame each way. They come after all that was sent before: what should have been dropped and
    /// was not would come first, and not be this.
    #[track_caller]
    pub(crate) fn pass(&mut self) {
        let frame = self.fresh(Span::HOST_MAC, 200);
        self.out(&frame);
        let frame = self.fresh(Span::PEER_MAC, 200);
        self.back(&frame);
    }
}

/// A frame with counting octets for data.
pub(crate) fn ethernet(to: [u8; 6], from: [u8; 6], ethertype: u16, length: usize) -> Vec<u8> {
    let mut frame = [&to[..], &from, &ethertype.to_be_bytes()].concat();
    let data = (frame.len()..length).map(|octet| octet.to_le_bytes()[0]);
    frame.extend(data);
    frame
}

/// Counters of dropped frames in an exposition: the gateway's, by reason, and the MIB's. By name and labels.
pub(crate) fn drop_counters(exposition: &str) -> BTreeMap<String, u64> {
    let kinds = [
        "macsecgw_lane_dropped_frames_total",
        "macsec_secy_",
        "macsec_rx_sc_in_pkts_",
    ];
    let counted = |name: &str| {
        kinds.iter().any(|kind| name.starts_with(kind)) && !name.contains("in_pkts_ok")
    };
    samples(exposition)
        .filter(|(name, _)| counted(name))
        .collect()
}

/// What every lane is held to: frames in = frames out + to control + all drops, and every cause has its
/// reason. Waits for what is on its way.
#[track_caller]
pub(crate) fn assert_balanced(gateway: &Gateway<'_>) {
    let mut last = String::new();
    for _ in 0..50 {
        last = gateway.metrics_text();
        if unbalanced(&last).is_empty() {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("lanes do not balance: {:?}", unbalanced(&last));
}

/// Lanes (link and name) whose frames do not add up: what came in and what it became.
fn unbalanced(exposition: &str) -> Vec<(String, u64, u64)> {
    let mut lanes: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for (name, value) in samples(exposition) {
        let Some((metric, labels)) = name.split_once('{') else {
            continue;
        };
        let lane = |labels: &str| {
            let mut kept: Vec<&str> = labels.trim_end_matches('}').split(',').collect();
            kept.retain(|label| label.starts_with("link=") || label.starts_with("lane="));
            kept.join(",")
        };
        match metric {
            "macsecgw_lane_in_frames_total" => lanes.entry(lane(labels)).or_default().0 += value,
            "macsecgw_lane_out_frames_total"
            | "macsecgw_lane_to_control_frames_total"
            | "macsecgw_lane_dropped_frames_total" => {
                lanes.entry(lane(labels)).or_default().1 += value;
            }
            _ => {}
        }
    }
    assert!(lanes.len() >= 2, "no lanes in the exposition");
    let lanes = lanes
        .into_iter()
        .filter(|(_, (into, became))| into != became);
    lanes
        .map(|(lane, (into, became))| (lane, into, became))
        .collect()
}

fn samples(exposition: &str) -> impl Iterator<Item = (String, u64)> {
    let lines = exposition.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| {
        let (name, value) = line.rsplit_once(' ')?;
        Some((
            name.to_owned(),
            format!("{:.0}", value.parse::<f64>().ok()?).parse().ok()?,
        ))
    })
}
