//! Fuzzes [`macsec_gateway_fuzz::names`].
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| macsec_gateway_fuzz::names::run(octets));
