use super::*;
use crate::crypto::{NONCE_LEN, TAG_LEN, engine::RingEngine};

/// Octets that look random and are the same in every run.
struct Octets(u64);

impl Octets {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() >> 16).unwrap() % bound
    }

    fn vec(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.next().to_be_bytes()[3]).collect()
    }
}

/// Octets on either side of a buffer that an engine must not touch.
const GUARD: usize = 32;

#[derive(Clone)]
struct Frame {
    nonce: [u8; NONCE_LEN],
    aad_len: usize,
    len: usize,
    /// Guard, frame, room, guard.
    octets: Vec<u8>,
}

impl Frame {
    fn random(octets: &mut Octets, aad_len: usize, text_len: usize, room: usize) -> Self {
        let len = aad_len + text_len + TAG_LEN;
        // Another guard's length now and then, for other alignments.
        Self {
            nonce: octets.vec(NONCE_LEN).try_into().unwrap(),
            aad_len,
            len,
            octets: octets.vec(GUARD + len + room + GUARD),
        }
    }

    fn burst<R>(frames: &mut [Self], work: impl FnOnce(&mut [AeadFrame<'_>]) -> R) -> R {
        let before: Vec<_> = frames.iter().map(Self::guards).collect();
        let mut burst: Vec<_> = frames
            .iter_mut()
            .map(|frame| {
                let end = frame.octets.len() - GUARD;
                AeadFrame {
                    nonce: frame.nonce,
                    aad_len: frame.aad_len,
                    len: frame.len,
                    buffer: &mut frame.octets[GUARD..end],
                }
            })
            .collect();
        let result = work(&mut burst);
        let after: Vec<_> = frames.iter().map(Self::guards).collect();
        assert!(before == after, "octets around a buffer were changed");
        result
    }

    fn guards(&self) -> (Vec<u8>, Vec<u8>) {
        let end = self.octets.len() - GUARD;
        (self.octets[..GUARD].to_vec(), self.octets[end..].to_vec())
    }

    /// Additional data, text and tag.
    fn whole(&self) -> &[u8] {
        &self.octets[GUARD..GUARD + self.len]
    }

    fn text(&self) -> &[u8] {
        &self.whole()[self.aad_len..self.len - TAG_LEN]
    }

    fn flip(&mut self, bit: usize) {
        self.octets[GUARD + bit / 8] ^= 1 << (bit % 8);
    }
}

/// Seals and opens `clear` by the kernel, beside `ring`. `left` says how many frames the kernel may leave.
fn check<K: Kernel>(sak: &[u8], clear: &[Frame], left: usize) {
    let sak = || Sak::take(&mut sak.to_vec()).unwrap();
    let kernel = K::new(&sak()).unwrap();
    let ring = RingEngine.make_key(&sak()).unwrap();
    let mut expected = clear.to_vec();
    Frame::burst(&mut expected, |burst| ring.seal(burst));
    let mut sealed = clear.to_vec();
    let untouched = Frame::burst(&mut sealed, |burst| kernel.seal(burst));
    let untouched: Vec<_> = untouched.collect();
    assert_eq!(untouched.len(), left);
    for (index, (sealed, expected)) in sealed.iter().zip(&expected).enumerate() {
        let expected = if untouched.contains(&index) {
            &clear[index]
        } else {
            expected
        };
        assert!(
            sealed.whole() == expected.whole(),
            "frame {index} of {}: {} and {} octets",
            clear.len(),
            sealed.aad_len,
            sealed.text().len()
        );
    }
    let mut opened = expected.clone();
    // One in five has a bit changed somewhere.
    let mut octets = Octets(0x1234_5678_9ABC_DEF1);
    let bits: Vec<_> = opened
        .iter_mut()
        .map(|frame| {
            let bit = octets.below(5 * 8 * frame.len);
            (bit < 8 * frame.len).then(|| frame.flip(bit)).is_none()
        })
        .collect();
    let received = opened.clone();
    let (verdicts, untouched) = Frame::burst(&mut opened, |burst| kernel.open(burst));
    let untouched: Vec<_> = untouched.collect();
    assert_eq!(untouched.len(), left);
    for (index, frame) in opened.iter().enumerate() {
        if untouched.contains(&index) {
            assert!(frame.whole() == received[index].whole());
            continue;
        }
        assert_eq!(verdicts.is_ok(index), bits[index], "frame {index}");
        let text_at = frame.aad_len;
        assert!(frame.whole()[..text_at] == received[index].whole()[..text_at]);
        assert!(
            frame.whole()[frame.len - TAG_LEN..] == received[index].whole()[frame.len - TAG_LEN..]
        );
        if bits[index] {
            assert!(frame.text() == clear[index].text(), "text of frame {index}");
        } else {
            assert!(frame.text().iter().all(|&octet| octet == 0));
        }
    }
}

fn kernels(sak: &[u8], clear: &[Frame], left: usize) {
    if Kernel512::runs_here() {
        // It needs no room.
        check::<Kernel512>(sak, clear, 0);
    } else {
        println!("skipped for vaes512: {}", Kernel512::LACKING);
    }
    if Kernel256::runs_here() {
        check::<Kernel256>(sak, clear, left);
    }
}

#[test]
fn every_length_of_text_is_as_ring_has_it() {
    let mut octets = Octets(0x9E37_79B9_7F4A_7C15);
    let lengths = (0..=600)
        .chain(1400..=1520)
        .chain(2030..=2150)
        .chain(4100..=4200);
    let lengths: Vec<_> = lengths.chain(8980..=9060).chain([16_367, 16_368]).collect();
    for sak_len in [16, 32] {
        let sak = octets.vec(sak_len);
        for lengths in lengths.chunks(BURST_CAPACITY) {
            let clear: Vec<_> = lengths
                .iter()
                .map(|&len| Frame::random(&mut octets, 28, len, 16))
                .collect();
            kernels(&sak, &clear, 0);
        }
    }
}

#[test]
fn every_length_of_additional_data_is_as_ring_has_it() {
    let mut octets = Octets(0xD1B5_4A32_D192_ED03);
    for sak_len in [16, 32] {
        let sak = octets.vec(sak_len);
        for text_len in [0, 1, 15, 16, 17, 46, 300, 2100] {
            let lengths: Vec<_> = (0..=100).chain(2030..=2080).chain([1518, 9000]).collect();
            for lengths in lengths.chunks(BURST_CAPACITY) {
                let clear: Vec<_> = lengths
                    .iter()
                    .map(|&len| Frame::random(&mut octets, len, text_len, 16))
                    .collect();
                kernels(&sak, &clear, 0);
            }
        }
    }
}

#[test]
fn bursts_of_every_size_and_mix_are_as_ring_has_them() {
    let mut octets = Octets(0xA5A5_1234_0F0F_4321);
    for sak_len in [16, 32] {
        let sak = octets.vec(sak_len);
        for size in 0..=BURST_CAPACITY {
            for longest in [60, 300, 1600, 5000] {
                let clear: Vec<_> = (0..size)
                    .map(|_| {
                        let aad_len = [20, 28, 50, 58, 70, 78][octets.below(6)];
                        // Lengths where a frame has whole chunks and nothing else, too.
                        let len = octets.below(longest);
                        let len = if octets.below(3) == 0 {
                            len / 256 * 256 + 16
                        } else {
                            len
                        };
                        let room = 16 + octets.below(40);
                        Frame::random(&mut octets, aad_len, len, room)
                    })
                    .collect();
                kernels(&sak, &clear, 0);
            }
        }
    }
}

#[test]
fn frames_without_room_or_of_impossible_lengths_are_left() {
    let mut octets = Octets(0x5DEE_CE66_D000_0001);
    let sak = octets.vec(32);
    let mut clear = vec![
        Frame::random(&mut octets, 20, 46, 16),
        Frame::random(&mut octets, 20, 46, 15),
        Frame::random(&mut octets, 20, 46, 0),
        Frame::random(&mut octets, 28, 1500, 100),
        Frame::random(&mut octets, 28, 16_369, 100),
    ];
    kernels(&sak, &clear, 3);
    clear[0].aad_len = 1 << 40;
    clear[3].len = 1 << 50;
    let key = |sak: &[u8]| Sak::take(&mut sak.to_vec()).unwrap();
    let kernel = Kernel256::new(&key(&sak)).unwrap();
    let before: Vec<_> = clear.iter().map(|frame| frame.octets.clone()).collect();
    let mut burst: Vec<_> = clear
        .iter_mut()
        .map(|frame| AeadFrame {
            nonce: frame.nonce,
            aad_len: frame.aad_len,
            len: frame.len,
            buffer: &mut frame.octets,
        })
        .collect();
    // The guards are room now.
    assert_eq!(kernel.seal(&mut burst[..1]).collect::<Vec<_>>(), [0]);
    let (opened, left) = kernel.open(&mut burst[3..4]);
    assert_eq!((opened.0, left.collect::<Vec<_>>()), (0, vec![0]));
    assert!(clear.iter().map(|frame| &frame.octets).eq(&before));
}

#[test]
fn what_the_kernel_leaves_the_library_takes() {
    let mut octets = Octets(0x0123_4567_89AB_CDEF);
    let sak = octets.vec(32);
    let key = |sak: &[u8]| Sak::take(&mut sak.to_vec()).unwrap();
    let ours = make_key::<Kernel256>(&key(&sak)).unwrap();
    let ring = RingEngine.make_key(&key(&sak)).unwrap();
    let clear: Vec<_> = (0..BURST_CAPACITY)
        .map(|index| Frame::random(&mut octets, 28, 3 * index, index % 3 * 8))
        .collect();
    let (mut sealed, mut expected) = (clear.clone(), clear.clone());
    Frame::burst(&mut sealed, |burst| ours.seal(burst));
    Frame::burst(&mut expected, |burst| ring.seal(burst));
    for (sealed, expected) in sealed.iter_mut().zip(&expected) {
        assert!(sealed.whole() == expected.whole());
    }
    for index in [0, 1, 2, 60, 61, 62] {
        sealed[index].flip(8 * 30);
    }
    let opened = Frame::burst(&mut sealed, |burst| ours.open(burst));
    assert_eq!(opened.0, !(7 | 7 << 60));
    for (index, (opened, clear)) in sealed.iter().zip(&clear).enumerate().skip(3) {
        assert!((60..63).contains(&index) || opened.text() == clear.text());
    }
    assert!(sealed[61].text().iter().all(|&octet| octet == 0));
}

#[test]
fn frames_left_are_counted_off_in_order() {
    let mut left = Left::default();
    for index in [63, 5, 0, 64] {
        left.add(index);
    }
    assert_eq!(left.collect::<Vec<_>>(), [0, 5, 63]);
}
