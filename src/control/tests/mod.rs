//! Control against a data plane that the test turns by hand, in virtual time.
//!
//! `ports` are ports that keep a journal, `plane` a worker that obeys from the real SecY halves, `bed`
//! puts a gateway together; the others are what must hold.

mod bed;
mod ending;
mod keys;
mod mka;
mod numbers;
mod opening;
mod plane;
mod ports;
mod reloading;
