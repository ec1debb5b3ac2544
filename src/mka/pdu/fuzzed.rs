//! Each parameter set alone, for the fuzzer: a decoder behind lengths and an ICV is hard to reach.

use alloc::vec::Vec;

use super::{
    Announcement, DistributedSak, Frame, Kmd, PeerList, SakUse, Xpn,
    set::{Set, kind},
};
use crate::mka::Discard;

/// The set of this type, flags and body as we would send it, with header and padding: empty for a type
/// that is never sent, and for what is passed over.
///
/// # Errors
/// [`Discard::Malformed`].
pub fn set_again(header: [u8; 3], body: &[u8]) -> Result<Vec<u8>, Discard> {
    let [kind, flags, more_flags] = header;
    let set = Set {
        kind,
        flags,
        more_flags: more_flags & 0xf0,
        body,
    };
    let mut out = Frame::new();
    let emitted = match kind {
        kind::LIVE | kind::POTENTIAL => PeerList::parse(set)?.emit(kind, &mut out),
        kind::SAK_USE => SakUse::parse(set)?.emit(&mut out),
        kind::DISTRIBUTED_SAK => DistributedSak::parse(set)?.emit(&mut out),
        kind::KMD => Kmd::parse(set).and_then(|kmd| kmd.emit(&mut out)),
        kind::ANNOUNCEMENT => Announcement::parse(set).emit(&mut out),
        kind::XPN => Xpn::parse(set)?.emit(&mut out),
        _ => None,
    };
    Ok(emitted.map_or_else(Vec::new, |()| out.to_vec()))
}
