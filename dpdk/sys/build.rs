//! Finds DPDK with pkg-config, generates the bindings, compiles the shim.
//!
//! DPDK's flags matter as much as its headers: `-include rte_config.h` and `-march=...` decide struct
//! layouts and inline functions. They go, verbatim, to both the compiler and to libclang.

use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::{env, fs};

/// Oldest release that the wrapper is written for.
const OLDEST: &str = "22.11";

/// What the wrapper calls directly; DPDK's other fifty libraries would only bloat the link.
/// `rte_log` is a library of its own from 23.11 on.
const LIBRARIES: &[&str] = &[
    "rte_eal",
    "rte_ethdev",
    "rte_mbuf",
    "rte_mempool",
    "rte_ring",
    "rte_pdump",
    "rte_log",
];

/// Exported functions in use, by name: never a pattern such as `rte_.*`, which pulls in the world.
const FUNCTIONS: &[&str] = &[
    "dpdk_shim_.*",
    "rte_dev_probe",
    "rte_eal_cleanup",
    "rte_eal_get_lcore_state",
    "rte_eal_get_runtime_dir",
    "rte_eal_has_hugepages",
    "rte_eal_init",
    "rte_eal_mp_wait_lcore",
    "rte_eal_process_type",
    "rte_eal_remote_launch",
    "rte_eal_wait_lcore",
    "rte_eth_allmulticast_disable",
    "rte_eth_allmulticast_enable",
    "rte_eth_dev_callback_register",
    "rte_eth_dev_callback_unregister",
    "rte_eth_dev_close",
    "rte_eth_dev_count_avail",
    "rte_eth_dev_get_mtu",
    "rte_eth_dev_get_name_by_port",
    "rte_eth_dev_get_port_by_name",
    "rte_eth_dev_is_valid_port",
    "rte_eth_dev_set_link_down",
    "rte_eth_dev_set_link_up",
    "rte_eth_dev_set_mtu",
    "rte_eth_dev_start",
    "rte_eth_dev_stop",
    "rte_eth_find_next",
    "rte_eth_promiscuous_disable",
    "rte_eth_promiscuous_enable",
    "rte_eth_stats_reset",
    "rte_eth_xstats_get",
    "rte_eth_xstats_get_names",
    "rte_get_main_lcore",
    "rte_get_next_lcore",
    "rte_get_tsc_hz",
    "rte_lcore_to_socket_id",
    "rte_mempool_avail_count",
    "rte_mempool_free",
    "rte_mempool_in_use_count",
    "rte_pdump_init",
    "rte_pdump_uninit",
    "rte_pktmbuf_free_bulk",
    "rte_pktmbuf_pool_create",
    "rte_strerror",
    "rte_version",
];

/// Types in use, by name. Nothing else is followed: `src/lib.rs` declares `rte_mbuf` and `rte_mempool` as
/// incomplete types, since their layout changes between releases and builds.
const TYPES: &[&str] = &[
    "dpdk_shim_.*",
    "lcore_function_t",
    "rte_eth_dev_cb_fn",
    "rte_eth_event_type",
    "rte_eth_xstat",
    "rte_eth_xstat_name",
    "rte_lcore_state_t",
    "rte_proc_type_t",
];

fn main() -> ExitCode {
    for file in ["build.rs", "shim.c", "shim.h"] {
        println!("cargo::rerun-if-changed={file}");
    }
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            // Cargo shows `cargo::error=` lines as errors of this package, one line each.
            for line in message.lines() {
                println!("cargo::error={line}");
            }
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let library = pkg_config::Config::new()
        .atleast_version(OLDEST)
        .cargo_metadata(false)
        .probe("libdpdk")
        .map_err(|error| missing(&error.to_string()))?;
    let flags = compiler_flags()?;
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo sets no OUT_DIR")?);
    generate(&flags, &out)?;
    compile(&flags)?;
    for path in &library.link_paths {
        println!("cargo::rustc-link-search=native={}", path.display());
    }
    for name in library
        .libs
        .iter()
        .filter(|name| LIBRARIES.contains(&name.as_str()))
    {
        println!("cargo::rustc-link-lib=dylib={name}");
    }
    println!("cargo::metadata=version={}", library.version);
    Ok(())
}

fn missing(why: &str) -> String {
    format!(
        "DPDK {OLDEST} or newer with its headers is needed and pkg-config does not offer it.\n\
         On Debian and Ubuntu: apt install dpdk libdpdk-dev pkg-config clang libclang-dev\n\
         For DPDK in another place: set PKG_CONFIG_PATH to the folder of its libdpdk.pc\n\
         pkg-config says: {}",
        why.replace('\n', " ")
    )
}

/// `pkg-config --cflags`, word by word. The `pkg-config` crate drops `-include` and `-march`.
fn compiler_flags() -> Result<Vec<String>, String> {
    let program = env::var("PKG_CONFIG").unwrap_or_else(|_| "pkg-config".to_owned());
    let output = Command::new(&program)
        .args(["--cflags", "libdpdk"])
        .output()
        .map_err(|error| missing(&format!("{program}: {error}")))?;
    if !output.status.success() {
        return Err(missing(&String::from_utf8_lossy(&output.stderr)));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.split_whitespace().map(str::to_owned).collect())
}

fn generate(flags: &[String], out: &std::path::Path) -> Result<(), String> {
    let mut builder = bindgen::Builder::default()
        .header("shim.h")
        .clang_args(flags)
        .use_core()
        .generate_comments(false)
        .layout_tests(true)
        .prepend_enum_name(false)
        .default_enum_style(bindgen::EnumVariation::Consts)
        .allowlist_recursively(false)
        .parse_callbacks(Box::new(bindgen::CargoCallbacks::new()));
    for function in FUNCTIONS {
        builder = builder.allowlist_function(function);
    }
    for name in TYPES {
        builder = builder.allowlist_type(name);
    }
    let text = builder
        .generate()
        .map_err(|error| {
            format!(
                "bindgen cannot read DPDK's headers (apt install clang libclang-dev): {}",
                error.to_string().replace('\n', " ")
            )
        })?
        .to_string();
    fs::write(out.join("bindings.rs"), text).map_err(|error| format!("bindings.rs: {error}"))
}

fn compile(flags: &[String]) -> Result<(), String> {
    let mut build = cc::Build::new();
    build
        .file("shim.c")
        .std("gnu11")
        .opt_level(3)
        .warnings(true)
        .flag("-Werror=implicit-function-declaration");
    for flag in flags {
        build.flag(flag);
    }
    build
        .try_compile("dpdk_shim")
        .map_err(|error| format!("shim.c: {error}"))
}
