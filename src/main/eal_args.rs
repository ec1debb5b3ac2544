//! EAL's arguments: the gateway's own, then the operator's as they stand.

use dpdk::hugepages::{Facts, Memory as Found};
use macsec_gateway::{
    cli::Failure,
    config::{Config, DeviceKind, Memory},
};

/// What EAL itself takes besides the pools, octets.
const EAL_ITSELF: u64 = 64 << 20;

/// EAL's arguments, and what the operator should know about them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EalArgs {
    pub(crate) args: Vec<String>,
    pub(crate) warnings: Vec<String>,
}

/// What the ports' pools take, octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pools {
    pub(crate) in_hugepages: u64,
    /// More, because buffers do not cross the ends of pages.
    pub(crate) in_ordinary: u64,
}

/// Puts the arguments together.
///
/// # Errors
/// Where hugepages are demanded and not to be had, or ordinary memory does not suffice: what to do.
pub(crate) fn eal_args(config: &Config, lcores: &str, pools: Pools) -> Result<EalArgs, Failure> {
    let mut warnings = Vec::new();
    let mut args = vec![
        String::from("--lcores"),
        lcores.to_owned(),
        String::from("--main-lcore"),
        String::from("0"),
        format!("--file-prefix={}", config.gateway.name),
        String::from("--proc-type=primary"),
    ];
    add_memory(config, pools, &mut args, &mut warnings)?;
    add_devices(config, &mut args);
    if let Some(drivers) = &config.eal.drivers {
        args.extend([String::from("-d"), drivers.display().to_string()]);
    }
    args.extend(config.eal.args.iter().cloned());
    Ok(EalArgs { args, warnings })
}

/// Hugepages, or ordinary memory with a warning.
fn add_memory(
    config: &Config,
    pools: Pools,
    args: &mut Vec<String>,
    warnings: &mut Vec<String>,
) -> Result<(), Failure> {
    let needed = |pools| {
        let told = config.eal.memory_mib;
        told.map_or(EAL_ITSELF + pools, |mib| u64::from(mib.get()) << 20)
    };
    // Before the counting: the page files of a killed gateway hold their pages.
    for path in Facts::of_machine().remove_stale(&config.gateway.name) {
        warnings.push(format!(
            "removed {}: a gateway of this name was killed and left it",
            path.display()
        ));
    }
    let facts = Facts::of_machine();
    let found = match config.eal.memory {
        Memory::NoHuge => None,
        Memory::Auto | Memory::Hugepages => Some(facts.memory(needed(pools.in_hugepages))),
    };
    match (found, config.eal.memory) {
        (Some(Found::Hugepages { .. }), _) => {
            if let Some(mib) = config.eal.memory_mib {
                args.extend([String::from("-m"), mib.to_string()]);
            }
            return Ok(());
        }
        (Some(Found::NoHuge(reason)), Memory::Hugepages) => {
            return Err(Failure::Refused {
                what: format!("eal.memory = \"hugepages\", but {reason}"),
                right: String::from("reserve hugepages, or set eal.memory = \"auto\""),
            });
        }
        (Some(Found::NoHuge(reason)), _) => warnings.push(format!(
            "starting without hugepages: {reason}. It costs speed (a TLB miss on most frames), packet \
             captures (no other process can attach) and PCI ports without an IOMMU"
        )),
        (None, _) => {}
    }
    let needed = needed(pools.in_ordinary);
    if let Some(available) = available_memory()
        && needed > available
    {
        return Err(Failure::Refused {
            what: format!(
                "without hugepages the gateway needs {} MiB of memory, and this machine has {} MiB left",
                needed.div_ceil(1 << 20),
                available >> 20
            ),
            right: String::from(match config.eal.memory_mib {
                Some(_) => {
                    "set a smaller eal.memory_mib, or leave it out: it is derived from the ports"
                }
                None => "free memory, or configure fewer links",
            }),
        });
    }
    let mib = needed.div_ceil(1 << 20);
    args.extend([
        String::from("--no-huge"),
        String::from("-m"),
        mib.to_string(),
    ]);
    Ok(())
}

/// Octets that the kernel can still give away. EAL would map more than that, and take a minute for it.
fn available_memory() -> Option<u64> {
    let facts = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = facts
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib << 10)
}

/// The PCI devices of the links and no others; vdevs are plugged one by one later.
fn add_devices(config: &Config, args: &mut Vec<String>) {
    let devices = config
        .links
        .iter()
        .flat_map(|link| [&link.plain, &link.secure]);
    let pci: Vec<_> = devices
        .filter(|device| matches!(device.kind(), DeviceKind::Pci(_)))
        .collect();
    if pci.is_empty() {
        args.push(String::from("--no-pci"));
    }
    for device in pci {
        args.extend([String::from("-a"), device.name()]);
    }
}
