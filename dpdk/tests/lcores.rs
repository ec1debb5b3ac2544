//! EAL's start and its lcores.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, helpers included"
)]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use dpdk::{Eal, Error, LcoreId, LcoreState, ProcessType};
use support::{alone, arguments, assert_full, eal, pool};

#[test]
fn the_version_is_known_without_eal() {
    let version = dpdk::version();
    assert!(version.starts_with("DPDK 2"), "{version}");
    assert!(dpdk::max_ethports() >= 32);
}

#[test]
fn arguments_pass_verbatim() {
    alone("arguments_pass_verbatim", || {
        let eal = eal(&["--lcores", "3@0,7@1,12@(0,1)", "--main-lcore=7"]);
        assert_eq!(eal.main_lcore().index(), 7);
        assert_eq!(LcoreId::current(), Some(eal.main_lcore()));
        assert_eq!(eal.main_lcore().cpus(), [1]);
        let workers: Vec<u32> = eal.workers().iter().map(|lcore| lcore.index()).collect();
        assert_eq!(workers, [3, 12]);
        assert_eq!(eal.workers()[0].cpus(), [0]);
        assert_eq!(eal.workers()[1].cpus(), [0, 1]);
        assert_eq!(eal.process_type(), ProcessType::Primary);
        let dir = eal.runtime_dir().unwrap();
        assert!(
            dir.ends_with(format!("dpdk/{}", support::prefix())),
            "{}",
            dir.display()
        );
        assert!(!eal.has_hugepages());
        assert!(!eal.is_in_memory());
    });
}

#[test]
fn eal_starts_once() {
    alone("eal_starts_once", || {
        let eal = eal(&[]);
        assert_eq!(
            Eal::init(&arguments(&[])).unwrap_err(),
            Error::AlreadyInitialised
        );
        drop(eal);
        assert_eq!(
            Eal::init(&arguments(&[])).unwrap_err(),
            Error::AlreadyInitialised
        );
    });
}

#[test]
fn a_bad_argument_is_an_error() {
    alone("a_bad_argument_is_an_error", || {
        let error = Eal::init(&arguments(&["--no-such-option"])).unwrap_err();
        assert_eq!(
            error,
            Error::Call {
                call: "rte_eal_init",
                code: libc::EINVAL
            }
        );
        assert!(error.to_string().contains("Invalid argument"), "{error}");
    });
}

#[test]
fn a_bad_vdev_is_an_error() {
    alone("a_bad_vdev_is_an_error", || {
        let error = Eal::init(&arguments(&["--vdev=net_nosuchdriver0"])).unwrap_err();
        assert!(
            matches!(
                error,
                Error::Call {
                    call: "rte_eal_init",
                    ..
                }
            ),
            "{error}"
        );
    });
}

#[test]
fn an_argument_that_eal_would_skip_is_an_error() {
    alone("an_argument_that_eal_would_skip_is_an_error", || {
        let error = |more: &[&str]| Eal::init(&arguments(more)).unwrap_err();
        // These two are refused before EAL starts, so another start is possible.
        assert!(
            matches!(error(&["--", "x"]), Error::Argument { argument, .. } if argument == "--")
        );
        assert!(matches!(error(&["a\0b"]), Error::Argument { .. }));
        let error = error(&["net_null0"]);
        assert!(
            matches!(&error, Error::Argument { argument, .. } if argument == "net_null0"),
            "{error}"
        );
    });
}

#[test]
fn a_function_runs_on_its_lcore_and_returns() {
    alone("a_function_runs_on_its_lcore_and_returns", || {
        let eal = eal(&["--lcores=0,1@0"]);
        let pool = pool(&eal);
        let worker = eal.workers()[0];
        let (seen, in_worker) = (Arc::new(AtomicU32::new(u32::MAX)), pool.clone());
        let sees = Arc::clone(&seen);
        let function = move || {
            sees.store(LcoreId::current().unwrap().index(), Ordering::SeqCst);
            drop(in_worker.alloc().unwrap());
            42
        };
        eal.launch(worker, function).unwrap();
        assert_eq!(eal.wait(worker), Ok(42));
        assert_eq!(seen.load(Ordering::SeqCst), worker.index());
        assert_eq!(eal.lcore_state(worker), LcoreState::Waiting);
        // A result is given once.
        assert_eq!(eal.wait(worker), Ok(0));
        assert_full(&pool);
    });
}

#[test]
fn a_panic_on_an_lcore_is_reported_and_the_process_lives() {
    alone(
        "a_panic_on_an_lcore_is_reported_and_the_process_lives",
        || {
            let eal = eal(&["--lcores=0,1@0"]);
            let pool = pool(&eal);
            let worker = eal.workers()[0];
            let in_worker = pool.clone();
            eal.launch(worker, move || {
                let _held = in_worker.alloc().unwrap();
                panic!("lane {} broke", 3)
            })
            .unwrap();
            let panicked = eal.wait(worker).unwrap_err();
            assert_eq!(
                (panicked.lcore, panicked.message.as_str()),
                (worker, "lane 3 broke")
            );
            // What the function held was dropped by the unwinding, and the lcore can be used again.
            assert_full(&pool);
            eal.launch(worker, || std::panic::panic_any(7_u8)).unwrap();
            assert_eq!(
                eal.wait(worker).unwrap_err().message,
                "a payload that is no text"
            );
            eal.launch(worker, || -5).unwrap();
            assert_eq!(eal.wait(worker), Ok(-5));
        },
    );
}

#[test]
fn busy_main_and_unknown_lcores_are_refused() {
    alone("busy_main_and_unknown_lcores_are_refused", || {
        let eal = eal(&["--lcores=0,1@0"]);
        let worker = eal.workers()[0];
        let gate = Arc::new(AtomicU32::new(0));
        let opens = Arc::clone(&gate);
        let waits = move || {
            while opens.load(Ordering::Acquire) == 0 {
                std::thread::yield_now();
            }
            1
        };
        eal.launch(worker, waits).unwrap();
        assert_eq!(eal.lcore_state(worker), LcoreState::Running);
        let busy = Error::Lcore {
            lcore: worker.index(),
            why: "is busy",
        };
        assert_eq!(eal.launch(worker, || 0).unwrap_err(), busy);
        assert!(matches!(
            eal.launch(eal.main_lcore(), || 0),
            Err(Error::Lcore { .. })
        ));
        gate.store(1, Ordering::Release);
        assert_eq!(eal.wait(worker), Ok(1));
        assert_eq!(eal.wait(eal.main_lcore()), Ok(0));
    });
}

#[test]
fn without_shared_memory_capture_says_why() {
    alone("without_shared_memory_capture_says_why", || {
        let eal = eal(&[]);
        let error = eal.pdump_init().unwrap_err();
        assert!(matches!(error, Error::NoSharedMemory { .. }));
        assert!(error.to_string().contains("--no-huge"), "{error}");
    });
}

#[test]
fn log_messages_reach_the_sink() {
    use std::sync::atomic::AtomicBool;
    static SEEN: AtomicBool = AtomicBool::new(false);
    alone("log_messages_reach_the_sink", || {
        dpdk::log::forward(|level, text| {
            assert!(level <= 8 && !text.contains('\n'), "{level} {text}");
            if text.contains("nosuchdriver") {
                SEEN.store(true, Ordering::SeqCst);
            }
            // Must not reach C.
            panic!("a sink that panics");
        })
        .unwrap();
        let eal = eal(&[]);
        assert!(eal.hotplug_add("net_nosuchdriver0").is_err());
        assert!(SEEN.load(Ordering::SeqCst));
    });
}
