//! Frames for engines, octets that look random, and the engines that this CPU can run.

use std::sync::Arc;

use macsec_gateway::crypto::{
    AeadFrame, KeyFactory, NONCE_LEN, Opened, SaKey, Sak, TAG_LEN, engine,
};

/// Every engine of this build that passes its self-test on this CPU. Says which others there are.
pub(crate) fn engines() -> Vec<Arc<dyn KeyFactory>> {
    let selected = engine::select(engine::EngineChoice::Auto).unwrap();
    for report in selected.reports.iter().filter(|report| !report.available) {
        println!("not tested here: {report}");
    }
    let runs = |name| {
        let mut reports = selected.reports.iter();
        reports.any(|report| report.available && report.name == name)
    };
    let factories = engine::candidates()
        .into_iter()
        .map(|candidate| candidate.factory);
    factories
        .filter(|factory| runs(factory.name()))
        .collect::<Vec<_>>()
}

pub(crate) fn key(engine: &dyn KeyFactory, octets: &[u8]) -> SaKey {
    engine
        .make_key(&Sak::take(&mut octets.to_vec()).unwrap())
        .unwrap()
}

/// Keys from the same octets by every engine, the one that the others are compared with first.
pub(crate) fn keys(octets: &mut Octets, sak_len: usize) -> Vec<SaKey> {
    let sak = octets.vec(sak_len);
    let ring: Arc<dyn KeyFactory> = Arc::new(engine::RingEngine);
    let others = engines().into_iter().filter(|other| other.name() != "ring");
    std::iter::once(ring)
        .chain(others)
        .map(|engine| key(&*engine, &sak))
        .collect()
}

/// Octets that look random and are the same in every run.
pub(crate) struct Octets(pub(crate) u64);

impl Octets {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() >> 16).unwrap() % bound
    }

    pub(crate) fn vec(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.next().to_be_bytes()[3]).collect()
    }
}

/// What stands in front of a frame's buffer and behind it; no engine may touch it.
const CANARY: u8 = 0xC7;
const CANARIES: usize = 64;

/// A frame, the room behind it, and canaries around both.
#[derive(Clone)]
pub(crate) struct Frame {
    pub(crate) nonce: [u8; NONCE_LEN],
    pub(crate) aad_len: usize,
    /// Octets of additional data, text and tag.
    pub(crate) len: usize,
    /// Where additional data begins: canaries, and what moves the frame off any alignment.
    start: usize,
    memory: Vec<u8>,
}

impl Frame {
    pub(crate) fn new(nonce: [u8; NONCE_LEN], aad_len: usize, octets: &[u8]) -> Self {
        Self::placed(nonce, aad_len, octets, 0, 0)
    }

    /// A frame with as much room behind it as any engine wants.
    pub(crate) fn roomy(nonce: [u8; NONCE_LEN], aad_len: usize, octets: &[u8]) -> Self {
        Self::placed(nonce, aad_len, octets, 0, 128)
    }

    fn placed(
        nonce: [u8; NONCE_LEN],
        aad_len: usize,
        octets: &[u8],
        shift: usize,
        room: usize,
    ) -> Self {
        let start = CANARIES + shift;
        let mut memory = vec![CANARY; start];
        memory.extend_from_slice(octets);
        memory.resize(start + octets.len() + room + CANARIES, CANARY);
        Self {
            nonce,
            aad_len,
            len: octets.len(),
            start,
            memory,
        }
    }

    /// A frame at a random place with as much room behind it as chance wants: often none, sometimes
    /// less than an engine likes.
    pub(crate) fn random(octets: &mut Octets, aad_len: usize, text_len: usize) -> Self {
        let nonce = octets.vec(NONCE_LEN).try_into().unwrap();
        let content = octets.vec(aad_len + text_len + TAG_LEN);
        let room = [0, 1, 15, 16, 31, 32, 64, 200][octets.below(8)];
        Self::placed(nonce, aad_len, &content, octets.below(64), room)
    }

    /// Additional data, text, tag.
    pub(crate) fn octets(&self) -> &[u8] {
        &self.memory[self.start..self.start + self.len]
    }

    pub(crate) fn octets_mut(&mut self) -> &mut [u8] {
        &mut self.memory[self.start..self.start + self.len]
    }

    pub(crate) fn aad_and_text(&self) -> &[u8] {
        &self.octets()[..self.len - TAG_LEN]
    }

    pub(crate) fn text(&self) -> &[u8] {
        &self.aad_and_text()[self.aad_len..]
    }

    pub(crate) fn as_aead(&mut self) -> AeadFrame<'_> {
        let end = self.memory.len() - CANARIES;
        AeadFrame {
            nonce: self.nonce,
            aad_len: self.aad_len,
            len: self.len,
            buffer: &mut self.memory[self.start..end],
        }
    }

    fn assert_canaries(&self) {
        let behind = self.memory.len() - CANARIES;
        let mut canaries = self.memory[..self.start]
            .iter()
            .chain(&self.memory[behind..]);
        assert!(
            canaries.all(|&octet| octet == CANARY),
            "an engine wrote outside of the buffer: {self:?}"
        );
    }
}

impl std::fmt::Debug for Frame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let room = self.memory.len() - CANARIES - self.start - self.len;
        f.debug_struct("Frame")
            .field("aad_len", &self.aad_len)
            .field("len", &self.len)
            .field("room", &room)
            .field("nonce", &self.nonce)
            .finish_non_exhaustive()
    }
}

pub(crate) fn with_burst<R>(
    frames: &mut [Frame],
    work: impl FnOnce(&mut [AeadFrame<'_>]) -> R,
) -> R {
    let mut burst: Vec<_> = frames.iter_mut().map(Frame::as_aead).collect();
    let result = work(&mut burst);
    frames.iter().for_each(Frame::assert_canaries);
    result
}

pub(crate) fn sealed(key: &SaKey, clear: &[Frame]) -> Vec<Frame> {
    let mut frames = clear.to_vec();
    with_burst(&mut frames, |burst| key.seal(burst));
    frames
}

pub(crate) fn opened(key: &SaKey, sealed: &[Frame]) -> (Opened, Vec<Frame>) {
    let mut frames = sealed.to_vec();
    let opened = with_burst(&mut frames, |burst| key.open(burst));
    (opened, frames)
}

/// Seals `clear` by each key, compares what comes out with the first one's, and opens it by each.
pub(crate) fn assert_alike(keys: &[SaKey], clear: &[Frame]) {
    let first = sealed(&keys[0], clear);
    for other in &keys[1..] {
        for (index, (one, two)) in first.iter().zip(sealed(other, clear)).enumerate() {
            assert!(one.octets() == two.octets(), "frame {index}: {one:?}");
        }
    }
    for key in keys {
        let (verdicts, frames) = opened(key, &first);
        for (index, (frame, clear)) in frames.iter().zip(clear).enumerate() {
            assert!(verdicts.is_ok(index), "frame {index}: {clear:?}");
            assert!(
                frame.aad_and_text() == clear.aad_and_text(),
                "frame {index}: {clear:?}"
            );
        }
        assert_eq!(verdicts.0.count_ones() as usize, clear.len());
    }
}
