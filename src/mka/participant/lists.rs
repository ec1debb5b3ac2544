//! Our own name in a peer's lists: the proof that it hears us (802.1X-2020 9.4.3).

use core::time::Duration;

use super::numbers::{Numbers, Sent};
use crate::mka::{Time, pdu::Mkpdu};

/// What a peer's lists say of us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Echo {
    /// It heard a MKPDU that we sent at this time, less than MKA Life Time ago.
    Fresh(Time),
    /// It heard a MKPDU that we never sent: another one goes by our name, or we forgot.
    Ahead,
    /// It does not hear us, or not lately.
    None,
}

/// Looks for ourselves in both lists: a peer that is not sure of us yet has us in its potential list.
pub(super) fn echo(pdu: &Mkpdu, own: &Numbers, now: Time, life: Duration) -> Echo {
    let lists = [&pdu.live, &pdu.potential];
    lists
        .into_iter()
        .flatten()
        .flat_map(|list| &list.peers)
        .filter(|(mi, _)| *mi == own.mi())
        .fold(Echo::None, |found, (_, mn)| match (found, own.sent(*mn)) {
            (_, Sent::Never) => Echo::Ahead,
            (Echo::None, Sent::At(at)) if now.since(at) < life => Echo::Fresh(at),
            (Echo::Fresh(other), Sent::At(at)) => Echo::Fresh(at.max(other)),
            (found, _) => found,
        })
}
