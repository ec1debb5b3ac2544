//! Placement on made-up machines.

use std::{fs, path::PathBuf};

use macsec_gateway::config::HelpersWhen;

use super::*;

/// A made-up machine: two nodes of four CPUs, and a NIC with two ports on each.
struct Machine(PathBuf);

impl Machine {
    fn new(name: &str) -> Self {
        let root = std::env::temp_dir().join(format!("macsecgw-sys-{}-{name}", std::process::id()));
        let put = |file: &str, text: &str| {
            let file = root.join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        };
        put("devices/system/node/node0/cpulist", "0-3\n");
        put("devices/system/node/node1/cpulist", "4-7\n");
        put("devices/system/node/possible", "0-1\n");
        for (bus, node) in [("03", "0"), ("83", "1"), ("84", "1")] {
            for function in [0, 1] {
                let file = format!("bus/pci/devices/0000:{bus}:00.{function}/numa_node");
                put(&file, &format!("{node}\n"));
            }
        }
        put("bus/pci/devices/0000:04:00.0/numa_node", "-1\n");
        Self(root)
    }

    fn topology(&self) -> Topology {
        Topology::under(&self.0)
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A config of `no_encrypt` links, which need no keys.
fn config(workers: &str, links: &[(&str, &str, &str)]) -> Config {
    let mut text = format!("[workers]\n{workers}\n");
    for (number, (plain, secure, more)) in links.iter().enumerate() {
        text += &format!(
            "[[link]]\nname = \"l{number}\"\nplain = \"{plain}\"\nsecure = \"{secure}\"\n\
             encryption = \"no_encrypt\"\n{more}\n"
        );
    }
    Config::from_octets(Path::new("test.toml"), text.as_bytes()).unwrap()
}

const FAR: (&str, &str, &str) = ("0000:83:00.0", "0000:83:00.1", "");
const ALL: [usize; 8] = [0, 1, 2, 3, 4, 5, 6, 7];

fn place(machine: &Machine, config: &Config, allowed: &[usize]) -> Result<Placement, String> {
    Placement::new(config, allowed, &machine.topology())
}

#[test]
fn workers_leave_the_first_cpu_to_the_others() {
    let none = Workers {
        cores: vec![],
        idle: Idle::Auto,
        idle_after_polls: 1,
        idle_sleep_max: std::time::Duration::ZERO,
        helper_cores: vec![],
        helpers_when: HelpersWhen::Load,
        helper_patience: std::time::Duration::ZERO,
    };
    let any = |_| false;
    assert_eq!(worker_cpus(&none, &[0, 1, 2, 3], 2, any), Ok(vec![1, 2]));
    assert_eq!(worker_cpus(&none, &[3], 2, any), Ok(vec![3]));
    let named = Workers {
        cores: vec![7],
        ..none
    };
    assert!(worker_cpus(&named, &[0, 1], 2, any).is_err_and(|error| error.contains("CPU 7")));
}

#[test]
fn workers_and_helpers_are_chosen_on_the_node_of_the_ports() {
    let machine = Machine::new("chosen");
    let (plain, secure, _) = FAR;
    let config = config(
        "",
        &[(plain, secure, "protect_helpers = 1\nvalidate_helpers = 1")],
    );
    let placed = place(&machine, &config, &ALL).unwrap();
    assert_eq!(placed.workers, [4, 5]);
    let cpus: Vec<_> = placed.helpers.iter().map(|(_, cpu)| *cpu).collect();
    assert_eq!(cpus, [6, 7]);
    assert_eq!(placed.others, [0, 1, 2, 3]);
    assert_eq!(placed.lcores(), "0@(0,1,2,3),1@4,2@5,3@6,4@7");
    assert_eq!(placed.warnings, [""; 0]);
}

#[test]
fn lanes_go_to_the_worker_on_the_node_of_their_ports() {
    let machine = Machine::new("lanes");
    let near = ("0000:03:00.0", "0000:03:00.1", "");
    let config = config("cores = [4, 1, 5, 2]", &[near, FAR]);
    let placed = place(&machine, &config, &ALL).unwrap();
    let workers: Vec<_> = placed.lanes.iter().map(|(_, worker)| worker.0).collect();
    assert_eq!(workers, [1, 3, 0, 2]);
    assert_eq!(placed.warnings, [""; 0]);
}

#[test]
fn what_lies_on_another_node_is_said_with_what_would_be_right() {
    let machine = Machine::new("apart");
    let (plain, secure, _) = FAR;
    let apart = ("0000:03:00.0", "0000:84:00.1", "");
    let config = config(
        "cores = [1, 5]\nhelper_cores = [6]",
        &[(plain, secure, "protect_helpers = 1"), apart],
    );
    let placed = place(&machine, &config, &ALL).unwrap();
    let said = placed.warnings.join("\n");
    for words in [
        "link l1: the plain port is on NUMA node 0 and the secure port on node 1",
        "link l0: the validate lane runs on CPU 1 of NUMA node 0",
        "name CPUs of that node in workers.cores (node 1 has CPUs [4, 5, 6, 7])",
    ] {
        assert!(said.contains(words), "{words:?} in {said}");
    }
    assert!(
        !said.contains("a helper"),
        "it is beside its worker: {said}"
    );
}

#[test]
fn a_helper_on_another_node_than_its_worker_is_said() {
    let machine = Machine::new("helper");
    let (plain, secure, _) = FAR;
    let config = config(
        "cores = [4, 5]\nhelper_cores = [2, 3]",
        &[(plain, secure, "protect_helpers = 2\nprotect_worker = 1")],
    );
    let placed = place(&machine, &config, &[2, 3, 4, 5]).unwrap();
    assert_eq!(placed.warnings.len(), 2);
    assert!(
        placed.warnings[0].contains(
            "a helper of the protect lane is on CPU 2 of NUMA node 0, and the lane's worker on CPU 5 of node 1"
        ) && placed.warnings[0].contains("node 1 has CPUs [4, 5]"),
        "{:?}",
        placed.warnings
    );
}

#[test]
fn a_machine_of_one_node_and_virtual_devices_have_nothing_to_be_warned_of() {
    let machine = Machine::new("one");
    fs::remove_dir_all(machine.0.join("devices/system/node/node1")).unwrap();
    let one = config("cores = [7]", &[FAR]);
    assert_eq!(place(&machine, &one, &ALL).unwrap().warnings, [""; 0]);
    let two = Machine::new("virtual");
    let rings = config(
        "cores = [7]",
        &[
            ("net_null0", "net_null1", ""),
            ("net_null2", "0000:04:00.0", ""),
        ],
    );
    assert_eq!(place(&two, &rings, &ALL).unwrap().warnings, [""; 0]);
}

#[test]
fn helpers_without_a_cpu_are_refused_with_what_there_is() {
    let machine = Machine::new("few");
    let with = |workers: &str, helpers: usize| {
        let more = format!("protect_helpers = {helpers}");
        config(workers, &[("net_null0", "net_null1", more.as_str())])
    };
    let refused = place(&machine, &with("", 1), &[0, 1, 2]).unwrap_err();
    assert!(
        refused.contains("want 1 helpers") && refused.contains("leave []"),
        "{refused}"
    );
    let fits = place(&machine, &with("cores = [1]", 1), &[0, 1, 2]).unwrap();
    assert_eq!(fits.helpers.len(), 1);
    assert_eq!((fits.helpers[0].1, fits.others), (2, vec![0]));
    let absent = place(&machine, &with("helper_cores = [9]", 1), &ALL).unwrap_err();
    assert!(absent.contains("workers.helper_cores: CPU 9"), "{absent}");
    // Both CPUs of a small machine, by name: main, control and api share them.
    let both = place(
        &machine,
        &with("cores = [0]\nhelper_cores = [1]", 1),
        &[0, 1],
    )
    .unwrap();
    assert_eq!(both.lcores(), "0@(0,1),1@0,2@1");
}
