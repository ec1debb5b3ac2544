//! What a KaY tells: lines for the log, and what alarms and `status` remember of it.

use std::time::Instant;

use super::{
    allowance::Allowance,
    words::{lost, mi_changed, rekeyed, sak_refused},
};
use crate::{
    ieee::{Ckn, Sci},
    mka::{Event, LostWhy, SakRefusal},
};

/// The story of one link's key agreement.
#[derive(Debug)]
pub(in crate::control) struct Chronicle {
    link: String,
    /// For what changes the session, and for all else: a flood of the one does not hide the other.
    weighty: Allowance,
    other: Allowance,
    lost: Option<(Instant, LostWhy)>,
    /// The last SAK that was refused, until one is in use again.
    refused: Option<(Instant, Sci, SakRefusal)>,
    /// The last member that there was no room for.
    stranger: Option<(Instant, Ckn, Sci)>,
}

impl Chronicle {
    pub(super) fn new(link: &str) -> Self {
        Self {
            link: link.to_owned(),
            weighty: Allowance::default(),
            other: Allowance::default(),
            lost: None,
            refused: None,
            stranger: None,
        }
    }

    /// Why the KaY last said that the link is not secured any more, unless it said since that it is.
    pub(super) const fn lost(&self) -> Option<(Instant, LostWhy)> {
        self.lost
    }

    pub(super) const fn refused(&self) -> Option<&(Instant, Sci, SakRefusal)> {
        self.refused.as_ref()
    }

    pub(super) const fn stranger(&self) -> Option<&(Instant, Ckn, Sci)> {
        self.stranger.as_ref()
    }

    /// Lines that were withheld since the start.
    pub(super) const fn withheld(&self) -> u64 {
        self.weighty.withheld_in_all() + self.other.withheld_in_all()
    }

    /// Takes an event: remembers what stands, and logs it unless there were too many.
    pub(super) fn note(&mut self, now: Instant, event: &Event) {
        match event {
            Event::Secured(_) => (self.lost, self.refused) = (None, None),
            Event::Lost(why) => self.lost = Some((now, *why)),
            Event::SakRefused { from, why } => self.refused = Some((now, *from, *why)),
            Event::TooManyPeers { ckn, sci } => self.stranger = Some((now, ckn.clone(), *sci)),
            _ => {}
        }
        let lines = if is_weighty(event) {
            &mut self.weighty
        } else {
            &mut self.other
        };
        let Some(withheld) = lines.take(now) else {
            return;
        };
        let link = &*self.link;
        if withheld > 0 {
            tracing::warn!(
                link,
                withheld,
                "key agreement: lines like the next were withheld"
            );
        }
        log(link, event);
    }
}

/// What an operator must see even while frames of any kind flood the link.
const fn is_weighty(event: &Event) -> bool {
    matches!(
        event,
        Event::Secured(_)
            | Event::Lost(_)
            | Event::Principal(_)
            | Event::KeyServer(_)
            | Event::NoMacsec { .. }
            | Event::InstallFailed(_)
            | Event::SakDistributed { .. }
            | Event::SakReceived { .. }
    )
}

/// One line. Nothing in it is text that a peer wrote: identifiers are numbers, and are printed as such.
fn log(link: &str, event: &Event) {
    match event {
        Event::PeerLive { ckn, sci, mi } => {
            tracing::info!(link, %ckn, %sci, %mi, "a peer is live");
        }
        Event::PeerLost { ckn, sci, mi } => {
            tracing::warn!(link, %ckn, %sci, %mi, "a live peer was not heard for MKA Life Time");
        }
        Event::PeerRestarted { ckn, sci, mi } => {
            tracing::warn!(link, %ckn, %sci, %mi, "a peer restarted: it has a new member identifier");
        }
        Event::TooManyPeers { ckn, sci } => tracing::warn!(
            link, %ckn, %sci,
            "a member is not taken: there are as many peers as max_peers allows"
        ),
        Event::NewMemberIdentifier { ckn, mi, why } => {
            tracing::warn!(link, %ckn, %mi, "a new member identifier of ours: {}", mi_changed(*why));
        }
        Event::Principal(Some(ckn)) => tracing::info!(link, %ckn, "the principal CAK is this one"),
        Event::Principal(None) => tracing::warn!(link, "no CAK has a live peer"),
        Event::KeyServer(Some(sci)) => tracing::info!(link, %sci, "the key server is this one"),
        Event::KeyServer(None) => tracing::warn!(link, "there is no key server"),
        Event::SakDistributed { sa, suite, why } => tracing::info!(
            link, an = %sa.an, ki = %sa.ki, %suite, "a SAK is distributed: {}", rekeyed(*why)
        ),
        Event::SakReceived { sa, suite } => {
            tracing::info!(link, an = %sa.an, ki = %sa.ki, %suite, "a SAK was received");
        }
        Event::SakRefused { from, why } => {
            tracing::error!(link, %from, "a SAK was refused: {}", sak_refused(*why));
        }
        Event::NoMacsec { from } => tracing::warn!(
            link, %from, "the key server says that no MACsec is to be used"
        ),
        Event::Secured(sa) => tracing::info!(link, an = %sa.an, ki = %sa.ki, "secured"),
        Event::Lost(why) => tracing::warn!(link, "no longer secured: {}", lost(*why).1),
        Event::InstallFailed(sa) => {
            tracing::error!(link, an = %sa.an, ki = %sa.ki, "an SA could not be made or installed");
        }
        Event::Discarded(why) => {
            tracing::warn!(
                link,
                why = why.name(),
                "an MKPDU was discarded; each is counted"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mka::{Discard, SaId};

    #[test]
    fn a_flood_of_frames_does_not_hide_a_loss() {
        let (mut chronicle, now) = (Chronicle::new("l0"), Instant::now());
        for _ in 0..1000 {
            chronicle.note(now, &Event::Discarded(Discard::Icv));
        }
        assert_eq!(chronicle.withheld(), 980);
        chronicle.note(now, &Event::Lost(LostWhy::PeersGone));
        assert_eq!(chronicle.withheld(), 980, "it was logged");
        assert_eq!(chronicle.lost(), Some((now, LostWhy::PeersGone)));
    }

    #[test]
    fn what_is_wrong_stands_until_it_is_right() {
        let (mut chronicle, now) = (Chronicle::new("l0"), Instant::now());
        let (from, why) = (Sci(7), SakRefusal::Suite);
        chronicle.note(now, &Event::SakRefused { from, why });
        assert_eq!(chronicle.refused(), Some(&(now, from, why)));
        let id = SaId {
            an: crate::ieee::An::ALL[0],
            ki: crate::ieee::KeyIdentifier([0; 16]),
        };
        chronicle.note(now, &Event::Secured(id));
        assert_eq!(chronicle.refused(), None);
    }
}
