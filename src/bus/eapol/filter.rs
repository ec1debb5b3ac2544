//! What a validate lane looks at before it copies EAPOL for control.

use alloc::vec::Vec;

use crate::{
    bus::DropReason,
    ieee::{Ckn, EtherType, MacAddr},
};

/// Whose slots a frame may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EapolClass {
    /// A live peer's, by its source address.
    Live,
    /// Anyone's.
    Other,
}

/// What a link's KaY wants to hear. Made by control whenever it changes; the lane's last one comes home.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EapolFilter {
    /// The EtherType of MKPDUs on this link.
    pub ethertype: EtherType,
    /// The source address of our own MKPDUs.
    pub own: MacAddr,
    /// The names of the CAKs in use.
    pub ckns: Vec<Ckn>,
    /// Source addresses of live peers, as heard in MKPDUs with the right ICV.
    pub live: Vec<MacAddr>,
}

/// Places of an EAPOL frame (802.1X-2020 11.3) and of the basic parameter set (11.11.1).
const SOURCE: usize = 6;
const ETHERTYPE: usize = 12;
const PACKET_TYPE: usize = 15;
const BODY_LENGTH: usize = 16;
const BODY: usize = 18;
const CKN: usize = BODY + 32;

/// The packet type of MKA.
const MKA: u8 = 5;

/// The shortest body of an MKPDU.
const SHORTEST_BODY: usize = 32;

/// Octets of the basic parameter set's own body but for the CKN.
const BASIC_WITHOUT_CKN: usize = 28;

impl EapolFilter {
    /// Whose slots this frame of EtherType EAPOL, or of [`Self::ethertype`], may take.
    ///
    /// No key is needed for any of this, and no frame that the KaY would take is refused.
    ///
    /// # Errors
    /// Why it is of no use to the KaY.
    pub fn judge(&self, frame: &[u8]) -> Result<EapolClass, DropReason> {
        let source = frame.get(SOURCE..).and_then(|rest| rest.first_chunk());
        let source = MacAddr(*source.ok_or(DropReason::EapolLength)?);
        if source == self.own {
            return Err(DropReason::EapolReflected);
        }
        let packet_type = frame.get(PACKET_TYPE).ok_or(DropReason::EapolLength)?;
        if number_at(frame, ETHERTYPE) != Some(usize::from(self.ethertype.0)) || *packet_type != MKA
        {
            return Err(DropReason::EapolNotMka);
        }
        let ckn = ckn_of(frame).ok_or(DropReason::EapolLength)?;
        if !self.ckns.iter().any(|known| known.octets() == ckn) {
            return Err(DropReason::EapolUnknownCkn);
        }
        Ok(if self.live.contains(&source) {
            EapolClass::Live
        } else {
            EapolClass::Other
        })
    }
}

/// The CKN of an MKPDU whose lengths hold together (802.1X-2020 11.11.2).
fn ckn_of(frame: &[u8]) -> Option<&[u8]> {
    let body = number_at(frame, BODY_LENGTH)?;
    let fits = body >= SHORTEST_BODY && body.is_multiple_of(4) && BODY + body <= frame.len();
    // The low twelve bits are the set's length; what stands above them are flags.
    let basic = number_at(frame, BODY + 2)? & 0x0fff;
    let len = basic.checked_sub(BASIC_WITHOUT_CKN)?;
    let known = (1..=Ckn::MAX_LEN).contains(&len) && CKN + len <= BODY + body;
    (fits && known).then(|| frame.get(CKN..CKN + len))?
}

fn number_at(frame: &[u8], at: usize) -> Option<usize> {
    let octets = frame.get(at..)?.first_chunk()?;
    Some(usize::from(u16::from_be_bytes(*octets)))
}
