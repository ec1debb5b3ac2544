//! Numbered frames into a queue and out of another, at a pace, with no loss of the test's own making.

use super::tap::{Tap, tapped};
use super::{Lanes, Queues, ring};
use dpdk::{Burst, Eal, Mempool, RxQueue, TxQueue};
use macsec_gateway::bus::DropReason;
use std::time::{Duration, Instant};

/// Frames under way each way at the most: fewer than any ring on the way takes, so that a frame that is
/// missing was lost by a lane.
const UNDER_WAY: u64 = 900;

/// One way: what goes in, what came out.
pub(crate) struct Way {
    tx: TxQueue,
    rx: RxQueue,
    /// Frames that the ring did not take yet.
    waiting: Burst,
    /// The most that may be under way.
    pub(crate) most: u64,
    pub(crate) sent: u64,
    /// The number that must come next.
    pub(crate) received: u64,
    /// Whether frames may be missing, and how many were.
    pub(crate) may_lose: bool,
    pub(crate) lost: u64,
}

/// Both ways.
pub(crate) struct Traffic {
    pool: Mempool,
    pub(crate) ways: [Way; 2],
    /// The wire of each way, where it passes the test.
    pub(crate) taps: Vec<Tap>,
}

impl Traffic {
    /// Rings for lanes of two links, and the ends for the traffic.
    pub(crate) fn between(eal: &Eal, pool: &Mempool) -> (Self, Queues) {
        Self::made(eal, pool, false)
    }

    /// The same with the wires in the test's hand. They carry only while [`Self::turn`] is called.
    pub(crate) fn tapped(eal: &Eal, pool: &Mempool) -> (Self, Queues) {
        Self::made(eal, pool, true)
    }

    fn made(eal: &Eal, pool: &Mempool, with_taps: bool) -> (Self, Queues) {
        let mut taps = Vec::new();
        let mut port = 0;
        let mut next = || {
            port += 1;
            let (rx, tx, _) = ring(eal, &format!("net_ring{port}"), pool);
            (rx, tx)
        };
        let mut way = || {
            let (given_rx, given_tx) = next();
            let (wire_tx, wire_rx) = if with_taps {
                let names = ["near", "far"].map(|end| format!("net_ring_{end}{}", taps.len()));
                let (tx, rx, tap) = tapped(eal, pool, names.each_ref().map(String::as_str));
                taps.push(tap);
                (tx, rx)
            } else {
                let (rx, tx) = next();
                (tx, rx)
            };
            let (out_rx, out_tx) = next();
            let way = Way {
                tx: given_tx,
                rx: out_rx,
                waiting: Burst::new(),
                most: UNDER_WAY,
                sent: 0,
                received: 0,
                may_lose: false,
                lost: 0,
            };
            (way, (given_rx, wire_tx), (wire_rx, out_tx))
        };
        let (way_0, protect_a, validate_b) = way();
        let (way_1, protect_b, validate_a) = way();
        let queues = Queues {
            protect: [protect_a, protect_b],
            validate: [validate_a, validate_b],
        };
        let pool = pool.clone();
        (
            Self {
                pool,
                ways: [way_0, way_1],
                taps,
            },
            queues,
        )
    }

    /// One look at both ways: sends up to `more` frames each way and takes what has come.
    pub(crate) fn turn(&mut self, more: [u64; 2]) {
        for (way, more) in self.ways.iter_mut().zip(more) {
            way.send(&self.pool, more);
            way.receive();
        }
        for tap in &mut self.taps {
            tap.pass();
        }
    }

    pub(crate) fn received(&self) -> u64 {
        self.ways.iter().map(|way| way.received).sum()
    }

    pub(crate) fn sent(&self) -> u64 {
        self.ways.iter().map(|way| way.sent).sum()
    }

    /// Sends so many more frames each way, and waits until they came.
    #[track_caller]
    pub(crate) fn carry(&mut self, more: [u64; 2]) {
        let wanted = [0, 1].map(|way: usize| self.ways[way].sent + more[way]);
        let end = Instant::now() + Duration::from_secs(20);
        while self
            .ways
            .iter()
            .zip(wanted)
            .any(|(way, wanted)| way.sent < wanted)
        {
            let state = self.ways.each_ref().map(|way| (way.sent, way.received));
            assert!(
                Instant::now() < end,
                "the lanes stand still: {state:?}, to send {wanted:?}"
            );
            self.turn([0, 1].map(|way: usize| (wanted[way] - self.ways[way].sent).min(32)));
        }
        self.settle();
    }

    /// Sends nothing more and waits for what is under way.
    #[track_caller]
    pub(crate) fn settle(&mut self) {
        let end = Instant::now() + Duration::from_secs(5);
        while self.received() < self.sent() {
            assert!(
                Instant::now() < end,
                "{} of {} came",
                self.received(),
                self.sent()
            );
            self.turn([0, 0]);
        }
    }
}

/// Traffic at a pace: `turn` often.
pub(crate) struct Paced {
    pub(crate) traffic: Traffic,
    /// Frames a second each way.
    rate: f64,
    begun: Instant,
    /// What each way had sent before.
    before: [u64; 2],
}

impl Paced {
    pub(crate) fn new(traffic: Traffic, rate: f64) -> Self {
        let before = traffic.ways.each_ref().map(|way| way.sent);
        Self {
            traffic,
            rate,
            begun: Instant::now(),
            before,
        }
    }

    /// Sends what is due since the start.
    pub(crate) fn turn(&mut self) {
        let due = self.begun.elapsed().as_secs_f64() * self.rate;
        let more = [0, 1].map(|way: usize| {
            let since = self.traffic.ways[way].sent - self.before[way];
            if due > since as f64 { 32 } else { 0 }
        });
        self.traffic.turn(more);
        if more == [0, 0] {
            std::thread::yield_now();
        }
    }

    /// Frames a second, both ways together, since the start.
    pub(crate) fn achieved(&self) -> f64 {
        let since = self.traffic.sent() - self.before.iter().sum::<u64>();
        since as f64 / self.begun.elapsed().as_secs_f64()
    }
}

impl Way {
    pub(crate) fn send(&mut self, pool: &Mempool, more: u64) {
        let room = self.most.saturating_sub(self.sent - self.received);
        for _ in 0..more.min(room) {
            let Some(mut mbuf) = pool.alloc() else { break };
            let length = 60 + usize::try_from(self.sent % 500).unwrap_or(0);
            let octets = mbuf.append(length).expect("room in an mbuf");
            octets.fill(0x5a);
            octets[..14].copy_from_slice(&[2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x88, 0xB5]);
            octets[14..22].copy_from_slice(&self.sent.to_be_bytes());
            if self.waiting.push(mbuf).is_err() {
                break;
            }
            self.sent += 1;
        }
        self.tx.tx_burst(&mut self.waiting);
    }

    /// Takes what came and looks at none of it; how many frames.
    pub(crate) fn discard(&mut self) -> u64 {
        super::drain(&mut self.rx)
    }

    /// Every frame is the next one, whole.
    #[track_caller]
    pub(crate) fn receive(&mut self) {
        let mut burst = Burst::new();
        self.rx.rx_burst(&mut burst);
        for mbuf in burst.drain() {
            let number = mbuf.data().get(14..22).and_then(|at| at.first_chunk::<8>());
            let number = number.map_or(u64::MAX, |octets| u64::from_be_bytes(*octets));
            if self.may_lose {
                assert!(number >= self.received, "out of order or twice");
                self.lost += number - self.received;
                self.received = number;
            }
            assert_eq!(number, self.received, "lost, out of order or twice");
            assert_eq!(mbuf.len() as u64, 60 + number % 500);
            self.received += 1;
        }
    }
}

/// What came and went on every lane, and that nothing was lost anywhere. MKPDUs come in at validate lanes
/// and end with control.
#[track_caller]
pub(crate) fn assert_nothing_lost(lanes: &Lanes, traffic: &Traffic) {
    for (way, counted) in traffic.ways.iter().zip([[0, 1], [1, 0]]) {
        let [from, to] = counted.map(|at| &lanes.counted[at]);
        assert_eq!(way.received, way.sent);
        for lane in [&from.protect, &to.validate] {
            let reasons = DropReason::all().map(|why| (why.name(), lane.dropped(why).value()));
            let (eapol, data): (Vec<_>, Vec<_>) = reasons
                .filter(|(_, frames)| *frames > 0)
                .partition(|(name, _)| name.starts_with("eapol_"));
            assert!(data.is_empty(), "{data:?}");
            // Those of a CAK that this end does not have (yet) end at the lane, the others with control.
            let unknown: u64 = eapol.iter().map(|(_, frames)| frames).sum();
            let agreement = lane.to_control.value() + unknown;
            assert_eq!(lane.frames_in.value(), way.sent + agreement);
            assert_eq!(lane.frames_out.value(), way.sent);
        }
        assert_eq!(from.tx.out_pkts_encrypted.value(), way.sent);
    }
}
