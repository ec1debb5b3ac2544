//! Which CPU does what: workers and their lanes, crypto helpers, and the CPUs left to everything else.

use std::path::Path;

use macsec_gateway::{
    bus::{Direction, LaneIndex, LinkIndex, WorkerIndex},
    config::{Config, Idle, Link, Workers},
    worker::IdlePolicy,
};

use super::topology::{Topology, cpu_list};

/// Where everything runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Placement {
    /// The CPU of each worker.
    pub(crate) workers: Vec<usize>,
    /// The CPU of each crypto helper, and the lane that it helps.
    pub(crate) helpers: Vec<(LaneIndex, usize)>,
    /// The CPUs of main, control and api.
    pub(crate) others: Vec<usize>,
    /// The worker of each lane.
    pub(crate) lanes: Vec<(LaneIndex, WorkerIndex)>,
    /// What lies on another NUMA node than it should, one sentence each.
    pub(crate) warnings: Vec<String>,
}

impl Placement {
    /// Places `config`'s lanes on the CPUs that this process may use.
    ///
    /// # Errors
    /// A CPU that there is not, and which there are; helpers that there is no CPU for.
    pub(crate) fn new(
        config: &Config,
        allowed: &[usize],
        topology: &Topology,
    ) -> Result<Self, String> {
        let homes: Vec<_> = config
            .links
            .iter()
            .map(|link| [&link.plain, &link.secure].map(|device| topology.of_device(device)))
            .collect();
        let near = |cpu: usize| {
            let node = topology.of_cpu(cpu);
            node.is_some() && homes.iter().flatten().any(|home| *home == node)
        };
        let workers = worker_cpus(&config.workers, allowed, 2 * config.links.len(), near)?;
        let lanes = place_lanes(&config.links, workers.len(), |worker, link| {
            let node = workers.get(worker).and_then(|cpu| topology.of_cpu(*cpu));
            let homes = homes.get(link);
            node.is_none() || homes.is_none_or(|homes| home_of(homes) == node)
        });
        let helpers = helper_cpus(config, allowed, &workers, &lanes, topology)?;
        let free: Vec<_> = allowed
            .iter()
            .copied()
            .filter(|cpu| !workers.contains(cpu) && helpers.iter().all(|(_, own)| own != cpu))
            .collect();
        let others = if free.is_empty() {
            allowed.to_vec()
        } else {
            free
        };
        let mut placement = Self {
            lanes,
            workers,
            helpers,
            others,
            warnings: Vec::new(),
        };
        placement.warnings = placement.far_apart(config, allowed, topology, &homes);
        Ok(placement)
    }

    /// EAL's `--lcores`: lcore 0 is main on the CPUs left over, then each worker on its own, then each
    /// helper.
    pub(crate) fn lcores(&self) -> String {
        let others: Vec<_> = self.others.iter().map(ToString::to_string).collect();
        let mut lcores = format!("0@({})", others.join(","));
        let helpers = self.helpers.iter().map(|(_, cpu)| cpu);
        for (lcore, cpu) in (1..).zip(self.workers.iter().chain(helpers)) {
            lcores.push_str(&format!(",{lcore}@{cpu}"));
        }
        lcores
    }

    /// The worker of a lane.
    pub(crate) fn worker_of(&self, lane: LaneIndex) -> WorkerIndex {
        let found = self.lanes.iter().find(|(placed, _)| *placed == lane);
        found.map_or(WorkerIndex(0), |(_, worker)| *worker)
    }

    /// What lies on another node than what it works with: each frame then crosses between the sockets.
    fn far_apart(
        &self,
        config: &Config,
        allowed: &[usize],
        topology: &Topology,
        homes: &[[Option<u32>; 2]],
    ) -> Vec<String> {
        let mut warnings = Vec::new();
        let better = |node: u32| {
            let cpus = topology.cpus_of(node).iter();
            let cpus: Vec<_> = cpus.filter(|cpu| allowed.contains(cpu)).collect();
            if cpus.is_empty() {
                format!("this process may use no CPU of node {node}")
            } else {
                format!("node {node} has CPUs {cpus:?}")
            }
        };
        for (link, ports) in config.links.iter().zip(homes) {
            if let [Some(plain), Some(secure)] = ports
                && plain != secure
            {
                warnings.push(format!(
                    "link {}: the plain port is on NUMA node {plain} and the secure port on node {secure}, so \
                     that every frame crosses between them wherever the lanes run; ports of one node are right",
                    link.name
                ));
            }
        }
        for (lane, worker) in &self.lanes {
            let Some(link) = config.links.get(lane.link.0) else {
                continue;
            };
            let home = homes.get(lane.link.0).and_then(home_of);
            let cpu = self.workers.get(worker.0).copied().unwrap_or_default();
            if let (Some(home), Some(node)) = (home, topology.of_cpu(cpu))
                && home != node
            {
                warnings.push(format!(
                    "link {}: the {} lane runs on CPU {cpu} of NUMA node {node}, and its ports and buffers are \
                     on node {home}; name CPUs of that node in workers.cores ({})",
                    link.name,
                    lane.direction,
                    better(home)
                ));
            }
        }
        for (lane, cpu) in &self.helpers {
            let Some(link) = config.links.get(lane.link.0) else {
                continue;
            };
            let worker = self.workers.get(self.worker_of(*lane).0).copied();
            let worker = worker.unwrap_or_default();
            if let (Some(home), Some(node)) = (topology.of_cpu(worker), topology.of_cpu(*cpu))
                && home != node
            {
                warnings.push(format!(
                    "link {}: a helper of the {} lane is on CPU {cpu} of NUMA node {node}, and the lane's worker \
                     on CPU {worker} of node {home}; name CPUs of that node in workers.helper_cores ({})",
                    link.name,
                    lane.direction,
                    better(home)
                ));
            }
        }
        warnings
    }
}

/// The node of a link's ports: where they differ that of the secure one, which has the longer frames.
fn home_of(ports: &[Option<u32>; 2]) -> Option<u32> {
    let [plain, secure] = ports;
    secure.or(*plain)
}

fn worker_cpus(
    workers: &Workers,
    allowed: &[usize],
    lanes: usize,
    near: impl Fn(usize) -> bool,
) -> Result<Vec<usize>, String> {
    if workers.cores.is_empty() {
        let mut spread: Vec<_> = spread_over(allowed)
            .iter()
            .copied()
            .filter(|cpu| !workers.helper_cores.contains(cpu))
            .collect();
        // Those on the ports' nodes first, else in their order.
        spread.sort_by_key(|cpu| !near(*cpu));
        spread.truncate(lanes);
        if spread.is_empty() {
            return Err(format!(
                "workers.helper_cores leaves no CPU of {allowed:?} to the workers"
            ));
        }
        return Ok(spread);
    }
    check_allowed("workers.cores", &workers.cores, allowed)?;
    Ok(workers.cores.clone())
}

/// The first CPU is the others' where there are two or more.
fn spread_over(allowed: &[usize]) -> &[usize] {
    match allowed {
        [_, rest @ ..] if !rest.is_empty() => rest,
        all => all,
    }
}

fn check_allowed(key: &str, cpus: &[usize], allowed: &[usize]) -> Result<(), String> {
    match cpus.iter().find(|cpu| !allowed.contains(cpu)) {
        Some(absent) => Err(format!(
            "{key}: CPU {absent} is not one that this process may use; those are {allowed:?}"
        )),
        None => Ok(()),
    }
}

/// A CPU for each helper: as listed, else of those that the workers leave, on the worker's node first.
fn helper_cpus(
    config: &Config,
    allowed: &[usize],
    workers: &[usize],
    lanes: &[(LaneIndex, WorkerIndex)],
    topology: &Topology,
) -> Result<Vec<(LaneIndex, usize)>, String> {
    let wanted = lanes.iter().flat_map(|(lane, worker)| {
        let link = config.links.get(lane.link.0);
        let helpers = link.map_or(0, |link| match lane.direction {
            Direction::Protect => link.protect_helpers,
            Direction::Validate => link.validate_helpers,
        });
        let cpu = workers.get(worker.0).copied();
        std::iter::repeat_n((*lane, cpu.unwrap_or_default()), helpers)
    });
    let listed = &config.workers.helper_cores;
    if !listed.is_empty() {
        check_allowed("workers.helper_cores", listed, allowed)?;
        if let Some(both) = listed.iter().find(|cpu| workers.contains(cpu)) {
            return Err(format!("workers.helper_cores: a worker runs on CPU {both}"));
        }
        return Ok(wanted
            .zip(listed)
            .map(|((lane, _), cpu)| (lane, *cpu))
            .collect());
    }
    let mut left: Vec<_> = spread_over(allowed)
        .iter()
        .copied()
        .filter(|cpu| !workers.contains(cpu))
        .collect();
    let all: Vec<_> = wanted.collect();
    if all.len() > left.len() {
        return Err(format!(
            "the lanes want {} helpers, and of the CPUs {allowed:?} that this process may use the workers and \
             everything else leave {left:?}; want fewer helpers, or list CPUs in workers.cores and \
             workers.helper_cores",
            all.len()
        ));
    }
    let near = |left: &[usize], worker| {
        let node = topology.of_cpu(worker);
        let place = left.iter().position(|cpu| topology.of_cpu(*cpu) == node);
        place.unwrap_or(0)
    };
    Ok(all
        .into_iter()
        .map(|(lane, worker)| (lane, left.remove(near(&left, worker))))
        .collect())
}

/// Lanes with a worker of their own choice first, the others where there are fewest, and of those where
/// `near` says that the worker is on the node of the link's ports.
fn place_lanes(
    links: &[Link],
    workers: usize,
    near: impl Fn(usize, usize) -> bool,
) -> Vec<(LaneIndex, WorkerIndex)> {
    let mut load = vec![0_usize; workers];
    let wanted: Vec<_> = links
        .iter()
        .enumerate()
        .flat_map(|(index, link)| {
            let lane = |direction| LaneIndex {
                link: LinkIndex(index),
                direction,
            };
            [
                (lane(Direction::Protect), link.protect_worker),
                (lane(Direction::Validate), link.validate_worker),
            ]
        })
        .collect();
    for worker in wanted.iter().filter_map(|(_, worker)| *worker) {
        if let Some(load) = load.get_mut(worker) {
            *load += 1;
        }
    }
    wanted
        .into_iter()
        .map(|(lane, chosen)| {
            let worker = chosen.unwrap_or_else(|| {
                let least = (0..workers).min_by_key(|worker| {
                    (
                        load.get(*worker).copied(),
                        !near(*worker, lane.link.0),
                        *worker,
                    )
                });
                let least = least.unwrap_or(0);
                if let Some(load) = load.get_mut(least) {
                    *load += 1;
                }
                least
            });
            (lane, WorkerIndex(worker))
        })
        .collect()
}

/// The idle policy of a worker on `cpu`: spin only where the core is the worker's alone.
pub(crate) fn idle_policy(workers: &Workers, cpu: usize) -> IdlePolicy {
    let sleep = IdlePolicy::Sleep {
        after: workers.idle_after_polls,
        longest: workers.idle_sleep_max,
    };
    match workers.idle {
        Idle::Spin => IdlePolicy::Spin,
        Idle::Pause => IdlePolicy::Pause,
        Idle::Sleep => sleep,
        Idle::Auto if is_isolated(cpu) => IdlePolicy::Spin,
        Idle::Auto => sleep,
    }
}

/// Whether the kernel keeps other tasks away from `cpu` (`isolcpus`).
fn is_isolated(cpu: usize) -> bool {
    let list = std::fs::read_to_string(Path::new("/sys/devices/system/cpu/isolated"));
    list.is_ok_and(|list| cpu_list(&list).contains(&cpu))
}

#[cfg(test)]
#[path = "placement/tests.rs"]
mod tests;
