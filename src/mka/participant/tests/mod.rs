//! A participant by itself, and a few of them among each other, in virtual time.

mod bench;

mod election;
mod exchange;
mod lists;
mod liveness;
mod messages;
mod own;
mod pace;
mod restart;
