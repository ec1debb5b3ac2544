//! Fuzzes [`macsec_gateway_fuzz::key_file`].
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| macsec_gateway_fuzz::key_file::run(octets));
