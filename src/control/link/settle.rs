//! Lanes and plain port in line with the encryption mode.

use std::time::Instant;

use super::{LinkControl, Mode};
use crate::{
    bus::{Direction, LaneCommand, LaneMode},
    control::stance::{Facts, Loss, Stance, Why, stance},
};

impl LinkControl {
    /// Brings lanes and plain port in line. Opening goes keys, lanes, port; closing the other way.
    pub(super) fn settle(&mut self, now: Instant, send: &mut impl FnMut(Direction, LaneCommand)) {
        let secured = self.is_secured();
        self.note_secured(now, secured);
        let facts = Facts {
            encryption: self.config.encryption,
            after_secured: self.config.after_secured,
            clear_wait: self.config.clear_wait,
            secured,
            tx_end: self.tx_end(),
            keys: self.mka.as_ref().map(|session| session.progress()),
            was_secured: self.was_secured,
            loss: self.loss(now),
            secure_link_up_for: self.secure_link_up_for(now),
            secured_from_clear_for: self
                .secured_from_clear
                .map(|since| now.saturating_duration_since(since)),
            peer_protects: self.peer_protects,
        };
        let mut wanted = stance(&facts);
        if self.ending {
            wanted = Stance {
                protect: LaneMode::Closed,
                validate: LaneMode::Closed,
                plain_up: false,
                why: wanted.why,
            };
        }
        self.note_stance(&wanted);
        self.stance = Some(wanted);
        ask(&mut self.protect, wanted.protect, Direction::Protect, send);
        ask(
            &mut self.validate,
            wanted.validate,
            Direction::Validate,
            send,
        );
        let open = self.protect.now != LaneMode::Closed && self.validate.now != LaneMode::Closed;
        self.plain.show(wanted.plain_up && open, now, send);
    }

    fn note_stance(&mut self, wanted: &Stance) {
        let last = self.stance.map(|stance| stance.why);
        if last == Some(wanted.why) {
            return;
        }
        let (link, sentence) = (&*self.config.name, wanted.why.sentence());
        if wanted.why == Why::Clear && self.may_fall {
            self.may_fall = false;
            self.falls_to_clear += 1;
            tracing::warn!(link, "{sentence}; it was secured before");
        } else {
            tracing::info!(link, "{sentence}");
        }
    }

    /// How the link ceased to be secured, where that says when clear may pass.
    fn loss(&self, now: Instant) -> Option<Loss> {
        self.mka.as_ref().and_then(|session| session.loss_for(now))
    }

    fn note_secured(&mut self, now: Instant, secured: bool) {
        if secured {
            if self.secured_from_clear.is_none() && self.protect.now == LaneMode::Clear {
                self.secured_from_clear = Some(now);
            }
            self.was_secured = true;
            self.may_fall = true;
        } else {
            self.secured_from_clear = None;
            self.peer_protects = false;
        }
    }
}

/// Asks a lane for a mode, once.
fn ask(
    mode: &mut Mode,
    wanted: LaneMode,
    direction: Direction,
    send: &mut impl FnMut(Direction, LaneCommand),
) {
    if mode.asked != wanted {
        mode.asked = wanted;
        send(direction, LaneCommand::Mode(wanted));
    }
}
