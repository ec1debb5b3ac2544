//! From a checked config to ports, lanes, workers and control, in the order that a start has.

use std::sync::{Arc, atomic::AtomicBool};

use dpdk::Eal;
use macsec_gateway::{
    bus::{
        CommandSender, Direction, EapolOut, EapolSlots, HelperView, LaneCounters, LaneIndex,
        LinkIndex, PortOps as _, PortSide, ReportReceiver, WorkerCounters, WorkerView,
        worker_rings,
    },
    config::{Config, EncryptionMode, HelpersWhen, Link},
    control::{LinkParts, bypass_list},
    ieee::Sci,
    macsec::{RxParams, RxScCounters, RxSecy, TxParams, TxSecy},
    pipeline::{ProtectLane, ProtectSetup, ValidateLane, ValidateSetup},
    worker::{Brought, Crew, HelpPolicy, Helper, Lane, PortPlan, Runner, Worker, bring_up},
};

use super::placement::{Placement, idle_policy};

/// What was put together.
pub(crate) struct Assembly {
    pub(crate) links: Vec<LinkParts>,
    pub(crate) workers: Vec<Worker>,
    pub(crate) commands: Vec<CommandSender>,
    pub(crate) reports: Vec<ReportReceiver>,
    pub(crate) views: Vec<WorkerView>,
    pub(crate) helpers: Vec<Helper>,
    pub(crate) helper_views: Vec<HelperView>,
}

/// The plan of one port of a link.
pub(crate) fn port_plan(link: &Link, side: PortSide) -> PortPlan<'_> {
    PortPlan {
        device: match side {
            PortSide::Plain => link.plain.as_str(),
            PortSide::Secure => link.secure.as_str(),
        },
        side,
        mtu: link.mtu,
        must_encrypt: link.encryption == EncryptionMode::MustEncrypt,
        queues: match side {
            PortSide::Plain => link.plain_queues,
            PortSide::Secure => 1,
        },
        held: match side {
            PortSide::Plain => held(link.protect_helpers),
            PortSide::Secure => held(link.validate_helpers),
        },
    }
}

/// Frames that may be with so many helpers.
fn held(helpers: usize) -> u32 {
    let frames = if helpers > 0 {
        Crew::frames(helpers)
    } else {
        0
    };
    u32::try_from(frames).unwrap_or(u32::MAX)
}

/// Brings all ports up, closed, and puts lanes on workers.
///
/// # Errors
/// What is wrong with which port, and what to do.
pub(crate) fn assemble(
    eal: &Eal,
    config: &Config,
    placement: &Placement,
    stop: &Arc<AtomicBool>,
) -> Result<Assembly, String> {
    let mut links = Vec::new();
    let mut runners: Vec<Vec<Runner>> = placement.workers.iter().map(|_| Vec::new()).collect();
    let mut crews = Crews {
        config,
        placement,
        stop,
        helpers: vec![],
        views: vec![],
    };
    for (index, link) in config.links.iter().enumerate() {
        let (parts, lanes) = assemble_link(eal, LinkIndex(index), link)
            .map_err(|error| format!("link {}: {error}", link.name))?;
        links.push(parts);
        for runner in lanes {
            let worker = placement.worker_of(runner.index());
            let runner = crews.staff(runner, link);
            if let Some(worker) = runners.get_mut(worker.0) {
                worker.push(runner);
            }
        }
    }
    let mut assembly = Assembly {
        links,
        workers: vec![],
        commands: vec![],
        reports: vec![],
        views: vec![],
        helpers: crews.helpers,
        helper_views: crews.views,
    };
    for (index, runners) in runners.into_iter().enumerate() {
        let cpu = placement.workers.get(index).copied().unwrap_or(0);
        add_worker(&mut assembly, config, (index, cpu), runners, stop);
    }
    Ok(assembly)
}

/// Puts helpers beside the lanes that want them.
struct Crews<'a> {
    config: &'a Config,
    placement: &'a Placement,
    stop: &'a Arc<AtomicBool>,
    helpers: Vec<Helper>,
    views: Vec<HelperView>,
}

impl Crews<'_> {
    fn staff(&mut self, runner: Runner, link: &Link) -> Runner {
        let lane = runner.index();
        let placed = self.placement.helpers.iter().enumerate();
        let own: Vec<_> = placed.filter(|(_, (helped, _))| *helped == lane).collect();
        if own.is_empty() {
            return runner;
        }
        let first = 1 + self.placement.workers.len();
        let mut crew = Crew {
            helpers: vec![],
            policy: match self.config.workers.helpers_when {
                HelpersWhen::Load => HelpPolicy::Load,
                HelpersWhen::Always => HelpPolicy::Always,
            },
            patience: self.config.workers.helper_patience,
            stop: Arc::clone(self.stop),
        };
        for (place, (_, cpu)) in own {
            let idle = idle_policy(&self.config.workers, *cpu);
            let view = HelperView {
                lcore: u32::try_from(first + place).unwrap_or(u32::MAX),
                cpu: u32::try_from(*cpu).unwrap_or(u32::MAX),
                idle: idle.to_string(),
                lane,
                lane_name: format!("{}/{}", link.name, lane.direction),
                own: Arc::default(),
                counters: Arc::default(),
            };
            let counters = Arc::clone(&view.counters);
            crew.helpers.push((counters, Arc::clone(&view.own), idle));
            self.views.push(view);
        }
        let (runner, helpers) = runner.with_helpers(&crew);
        self.helpers.extend(helpers);
        runner
    }
}

/// Brings a link's ports up and makes its lanes.
fn assemble_link(
    eal: &Eal,
    index: LinkIndex,
    link: &Link,
) -> Result<(LinkParts, [Runner; 2]), String> {
    let secure = bring(eal, link, PortSide::Secure)?;
    let plain = bring(eal, link, PortSide::Plain)?;
    // Frozen here. Control refuses it where it is the peer's too, before a lane runs.
    let own_sci = link.own_sci(secure.ops.mac());
    let tx_secy = TxSecy::new(tx_params(link, own_sci));
    let (rx_secy, rx_scs) = rx_secy(link);
    let parts = LinkParts {
        plain: plain.ops.clone(),
        secure: secure.ops.clone(),
        own_sci,
        protect: Arc::new(LaneCounters::default()),
        validate: Arc::new(LaneCounters::default()),
        tx_counters: tx_secy.counters(),
        rx_counters: rx_secy.counters(),
        rx_scs,
        eapol: Arc::new(EapolSlots::default()),
        eapol_out: Arc::new(EapolOut::default()),
    };
    let protect = ProtectLane::new(ProtectSetup {
        secy: tx_secy,
        bypass: Box::new(bypass_list(link)),
        counters: Arc::clone(&parts.protect),
    });
    let validate = ValidateLane::new(ValidateSetup {
        secy: rx_secy,
        clear_vlan_tags: link.clear_vlan_tags,
        bypass: Box::new(bypass_list(link)),
        eapol: Arc::clone(&parts.eapol),
        counters: Arc::clone(&parts.validate),
    });
    let lane = |direction| LaneIndex {
        link: index,
        direction,
    };
    let mut sender = Runner::new(
        lane(Direction::Protect),
        Lane::Protect(protect),
        Arc::clone(&parts.protect),
        plain.rx,
        secure.tx,
    );
    if let Some(buffers) = secure.eapol_buffers {
        sender = sender.with_eapol(Arc::clone(&parts.eapol_out), buffers);
    }
    let runners = [
        sender,
        Runner::new(
            lane(Direction::Validate),
            Lane::Validate(validate),
            Arc::clone(&parts.validate),
            secure.rx,
            plain.tx,
        ),
    ];
    Ok((parts, runners))
}

fn bring(eal: &Eal, link: &Link, side: PortSide) -> Result<Brought, String> {
    let brought =
        bring_up(eal, &port_plan(link, side)).map_err(|error| format!("{side} {error}"))?;
    for warning in &brought.warnings {
        tracing::warn!(link = link.name, %side, "{warning}");
    }
    Ok(brought)
}

fn tx_params(link: &Link, sci: Sci) -> TxParams {
    TxParams {
        sci,
        sectag_sci: link.sectag_sci,
        clear_vlan_tags: link.clear_vlan_tags,
        mtu: usize::from(link.mtu),
    }
}

fn rx_secy(link: &Link) -> (RxSecy, Vec<(Sci, Arc<RxScCounters>)>) {
    let mut secy = RxSecy::new(RxParams {
        validate: link.validate_frames,
        replay: link.replay,
        duplicate_depth: link.duplicate_depth as usize,
        clear_vlan_tags: link.clear_vlan_tags,
        mtu: usize::from(link.mtu),
    });
    let peers = link.static_keys().into_iter().map(|keys| keys.peer_sci);
    let scs = peers.map(|sci| (sci, secy.add_sc(sci))).collect();
    (secy, scs)
}

fn add_worker(
    assembly: &mut Assembly,
    config: &Config,
    (index, cpu): (usize, usize),
    runners: Vec<Runner>,
    stop: &Arc<AtomicBool>,
) {
    let (command_sender, command_receiver, report_sender, report_receiver) = worker_rings();
    let counters = Arc::new(WorkerCounters::default());
    let idle = idle_policy(&config.workers, cpu);
    let name = |lane: LaneIndex| {
        let link = config
            .links
            .get(lane.link.0)
            .map_or("", |link| link.name.as_str());
        format!("{link}/{}", lane.direction)
    };
    assembly.views.push(WorkerView {
        lcore: u32::try_from(index + 1).unwrap_or(u32::MAX),
        cpu: u32::try_from(cpu).unwrap_or(u32::MAX),
        idle: idle.to_string(),
        lanes: runners.iter().map(|runner| name(runner.index())).collect(),
        counters: Arc::clone(&counters),
    });
    assembly.workers.push(Worker {
        runners,
        commands: command_receiver,
        reports: report_sender,
        counters,
        idle,
        stop: Arc::clone(stop),
    });
    assembly.commands.push(command_sender);
    assembly.reports.push(report_receiver);
}
