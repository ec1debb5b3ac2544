//! A wire that someone else sends on as well: what one lane sends passes the test on its way to the other.
//!
//! A ring has one writer, so the frames of the lane and those of the attacker go through one hand.

use super::ring;
use dpdk::{Burst, Eal, Mempool, RxQueue, TxQueue};

/// MKPDUs that are kept: the first ones, which bring up the session, and the newest.
const FIRST: usize = 128;
const NEWEST: usize = 128;

/// Every so many frames of data one is kept.
const SAMPLE: u64 = 256;

/// What a frame is to the tap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Junk,
    Data,
    Agreement,
}

/// The middle of a wire.
pub(crate) struct Tap {
    pool: Mempool,
    from: RxQueue,
    to: TxQueue,
    /// The lane's frames that the far end did not take yet.
    held: Burst,
    junk: Burst,
    /// The far end takes what it can and loses the rest, as a port does: see [`Self::crowd`].
    pub(crate) crowded: bool,
    /// The lane's frames of data, and its MKPDUs, that were lost so.
    pub(crate) missed_data: u64,
    pub(crate) missed_agreement: u64,
    /// Frames of the attacker that the far end took, and those that it did not.
    pub(crate) injected: u64,
    pub(crate) missed_junk: u64,
    /// MKPDUs that passed.
    pub(crate) agreement: Vec<Vec<u8>>,
    /// A protected frame that passed a moment ago.
    pub(crate) data: Vec<u8>,
    passed: u64,
    random: u64,
}

/// The lane's end, the far lane's end, and what is between.
pub(crate) fn tapped(eal: &Eal, pool: &Mempool, names: [&str; 2]) -> (TxQueue, RxQueue, Tap) {
    let (from, lane_tx, _) = ring(eal, names[0], pool);
    let (lane_rx, to, _) = ring(eal, names[1], pool);
    let tap = Tap {
        pool: pool.clone(),
        from,
        to,
        held: Burst::new(),
        junk: Burst::new(),
        crowded: false,
        missed_data: 0,
        missed_agreement: 0,
        injected: 0,
        missed_junk: 0,
        agreement: Vec::new(),
        data: Vec::new(),
        passed: 0,
        random: 0x9e37_79b9_7f4a_7c15,
    };
    (lane_tx, lane_rx, tap)
}

pub(crate) fn ethertype(frame: &[u8]) -> u16 {
    let at = frame.get(12..).and_then(|rest| rest.first_chunk());
    at.map_or(0, |octets| u16::from_be_bytes(*octets))
}

impl Tap {
    /// Carries on what the lane sent, in its order; nothing is lost, for what the far end does not take waits.
    pub(crate) fn pass(&mut self) {
        if self.crowded {
            return;
        }
        self.listen();
        self.to.tx_burst(&mut self.held);
    }

    /// Puts in one frame, if the far end has room: the lane's own come first.
    pub(crate) fn inject(&mut self, octets: &[u8]) {
        if let Some(mbuf) = self.copy(octets) {
            let _ = self.junk.push(mbuf);
        }
        self.injected += self.to.tx_burst(&mut self.junk) as u64;
        self.missed_junk += self.junk.len() as u64;
        self.junk.clear();
    }

    /// Offers `all` frames at once, in no order between the lane's and the attacker's. What the far end
    /// does not take is lost.
    pub(crate) fn crowd(&mut self, junk: &[Vec<u8>], all: usize) {
        self.listen();
        let mut own: Vec<_> = self.held.drain().collect();
        own.reverse();
        let mut left = all.max(own.len());
        while left > 0 {
            let mut kinds = Vec::with_capacity(Burst::CAPACITY);
            for _ in 0..left.min(Burst::CAPACITY) {
                let next = self.draw(left) < own.len();
                let mbuf = if next {
                    own.pop()
                } else {
                    let at = self.draw(junk.len().max(1));
                    junk.get(at).and_then(|octets| self.copy(octets))
                };
                left -= 1;
                let Some(mbuf) = mbuf else { continue };
                kinds.push(match ethertype(mbuf.data()) {
                    _ if !next => Kind::Junk,
                    0x888E => Kind::Agreement,
                    _ => Kind::Data,
                });
                let _ = self.junk.push(mbuf);
            }
            let taken = self.to.tx_burst(&mut self.junk);
            self.junk.clear();
            self.count(&kinds, taken);
        }
    }

    fn count(&mut self, kinds: &[Kind], taken: usize) {
        for (at, kind) in kinds.iter().enumerate() {
            let counter = match (kind, at < taken) {
                (Kind::Junk, true) => &mut self.injected,
                (Kind::Junk, false) => &mut self.missed_junk,
                (Kind::Data, false) => &mut self.missed_data,
                (Kind::Agreement, false) => &mut self.missed_agreement,
                (Kind::Data | Kind::Agreement, true) => continue,
            };
            *counter += 1;
        }
    }

    /// Takes what the lane sent, and keeps copies of some of it.
    fn listen(&mut self) {
        if !self.held.is_empty() {
            return;
        }
        self.from.rx_burst(&mut self.held);
        for mbuf in &self.held {
            if ethertype(mbuf.data()) == 0x888E {
                if self.agreement.len() == FIRST + NEWEST {
                    self.agreement.remove(FIRST);
                }
                self.agreement.push(mbuf.data().to_vec());
            } else if self.passed.is_multiple_of(SAMPLE) {
                self.data = mbuf.data().to_vec();
            }
            self.passed += 1;
        }
    }

    fn copy(&self, octets: &[u8]) -> Option<dpdk::Mbuf> {
        let mut mbuf = self.pool.alloc()?;
        mbuf.append(octets.len())?.copy_from_slice(octets);
        Some(mbuf)
    }

    /// A number below `bound`.
    fn draw(&mut self, bound: usize) -> usize {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        usize::try_from(self.random % bound as u64).unwrap_or(0)
    }
}
