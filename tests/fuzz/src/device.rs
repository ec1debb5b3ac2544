//! Device strings: PCI addresses and vdevs, and what is derived from a vdev for DPDK.

use dpdk::vdev::{DeviceSpec, Side};

/// One input: the MTU in two octets, then the text.
pub fn run(octets: &[u8]) {
    let Some((mtu, text)) = octets.split_first_chunk::<2>() else {
        return;
    };
    let mtu = u16::from_be_bytes(*mtu);
    let text = String::from_utf8_lossy(text);
    let spec: DeviceSpec = match text.parse() {
        Ok(spec) => spec,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    assert!(!spec.port_name().is_empty());
    assert_eq!(spec.to_string().parse(), Ok(spec.clone()));
    let DeviceSpec::Vdev(vdev) = spec else {
        return;
    };
    for side in [Side::Plain, Side::Secure] {
        if let Ok(plan) = vdev.plan(side, mtu) {
            // What DPDK gets is itself a device, and its buffers hold its frames.
            assert!(plan.vdev.parse::<DeviceSpec>().is_ok(), "{}", plan.vdev);
            assert!(plan.mbuf_room >= plan.largest_frame);
            assert!(u32::from(plan.largest_frame) >= side.largest_frame(mtu));
        }
    }
}
