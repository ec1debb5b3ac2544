//! Fuzzes [`macsec_gateway_fuzz::state_record`].
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| macsec_gateway_fuzz::state_record::run(octets));
