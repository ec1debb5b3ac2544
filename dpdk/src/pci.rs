//! What the kernel says about a PCI device: whether it is there, and which driver has it.
//!
//! EAL's own answer to a port that it can't probe is "no such device", whatever the reason.

use std::fmt;
use std::fs;
use std::path::Path;

use crate::vdev::PciAddress;

/// Kernel drivers that hand a device to a process.
const USERSPACE: [&str; 3] = ["vfio-pci", "uio_pci_generic", "igb_uio"];

/// Kernel drivers that share a device with DPDK and must stay bound.
const SHARED: [&str; 4] = ["mlx4_core", "mlx5_core", "mana", "hv_netvsc"];

/// Which driver of the kernel has a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Binding {
    /// There's no such device.
    Absent,
    /// None: no process can have it either.
    Unbound,
    /// One that hands it to a process, for example `vfio-pci`.
    Userspace(String),
    /// One that shares it with DPDK, for example `mlx5_core`.
    Shared(String),
    /// The kernel's own network driver: DPDK can't have the device.
    Kernel {
        /// The driver.
        driver: String,
        /// The network interfaces that it makes of the device.
        interfaces: Vec<String>,
    },
}

impl Binding {
    /// The binding of the device at `address`.
    #[must_use]
    pub fn of(address: PciAddress) -> Self {
        Self::read(Path::new("/sys/bus/pci/devices"), address)
    }

    fn read(devices: &Path, address: PciAddress) -> Self {
        let device = devices.join(address.to_string());
        if !device.exists() {
            return Self::Absent;
        }
        let driver = fs::read_link(device.join("driver")).ok();
        let driver = driver.and_then(|path| Some(path.file_name()?.to_str()?.to_owned()));
        match driver {
            None => Self::Unbound,
            Some(driver) if USERSPACE.contains(&driver.as_str()) => Self::Userspace(driver),
            Some(driver) if SHARED.contains(&driver.as_str()) => Self::Shared(driver),
            Some(driver) => {
                let entries = fs::read_dir(device.join("net"))
                    .into_iter()
                    .flatten()
                    .flatten();
                let mut interfaces: Vec<String> = entries
                    .filter_map(|entry| entry.file_name().into_string().ok())
                    .collect();
                interfaces.sort();
                Self::Kernel { driver, interfaces }
            }
        }
    }

    /// Whether DPDK can have the device.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        matches!(self, Self::Userspace(_) | Self::Shared(_))
    }
}

impl fmt::Display for Binding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("no such PCI device (`lspci -D` lists them)"),
            Self::Unbound => {
                f.write_str("bound to no driver; type: dpdk-devbind.py --bind=vfio-pci ADDRESS")
            }
            Self::Userspace(driver) | Self::Shared(driver) => write!(f, "bound to {driver}"),
            Self::Kernel { driver, interfaces } => {
                write!(f, "bound to the kernel's driver {driver}")?;
                if !interfaces.is_empty() {
                    write!(f, " as {}", interfaces.join(", "))?;
                }
                f.write_str("; type: dpdk-devbind.py --bind=vfio-pci ADDRESS")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;
    use std::path::PathBuf;

    struct Devices(PathBuf);

    impl Devices {
        fn new(name: &str) -> Self {
            let dir = std::env::temp_dir().join(format!("pci-{name}-{}", std::process::id()));
            fs::create_dir_all(&dir).unwrap();
            Self(dir)
        }

        fn add(&self, address: &str, driver: Option<&str>, interfaces: &[&str]) -> Binding {
            let device = self.0.join(address);
            fs::create_dir_all(&device).unwrap();
            if let Some(driver) = driver {
                symlink(
                    format!("../../bus/pci/drivers/{driver}"),
                    device.join("driver"),
                )
                .unwrap();
            }
            for interface in interfaces {
                fs::create_dir_all(device.join("net").join(interface)).unwrap();
            }
            Binding::read(&self.0, address.parse().unwrap())
        }
    }

    impl Drop for Devices {
        fn drop(&mut self) {
            drop(fs::remove_dir_all(&self.0));
        }
    }

    #[test]
    fn a_binding_is_what_the_kernel_says() {
        let devices = Devices::new("binding");
        let address = "0000:03:00.0";
        assert_eq!(
            Binding::read(&devices.0, address.parse().unwrap()),
            Binding::Absent
        );
        assert_eq!(devices.add(address, None, &[]), Binding::Unbound);
        let vfio = devices.add("0000:03:00.1", Some("vfio-pci"), &[]);
        assert_eq!(vfio, Binding::Userspace("vfio-pci".to_owned()));
        let shared = devices.add("0000:04:00.0", Some("mlx5_core"), &["ens4"]);
        assert_eq!(shared, Binding::Shared("mlx5_core".to_owned()));
        let kernel = devices.add("0000:05:00.0", Some("e1000"), &["eth1", "eth0"]);
        let expected = Binding::Kernel {
            driver: "e1000".to_owned(),
            interfaces: vec!["eth0".to_owned(), "eth1".to_owned()],
        };
        assert_eq!(kernel, expected);
        assert_eq!(
            [Binding::Absent, Binding::Unbound, vfio, shared, kernel].map(|b| b.is_usable()),
            [false, false, true, true, false]
        );
        let text = expected.to_string();
        assert!(
            text.contains("e1000 as eth0, eth1") && text.contains("dpdk-devbind.py"),
            "{text}"
        );
    }
}
