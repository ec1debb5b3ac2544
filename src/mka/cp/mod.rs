//! The CP machine (802.1X-2020 clause 12, figure 12-2): when a key is received with, when it is
//! transmitted with, and when the one before it goes.
//!
//! The machine is a table and knows nothing else: [`Inputs`] are its variables, and a state that is
//! entered is for the KaY to act on.

mod inputs;
mod state;
mod table;

pub(in crate::mka) use inputs::{Connect, Inputs};
pub(in crate::mka) use state::State;

/// The machine of one KaY.
#[derive(Debug, Default)]
pub(in crate::mka) struct Cp {
    state: State,
}

impl Cp {
    /// A machine that goes on in `state` after a restart, without having entered it.
    pub(in crate::mka) const fn resume(state: State) -> Self {
        Self { state }
    }

    /// The state that it is in.
    pub(in crate::mka) const fn state(&self) -> State {
        self.state
    }

    /// Whether the latest key is still to be transmitted with.
    pub(in crate::mka) const fn awaits_latest(&self) -> bool {
        matches!(
            self.state,
            State::Receive | State::Receiving | State::Ready | State::Transmit
        )
    }

    /// Enters the next state, if one of the conditions for that holds.
    pub(in crate::mka) fn step(&mut self, inputs: &Inputs) -> Option<State> {
        let next = table::TABLE
            .iter()
            .find(|row| row.from == self.state && row.when.holds(inputs))?
            .to;
        self.state = next;
        Some(next)
    }
}

#[cfg(test)]
mod tests;
