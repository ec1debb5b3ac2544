//! The offload features of an interface, by the kernel's own names for them.
//!
//! The kernel numbers its features as it likes and gives the names in the same order, so both are
//! asked for and joined. See `linux/ethtool.h`.

use core::mem;
use core::ptr;
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::net::UnixDatagram;

const GSTRINGS: u32 = 0x1b;
const GSSET_INFO: u32 = 0x37;
const GFEATURES: u32 = 0x3a;
/// `ETH_SS_FEATURES`: the set of strings that names the features.
const FEATURE_NAMES: u32 = 4;
/// `ETH_GSTRING_LEN`.
const NAME_OCTETS: usize = 32;
/// More names than any kernel has; guards the buffer's size.
const MOST_FEATURES: u32 = 4096;

/// A feature that is on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Feature {
    /// The kernel's name, for example `rx-gro`.
    pub(super) name: String,
    /// Whether nobody can switch it off.
    pub(super) fixed: bool,
}

/// The features of an interface that are on.
pub(super) fn active_features(interface: &str) -> io::Result<Vec<Feature>> {
    let socket = Socket::open(interface)?;
    let names = socket.feature_names()?;
    let blocks = socket.feature_blocks(names.len().div_ceil(32))?;
    let on = names.into_iter().enumerate().filter_map(|(bit, name)| {
        let block = blocks.get(bit / 32)?;
        let has = |word: u32| word >> (bit % 32) & 1 == 1;
        let fixed = !has(block.available) || has(block.never_changed);
        has(block.active).then_some(Feature { name, fixed })
    });
    Ok(on.collect())
}

/// `struct ethtool_get_features_block`, 32 features.
struct Block {
    available: u32,
    active: u32,
    never_changed: u32,
}

/// Any socket serves to reach an interface by ioctl; this one has no address and no port.
struct Socket<'a> {
    socket: UnixDatagram,
    interface: &'a str,
}

impl<'a> Socket<'a> {
    fn open(interface: &'a str) -> io::Result<Self> {
        let socket = UnixDatagram::unbound()?;
        Ok(Self { socket, interface })
    }

    fn feature_names(&self) -> io::Result<Vec<String>> {
        // cmd, reserved, a 64-bit mask of string sets, one count per set asked for.
        let mask = (1_u64 << FEATURE_NAMES).to_ne_bytes();
        let (low, high) = mask.split_at(4);
        let word = |octets: &[u8]| octets.try_into().map_or(0, u32::from_ne_bytes);
        let mut info = [GSSET_INFO, 0, word(low), word(high), 0];
        // SAFETY: for one string set the kernel writes one count, the buffer's last word.
        unsafe { self.call(&mut info) }?;
        let count = info[4];
        if count == 0 || count > MOST_FEATURES {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let octets = count as usize * NAME_OCTETS;
        let mut strings = vec![0; 3 + octets / 4];
        strings[..3].copy_from_slice(&[GSTRINGS, FEATURE_NAMES, count]);
        // SAFETY: the kernel writes one name of 32 octets per feature, and the number of features
        // that it just gave is a constant of the running kernel.
        unsafe { self.call(&mut strings) }?;
        let octets: Vec<u8> = strings
            .iter()
            .skip(3)
            .flat_map(|word| word.to_ne_bytes())
            .collect();
        Ok(octets.chunks_exact(NAME_OCTETS).map(name).collect())
    }

    fn feature_blocks(&self, blocks: usize) -> io::Result<Vec<Block>> {
        let mut features = vec![0; 2 + blocks * 4];
        features[0] = GFEATURES;
        features[1] = u32::try_from(blocks).unwrap_or_default();
        // SAFETY: the kernel writes as many blocks of four words as the second word allows, and
        // the buffer has that many.
        unsafe { self.call(&mut features) }?;
        let words = features.get(2..).unwrap_or_default();
        let block = |w: &[u32]| Block {
            available: w[0],
            active: w[2],
            never_changed: w[3],
        };
        Ok(words.chunks_exact(4).map(block).collect())
    }

    /// `SIOCETHTOOL` with this command.
    ///
    /// # Safety
    /// `command` must be as long as the kernel's answer to it.
    unsafe fn call(&self, command: &mut [u32]) -> io::Result<()> {
        // SAFETY: every field of ifreq is a number, an array or a pointer: all zero is a value.
        let mut request: libc::ifreq = unsafe { mem::zeroed() };
        let room = request.ifr_name.len() - 1;
        for (to, from) in request
            .ifr_name
            .iter_mut()
            .take(room)
            .zip(self.interface.bytes())
        {
            *to = from.cast_signed();
        }
        request.ifr_ifru.ifru_data = command.as_mut_ptr().cast();
        let fd = self.socket.as_raw_fd();
        // SAFETY: the request names an interface with a NUL and points to `command`, which the
        // caller made long enough and which outlives the call.
        let status = unsafe { libc::ioctl(fd, SIOCETHTOOL, ptr::from_mut(&mut request)) };
        if status < 0 {
            Err(io::Error::last_os_error())
        } else {
            Ok(())
        }
    }
}

const SIOCETHTOOL: libc::c_ulong = 0x8946;

fn name(octets: &[u8]) -> String {
    let end = octets.iter().position(|b| *b == 0).unwrap_or(octets.len());
    String::from_utf8_lossy(octets.get(..end).unwrap_or_default()).into_owned()
}
