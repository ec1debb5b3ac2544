//! The transitions (802.1X-2020 figure 12-2). Of several that could be made, the first is.
//!
//! Where this is not the figure, docs/adr/0009 says why: a first key waits for its peers like every
//! other one, a change of the key server alone drops no key, and no state waits for one thing only.

use super::{
    Connect::{Authenticated, Secure, Unauthenticated},
    State::{self, *},
    inputs::When::{self, *},
};

/// From this state, when this holds, to that state.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) from: State,
    pub(super) when: When,
    pub(super) to: State,
}

const fn row(from: State, when: When, to: State) -> Row {
    Row { from, when, to }
}

/// Every transition.
pub(super) const TABLE: &[Row] = &[
    row(Init, Enabled, Change),
    row(Change, Disabled, Init),
    row(Change, Is(Unauthenticated), Allowed),
    row(Change, Is(Authenticated), State::Authenticated),
    row(Change, Is(Secure), Secured),
    row(Allowed, Disabled, Init),
    row(Allowed, IsNot(Unauthenticated), Change),
    row(State::Authenticated, Disabled, Init),
    row(State::Authenticated, IsNot(Authenticated), Change),
    row(Secured, Disabled, Init),
    row(Secured, IsNot(Secure), Change),
    row(Secured, NewSak, Receive),
    row(Receive, Disabled, Init),
    row(Receive, IsNot(Secure), Abandon),
    row(Receive, Failed, Abandon),
    row(Receive, NewSak, Abandon),
    row(Receive, UsingReceiveSas, Receiving),
    row(Receiving, Disabled, Init),
    row(Receiving, IsNot(Secure), Abandon),
    row(Receiving, Failed, Abandon),
    row(Receiving, NewSak, Abandon),
    row(Receiving, NotElected, Ready),
    row(Receiving, MayTransmit, Transmit),
    row(Ready, Disabled, Init),
    row(Ready, IsNot(Secure), Abandon),
    row(Ready, Failed, Abandon),
    // Before a newer key: giving up a key that is being transmitted with would lose frames.
    row(Ready, ServerTransmitting, Transmit),
    row(Ready, NewSak, Abandon),
    row(Transmit, Disabled, Init),
    row(Transmit, IsNot(Secure), Abandon),
    row(Transmit, UsingTransmitSa, Transmitting),
    row(Transmit, Failed, Abandon),
    row(Transmitting, Disabled, Init),
    row(Transmitting, IsNot(Secure), Retire),
    row(Transmitting, RetireDelayOver, Retire),
    row(Abandon, Disabled, Init),
    row(Abandon, IsNot(Secure), Retire),
    row(Abandon, NewSak, Receive),
    row(Retire, Disabled, Init),
    row(Retire, IsNot(Secure), Change),
    row(Retire, NewSak, Receive),
];
