//! The rings of `net_af_packet`: slot, block, count and mbuf room derived together.
//!
//! How the kernel and the driver (22.11 and later) deal with a frame, and what follows:
//!
//! * The kernel puts a received frame at offset 66 of its ring slot (`TPACKET2_HDRLEN` plus 16,
//!   aligned to 16, less the Ethernet header) and cuts what goes beyond the slot; the driver copies
//!   what is left (`tp_snaplen`) and never looks at the real length. So a slot must hold more than
//!   the longest frame of the link: then a frame that was cut is still longer than any that is
//!   allowed, and who receives it drops it by its length.
//! * The driver copies into an mbuf whose room it compared, when the queue was set up, with the
//!   slot less 32 octets, so that is the room needed. (A VLAN tag that the kernel took out is put
//!   back in front, in the headroom.)
//! * The driver finds slot `i` at `i * framesz`, the kernel lays out whole blocks: unless `blocksz`
//!   is a multiple of `framesz` and `framecnt` of the slots in a block, they mean different memory.
//! * The kernel wants `framesz` in multiples of 16 and `blocksz` in pages.

use super::Vdev;
use super::plan::PlanError;

/// Where a received frame starts in its slot.
const RECEIVE_OFFSET: u32 = 66;
/// Where the driver writes a frame to transmit, and what it deducts when it checks an mbuf's room.
const SLOT_HEADER: u32 = 32;
/// `TPACKET_ALIGNMENT`.
const ALIGNMENT: u32 = 16;
/// The driver's own default, enough for an MTU of 1,500.
const SMALLEST_SLOT: u32 = 2048;
/// Octets of slots per direction unless the operator says more: some milliseconds of traffic, since
/// the worker may share its core.
const RING_OCTETS: u32 = 4 << 20;
const FEWEST_SLOTS: u32 = 512;
/// The driver computes the size of both rings in 32 bits.
const RING_LIMIT: u64 = 1 << 30;
/// An mbuf's room is a 16-bit number and has the headroom (128 octets) in it.
const LARGEST_SLOT: u32 = 65_424;
/// The longest frame whose derived slot is below that, whatever the page size.
pub(super) const LARGEST_FRAME: u16 = 32_000;

/// The three numbers of a ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ring {
    pub(super) framesz: u32,
    pub(super) blocksz: u32,
    pub(super) framecnt: u32,
}

impl Ring {
    /// The octets of a received frame that a slot holds.
    #[cfg(test)]
    pub(super) const fn receives(self) -> u32 {
        self.framesz - RECEIVE_OFFSET
    }

    /// The mbuf room that the driver asks for.
    pub(super) const fn mbuf_room(self) -> u32 {
        self.framesz - SLOT_HEADER
    }
}

/// The arguments for frames of up to `frame` octets, and the mbuf room.
pub(super) fn plan(vdev: &Vdev, frame: u32) -> Result<(Vdev, u32), PlanError> {
    vdev.one_queue("qpairs")?;
    if vdev
        .number("qdisc_bypass")?
        .is_some_and(|bypass| bypass > 1)
    {
        return Err(vdev.wrong("qdisc_bypass", "0 or 1".to_owned(), "the driver refuses it"));
    }
    let ring = ring(vdev, frame, page_size())?;
    let planned = vdev.clone().with_arg("framesz", ring.framesz.to_string());
    let planned = planned.with_arg("blocksz", ring.blocksz.to_string());
    let planned = planned.with_arg("framecnt", ring.framecnt.to_string());
    Ok((planned.with_arg("qpairs", "1".to_owned()), ring.mbuf_room()))
}

/// The ring for frames of up to `frame` octets on a machine with such pages; what the operator gave
/// is kept or refused.
pub(super) fn ring(vdev: &Vdev, frame: u32, page: u32) -> Result<Ring, PlanError> {
    let framesz = slot(vdev, frame, page)?;
    let blocksz = block(vdev, framesz, page)?;
    let framecnt = count(vdev, framesz, blocksz)?;
    Ok(Ring {
        framesz,
        blocksz,
        framecnt,
    })
}

fn slot(vdev: &Vdev, frame: u32, page: u32) -> Result<u32, PlanError> {
    // One octet more than the longest frame: see above.
    let needed = (frame + 1 + RECEIVE_OFFSET).next_multiple_of(ALIGNMENT);
    let derived = if needed <= page {
        needed.next_power_of_two().max(SMALLEST_SLOT)
    } else {
        needed.next_multiple_of(page)
    };
    let Some(given) = vdev.number("framesz")? else {
        return Ok(derived);
    };
    let right =
        || format!("{derived}, or any multiple of {ALIGNMENT} from {needed} to {LARGEST_SLOT}");
    if given < needed {
        let why = "the longest frame of the link would be cut, or not be told from one that was";
        return Err(vdev.wrong("framesz", right(), why));
    }
    if !given.is_multiple_of(ALIGNMENT) || given > LARGEST_SLOT {
        return Err(vdev.wrong("framesz", right(), "the kernel or the driver refuses it"));
    }
    Ok(given)
}

fn block(vdev: &Vdev, framesz: u32, page: u32) -> Result<u32, PlanError> {
    // Both divide it: their least common multiple.
    let derived = framesz / gcd(framesz, page) * page;
    match vdev.number("blocksz")? {
        None => Ok(derived),
        Some(given) if given > 0 && given.is_multiple_of(derived) => Ok(given),
        Some(_) => Err(vdev.wrong(
            "blocksz",
            format!(
                "{derived} or a multiple of it (of the page, {page}, and of framesz, {framesz})"
            ),
            "the driver would read other slots than the kernel writes",
        )),
    }
}

fn count(vdev: &Vdev, framesz: u32, blocksz: u32) -> Result<u32, PlanError> {
    let per_block = blocksz / framesz;
    let derived = (RING_OCTETS / framesz)
        .max(FEWEST_SLOTS)
        .next_multiple_of(per_block);
    let given = vdev.number("framecnt")?.unwrap_or(derived);
    if given == 0 || !given.is_multiple_of(per_block) {
        return Err(vdev.wrong(
            "framecnt",
            format!("{derived} or another multiple of {per_block}, the slots in a block"),
            "the driver would use slots that the kernel does not have",
        ));
    }
    if u64::from(given) * u64::from(framesz) > RING_LIMIT {
        let right = format!(
            "{derived}, or less than {}",
            RING_LIMIT / u64::from(framesz)
        );
        return Err(vdev.wrong("framecnt", right, "the driver counts the ring in 32 bits"));
    }
    Ok(given)
}

const fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// The machine's page, 4,096 octets on x86-64.
fn page_size() -> u32 {
    // SAFETY: sysconf takes a plain number and touches no memory of ours.
    let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    u32::try_from(size)
        .ok()
        .filter(|page| page.is_power_of_two())
        .unwrap_or(4096)
}
