//! IEEE 802.1AE, pure: SecTAG, nonce, replay window, SA, SC, SecY and their counters.
