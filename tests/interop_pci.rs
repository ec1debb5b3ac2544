//! The gateway on PCI ports: two NICs bound to vfio-pci in an emulated machine, a Linux kernel's MACsec as
//! the peer, link state both ways, and what is said of a NIC that cannot be used.
//!
//! ```text
//! host's stack 10.9.0.2 on t0 ---- NIC 0 [macsecgw in QEMU] NIC 1 ---- t1 = vec0 of the guest, 10.9.0.1
//! ```

mod support;

use std::time::Duration;
use support::{
    GatewayConfig, LinkConfig, MacsecDevice, Namespace, PciOptions, PciVm, Shell, StaticKeys,
    Suite, UmlOptions, UmlPeer, ping, wait_until,
};

const BINARY: &str = env!("CARGO_BIN_EXE_macsecgw");
const PEER_MAC: &str = "02:00:00:00:00:0b";
/// Where the gateway in the machine keeps its own files: a shared folder takes no sockets.
const STATE: &str = "/run/gateway";
const SLOW: Duration = Duration::from_secs(60);

/// A configuration for the two NICs, in the machine's shared folder.
fn configure(vm: &PciVm, device: &MacsecDevice, ports: [&str; 2]) -> GatewayConfig {
    let mut keys = StaticKeys::facing(device, PEER_MAC);
    // The default: the secure port's own address, and port 1.
    keys.sci = String::new();
    let mut link = LinkConfig::on_interfaces("dx1", 0, ["", ""], keys);
    [link.plain, link.secure] = ports.map(String::from);
    let mut config = GatewayConfig::new("pci", vec![link]);
    // QEMU's model of this NIC tells of a changed link only once by MSI-X, and every time by MSI.
    config.eal_args = vec!["--vfio-intr=msi".into()];
    config.memory = "hugepages";
    config.write(&vm.share(), STATE);
    config
}

fn macsecgw(vm: &PciVm, words: &str, limit: Duration) -> support::Outcome {
    vm.sh(
        &format!("cd /run/bed; timeout {} {BINARY} {words}", limit.as_secs()),
        limit + SLOW,
    )
}

fn metric(vm: &PciVm, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
    let script = "exec 3<>/dev/tcp/127.0.0.1/9464; printf 'GET /metrics HTTP/1.0\\r\\n\\r\\n' >&3; timeout 10 cat <&3";
    let answer = vm.sh(script, SLOW).ok();
    let (_, body) = answer.split_once("\r\n\r\n")?;
    support::Metrics::parse(body).sum(name, labels)
}

#[test]
fn pci_ports_carry_traffic_and_their_links_are_followed() {
    let ns = Namespace::new("pci");
    ns.tap("t0", 1600);
    ns.tap("t1", 1600);
    ns.address("t0", "10.9.0.2/24");
    let vm = PciVm::start(&ns, ["t0", "t1"], &PciOptions::new("gateway"));
    let guest = UmlPeer::boot(&ns, "t1", &UmlOptions::new("peer", PEER_MAC));
    vm.wait_ready();

    let device = MacsecDevice::new(Suite::ALL[3], PciVm::MACS[1]);
    let config = configure(&vm, &device, PciVm::NICS);
    for (link, fingerprint) in config.transmit_keys() {
        let words =
            format!("fresh-key --config gateway.toml --link {link} --fingerprint {fingerprint}");
        macsecgw(&vm, &words, SLOW).ok();
    }
    let gateway = vm.daemon(
        "macsecgw",
        &format!("{BINARY} run --config /run/bed/gateway.toml"),
    );
    let socket = format!("--socket {STATE}/run/control.sock");
    wait_until("the gateway on PCI ports", SLOW, || {
        assert!(gateway.ended().is_none(), "{}", gateway.log_text());
        let answer = macsecgw(&vm, &format!("status --json {socket}"), SLOW);
        (answer.code == 0 && support::ready(&answer.stdout)).then_some(())
    });
    guest.secure(&device, "10.9.0.1/24");
    wait_until("a first answer through the gateway", SLOW, || {
        (ping(&ns, "10.9.0.1", 1, 56).received > 0).then_some(())
    });
    ping(&ns, "10.9.0.1", 20, 56).lossless();
    ping(&guest, "10.9.0.2", 5, 1472).lossless();
    let linux = guest.macsec_counters();
    assert!(linux.of("rxsc.InPktsOK") >= 25, "{linux:?}");

    for (nic, port) in [(0, "plain"), (1, "secure")] {
        for up in [false, true] {
            vm.set_link(nic, up);
            wait_until(&format!("link of {port} up: {up}"), SLOW, || {
                let seen = metric(
                    &vm,
                    "macsecgw_port_link_up",
                    &[("link", "dx1"), ("side", port)],
                );
                (seen == Some(f64::from(u8::from(up)))).then_some(())
            });
        }
    }
    wait_until("answers again after the links came back", SLOW, || {
        (ping(&ns, "10.9.0.1", 1, 56).received > 0).then_some(())
    });
    ping(&ns, "10.9.0.1", 10, 56).lossless();
    assert_eq!(gateway.stop(SLOW), 0, "{}", gateway.log_text());
}

#[test]
fn a_nic_of_the_kernel_and_one_that_is_not_there_are_refused_with_the_remedy() {
    let ns = Namespace::new("pci");
    ns.tap("t0", 1600);
    ns.tap("t1", 1600);
    let mut options = PciOptions::new("refused");
    options.bind = "e1000e";
    let vm = PciVm::boot(&ns, ["t0", "t1"], &options);
    let device = MacsecDevice::new(Suite::ALL[0], PciVm::MACS[1]);

    let absent = "0000:00:1e.7";
    for (ports, told) in [
        (PciVm::NICS, [PciVm::NICS[0], "e1000e", "vfio-pci"]),
        ([PciVm::NICS[0], absent], [absent, "no ", "lspci"]),
    ] {
        let config = configure(&vm, &device, ports);
        vm.sh(&format!("rm -rf {STATE}"), SLOW).ok();
        for (link, fingerprint) in config.transmit_keys() {
            let words = format!(
                "fresh-key --config gateway.toml --link {link} --fingerprint {fingerprint}"
            );
            macsecgw(&vm, &words, SLOW).ok();
        }
        let outcome = macsecgw(&vm, "run --config gateway.toml", Duration::from_secs(40));
        let said = format!("{}{}", outcome.stdout, outcome.stderr);
        assert!(!matches!(outcome.code, 0 | 124 | 137), "{outcome:?}");
        for word in told {
            assert!(said.contains(word), "nothing of '{word}' in: {said}");
        }
    }
}
