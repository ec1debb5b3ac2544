//! The Distributed CAK parameter set (802.1X-2020 figure 11-13).
//!
//! CAKs are the operator's: a set that arrives is noted in [`super::Mkpdu`] and never used, and none is
//! sent. This view is for who wants to know what was offered.

use crate::ieee::Ckn;

/// Octets that key wrap adds (RFC 3394).
const WRAP_LEN: usize = 8;

/// The body of a received set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DistributedCak<'a> {
    /// The CAK under the KEK: 24 or 40 octets.
    pub wrapped: &'a [u8],
    /// Its name.
    pub ckn: Ckn,
}

impl<'a> DistributedCak<'a> {
    /// A view of `body` for a CAK of `cak_len` octets, 16 or 32. The set does not say it: the new CAK
    /// is as long as the one that protects the MKPDU. `None` where no CKN of 1 to 32 octets is left.
    pub fn parse(body: &'a [u8], cak_len: usize) -> Option<Self> {
        let (wrapped, ckn) = body.split_at_checked(cak_len.checked_add(WRAP_LEN)?)?;
        Some(Self {
            wrapped,
            ckn: Ckn::new(ckn).ok()?,
        })
    }
}
