//! Key agreement on control's thread, between two gateways or against what a wire may bring.

mod alarms;
mod clocks;
mod ends;
mod hostile;
mod modes;
mod restarts;
mod securing;
