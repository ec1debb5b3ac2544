//! A MKPDU as a frame: parameter sets in the order of their types, the ICV last.

use super::{
    Envelope, Frame, Mkpdu,
    frame::{EAPOL_LEN, EAPOL_MKA, EAPOL_VERSION, ETHERNET_LEN, covered, ethernet},
    icv_indicator,
    set::{kind, put},
};
use crate::crypto::{ICV_LEN, Ick, KeyAgreement};

/// The frame that carries `pdu`.
///
/// `None` where it does not fit into a frame, where a wrapped SAK is not as long as its suite's, and for
/// a Distributed CAK, which is never sent. The shortest one is 70 octets long: Ethernet pads none.
pub fn encode(
    pdu: &Mkpdu,
    envelope: &Envelope,
    crypto: &dyn KeyAgreement,
    ick: &Ick,
) -> Option<Frame> {
    let header = ethernet(envelope.destination, envelope.source, envelope.ethertype);
    let mut frame = Frame::new();
    put(&mut frame, &header)?;
    put(&mut frame, &[EAPOL_VERSION, EAPOL_MKA, 0, 0])?;
    parameter_sets(pdu, &mut frame)?;
    set_body_len(&mut frame)?;
    let header = covered(header, envelope.icv_header);
    let icv = crypto.icv(ick, &[&header, frame.get(ETHERNET_LEN..)?]);
    put(&mut frame, &icv)?;
    Some(frame)
}

/// Appends every set, the ICV Indicator's header last.
fn parameter_sets(pdu: &Mkpdu, out: &mut Frame) -> Option<()> {
    (!pdu.distributed_cak).then_some(())?;
    pdu.basic.emit(out)?;
    each(&pdu.live, |list| list.emit(kind::LIVE, out))?;
    each(&pdu.potential, |list| list.emit(kind::POTENTIAL, out))?;
    each(&pdu.sak_use, |set| set.emit(out))?;
    each(&pdu.distributed_sak, |set| set.emit(out))?;
    each(&pdu.kmd, |set| set.emit(out))?;
    each(&pdu.announcement, |set| set.emit(out))?;
    each(&pdu.xpn, |set| set.emit(out))?;
    if pdu.icv_indicator {
        icv_indicator::emit(out)?;
    }
    Some(())
}

/// Emits a set if it is there.
fn each<T>(set: &Option<T>, emit: impl FnOnce(&T) -> Option<()>) -> Option<()> {
    set.as_ref().map_or(Some(()), emit)
}

/// Writes into the EAPOL header how long the MKPDU will be with its ICV.
fn set_body_len(frame: &mut Frame) -> Option<()> {
    let headers = ETHERNET_LEN.checked_add(EAPOL_LEN)?;
    let len = frame.len().checked_add(ICV_LEN)?.checked_sub(headers)?;
    let field = frame.get_mut(headers.checked_sub(2)?..headers)?;
    field.copy_from_slice(&u16::try_from(len).ok()?.to_be_bytes());
    Some(())
}
