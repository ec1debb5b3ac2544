//! Fuzzes [`macsec_gateway_fuzz::mka_identity`].
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| macsec_gateway_fuzz::mka_identity::run(octets));
