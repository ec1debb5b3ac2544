//! How a client numbers the members under an XPN key (802.1X-2020 9.10, 802.1AE-2018 10.7.13).

use alloc::vec::Vec;

use super::{Kay, client::NotTaken, ssci::Sscis};
use crate::{
    ieee::{CipherSuite, KeyIdentifier, Sci},
    mka::{SaId, SakRefusal, SsciRule, Time, pdu::Mkpdu},
};

impl Kay {
    /// Who has which SSCI under this key: by the members that the key server counts (802.1X-2020 9.10).
    pub(super) fn sscis(
        &mut self,
        now: Time,
        at: usize,
        pdu: &Mkpdu,
        suite: CipherSuite,
        id: SaId,
    ) -> Result<Sscis, NotTaken> {
        if !suite.is_xpn() {
            return Ok(Sscis::default());
        }
        let (Some(entry), Some(list)) = (self.entries.get(at), &pdu.live) else {
            return Err(SakRefusal::Ssci.into());
        };
        let server = pdu.basic.sci;
        let members: Option<Vec<Sci>> = list
            .peers
            .iter()
            .map(|(mi, _)| {
                if *mi == entry.mi {
                    Some(self.sci)
                } else {
                    entry.participant.live_peer(*mi).map(|peer| peer.sci)
                }
            })
            .collect();
        let Some(members) = members else {
            return Err(self.wait_for_members(now, id.ki));
        };
        let peers: Vec<Sci> = members
            .iter()
            .copied()
            .filter(|sci| *sci != self.sci)
            .chain([server])
            .collect();
        let by_list = || Sscis::by_list(self.sci, server, list.key_server_ssci, &members);
        let both_know =
            pdu.basic.version >= 3 && self.policy.version >= 3 && list.key_server_ssci != 0;
        let sscis = match self.policy.ssci {
            SsciRule::Forced { own, peer } => Sscis::forced(own, peer, &peers),
            SsciRule::ByLiveList => by_list(),
            SsciRule::Auto if both_know => by_list(),
            SsciRule::Auto | SsciRule::BySci => Some(Sscis::by_sci(self.sci, &peers)),
        };
        sscis.ok_or(NotTaken::Refused(SakRefusal::Ssci))
    }

    /// A key that was remembered before all of its peers were installed learns the numbers of the others from its
    /// repetition.
    pub(super) fn complete(
        &mut self,
        now: Time,
        at: usize,
        pdu: &Mkpdu,
        id: SaId,
    ) -> Result<(), NotTaken> {
        let Some(suite) = self
            .keys
            .sa(id)
            .filter(|sa| sa.is_xpn() && sa.known && !sa.receiving)
            .map(|sa| sa.key.suite)
        else {
            return Ok(());
        };
        let told = self.sscis(now, at, pdu, suite, id)?;
        let Some(sa) = self.keys.sa_mut(id).filter(|sa| sa.own_ssci == told.own) else {
            return Ok(());
        };
        for (peer, ssci) in told.peers {
            let taken = sa
                .sscis
                .iter()
                .any(|(sci, other)| *sci == peer || *other == ssci);
            if !taken {
                sa.sscis.push((peer, ssci));
            }
        }
        Ok(())
    }

    /// A member that the key server has and we don't will mostly be live in a moment.
    fn wait_for_members(&mut self, now: Time, ki: KeyIdentifier) -> NotTaken {
        match self.refusals.waiting {
            Some((waiting, since)) if waiting == ki => {
                if now.since(since) < self.policy.timers.hello {
                    NotTaken::Later
                } else {
                    SakRefusal::Ssci.into()
                }
            }
            _ => {
                self.refusals.waiting = Some((ki, now));
                NotTaken::Later
            }
        }
    }
}
