//! Which NUMA node CPUs and devices are on, as the kernel says in `/sys`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use macsec_gateway::config::{Device, DeviceKind};

/// The machine's nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Topology {
    sys: PathBuf,
    /// Each node and its CPUs.
    nodes: Vec<(u32, Vec<usize>)>,
}

impl Topology {
    /// This machine's.
    pub(crate) fn of_machine() -> Self {
        Self::under(Path::new("/sys"))
    }

    /// That of a tree which looks like `/sys`.
    pub(crate) fn under(sys: &Path) -> Self {
        let entries = fs::read_dir(sys.join("devices/system/node"));
        let mut nodes: Vec<_> = entries
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| {
                let node = entry
                    .file_name()
                    .to_str()?
                    .strip_prefix("node")?
                    .parse()
                    .ok()?;
                let list = fs::read_to_string(entry.path().join("cpulist")).ok()?;
                Some((node, cpu_list(&list)))
            })
            .collect();
        nodes.sort();
        Self {
            sys: sys.to_owned(),
            nodes,
        }
    }

    /// The node of a CPU; `None` where the machine has one node only or does not say.
    pub(crate) fn of_cpu(&self, cpu: usize) -> Option<u32> {
        if self.nodes.len() < 2 {
            return None;
        }
        let found = self.nodes.iter().find(|(_, cpus)| cpus.contains(&cpu));
        found.map(|(node, _)| *node)
    }

    /// The node of a physical device; `None` where the machine has one node only or does not say, and for
    /// virtual devices.
    pub(crate) fn of_device(&self, device: &Device) -> Option<u32> {
        let DeviceKind::Pci(address) = device.kind() else {
            return None;
        };
        let file = format!("bus/pci/devices/{address}/numa_node");
        let text = fs::read_to_string(self.sys.join(file)).ok()?;
        // The kernel says -1 where it does not know.
        text.trim().parse().ok().filter(|_| self.nodes.len() > 1)
    }

    /// The CPUs of a node.
    pub(crate) fn cpus_of(&self, node: u32) -> &[usize] {
        let found = self.nodes.iter().find(|(each, _)| *each == node);
        found.map_or(&[], |(_, cpus)| cpus)
    }
}

/// The CPUs of a kernel list such as `2-5,8`.
pub(crate) fn cpu_list(list: &str) -> Vec<usize> {
    let parts = list.trim().split(',').filter_map(|part| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        Some(first.parse::<usize>().ok()?..=last.parse::<usize>().ok()?)
    });
    // A list that names more than this is no list of CPUs.
    parts.flatten().take(4096).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernel_cpu_lists_are_read() {
        assert_eq!(cpu_list("2-5,8\n"), [2, 3, 4, 5, 8]);
        assert_eq!(cpu_list("\n"), [0_usize; 0]);
        assert_eq!(cpu_list("0\n"), [0]);
    }
}
