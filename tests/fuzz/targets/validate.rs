//! Fuzzes [`macsec_gateway_fuzz::validate`].
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| macsec_gateway_fuzz::validate::run(octets));
