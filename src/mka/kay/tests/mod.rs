//! KaYs on one wire in virtual time, over data planes that answer at once, late, or not at all.

mod bed;
mod caks;
mod client;
mod habits;
mod identity;
mod plane;
mod played;
mod restart;
mod server;
mod three;
mod two;
mod xpn;
