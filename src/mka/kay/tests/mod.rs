//! KaYs on one wire in virtual time, over data planes that answer at once, late, or not at all.

mod bed;
mod habits;
mod identity;
mod plane;
mod two;
