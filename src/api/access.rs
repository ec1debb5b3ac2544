//! Who may speak to the control socket, and who may change something.
//!
//! The kernel has already let nobody connect whom the socket's mode (0660, root and the group) shuts
//! out; the peer's credentials are looked at all the same, because a mode can be changed from outside.

use alloc::{ffi::CString, format, string::String};
use std::os::unix::net::UnixStream;

use nix::{
    sys::socket::{getsockopt, sockopt::PeerCredentials},
    unistd::{Gid, Uid, User, geteuid, getgrouplist},
};

use super::{ErrorCode, ErrorReply};

/// An asker that was let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Peer {
    /// Its user.
    pub(super) uid: Uid,
    /// Its process.
    pub(super) pid: i32,
    /// Whether it may use the state-changing verbs: root, or the gateway's own user.
    pub(super) may_change: bool,
}

/// Lets in root, the gateway's own user, and members of `group`.
pub(super) fn admit(stream: &UnixStream, group: Option<Gid>) -> Result<Peer, ErrorReply> {
    let credentials = getsockopt(stream, PeerCredentials).map_err(|error| {
        let text = format!("who asks is not known: {error}");
        ErrorReply::new(
            ErrorCode::NotAllowed,
            text,
            "ask over the control socket of this machine",
        )
    })?;
    let (uid, gid) = (
        Uid::from_raw(credentials.uid()),
        Gid::from_raw(credentials.gid()),
    );
    let may_change = uid.is_root() || uid == geteuid();
    if may_change || group.is_some_and(|group| gid == group || is_member(uid, gid, group)) {
        Ok(Peer {
            uid,
            pid: credentials.pid(),
            may_change,
        })
    } else {
        let text = format!("user {uid} may not speak to this gateway");
        let remedy = "ask as root, or become a member of the gateway's group";
        Err(ErrorReply::new(ErrorCode::NotAllowed, text, remedy))
    }
}

/// Refuses a change to those who may only read.
pub(super) fn allow_change(peer: Peer, verb: &str) -> Result<(), ErrorReply> {
    if peer.may_change {
        return Ok(());
    }
    let text = format!("user {} may read, and not `{verb}`", peer.uid);
    let remedy = String::from("ask as root or as the gateway's own user");
    Err(ErrorReply::new(ErrorCode::NotAllowed, text, remedy))
}

fn is_member(uid: Uid, gid: Gid, group: Gid) -> bool {
    let Ok(Some(user)) = User::from_uid(uid) else {
        return false;
    };
    CString::new(user.name)
        .ok()
        .and_then(|name| getgrouplist(&name, gid).ok())
        .is_some_and(|groups| groups.contains(&group))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_user_may_change_and_a_mere_member_may_not() {
        let (ours, _theirs) = UnixStream::pair().unwrap();
        let peer = admit(&ours, None).unwrap();
        assert!(peer.may_change);
        assert_eq!(allow_change(peer, "reload"), Ok(()));
        let member = Peer {
            may_change: false,
            ..peer
        };
        let refusal = allow_change(member, "reload").unwrap_err();
        assert_eq!(refusal.code, ErrorCode::NotAllowed);
    }
}
