//! Mempools of mbufs, shared by reference count.

use std::ffi::CString;
use std::fmt;
use std::ptr::NonNull;
use std::sync::Arc;

use crate::eal::{Eal, Runtime};
use crate::error::{Error, last};
use crate::mbuf::Mbuf;

/// Free room before the data of a fresh mbuf, octets (`RTE_PKTMBUF_HEADROOM` of the build).
#[must_use]
pub const fn headroom() -> u16 {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "128 in every known build; an mbuf is under 64 KiB"
    )]
    {
        dpdk_sys::DPDK_SHIM_HEADROOM as u16
    }
}

/// A NUMA node to take memory from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SocketId {
    /// Any.
    #[default]
    Any,
    /// This one.
    Node(u16),
}

impl SocketId {
    fn raw(self) -> i32 {
        match self {
            Self::Any => -1,
            Self::Node(node) => i32::from(node),
        }
    }
}

/// A pool of mbufs. Cloning it makes another handle to the same pool.
///
/// The pool is freed with its last handle. If mbufs of it are still out by then (with a NIC's ring that was
/// not closed, or leaked), its memory is kept mapped for the rest of the process instead.
#[derive(Clone)]
pub struct Mempool(Arc<Pool>);

struct Pool {
    pool: NonNull<dpdk_sys::rte_mempool>,
    name: String,
    size: u32,
    data_room: u16,
    runtime: Arc<Runtime>,
}

// SAFETY: mempool operations are thread-safe by DPDK's contract (multi-producer, multi-consumer, a cache per
// lcore and none for other threads); the other fields are plain data.
unsafe impl Send for Pool {}
// SAFETY: as above.
unsafe impl Sync for Pool {}

impl Mempool {
    /// Makes a pool of `n` mbufs, each with `data_room` octets including the [`headroom`], and a cache of
    /// `cache` mbufs per lcore (0 to 512, at most `n` / 1.5). `name` is unique in the EAL and short: 25
    /// octets at most.
    ///
    /// # Errors
    /// [`Error::Call`] with `ENOMEM` when there is too little memory, `EEXIST` for a name in use, `EINVAL`
    /// for a cache that is too large, `ENAMETOOLONG`.
    pub fn create(
        eal: &Eal,
        name: &str,
        n: u32,
        cache: u32,
        data_room: u16,
        socket: SocketId,
    ) -> Result<Self, Error> {
        let c_name = CString::new(name).map_err(|_| Error::NulInName {
            name: name.to_owned(),
        })?;
        // SAFETY: EAL is started (`eal`), the name is a valid string that DPDK copies, and DPDK checks the
        // numbers.
        let pool = unsafe {
            dpdk_sys::rte_pktmbuf_pool_create(c_name.as_ptr(), n, cache, 0, data_room, socket.raw())
        };
        let pool = NonNull::new(pool).ok_or_else(|| last("rte_pktmbuf_pool_create"))?;
        let runtime = Arc::clone(eal.runtime());
        Ok(Self(Arc::new(Pool {
            pool,
            name: name.to_owned(),
            size: n,
            data_room,
            runtime,
        })))
    }

    /// A fresh mbuf: no data, [`headroom`] octets before it. `None` when the pool is empty.
    #[must_use]
    pub fn alloc(&self) -> Option<Mbuf> {
        // SAFETY: the pool is alive while `self` is, and allocation is thread-safe.
        let mbuf = unsafe { dpdk_sys::dpdk_shim_mbuf_alloc(self.as_ptr()) };
        // SAFETY: DPDK hands out an mbuf that nobody else has.
        NonNull::new(mbuf).map(|mbuf| unsafe { Mbuf::from_raw(mbuf) })
    }

    /// Mbufs in the pool and in the lcores' caches. A snapshot when others use the pool.
    #[must_use]
    pub fn avail(&self) -> u32 {
        // SAFETY: the pool is alive while `self` is; counting is thread-safe.
        unsafe { dpdk_sys::rte_mempool_avail_count(self.as_ptr()) }
    }

    /// Mbufs that are out: owned by someone, or in a NIC's ring. A snapshot when others use the pool.
    #[must_use]
    pub fn in_use(&self) -> u32 {
        // SAFETY: as above.
        unsafe { dpdk_sys::rte_mempool_in_use_count(self.as_ptr()) }
    }

    /// How many mbufs the pool was made with.
    #[must_use]
    pub fn size(&self) -> u32 {
        self.0.size
    }

    /// Octets of an mbuf's buffer, headroom included.
    #[must_use]
    pub fn data_room(&self) -> u16 {
        self.0.data_room
    }

    /// The pool's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    pub(crate) fn as_ptr(&self) -> *mut dpdk_sys::rte_mempool {
        self.0.pool.as_ptr()
    }
}

impl fmt::Debug for Mempool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mempool")
            .field("name", &self.0.name)
            .field("size", &self.0.size)
            .field("data_room", &self.0.data_room)
            .finish_non_exhaustive()
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        // Nobody can allocate any more (ports hold a handle of the pools they receive into), so what is out
        // now can only come back.
        // SAFETY: the pool is alive until the end of this function.
        if unsafe { dpdk_sys::rte_mempool_in_use_count(self.pool.as_ptr()) } != 0 {
            // An owned `Mbuf` may still point into it.
            self.runtime.keep_memory();
            return;
        }
        // SAFETY: this was the last handle and every mbuf is home, so nothing points into the pool.
        unsafe { dpdk_sys::rte_mempool_free(self.pool.as_ptr()) };
    }
}
