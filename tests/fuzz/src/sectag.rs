//! [`SecTag::parse`]: what was read is what would be written.

use macsec_gateway::ieee::{MacAddr, PnSpace};
use macsec_gateway::macsec::{SecTag, Tci};

/// One input: the octets from the EtherType on.
pub fn run(octets: &[u8]) {
    let tag = match SecTag::parse(octets) {
        Ok(tag) => tag,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    let mut out = [0xa5; SecTag::LEN_WITH_SCI];
    assert_eq!(tag.emit(&mut out), Some(tag.len()));
    assert_eq!(out[..tag.len()], octets[..tag.len()]);
    assert_eq!(tag.sci.is_some(), tag.tci.has(Tci::SC));
    if let Ok(len) = tag.data_len(octets.len()) {
        assert!(tag.len() + len + 16 <= octets.len());
        assert_eq!(SecTag::short_length_of(len), tag.short_length);
    }
    let source = MacAddr([2, 0, 0, 0, 0, 1]);
    if let Some(sci) = tag.channel(source) {
        assert!(tag.sci == Some(sci) || sci.address() == source);
    }
    assert!(tag.check_pn(PnSpace::Extended).is_ok());
    assert_eq!(tag.check_pn(PnSpace::Short).is_ok(), tag.pn != 0);
}
