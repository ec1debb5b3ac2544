//! Every engine against `ring` and against each other, over lengths, places and bursts.

use macsec_gateway::crypto::BURST_CAPACITY;

use super::frames::{Frame, Octets, assert_alike, keys};

/// Addresses and SecTAG without and with SCI, each with confidentiality offsets 0, 30 and 50.
const AAD_LENGTHS: [usize; 6] = [20, 28, 50, 58, 70, 78];

/// The most octets of additional data beside text: addresses, SecTAG with SCI, offset 50, and some.
const AAD_MAX: usize = 96;

/// Where engines change their stride, around a full frame, and around a jumbo frame.
fn lengths() -> impl Iterator<Item = usize> {
    (0..=600).chain(1400..=1520).chain(8900..=9060)
}

#[test]
fn on_every_length_of_text() {
    let mut octets = Octets(0x9E37_79B9_7F4A_7C15);
    for sak_len in [16, 32] {
        let keys = keys(&mut octets, sak_len);
        for text_len in lengths() {
            let mut clear: Vec<_> = AAD_LENGTHS
                .iter()
                .map(|&aad_len| Frame::random(&mut octets, aad_len, text_len))
                .collect();
            clear.push(Frame::random(&mut octets, text_len % AAD_MAX, text_len));
            // Integrity only: the whole frame is additional data, and the text is empty.
            clear.push(Frame::random(&mut octets, text_len, 0));
            assert_alike(&keys, &clear);
        }
    }
}

#[test]
fn on_every_length_of_additional_data() {
    let mut octets = Octets(0x3C6E_F372_FE94_F82B);
    for sak_len in [16, 32] {
        let keys = keys(&mut octets, sak_len);
        for aad_len in 0..=AAD_MAX {
            let texts: Vec<_> = (0..=130).chain([255, 256, 257, 1482, 1500]).collect();
            for some in texts.chunks(BURST_CAPACITY) {
                let clear: Vec<_> = some
                    .iter()
                    .map(|&text_len| Frame::random(&mut octets, aad_len, text_len))
                    .collect();
                assert_alike(&keys, &clear);
            }
        }
    }
}

#[test]
fn on_bursts_of_every_size_with_one_length() {
    let mut octets = Octets(0x510E_527F_ADE6_82D1);
    for sak_len in [16, 32] {
        let keys = keys(&mut octets, sak_len);
        for size in 1..=BURST_CAPACITY {
            for text_len in [0, 1, 34, 46, 48, 110, 238, 494, 1488] {
                let clear: Vec<_> = (0..size)
                    .map(|_| Frame::random(&mut octets, 28, text_len))
                    .collect();
                assert_alike(&keys, &clear);
            }
        }
    }
}

#[test]
fn on_bursts_of_every_size_with_mixed_lengths() {
    let mut octets = Octets(0xD1B5_4A32_D192_ED03);
    for sak_len in [16, 32] {
        let keys = keys(&mut octets, sak_len);
        for size in 1..=BURST_CAPACITY {
            for longest in [80, 600, 1600, 9100] {
                let clear: Vec<_> = (0..size).map(|_| mixed(&mut octets, longest)).collect();
                assert_alike(&keys, &clear);
            }
        }
    }
}

/// Mostly what MACsec makes, now and then integrity only or an odd length of additional data.
fn mixed(octets: &mut Octets, longest: usize) -> Frame {
    let text_len = octets.below(longest);
    match octets.below(8) {
        0 => Frame::random(octets, text_len, 0),
        1 => {
            let aad_len = octets.below(AAD_MAX);
            Frame::random(octets, aad_len, text_len)
        }
        _ => {
            let aad_len = AAD_LENGTHS[octets.below(AAD_LENGTHS.len())];
            Frame::random(octets, aad_len, text_len)
        }
    }
}

/// Nonces as a transmitter counts them: packet numbers on both sides of every octet's boundary, with
/// frames long enough for the block counter to cross its own.
#[test]
fn on_numbers_across_every_boundary() {
    let mut octets = Octets(0x6A09_E667_F3BC_C908);
    for sak_len in [16, 32] {
        let keys = keys(&mut octets, sak_len);
        for bit in (8..64).step_by(8) {
            let boundary = 1_u64 << bit;
            let clear: Vec<_> = (boundary - 4..boundary + 4)
                .map(|pn| {
                    let mut frame = Frame::random(&mut octets, 28, 255 * 16 + 9);
                    frame.nonce[4..].copy_from_slice(&pn.to_be_bytes());
                    frame
                })
                .collect();
            assert_alike(&keys, &clear);
        }
    }
}
