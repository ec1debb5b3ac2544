//! Two gateways back to back with any number of links, and a bare end for frames on either side.
//!
//! ```text
//! namespace left      namespace edge            namespace cloud           namespace right
//!   l0 -- veth -- plain0 [macsecgw] secure0 -- veth -- secure0 [macsecgw] plain0 -- veth -- r0
//!   l1            plain1            secure1            secure1            plain1            r1
//! ```

use super::capture::Capture;
use super::config::{GatewayConfig, LinkConfig, StaticKeys};
use super::gateway::Gateway;
use super::macsec::{MacsecDevice, Suite};
use super::mka::MkaKeys;
use super::namespace::Namespace;
use super::process::wait_until;
use super::raw::RawPort;
use super::scratch::Scratch;
use super::traffic::Shell;
use serde_json::Value;
use std::time::Duration;

const QUICK: Duration = Duration::from_secs(10);

/// The four namespaces and the wires between them.
#[derive(Debug)]
pub(crate) struct Pair {
    pub(crate) left: Namespace,
    pub(crate) edge: Namespace,
    pub(crate) cloud: Namespace,
    pub(crate) right: Namespace,
    pub(crate) scratch: Scratch,
    links: u32,
}

impl Pair {
    /// Wires for so many links; the interfaces' MTU on the plain and on the secure sides.
    #[track_caller]
    pub(crate) fn new(links: u32, plain_mtu: u32, secure_mtu: u32) -> Self {
        let [left, edge, cloud, right] = ["left", "edge", "cloud", "right"].map(Namespace::new);
        for link in 0..links {
            let secure = format!("secure{link}");
            let plain = format!("plain{link}");
            left.wire(&format!("l{link}"), &edge, &plain, plain_mtu);
            edge.wire(&secure, &cloud, &secure, secure_mtu);
            right.wire(&format!("r{link}"), &cloud, &plain, plain_mtu);
            for gateway in [&edge, &cloud] {
                let quiet = format!("ip link set {plain} arp off && ip link set {secure} arp off");
                gateway.sh(&quiet, QUICK).ok();
            }
        }
        Self {
            left,
            edge,
            cloud,
            right,
            scratch: Scratch::new("pair"),
            links,
        }
    }

    /// The keys of link `link` as the edge has them. No two links share any.
    pub(crate) fn keys(link: u32, suite: Suite) -> StaticKeys {
        let mac = |side: &str| format!("02:00:00:00:{side}:{link:02x}");
        let mut device = MacsecDevice::new(suite, &mac("ed"));
        for key in [&mut device.tx_key, &mut device.rx_key] {
            key.replace_range(0..2, &format!("{:02x}", 0xA0 + link));
        }
        StaticKeys::facing(&device, &mac("c1"))
    }

    /// Configurations of the edge and of the cloud, whose links have these MTUs.
    pub(crate) fn configs(&self, mtus: [u32; 2]) -> [GatewayConfig; 2] {
        let config = |label, mtu, mirrored| {
            let links = (0..self.links).map(|link| {
                let mut keys = Self::keys(link, Suite::ALL[3]);
                if mirrored {
                    keys = keys.mirrored();
                }
                let ports = [format!("plain{link}"), format!("secure{link}")];
                let name = format!("dx{link}");
                let mut link =
                    LinkConfig::on_interfaces(&name, link, [&*ports[0], &*ports[1]], keys);
                link.mtu = mtu;
                link
            });
            GatewayConfig::new(label, links.collect())
        };
        [
            config("edge", mtus[0], false),
            config("cloud", mtus[1], true),
        ]
    }

    /// Configurations of the edge and of the cloud that agree on keys, one link each.
    pub(crate) fn agreeing(&self, keys: [MkaKeys; 2]) -> [GatewayConfig; 2] {
        let [edge, cloud] = keys;
        [("edge", edge), ("cloud", cloud)].map(|(label, keys)| {
            let link = LinkConfig::agreeing("dx0", 0, ["plain0", "secure0"], keys);
            GatewayConfig::new(label, vec![link])
        })
    }

    /// Both gateways, secured: carriers at all ends.
    #[track_caller]
    pub(crate) fn start(&self, configs: &[GatewayConfig; 2]) -> [Gateway<'_>; 2] {
        let edge = Gateway::start(&self.edge, &configs[0]);
        let cloud = Gateway::start(&self.cloud, &configs[1]);
        for link in 0..self.links {
            self.wait_carrier(&self.left, &format!("l{link}"));
            self.wait_carrier(&self.right, &format!("r{link}"));
        }
        [edge, cloud]
    }

    #[track_caller]
    fn wait_carrier(&self, ns: &Namespace, interface: &str) {
        wait_until(&format!("a carrier at {interface}"), QUICK, || {
            let carrier = ns.sh(&format!("cat /sys/class/net/{interface}/carrier"), QUICK);
            (carrier.stdout.trim() == "1").then_some(())
        });
    }

    /// The bare ends of a link.
    #[track_caller]
    pub(crate) fn ends(&self, link: u32) -> PairEnds {
        let (l, r) = (format!("l{link}"), format!("r{link}"));
        PairEnds {
            left: RawPort::open(&self.left, &l),
            right: RawPort::open(&self.right, &r),
            at_left: Capture::incoming(&self.left, &l, &self.scratch),
            at_right: Capture::incoming(&self.right, &r, &self.scratch),
        }
    }
}

/// Where a test's frames go in and come out.
#[derive(Debug)]
pub(crate) struct PairEnds {
    pub(crate) left: RawPort,
    pub(crate) right: RawPort,
    pub(crate) at_left: Capture,
    pub(crate) at_right: Capture,
}

/// All counters once nothing is under way: on every lane, frames in = frames out + to control + drops.
#[track_caller]
pub(crate) fn settled_counters(gateway: &Gateway<'_>) -> Value {
    let mut last = Value::Null;
    for _ in 0..100 {
        let now = gateway.counters();
        // Twice the same and balanced: no burst was between its first and its last count.
        if lanes_of(&now).all(balances) && lanes_of(&now).eq(lanes_of(&last)) {
            return now;
        }
        last = now;
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("lanes that do not balance: {last:#}");
}

fn lanes_of(counters: &Value) -> impl Iterator<Item = &Value> {
    let links = counters["links"].as_array().into_iter().flatten();
    links.flat_map(|link| [&link["lanes"]["protect"], &link["lanes"]["validate"]])
}

fn balances(lane: &Value) -> bool {
    let of = |name: &str| lane[name].as_u64();
    let drops = lane["drops"].as_object();
    let dropped: Option<u64> = drops.map(|drops| drops.values().filter_map(Value::as_u64).sum());
    let ends = [of("frames_out"), of("to_control"), dropped];
    let ends: Option<u64> = ends.into_iter().sum();
    ends.is_some() && of("frames_in") == ends
}

/// One counter of one lane of the link at `link`: `frames_in`, or a reason for drops by `drops.NAME`.
#[track_caller]
pub(crate) fn lane_count(counters: &Value, link: usize, lane: &str, name: &str) -> u64 {
    let lane = &counters["links"][link]["lanes"][lane];
    let found = match name.strip_prefix("drops.") {
        Some(reason) => &lane["drops"][reason],
        None => &lane[name],
    };
    let found = found.as_u64();
    found.unwrap_or_else(|| panic!("no counter {name} in {lane:#}"))
}
