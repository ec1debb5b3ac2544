//! The machine's variables (802.1X-2020 12.4), and the conditions that they make.

/// How the KaY wants the port to be connected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(in crate::mka) enum Connect {
    /// Not known yet: no live peer.
    #[default]
    Pending,
    /// Without authentication. A KaY with pre-shared keys alone never says so.
    Unauthenticated,
    /// Authenticated, without MACsec: the key server's word, where the policy takes it.
    Authenticated,
    /// With MACsec.
    Secure,
}

/// What the machine looks at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(in crate::mka) struct Inputs {
    /// The port can be used.
    pub(in crate::mka) port_enabled: bool,
    /// How it is to be connected.
    pub(in crate::mka) connect: Connect,
    /// There is a SAK that was not yet acted on.
    pub(in crate::mka) new_sak: bool,
    /// The data plane receives with the latest key.
    pub(in crate::mka) using_receive_sas: bool,
    /// Every live peer says that it receives with the latest key.
    pub(in crate::mka) all_receiving: bool,
    /// We are the key server, and the latest key is ours.
    pub(in crate::mka) elected_self: bool,
    /// The key server says that it transmits with the latest key.
    pub(in crate::mka) server_transmitting: bool,
    /// Peers had their time to receive.
    pub(in crate::mka) transmit_delay_over: bool,
    /// The data plane transmits with the latest key.
    pub(in crate::mka) using_transmit_sa: bool,
    /// The old key is no longer needed.
    pub(in crate::mka) retire_delay_over: bool,
    /// The data plane can't do what it was asked for the latest key, or does not answer.
    pub(in crate::mka) failed: bool,
}

/// What makes a transition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// The port can be used.
    Enabled,
    /// The port can't be used any more.
    Disabled,
    /// It is to be connected in this way.
    Is(Connect),
    /// It is to be connected in another way.
    IsNot(Connect),
    /// A SAK came.
    NewSak,
    /// The data plane receives with the latest key.
    UsingReceiveSas,
    /// We are the key server, and every peer receives or had its time.
    MayTransmit,
    /// Another is the key server.
    NotElected,
    /// The key server transmits.
    ServerTransmitting,
    /// The data plane transmits with the latest key.
    UsingTransmitSa,
    /// The old key is no longer needed.
    RetireDelayOver,
    /// The data plane failed.
    Failed,
}

impl When {
    /// Whether it is so.
    pub(super) fn holds(self, inputs: &Inputs) -> bool {
        match self {
            Self::Enabled => inputs.port_enabled,
            Self::Disabled => !inputs.port_enabled,
            Self::Is(connect) => inputs.connect == connect,
            Self::IsNot(connect) => inputs.connect != connect,
            Self::NewSak => inputs.new_sak,
            Self::UsingReceiveSas => inputs.using_receive_sas,
            Self::MayTransmit => {
                inputs.elected_self && (inputs.all_receiving || inputs.transmit_delay_over)
            }
            Self::NotElected => !inputs.elected_self,
            Self::ServerTransmitting => inputs.server_transmitting,
            Self::UsingTransmitSa => inputs.using_transmit_sa,
            Self::RetireDelayOver => inputs.retire_delay_over,
            Self::Failed => inputs.failed,
        }
    }
}
