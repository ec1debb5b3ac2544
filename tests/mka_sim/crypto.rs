//! Cryptography for the simulation: keyed and collision-free enough for an honest wire, and fast.
//!
//! The real one is proven against the standard's figures elsewhere (`tests/mka_golden.rs` runs a KaY on
//! it); here ten thousand runs have to be affordable, and no secret is one.

use macsec_gateway::{
    crypto::{
        Cak, CakKeys, ICV_LEN, Ick, Kek, KeyAgreement, KeyError, Sak, UnwrapError, WrappedSak,
    },
    ieee::{CipherSuite, Ckn},
};

use crate::rng::Rng;

/// One node's cryptography, with its own chance.
#[derive(Debug)]
pub(crate) struct FakeCrypto {
    rng: Rng,
}

impl FakeCrypto {
    pub(crate) fn new(rng: Rng) -> Self {
        Self { rng }
    }
}

/// Two lanes of FNV-1a with a last mix: the sum depends on the octets, not on how they are cut.
struct Sum([u64; 2]);

impl Sum {
    fn new(key: &[u8], label: u8) -> Self {
        let mut sum = Self([0xcbf2_9ce4_8422_2325, 0x8422_2325_cbf2_9ce4]);
        sum.add(key);
        sum.add(&[label]);
        sum
    }

    fn add(&mut self, octets: &[u8]) {
        let [mut a, mut b] = self.0;
        for octet in octets {
            a = (a ^ u64::from(*octet)).wrapping_mul(0x0100_0000_01b3);
            b = (b ^ u64::from(*octet) ^ (a >> 47)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        }
        self.0 = [a, b];
    }

    fn end(self) -> [u8; 16] {
        let mut out = [0; 16];
        for (lane, place) in self.0.into_iter().zip(out.chunks_mut(8)) {
            place.copy_from_slice(&Rng::new(lane).next().to_be_bytes());
        }
        out
    }
}

impl KeyAgreement for FakeCrypto {
    fn derive(&self, cak: &Cak, ckn: &Ckn) -> Result<CakKeys, KeyError> {
        let key = |label| {
            let mut sum = Sum::new(cak.expose(), label);
            sum.add(ckn.octets());
            sum.end()
        };
        Ok(CakKeys {
            ick: Ick::take(&mut key(1)).unwrap(),
            kek: Kek::take(&mut key(2)).unwrap(),
        })
    }

    fn icv(&self, ick: &Ick, parts: &[&[u8]]) -> [u8; ICV_LEN] {
        let mut sum = Sum::new(ick.expose(), 3);
        parts.iter().for_each(|part| sum.add(part));
        sum.end()
    }

    fn wrap_sak(&self, kek: &Kek, sak: &Sak) -> WrappedSak {
        let mut check = Sum::new(kek.expose(), 4);
        check.add(sak.expose());
        let mut wrapped = WrappedSak::new();
        wrapped.try_extend_from_slice(&check.end()[..8]).unwrap();
        let stream = Sum::new(kek.expose(), 5).end();
        wrapped.extend(
            sak.expose()
                .iter()
                .zip(stream.iter().cycle())
                .map(|(a, b)| a ^ b),
        );
        wrapped
    }

    fn unwrap_sak(&self, kek: &Kek, wrapped: &[u8]) -> Result<Sak, UnwrapError> {
        if !matches!(wrapped.len(), 24 | 40) {
            return Err(UnwrapError::Length(wrapped.len()));
        }
        let (check, hidden) = wrapped.split_at(8);
        let stream = Sum::new(kek.expose(), 5).end();
        let mut octets: Vec<u8> = hidden
            .iter()
            .zip(stream.iter().cycle())
            .map(|(a, b)| a ^ b)
            .collect();
        let mut expected = Sum::new(kek.expose(), 4);
        expected.add(&octets);
        if expected.end()[..8] != *check {
            return Err(UnwrapError::Check);
        }
        Ok(Sak::take(&mut octets).unwrap())
    }

    fn generate_sak(&mut self, suite: CipherSuite) -> Result<Sak, KeyError> {
        let mut octets = [0; 32];
        let octets = &mut octets[..suite.sak_len()];
        self.rng.fill(octets);
        Ok(Sak::take(octets).unwrap())
    }

    fn random(&mut self, out: &mut [u8]) -> Result<(), KeyError> {
        self.rng.fill(out);
        Ok(())
    }
}
