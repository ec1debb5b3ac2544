//! Two gateways on one wire, in virtual time: every MKPDU goes through slots and filters as in a worker,
//! and data through real SecYs.

use std::{fs, os::unix::fs::PermissionsExt, time::Duration};

use crate::{
    bus::{EapolClass, LaneMode, LinkDownWay, LinkSnapshot, MkaView},
    control::tests::bed::{Bed, Desk},
};

/// What the link of a gateway is told, besides its place.
#[derive(Clone, Debug)]
pub(super) struct Setting {
    /// Lines of `[[link]]`.
    pub(super) link: String,
    /// Lines of `[link.mka]`.
    pub(super) mka: String,
    /// The CAKs: number, and further lines.
    pub(super) caks: Vec<(u8, String)>,
}

impl Setting {
    /// `must_encrypt` with one CAK.
    pub(super) fn plain() -> Self {
        Self {
            link: String::new(),
            mka: String::new(),
            caks: vec![(1, String::new())],
        }
    }

    pub(super) fn link(mut self, lines: &str) -> Self {
        self.link.push_str(lines);
        self
    }

    pub(super) fn mka(mut self, lines: &str) -> Self {
        self.mka.push_str(lines);
        self
    }

    pub(super) fn caks(mut self, caks: &[(u8, &str)]) -> Self {
        self.caks = caks
            .iter()
            .map(|(value, lines)| (*value, (*lines).to_owned()))
            .collect();
        self
    }

    fn text(&self, station: u8) -> String {
        let caks = self.caks.iter().map(|(value, lines)| {
            format!("[[link.cak]]\nckn = \"{value:02x}\"\ncak_file = \"{value}.cak\"\n{lines}\n")
        });
        format!(
            "[[link]]\nname = \"l0\"\nplain = \"net_null0\"\nsecure = \"net_null1\"\n\
             agreement = \"mka\"\nprofile = \"generic\"\nsci = \"02:00:00:00:00:{station:02x}/1\"\n\
             {}\n[link.mka]\n{}\n{}",
            self.link,
            self.mka,
            caks.collect::<String>()
        )
    }
}

/// A gateway as one end of the wire.
#[derive(Debug)]
pub(super) struct End {
    pub(super) bed: Bed,
    pub(super) station: u8,
}

impl End {
    fn start(station: u8, setting: &Setting) -> Self {
        let desk = Desk::new();
        Self::start_at(desk, station, setting)
    }

    /// Starts on a desk where a gateway may have been before.
    pub(super) fn start_at(desk: Desk, station: u8, setting: &Setting) -> Self {
        for value in 1..=17_u8 {
            let path = desk.path.join(format!("{value}.cak"));
            fs::write(&path, format!("{value:02x}").repeat(16)).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        }
        desk.write(&setting.text(station));
        Self::start_as_it_is(desk, station)
    }

    /// Starts with the files as they lie there.
    pub(super) fn start_as_it_is(desk: Desk, station: u8) -> Self {
        Self {
            bed: Bed::start(desk, LinkDownWay::Stop).unwrap(),
            station,
        }
    }

    /// Ends the process in the middle of whatever it did. An idle one takes its place, for a moment.
    pub(super) fn kill(&mut self) -> Desk {
        let idle = Self::start_at(Desk::new(), self.station, &Setting::plain());
        let Self { bed, .. } = core::mem::replace(self, idle);
        bed.desk
    }

    /// Ends it as SIGTERM does, beside a worker that obeys. No key is left.
    pub(super) fn end_in_order(&mut self) -> Desk {
        let idle = Self::start_at(Desk::new(), self.station, &Setting::plain());
        let Self { bed, .. } = core::mem::replace(self, idle);
        let (how, _, left) = crate::control::tests::ending::end(bed, true);
        assert_eq!(how, crate::control::Ended::InOrder);
        assert_eq!(left.keys.alive(), 0);
        left.desk
    }

    pub(super) fn reload(&mut self, setting: &Setting) -> Result<String, String> {
        self.bed.reload(&setting.text(self.station))
    }

    pub(super) fn modes(&self) -> [LaneMode; 2] {
        self.bed.plane.links[0].modes
    }

    pub(super) fn is_secured(&self) -> bool {
        self.modes() == [LaneMode::Secured; 2]
    }

    /// As the last snapshot shows it.
    pub(super) fn seen(&mut self) -> LinkSnapshot {
        self.bed.newest().links[0].clone()
    }

    pub(super) fn mka(&mut self) -> MkaView {
        self.seen().mka.unwrap()
    }

    pub(super) fn alarms(&mut self) -> Vec<&'static str> {
        self.seen().alarms.iter().map(|alarm| alarm.name).collect()
    }

    pub(super) fn session_mut(&mut self) -> &mut crate::control::mka::Session {
        self.bed.control.links[0].mka.as_mut().unwrap()
    }

    pub(super) fn session(&self) -> &crate::control::mka::Session {
        self.bed.control.links[0].mka.as_ref().unwrap()
    }

    /// A frame from the wire, as the lane would take it.
    pub(super) fn hear(&mut self, frame: &[u8]) {
        let class = match &self.bed.plane.links[0].filter {
            None => Ok(EapolClass::Other),
            Some(filter) => filter.judge(frame),
        };
        if let Ok(class) = class {
            let _ = self.bed.control.links[0].parts.eapol.offer(class, frame);
        }
    }

    /// The MKPDUs that it wants on the wire.
    pub(super) fn said(&mut self) -> Vec<Vec<u8>> {
        let out = &self.bed.control.links[0].parts.eapol_out;
        core::iter::from_fn(|| out.take().map(|frame| frame.octets().to_vec())).collect()
    }
}

/// Two gateways and the wire between them.
#[derive(Debug)]
pub(super) struct Ends {
    pub(super) a: End,
    pub(super) b: End,
    /// Whether MKPDUs get from a to b, and from b to a.
    pub(super) wire: [bool; 2],
    /// MKPDUs that went by, both ways.
    pub(super) carried: Vec<Vec<u8>>,
}

impl Ends {
    pub(super) fn new(a: &Setting, b: &Setting) -> Self {
        let a = End::start(1, a);
        let mut b = End::start(2, b);
        b.bed.now = a.bed.now;
        Self {
            a,
            b,
            wire: [true; 2],
            carried: Vec::new(),
        }
    }

    /// Two ends of the same setting, secured.
    pub(super) fn secured(setting: &Setting) -> Self {
        let mut ends = Self::new(setting, setting);
        ends.until("secured", Duration::from_secs(1), |ends| {
            ends.both_secured()
        });
        ends
    }

    pub(super) fn both_secured(&self) -> bool {
        self.a.is_secured() && self.b.is_secured()
    }

    /// Control looks, workers obey, the wire carries, a moment passes.
    pub(super) fn turn(&mut self) {
        self.a.bed.turn();
        self.b.bed.turn();
        let (from_a, from_b) = (self.a.said(), self.b.said());
        for frame in from_a {
            if self.wire[0] {
                self.b.hear(&frame);
            }
            self.carried.push(frame);
        }
        for frame in from_b {
            if self.wire[1] {
                self.a.hear(&frame);
            }
            self.carried.push(frame);
        }
    }

    pub(super) fn pass(&mut self, time: Duration) {
        let end = self.a.bed.now + time;
        while self.a.bed.now < end {
            self.turn();
        }
    }

    /// Turns until it is so, which must be within `limit`. How long it took.
    #[track_caller]
    pub(super) fn until(
        &mut self,
        what: &str,
        limit: Duration,
        so: impl Fn(&Self) -> bool,
    ) -> Duration {
        let start = self.a.bed.now;
        while !so(self) {
            let passed = self.a.bed.now - start;
            if passed >= limit {
                let why = [self.a.seen(), self.b.seen()].map(|link| (link.reason, link.alarms));
                panic!("not {what} within {limit:?}: {why:#?}");
            }
            self.turn();
        }
        self.a.bed.now - start
    }

    /// Time passes with a frame each way in every turn, and none is lost.
    #[track_caller]
    pub(super) fn pass_with_traffic(&mut self, time: Duration) {
        let end = self.a.bed.now + time;
        while self.a.bed.now < end {
            self.turn();
            self.exchange();
        }
    }

    /// One protected frame each way.
    #[track_caller]
    pub(super) fn exchange(&mut self) {
        assert!(
            self.both_secured(),
            "{:?} {:?}",
            self.a.modes(),
            self.b.modes()
        );
        let frame = self.a.bed.plane.protect().expect("a protects");
        assert_eq!(self.b.bed.plane.receive(frame), None, "b receives");
        let frame = self.b.bed.plane.protect().expect("b protects");
        assert_eq!(self.a.bed.plane.receive(frame), None, "a receives");
    }
}
