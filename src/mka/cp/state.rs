//! The states, by the standard's names.

/// A state of the CP machine (802.1X-2020 figure 12-2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(in crate::mka) enum State {
    /// The port is not enabled: there are no keys.
    #[default]
    Init,
    /// How the port is connected is being decided: there are no keys.
    Change,
    /// Connected without authentication.
    Allowed,
    /// Connected, authenticated, without MACsec.
    Authenticated,
    /// MACsec is to be used; no key yet.
    Secured,
    /// The latest key is being installed to receive.
    Receive,
    /// It is installed; a key server waits for its peers.
    Receiving,
    /// It is installed; a client waits for the key server to transmit.
    Ready,
    /// The data plane is being told to transmit with it.
    Transmit,
    /// It is transmitted with; the old key is received with for a while.
    Transmitting,
    /// The latest key is given up before it was transmitted with.
    Abandon,
    /// The old key is gone; the latest one is the old one now.
    Retire,
}

impl State {
    /// All of them, in the standard's order.
    #[cfg(test)]
    pub(in crate::mka) const ALL: [Self; 12] = [
        Self::Init,
        Self::Change,
        Self::Allowed,
        Self::Authenticated,
        Self::Secured,
        Self::Receive,
        Self::Receiving,
        Self::Ready,
        Self::Transmit,
        Self::Transmitting,
        Self::Abandon,
        Self::Retire,
    ];

    /// The name, as the standard writes it.
    pub(in crate::mka) const fn name(self) -> &'static str {
        match self {
            Self::Init => "INIT",
            Self::Change => "CHANGE",
            Self::Allowed => "ALLOWED",
            Self::Authenticated => "AUTHENTICATED",
            Self::Secured => "SECURED",
            Self::Receive => "RECEIVE",
            Self::Receiving => "RECEIVING",
            Self::Ready => "READY",
            Self::Transmit => "TRANSMIT",
            Self::Transmitting => "TRANSMITTING",
            Self::Abandon => "ABANDON",
            Self::Retire => "RETIRE",
        }
    }
}
