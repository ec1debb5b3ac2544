//! Key agreement on control's thread, between two gateways or against what a wire may bring.

mod ends;
mod securing;
