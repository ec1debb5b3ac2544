//! What other threads may ask of control. Nothing else can touch its state.

use std::time::Duration;

use crossbeam::channel::{Receiver, Sender, bounded};

/// Requests that may wait; one more is refused, so that a flood can't grow memory.
const WAITING: usize = 16;

/// How long an asker waits for control.
const PATIENCE: Duration = Duration::from_secs(5);

/// A state-changing request. (Reading needs none: see `bus::SnapshotReader`.)
#[derive(Debug)]
pub enum Request {
    /// Read the config file again and apply what can change live. The answer says what was applied
    /// and what needs a restart, or why all of it was refused.
    Reload,
    /// Have a link with key agreement make a new SAK now, or as soon as it may.
    Rekey {
        /// Its name in the config.
        link: String,
    },
}

/// A request and where its answer goes.
#[derive(Debug)]
pub struct Asked {
    /// What is asked.
    pub request: Request,
    /// Takes the answer: sentences for the operator, or why it was refused.
    pub answer: Sender<Result<String, String>>,
}

/// The askers' end. Any thread may have a copy.
#[derive(Clone, Debug)]
pub struct Requests(Sender<Asked>);

/// Both ends.
pub fn request_channel() -> (Requests, Receiver<Asked>) {
    let (sender, receiver) = bounded(WAITING);
    (Requests(sender), receiver)
}

impl Requests {
    /// Asks, and waits for the answer for a bounded time.
    ///
    /// # Errors
    /// Why control refused, or that it did not answer.
    pub fn ask(&self, request: Request) -> Result<String, String> {
        let (answer, answered) = bounded(1);
        self.0
            .try_send(Asked { request, answer })
            .map_err(|_| String::from("control is busy or gone; try again"))?;
        answered
            .recv_timeout(PATIENCE)
            .map_err(|_| String::from("control did not answer within 5 s"))?
    }
}
