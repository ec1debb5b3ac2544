//! Fuzzes [`macsec_gateway_fuzz::http`].
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| macsec_gateway_fuzz::http::run(octets));
