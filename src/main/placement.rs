//! Which CPU does what: workers and their lanes, and the CPUs left to everything else.

use std::path::Path;

use macsec_gateway::{
    bus::{Direction, LaneIndex, LinkIndex, WorkerIndex},
    config::{Config, Idle, Link, Workers},
    worker::IdlePolicy,
};

/// Where everything runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Placement {
    /// The CPU of each worker.
    pub(crate) workers: Vec<usize>,
    /// The CPUs of main, control and api.
    pub(crate) others: Vec<usize>,
    /// The worker of each lane.
    pub(crate) lanes: Vec<(LaneIndex, WorkerIndex)>,
}

impl Placement {
    /// Places `config`'s lanes on the CPUs that this process may use.
    ///
    /// # Errors
    /// A worker's CPU that there is not, and which there are.
    pub(crate) fn new(config: &Config, allowed: &[usize]) -> Result<Self, String> {
        let workers = worker_cpus(&config.workers, allowed, 2 * config.links.len())?;
        let free: Vec<_> = allowed
            .iter()
            .copied()
            .filter(|cpu| !workers.contains(cpu))
            .collect();
        let others = if free.is_empty() {
            allowed.to_vec()
        } else {
            free
        };
        Ok(Self {
            lanes: place_lanes(&config.links, workers.len()),
            workers,
            others,
        })
    }

    /// EAL's `--lcores`: lcore 0 is main on the CPUs left over, lcore n+1 is worker n on its own.
    pub(crate) fn lcores(&self) -> String {
        let others: Vec<_> = self.others.iter().map(ToString::to_string).collect();
        let mut lcores = format!("0@({})", others.join(","));
        for (worker, cpu) in self.workers.iter().enumerate() {
            lcores.push_str(&format!(",{}@{cpu}", worker + 1));
        }
        lcores
    }
}

fn worker_cpus(workers: &Workers, allowed: &[usize], lanes: usize) -> Result<Vec<usize>, String> {
    if workers.cores.is_empty() {
        // The first CPU is the others' where there are two or more.
        let spread = if allowed.len() > 1 {
            allowed.get(1..).unwrap_or(allowed)
        } else {
            allowed
        };
        return Ok(spread.iter().copied().take(lanes).collect());
    }
    match workers.cores.iter().find(|cpu| !allowed.contains(cpu)) {
        Some(absent) => Err(format!(
            "workers.cores: CPU {absent} is not one that this process may use; those are {allowed:?}"
        )),
        None => Ok(workers.cores.clone()),
    }
}

/// Lanes with a worker of their own choice first, the others where there are fewest.
fn place_lanes(links: &[Link], workers: usize) -> Vec<(LaneIndex, WorkerIndex)> {
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
                let least = (0..workers).min_by_key(|worker| load.get(*worker).copied());
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
    list.is_ok_and(|list| in_cpu_list(&list, cpu))
}

/// Whether a kernel CPU list such as `2-5,8` names `cpu`.
fn in_cpu_list(list: &str, cpu: usize) -> bool {
    list.trim().split(',').any(|part| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let range = first.parse::<usize>().ok().zip(last.parse::<usize>().ok());
        range.is_some_and(|(first, last)| (first..=last).contains(&cpu))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernel_cpu_lists_are_read() {
        assert!(in_cpu_list("2-5,8\n", 4));
        assert!(in_cpu_list("2-5,8\n", 8));
        assert!(!in_cpu_list("2-5,8\n", 6));
        assert!(!in_cpu_list("\n", 0));
    }

    #[test]
    fn workers_leave_the_first_cpu_to_the_others() {
        let none = Workers {
            cores: vec![],
            idle: Idle::Auto,
            idle_after_polls: 1,
            idle_sleep_max: std::time::Duration::ZERO,
        };
        assert_eq!(worker_cpus(&none, &[0, 1, 2, 3], 2), Ok(vec![1, 2]));
        assert_eq!(worker_cpus(&none, &[3], 2), Ok(vec![3]));
        let named = Workers {
            cores: vec![7],
            ..none
        };
        assert!(worker_cpus(&named, &[0, 1], 2).is_err_and(|error| error.contains("CPU 7")));
    }
}
