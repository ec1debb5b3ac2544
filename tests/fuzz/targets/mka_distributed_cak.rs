//! Fuzzes [`macsec_gateway_fuzz::mka_sets::distributed_cak`].
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| macsec_gateway_fuzz::mka_sets::distributed_cak(octets));
