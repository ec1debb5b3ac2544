//! What a KaY keeps over a restart, so that its peers see the member that they know.

use alloc::{sync::Arc, vec::Vec};

use super::{AgreedKey, Kn, Mi, Mn, SaId};
use crate::ieee::{An, Ckn, Pn, Sci, Ssci};

/// Identity on disk: no secret in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Rises with every save.
    pub generation: u64,
    /// The SCI that it belongs to: another link's file must not be taken.
    pub sci: Sci,
    /// One per CAK.
    pub members: Vec<Member>,
    /// The AN of the latest key, if there was one.
    pub latest: Option<SaId>,
    /// The next AN to give as key server.
    pub next_an: An,
}

/// A participant's part of an [`Identity`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Whose.
    pub ckn: Ckn,
    /// Its member identifier.
    pub mi: Mi,
    /// No message number from here on was sent.
    pub mn_reserved: Mn,
    /// No key number from here on was distributed.
    pub kn_reserved: Kn,
}

/// What a new KaY is given to go on with.
#[derive(Debug, Default)]
pub struct Remembered {
    /// Who it was.
    pub identity: Option<Identity>,
    /// SAs that may be used again, the one in use last; empty without the operator's leave.
    pub keys: Vec<RememberedKey>,
}

/// A SAK that outlived a restart.
#[derive(Clone, Debug)]
pub struct RememberedKey {
    /// The key.
    pub key: Arc<AgreedKey>,
    /// Our SSCI, with XPN.
    pub own_ssci: Option<Ssci>,
    /// No packet number from here on was sent; `None`: for receive only.
    pub next_pn: Option<Pn>,
    /// Peers: SCI, SSCI, lowest acceptable packet number.
    pub peers: Vec<(Sci, Option<Ssci>, Pn)>,
}
