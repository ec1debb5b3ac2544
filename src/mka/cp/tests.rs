//! The matrix is what was reviewed, and every order of events has a way on.

use alloc::{collections::BTreeSet, format, string::String, vec, vec::Vec};

use super::{
    Connect, Cp, Inputs, State,
    inputs::When,
    table::{Row, TABLE},
};

/// From (row) to (column); a letter for each condition, in the order in which they are looked at.
fn matrix() -> String {
    let mut out = String::from("from \\ to      ");
    for state in State::ALL {
        out += &format!("{:>14}", state.name());
    }
    out.push('\n');
    for from in State::ALL {
        out += &format!("{:<15}", from.name());
        for to in State::ALL {
            let ways: Vec<String> = rows(from)
                .enumerate()
                .filter(|(_, row)| row.to == to)
                .map(|(place, _)| format!("{}", place + 1))
                .collect();
            let cell = if ways.is_empty() {
                "-".into()
            } else {
                ways.join(",")
            };
            out += &format!("{cell:>14}");
        }
        out.push('\n');
    }
    for from in State::ALL {
        out.push('\n');
        for (place, row) in rows(from).enumerate() {
            let line = format!(
                "{:<14}{:>2}  {:<28}",
                from.name(),
                place + 1,
                format!("{:?}", row.when)
            );
            out += &format!("{line}{}\n", row.to.name());
        }
    }
    out
}

fn rows(from: State) -> impl Iterator<Item = &'static Row> {
    TABLE.iter().filter(move |row| row.from == from)
}

#[test]
fn the_transition_matrix_is_the_one_that_was_reviewed() {
    let found = matrix();
    let reviewed = include_str!("matrix.txt");
    assert!(
        found == reviewed,
        "src/mka/cp/matrix.txt should read:\n{found}"
    );
}

#[test]
fn no_transition_hides_behind_an_earlier_one_and_none_leads_to_its_own_state() {
    for from in State::ALL {
        let mut seen: Vec<When> = vec![];
        for row in rows(from) {
            assert!(!seen.contains(&row.when), "{row:?} can't be reached");
            assert_ne!(row.from, row.to);
            seen.push(row.when);
        }
        assert!(!seen.is_empty(), "{from:?} has no way out");
        let disabled = seen.first() == Some(&When::Disabled);
        assert!(disabled || from == State::Init, "{from:?} ignores the port");
    }
}

/// The machine in a world that does what a KaY and its data plane do: the least that a state's entry changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct World {
    state: State,
    enabled: bool,
    secure: bool,
    /// A key waits for the machine.
    pending: bool,
    elected: bool,
    latest: bool,
    old: bool,
    /// The data plane receives with the latest key.
    installed: bool,
    peers_receive: bool,
    server_transmits: bool,
    /// What the data plane protects with: 0 nothing, 1 the old key, 2 the latest.
    in_use: u8,
    asked: bool,
    failed: bool,
    transmit_over: bool,
    retire_over: bool,
}

/// What may happen at any time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Port(bool),
    Secure(bool),
    Key,
    Elected(bool),
    Installed,
    PeersReceive,
    ServerTransmits,
    InUse,
    Failed,
    TransmitDelay,
    RetireDelay,
}

const EVENTS: [What; 14] = [
    What::Port(true),
    What::Port(false),
    What::Secure(true),
    What::Secure(false),
    What::Key,
    What::Elected(true),
    What::Elected(false),
    What::Installed,
    What::PeersReceive,
    What::ServerTransmits,
    What::InUse,
    What::Failed,
    What::TransmitDelay,
    What::RetireDelay,
];

impl World {
    const START: Self = Self {
        state: State::Init,
        enabled: false,
        secure: false,
        pending: false,
        elected: false,
        latest: false,
        old: false,
        installed: false,
        peers_receive: false,
        server_transmits: false,
        in_use: 0,
        asked: false,
        failed: false,
        transmit_over: false,
        retire_over: false,
    };

    fn after(mut self, what: What) -> Self {
        match what {
            What::Port(up) => self.enabled = up,
            What::Secure(secure) => self.secure = secure,
            What::Key => self.pending |= self.secure,
            What::Elected(elected) => self.elected = elected,
            What::Installed => self.installed |= self.latest,
            What::PeersReceive => self.peers_receive |= self.latest && self.installed,
            What::ServerTransmits => self.server_transmits |= self.latest,
            What::InUse if self.asked && self.latest => self.in_use = 2,
            What::Failed => self.failed |= self.latest && self.in_use != 2,
            What::TransmitDelay => self.transmit_over |= self.state == State::Receiving,
            What::RetireDelay => self.retire_over |= self.state == State::Transmitting,
            What::InUse => {}
        }
        self.run()
    }

    fn run(mut self) -> Self {
        for steps in 0.. {
            assert!(steps < 12, "goes round: {self:?}");
            let mut cp = Cp::resume(self.state);
            let connect = if self.secure {
                Connect::Secure
            } else {
                Connect::Pending
            };
            let Some(state) = cp.step(&Inputs {
                port_enabled: self.enabled,
                connect,
                new_sak: self.pending,
                using_receive_sas: self.installed,
                all_receiving: self.peers_receive,
                elected_self: self.elected,
                server_transmitting: self.server_transmits,
                transmit_delay_over: self.transmit_over,
                using_transmit_sa: self.in_use == 2,
                retire_delay_over: self.retire_over,
                failed: self.failed,
            }) else {
                break;
            };
            self.enter(state);
        }
        self
    }

    fn enter(&mut self, state: State) {
        let (before, from) = (*self, self.state);
        self.state = state;
        match state {
            State::Init | State::Change => {
                *self = Self {
                    state,
                    enabled: self.enabled,
                    secure: self.secure,
                    pending: self.pending && self.secure,
                    elected: self.elected,
                    ..Self::START
                };
            }
            State::Receive => {
                assert!(!self.latest, "a latest key is overwritten: {before:?}");
                *self = Self {
                    state,
                    pending: false,
                    latest: true,
                    ..self.no_latest()
                };
            }
            State::Transmit => {
                assert!(self.installed, "transmits before it receives: {before:?}");
                self.asked = true;
            }
            State::Transmitting => {
                self.transmit_over = false;
                self.retire_over = !self.old;
            }
            State::Abandon => {
                assert!(self.in_use != 2, "the key in use is given up: {before:?}");
                *self = Self {
                    state,
                    ..self.no_latest()
                };
            }
            State::Retire => {
                assert!(
                    self.in_use != 1 || !self.secure || from == State::Abandon,
                    "the old key is retired while it is in use: {before:?}"
                );
                let in_use = u8::from(self.in_use == 2);
                let old = self.latest;
                *self = Self {
                    state,
                    old,
                    in_use,
                    retire_over: false,
                    ..self.no_latest()
                };
            }
            State::Allowed
            | State::Authenticated
            | State::Secured
            | State::Receiving
            | State::Ready => {}
        }
    }

    fn no_latest(&self) -> Self {
        Self {
            latest: false,
            installed: false,
            peers_receive: false,
            server_transmits: false,
            asked: false,
            failed: false,
            transmit_over: false,
            ..*self
        }
    }

    /// A cooperative world: a key comes, and everything that has to be reported is.
    fn is_secured_by(self, events: &[What]) -> bool {
        let end = events.iter().fold(self, |world, event| world.after(*event));
        end.state == State::Retire && end.old && end.in_use == 1
    }
}

fn everywhere() -> BTreeSet<World> {
    let mut seen = BTreeSet::from([World::START]);
    let mut next = vec![World::START];
    while let Some(world) = next.pop() {
        for event in EVENTS {
            let after = world.after(event);
            if seen.insert(after) {
                next.push(after);
            }
        }
    }
    seen
}

#[test]
fn after_every_order_of_events_the_machine_gets_on() {
    let worlds = everywhere();
    let states: BTreeSet<State> = worlds.iter().map(|world| world.state).collect();
    // ALLOWED and AUTHENTICATED are for ports that are connected in other ways.
    assert_eq!(states.len(), State::ALL.len() - 2);
    let come = [
        What::Port(true),
        What::Secure(true),
        What::Failed,
        What::RetireDelay,
    ];
    let go_on = [
        What::Key,
        What::Installed,
        What::ServerTransmits,
        What::PeersReceive,
        What::InUse,
        What::RetireDelay,
    ];
    for elected in [true, false] {
        let events: Vec<What> = [What::Elected(elected)]
            .into_iter()
            .chain(come)
            .chain(go_on)
            .collect();
        for world in &worlds {
            assert!(world.is_secured_by(&events), "stuck: {world:?}");
        }
    }
}

#[test]
fn without_port_or_peer_no_key_stays() {
    for world in everywhere() {
        let off = world.after(What::Port(false));
        assert_eq!(
            (off.state, off.latest, off.old),
            (State::Init, false, false)
        );
        let alone = world.after(What::Port(true)).after(What::Secure(false));
        assert_eq!(
            (alone.state, alone.latest, alone.old),
            (State::Change, false, false)
        );
    }
}

#[test]
fn a_port_without_macsec_follows_how_it_is_connected() {
    let inputs = |connect| Inputs {
        port_enabled: true,
        connect,
        ..Inputs::default()
    };
    for (connect, state) in [
        (Connect::Unauthenticated, State::Allowed),
        (Connect::Authenticated, State::Authenticated),
        (Connect::Secure, State::Secured),
    ] {
        let mut cp = Cp::default();
        assert_eq!(cp.step(&inputs(connect)), Some(State::Change));
        assert_eq!(cp.step(&inputs(connect)), Some(state));
        assert_eq!(cp.step(&inputs(connect)), None);
        assert_eq!(cp.step(&inputs(Connect::Pending)), Some(State::Change));
        assert_eq!(cp.step(&inputs(Connect::Pending)), None);
        assert_eq!(cp.step(&Inputs::default()), Some(State::Init));
    }
}
