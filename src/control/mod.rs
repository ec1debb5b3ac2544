//! The one thread that owns keys, desired state and the clock, and tells the lanes what to do.
//!
//! `run` is the thread; `link` one link's machine; `agreement` its static keys; `stance` the
//! encryption mode's table; `port` a port's way up and down; `books` what goes to disk.

mod agreement;
mod alarms;
mod books;
mod helpers;
mod line_rate;
mod link;

mod mka;
mod outbox;
mod picture;
mod port;
mod prepared;
mod reload;
mod request;
mod rising_stats;
mod run;
mod rx_use;
mod stance;
#[cfg(test)]
mod tests;
mod tx_use;

pub use books::Books;
pub use link::LinkParts;
pub use reload::bypass_list;
pub use request::{Asked, Request, Requests, request_channel};
pub use run::{Control, ControlParts, Ended, ProcessFacts};
