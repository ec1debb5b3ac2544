//! Lanes against frames in vectors, with both halves of a real SecY and real keys.
//!
//! `frames` makes frames, `bench` a pair of lanes; `fates` is the table of what becomes of which frame
//! in which mode, `eapol` what of EAPOL gets to control, `commands` what a lane answers, `balance` that no
//! frame is lost from the books, `pieces` that bursts overlap and cross threads.

mod balance;
mod bench;
mod commands;
mod eapol;
mod fates;
mod frames;
mod pieces;
