//! The buffers of `net_af_xdp`.
//!
//! The driver registers the receive mempool itself as the kernel's UMEM, one chunk per mempool
//! object. So the pool must be one contiguous piece of memory, and the kernel's rules for chunks
//! hold for its objects: 2,048 to 4,096 octets (a page), of which the mempool's header (64), the
//! mbuf (128), its headroom (128) and XDP's own headroom (256) come ahead of the frame. The kernel
//! drops and counts a frame that does not fit in the rest; none is cut.

use super::Vdev;
use super::plan::PlanError;

/// What XDP keeps free ahead of a frame, behind the mbuf's headroom (`XDP_PACKET_HEADROOM`).
const XDP_HEADROOM: u32 = 256;
/// DPDK's usual mbuf room, which makes an object of 2,368 octets.
const SMALLEST_ROOM: u32 = 2048;

/// The arguments for frames of up to `frame` octets, and the mbuf room.
pub(super) fn plan(vdev: &Vdev, frame: u32) -> Result<(Vdev, u32), PlanError> {
    vdev.one_queue("queue_count")?;
    let room = (frame + XDP_HEADROOM)
        .next_multiple_of(64)
        .max(SMALLEST_ROOM);
    Ok((vdev.clone().with_arg("queue_count", "1".to_owned()), room))
}
