//! Bindings to the part of DPDK that `macsecgw` uses, for any release from 22.11 on.
//!
//! Everything here is generated: exported functions from a list of names in `build.rs`, inline ones
//! through `shim.c`. Crate `dpdk` wraps it all; nothing else should depend on this crate.
//! `docs/adr/0002-dpdk-bindings.md` says why no DPDK struct has a layout in Rust.
#![no_std]
#![expect(
    non_camel_case_types,
    reason = "the names are DPDK's, so that its documentation can be searched for them"
)]
#![allow(
    missing_docs,
    missing_debug_implementations,
    unreachable_pub,
    clippy::all,
    clippy::use_self,
    clippy::undocumented_unsafe_blocks,
    clippy::multiple_unsafe_ops_per_block,
    reason = "generated code; what it triggers depends on the DPDK release it is generated from"
)]

/// A packet buffer's header. Incomplete: reached by pointer, its fields by `DPDK_SHIM_MBUF_*` offsets.
#[repr(C)]
pub struct rte_mbuf {
    incomplete: [u8; 0],
    /// Neither `Send`, `Sync` nor `Unpin` by default: C owns what it points to.
    marker: core::marker::PhantomData<(*mut u8, core::marker::PhantomPinned)>,
}

/// A pool of equally sized objects. Incomplete: reached by pointer only.
#[repr(C)]
pub struct rte_mempool {
    incomplete: [u8; 0],
    /// Neither `Send`, `Sync` nor `Unpin` by default: C owns what it points to.
    marker: core::marker::PhantomData<(*mut u8, core::marker::PhantomPinned)>,
}

include!(concat!(env!("OUT_DIR"), "/bindings.rs"));
