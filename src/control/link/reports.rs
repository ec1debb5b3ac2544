//! What the lanes said: to the keys, the ports and the modes that it is about.

use super::{LinkControl, Mode, sender};
use crate::{
    bus::{Command, Direction, LaneMode, LaneReport},
    control::books::Books,
};

impl LinkControl {
    /// Takes a lane's word.
    pub(in crate::control) fn report(
        &mut self,
        direction: Direction,
        what: LaneReport,
        books: &mut Books,
        out: &mut Vec<Command>,
    ) {
        match what {
            LaneReport::Mode(mode) => self.mode_of(direction).now = mode,
            LaneReport::UsesPort(side, in_use) => self.port_of(side).used(direction, in_use),
            LaneReport::BypassReplaced(old) => drop(old),
            LaneReport::EapolFilterReplaced(old) => drop(old),
            LaneReport::LateKey(key) => drop(key),
            LaneReport::TooLong(octets) => self.note_too_long(octets),
            LaneReport::PeerProtects => {
                self.peer_protects = true;
                self.validate = Mode {
                    asked: LaneMode::Secured,
                    now: LaneMode::Secured,
                };
            }
            of_keys => match &mut self.mka {
                Some(session) => session.sas.told(of_keys),
                None => self.static_keys_told(of_keys, books, out),
            },
        }
    }

    /// A word about static keys.
    fn static_keys_told(&mut self, what: LaneReport, books: &mut Books, out: &mut Vec<Command>) {
        let mut send = sender(self.index, out);
        match what {
            LaneReport::TxSaInstalled(an, ki) => self.agreement.tx_installed(an, ki),
            LaneReport::Encoding(an, ki) => self.agreement.encodes(an, ki, &mut send),
            LaneReport::TxSaRetired(sa) => self.agreement.tx_home(sa, books),
            LaneReport::RxSaInstalled(sci, an, ki) => self.agreement.rx_installed(sci, an, ki),
            LaneReport::RxSaRetired(sci, sa) | LaneReport::NoSuchSc(sci, sa) => {
                self.agreement.rx_home(sci, sa, books);
            }
            LaneReport::NoSuchTxSa(an, ki) => {
                tracing::debug!(link = self.config.name, %an, %ki, "no such transmit SA");
            }
            LaneReport::NoSuchRxSa(sci, an, ki) => {
                tracing::debug!(link = self.config.name, %sci, %an, %ki, "no such receive SA");
            }
            // A link with static keys asks for nothing that these would answer.
            _ => {}
        }
    }

    fn note_too_long(&mut self, octets: usize) {
        self.too_long = Some(octets);
        tracing::warn!(
            link = self.config.name,
            octets,
            mtu = self.config.mtu,
            "a frame from the plain side is too long for the link; it and all others like it are \
             dropped and counted (said once)"
        );
    }

    const fn mode_of(&mut self, direction: Direction) -> &mut Mode {
        match direction {
            Direction::Protect => &mut self.protect,
            Direction::Validate => &mut self.validate,
        }
    }
}
