//! A gateway's whole surroundings: a host on its plain side, a Linux kernel's MACsec on its secure one.
//!
//! ```text
//! namespace host          namespace gateway             namespace peer
//!   lan ---- veth ---- plain0 [macsecgw] secure0 ---- veth ---- wan = vec0 of the guest
//!   10.9.0.2                                                    10.9.0.1 on macsec0
//! ```

use super::config::{GatewayConfig, LinkConfig, StaticKeys};
use super::gateway::Gateway;
use super::macsec::MacsecDevice;
use super::namespace::Namespace;
use super::process::wait_until;
use super::scratch::Scratch;
use super::traffic::Shell;
use super::uml::{UmlOptions, UmlPeer};
use std::time::Duration;

/// Namespaces, wires and the guest. Gateways are started in it one after the other.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) host: Namespace,
    pub(crate) gateway: Namespace,
    pub(crate) peer: Namespace,
    pub(crate) guest: UmlPeer,
    pub(crate) scratch: Scratch,
}

impl Line {
    /// MAC addresses of the host, of the gateway's secure port, and of the guest.
    pub(crate) const HOST_MAC: &'static str = "02:00:00:00:00:c1";
    pub(crate) const SECURE_MAC: &'static str = "02:00:00:00:00:1c";
    pub(crate) const PEER_MAC: &'static str = "02:00:00:00:00:0b";
    /// Addresses of the host and of the guest.
    pub(crate) const HOST: &'static str = "10.9.0.2";
    pub(crate) const PEER: &'static str = "10.9.0.1";

    #[track_caller]
    pub(crate) fn new() -> Self {
        let [host, gateway, peer] = ["host", "gateway", "peer"].map(Namespace::new);
        host.wire("lan", &gateway, "plain0", 1508);
        gateway.wire("secure0", &peer, "wan", 1600);
        host.mac("lan", Self::HOST_MAC);
        gateway.mac("secure0", Self::SECURE_MAC);
        host.address("lan", &format!("{}/24", Self::HOST));
        let guest = UmlPeer::boot(&peer, "wan", &UmlOptions::new("peer", Self::PEER_MAC));
        Self {
            host,
            gateway,
            peer,
            guest,
            scratch: Scratch::new("line"),
        }
    }

    /// A configuration of one link that faces `device`, with further lines of that link.
    pub(crate) fn config(&self, device: &MacsecDevice, lines: &[&str]) -> GatewayConfig {
        let keys = StaticKeys::facing(device, Self::PEER_MAC);
        let mut link = LinkConfig::on_interfaces("dx1", 0, ["plain0", "secure0"], keys);
        link.settings
            .extend(lines.iter().map(|line| (*line).into()));
        GatewayConfig::new("line", vec![link])
    }

    /// A gateway that faces `device`, and the device itself, made when the gateway is ready for it.
    #[track_caller]
    pub(crate) fn start(&self, device: &MacsecDevice, lines: &[&str]) -> Gateway<'_> {
        // The last case's device may still ask who has an address, under its old key.
        self.guest.insecure();
        let gateway = Gateway::start(&self.gateway, &self.config(device, lines));
        self.connect(device);
        gateway
    }

    /// Makes the guest's device, and waits until the host has a carrier: in `must_encrypt` the plain side has
    /// one only once the link is secured.
    #[track_caller]
    pub(crate) fn connect(&self, device: &MacsecDevice) {
        self.guest.secure(device, &format!("{}/24", Self::PEER));
        // Not `carrier`: the kernel drops what is sent until it has taken note of it, up to 1 s later.
        wait_until("a link on the plain side", Duration::from_secs(10), || {
            let state = self
                .host
                .sh("cat /sys/class/net/lan/operstate", Duration::from_secs(10));
            (state.stdout.trim() == "up").then_some(())
        });
    }
}
