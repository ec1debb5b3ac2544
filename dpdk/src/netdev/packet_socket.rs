//! The socket behind a `net_af_packet` port, given a fresh start outside its fan-out group.
//!
//! The driver (22.11 up to today) puts its socket into a fan-out group even when it has only one,
//! and asks for `PACKET_FANOUT_FLAG_DEFRAG`: the kernel then joins the fragments of every IPv4
//! packet before the driver sees them. A wire does not edit: fragments have to come out as they
//! went in, and what they make together is longer than the link's longest frame. There is no
//! argument against it, and a socket cannot leave a group.
//!
//! So before the port is set up, [`leave_fanout`] opens a socket with the same rings, maps it where
//! the driver's own rings are mapped and puts it in the place of the driver's descriptor. The driver
//! only ever touches those two: the memory and the number. The new socket also leaves out what the
//! kernel itself sends on the interface, which is not from the wire.

use core::mem;
use core::ptr;
use std::fs;
use std::io;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd, RawFd};

use super::Error;
use super::link::Interface;
use crate::port::{Port, Probed};
use crate::vdev::{Driver, Vdev};

/// `struct tpacket_req`: the rings as the driver asks for them.
#[repr(C)]
struct RingRequest {
    block_size: u32,
    block_count: u32,
    frame_size: u32,
    frame_count: u32,
}

/// Socket options at level `SOL_PACKET` (`linux/if_packet.h`).
const RX_RING: i32 = 5;
const VERSION: i32 = 10;
const TX_RING: i32 = 13;
const LOSS: i32 = 14;
const FANOUT: i32 = 18;
const QDISC_BYPASS: i32 = 20;
const IGNORE_OUTGOING: i32 = 23;
/// `TPACKET_V2`, the driver's version of the rings.
const TPACKET_V2: i32 = 1;

/// Takes the socket of a `net_af_packet` port out of its fan-out group.
///
/// `vdev` is the device as it was started ([`crate::vdev::Plan::vdev`]: with its rings). To be
/// called in the interface's network namespace. What the rings hold is thrown away: the port has
/// not been set up yet, so nobody reads them. Does nothing when the socket is in no group.
///
/// # Errors
/// Another port's device, the socket or its rings are not found, or the kernel refuses; the port
/// must then not be used.
pub fn leave_fanout(port: &Port<Probed>, vdev: &Vdev) -> Result<(), Error> {
    const ACTION: &str = "take the socket of net_af_packet out of its fan-out group";
    let ours = vdev.driver() == Driver::AfPacket && port.info().name == vdev.name();
    let Some(name) = vdev.interface().filter(|_| ours) else {
        return Err(Error::Answer {
            interface: vdev.name().to_owned(),
            action: ACTION,
        });
    };
    let index = Interface::query(name)?.index;
    replace(vdev, index).map_err(|error| Error::new(name, ACTION, &error))
}

/// Clears the error that an interface leaves on this process's packet sockets when it goes down.
///
/// The next send would only report it and send nothing: the frames would stay in the ring until the
/// one after. To be called when the interface is up again.
///
/// # Errors
/// No such interface, or the descriptors can't be listed.
pub fn clear_error(interface: &str) -> Result<(), Error> {
    let index = Interface::query(interface)?.index;
    let failed = |error| Error::new(interface, "clear the error of its packet socket", &error);
    for fd in packet_sockets(index).map_err(failed)? {
        let mut error = 0_i32;
        let mut length = octets_of::<i32>();
        let place = (&raw mut error).cast();
        // SAFETY: the kernel writes at most `length` octets, which is the size of `error`. Reading
        // the option is what clears it.
        unsafe { libc::getsockopt(fd, libc::SOL_SOCKET, libc::SO_ERROR, place, &raw mut length) };
    }
    Ok(())
}

fn replace(vdev: &Vdev, index: u32) -> io::Result<()> {
    let Some(old) = fanned_out_socket(index)? else {
        return Ok(());
    };
    let request = ring_request(vdev).ok_or(io::ErrorKind::InvalidInput)?;
    let map = Mapping::of(old)?;
    if map.length != request.octets() {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let fresh = open(&request, vdev.arg("qdisc_bypass") != Some("0"))?;
    // SAFETY: the mapping is that of the driver's rings, which only its queues touch: a port that
    // is just probed has none.
    unsafe { map.replace(&fresh) }?;
    put_in_place(&fresh, old)?;
    bind(old, index)
}

impl RingRequest {
    /// The octets of both rings.
    fn octets(&self) -> usize {
        2 * self.block_size as usize * self.block_count as usize
    }
}

fn ring_request(vdev: &Vdev) -> Option<RingRequest> {
    let number = |key| {
        vdev.arg(key)?
            .parse::<u32>()
            .ok()
            .filter(|value| *value > 0)
    };
    let (block_size, frame_size) = (number("blocksz")?, number("framesz")?);
    let frame_count = number("framecnt")?;
    let block_count = frame_count.checked_div(block_size.checked_div(frame_size)?)?;
    Some(RingRequest {
        block_size,
        block_count,
        frame_size,
        frame_count,
    })
}

/// The process's packet socket on that interface that is in a fan-out group.
fn fanned_out_socket(index: u32) -> io::Result<Option<RawFd>> {
    let mut found = packet_sockets(index)?.filter(|fd| is_fanned_out(*fd));
    match (found.next(), found.next()) {
        (found, None) => Ok(found),
        // Which of them is the driver's cannot be told.
        (_, Some(_)) => Err(io::ErrorKind::AlreadyExists.into()),
    }
}

/// The process's packet sockets on that interface.
fn packet_sockets(index: u32) -> io::Result<impl Iterator<Item = RawFd>> {
    let open = fs::read_dir("/proc/self/fd")?.flatten();
    let numbers = open.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    Ok(numbers.filter(move |fd| packet_interface(*fd) == Some(index)))
}

/// The interface that a descriptor's packet socket is bound to; `None` for any other descriptor.
fn packet_interface(fd: RawFd) -> Option<u32> {
    // SAFETY: every field of sockaddr_ll is a number or an array: all zero is a value.
    let mut address: libc::sockaddr_ll = unsafe { mem::zeroed() };
    let mut length = octets_of::<libc::sockaddr_ll>();
    let place = (&raw mut address).cast();
    // SAFETY: the kernel writes at most `length` octets, which is the size of `address`.
    let status = unsafe { libc::getsockname(fd, place, &raw mut length) };
    let is_packet = status == 0 && i32::from(address.sll_family) == libc::AF_PACKET;
    is_packet.then_some(address.sll_ifindex.cast_unsigned())
}

fn is_fanned_out(fd: RawFd) -> bool {
    let mut group = 0_u32;
    let mut length = octets_of::<u32>();
    let place = (&raw mut group).cast();
    // SAFETY: the kernel writes at most `length` octets, which is the size of `group`.
    let status = unsafe { libc::getsockopt(fd, libc::SOL_PACKET, FANOUT, place, &raw mut length) };
    // Number, type and flags in one word; the driver's flags are never all zero.
    status == 0 && group != 0
}

/// Where a socket's rings are mapped.
struct Mapping {
    start: usize,
    length: usize,
}

impl Mapping {
    fn of(fd: RawFd) -> io::Result<Self> {
        let link = fs::read_link(format!("/proc/self/fd/{fd}"))?;
        let name = link.to_string_lossy();
        let maps = fs::read_to_string("/proc/self/maps")?;
        let mut lines = maps
            .lines()
            .filter(|line| line.split_whitespace().last() == Some(&*name));
        match (lines.next().and_then(Self::parse), lines.next()) {
            (Some(found), None) => Ok(found),
            _ => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn parse(line: &str) -> Option<Self> {
        let (start, end) = line.split_whitespace().next()?.split_once('-')?;
        let number = |text| usize::from_str_radix(text, 16).ok();
        let start = number(start)?;
        Some(Self {
            start,
            length: number(end)?.checked_sub(start)?,
        })
    }

    /// Maps another socket's rings in the same place.
    ///
    /// # Safety
    /// Nobody may be using the memory.
    unsafe fn replace(&self, socket: &OwnedFd) -> io::Result<()> {
        let place = ptr::with_exposed_provenance_mut(self.start);
        let access = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_SHARED | libc::MAP_LOCKED | libc::MAP_FIXED;
        let fd = socket.as_raw_fd();
        // SAFETY: the range is exactly one existing mapping, which is replaced as a whole; it is
        // in no Rust object, and the caller vouches that nobody uses it.
        let mapped = unsafe { libc::mmap(place, self.length, access, flags, fd, 0) };
        if mapped == place {
            Ok(())
        } else {
            Err(io::Error::last_os_error())
        }
    }
}

/// A packet socket set up as the driver does it, without the group. It receives nothing yet.
fn open(request: &RingRequest, qdisc_bypass: bool) -> io::Result<OwnedFd> {
    let kind = libc::SOCK_RAW | libc::SOCK_CLOEXEC;
    // SAFETY: socket takes plain numbers and touches no memory of ours.
    let fd = unsafe { libc::socket(libc::AF_PACKET, kind, 0) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor was opened just above, is valid, and nobody else has it.
    let socket = unsafe { OwnedFd::from_raw_fd(fd) };
    set(&socket, VERSION, &TPACKET_V2)?;
    set(&socket, LOSS, &1_i32)?;
    if qdisc_bypass {
        set(&socket, QDISC_BYPASS, &1_i32)?;
    }
    set(&socket, IGNORE_OUTGOING, &1_i32)?;
    set(&socket, RX_RING, request)?;
    set(&socket, TX_RING, request)?;
    Ok(socket)
}

fn set<T>(socket: &OwnedFd, option: i32, value: &T) -> io::Result<()> {
    let (fd, length) = (socket.as_raw_fd(), octets_of::<T>());
    let place = ptr::from_ref(value).cast();
    // SAFETY: the kernel reads `length` octets, the size of `value`, and keeps no pointer to it.
    let status = unsafe { libc::setsockopt(fd, libc::SOL_PACKET, option, place, length) };
    if status == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Makes the driver's descriptor number mean the new socket; the old one is closed.
fn put_in_place(fresh: &OwnedFd, old: RawFd) -> io::Result<()> {
    // SAFETY: both are open descriptors; the old number stays the driver's, who closes it once.
    let status = unsafe { libc::dup3(fresh.as_raw_fd(), old, libc::O_CLOEXEC) };
    if status == old {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// From here on the socket receives.
fn bind(fd: RawFd, index: u32) -> io::Result<()> {
    // SAFETY: every field of sockaddr_ll is a number or an array: all zero is a value.
    let mut address: libc::sockaddr_ll = unsafe { mem::zeroed() };
    address.sll_family = u16::try_from(libc::AF_PACKET).unwrap_or_default();
    address.sll_protocol = u16::try_from(libc::ETH_P_ALL).unwrap_or_default().to_be();
    address.sll_ifindex = index.cast_signed();
    let place = (&raw const address).cast();
    // SAFETY: the kernel reads as many octets as `address` has.
    let status = unsafe { libc::bind(fd, place, octets_of::<libc::sockaddr_ll>()) };
    if status == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

fn octets_of<T>() -> libc::socklen_t {
    libc::socklen_t::try_from(size_of::<T>()).unwrap_or_default()
}
