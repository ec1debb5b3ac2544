//! Frames right in front of memory that faults when touched, and right behind it: an engine that reads
//! or writes an octet outside of its buffer ends this process.

use macsec_gateway::crypto::{AeadFrame, Locked, NONCE_LEN, SaKey, TAG_LEN, open_each};

use super::frames::{Octets, keys};

/// A whole number of pages of 4 KiB and of 16 KiB, so that what `Locked` puts behind it begins at its
/// last octet.
const ARENA: usize = 16 * 1024;

type Arena = Locked<[u8; ARENA]>;

const AAD_LEN: usize = 28;
const NONCE: [u8; NONCE_LEN] = [9; NONCE_LEN];

/// Lengths around each stride that an engine may have.
fn lengths() -> impl Iterator<Item = usize> {
    let strides = [16, 32, 64, 128, 256, 512, 1024, 1536, 2048, 8192];
    let around = strides
        .into_iter()
        .flat_map(|stride: usize| stride - 3..stride + 4);
    (0..150).chain(around).chain([1482, 1500, 9000])
}

#[derive(Clone, Copy)]
enum Place {
    /// The room's last octet is the arena's.
    AtTheEnd,
    /// The first octet of additional data is the arena's.
    AtTheStart,
}

fn buffer(arena: &mut Arena, place: Place, len: usize) -> &mut [u8] {
    match place {
        Place::AtTheEnd => &mut arena[ARENA - len..],
        Place::AtTheStart => &mut arena[..len],
    }
}

/// Seals and opens a burst of one frame per arena, each of them right at its fence.
fn seal_and_open(
    key: &SaKey,
    arenas: &mut [Arena],
    place: Place,
    len: usize,
    aad_len: usize,
    room: usize,
) {
    let burst = |arenas: &mut [Arena], work: &mut dyn FnMut(&mut [AeadFrame<'_>])| {
        let mut frames: Vec<_> = arenas
            .iter_mut()
            .map(|arena| AeadFrame {
                nonce: NONCE,
                aad_len,
                len,
                buffer: buffer(arena, place, len + room),
            })
            .collect();
        work(&mut frames);
    };
    let all = (1 << arenas.len()) - 1;
    burst(arenas, &mut |frames| key.seal(frames));
    burst(arenas, &mut |frames| assert_eq!(key.open(frames).0, all));
    // And the way of frames that have a key each.
    let keys = vec![&**key; arenas.len()];
    burst(arenas, &mut |frames| key.seal(frames));
    burst(arenas, &mut |frames| {
        assert_eq!(open_each(&keys, frames).0, all);
    });
    // A tag that is wrong has the text wiped, at the same fence.
    let first = buffer(&mut arenas[0], place, len + room);
    first[len - 1] ^= 1;
    burst(arenas, &mut |frames| assert_eq!(key.open(frames).0 & 1, 0));
}

fn fenced(count: usize) -> Vec<Arena> {
    (0..count)
        .map(|_| Locked::new(|| Ok([0x33; ARENA])).unwrap())
        .collect()
}

#[test]
fn no_engine_touches_what_lies_behind_or_before_its_buffer() {
    let mut octets = Octets(0x5BE0_CD19_137E_2179);
    for count in [1, 5] {
        let mut arenas = fenced(count);
        for sak_len in [16, 32] {
            for key in keys(&mut octets, sak_len) {
                for place in [Place::AtTheEnd, Place::AtTheStart] {
                    for len in lengths() {
                        for room in [0, 1, 15, 16, 31, 32, 48, 64] {
                            let whole = AAD_LEN + len + TAG_LEN;
                            seal_and_open(&key, &mut arenas, place, whole, AAD_LEN, room);
                        }
                        // Integrity only, and as little additional data as there can be.
                        seal_and_open(&key, &mut arenas, place, len + TAG_LEN, len, 0);
                        seal_and_open(&key, &mut arenas, place, len + TAG_LEN, 0, 0);
                    }
                }
            }
        }
    }
}
