//! What to look for, made by FIPS 197 and NIST SP 800-38D without the code that is tested.

use aes_gcm::{
    KeyInit,
    aes::{Aes128, Aes256, Block, cipher::BlockCipherEncrypt},
};

/// What each octet of a disguised key is XORed with.
pub(crate) const DISGUISE: u8 = 0xA5;

/// Octets of everything that is looked for.
pub(crate) const NEEDLE_LEN: usize = 16;

fn sub_word(word: u32) -> u32 {
    u32::from_be_bytes(word.to_be_bytes().map(s_box))
}

/// The S-box of FIPS 197, from its definition: the inverse in GF(2^8), then an affine map.
fn s_box(octet: u8) -> u8 {
    // The inverse is the 254th power, and 0 for 0.
    let mut inverse = 1;
    for _ in 0..254 {
        inverse = gf_multiply(inverse, octet);
    }
    (0..5).fold(0x63, |sum, turn| sum ^ inverse.rotate_left(turn))
}

fn gf_multiply(a: u8, mut b: u8) -> u8 {
    (0..8).fold(0, |product, bit| {
        let sum = if a >> bit & 1 == 1 {
            product ^ b
        } else {
            product
        };
        b = b << 1 ^ if b >> 7 == 1 { 0x1B } else { 0 };
        sum
    })
}

/// All round keys by FIPS 197 5.2, the cipher key's own ones first.
pub(crate) fn round_keys(sak: &[u8]) -> Vec<[u8; NEEDLE_LEN]> {
    let width = sak.len() / 4;
    let mut words: Vec<u32> = sak
        .chunks(4)
        .map(|word| u32::from_be_bytes(word.try_into().unwrap()))
        .collect();
    let mut round_constant = 1u8;
    for i in width..4 * (width + 7) {
        let mut word = words[i - 1];
        if i % width == 0 {
            word = sub_word(word.rotate_left(8)) ^ u32::from(round_constant) << 24;
            round_constant = gf_multiply(round_constant, 2);
        } else if width > 6 && i % width == 4 {
            word = sub_word(word);
        }
        words.push(words[i - width] ^ word);
    }
    words
        .chunks(4)
        .map(|four| {
            let octets: Vec<u8> = four.iter().flat_map(|word| word.to_be_bytes()).collect();
            octets.try_into().unwrap()
        })
        .collect()
}

/// The hash key: as it comes out of AES, mirrored, and times x, which is what engines multiply by.
pub(crate) fn hash_keys(sak: &[u8]) -> Vec<[u8; NEEDLE_LEN]> {
    let mut block = Block::default();
    if sak.len() == 16 {
        Aes128::new_from_slice(sak)
            .unwrap()
            .encrypt_block(&mut block);
    } else {
        Aes256::new_from_slice(sak)
            .unwrap()
            .encrypt_block(&mut block);
    }
    let plain: [u8; NEEDLE_LEN] = block.into();
    let mirrored = u128::from_be_bytes(plain);
    let polynomial = 0xC200_0000_0000_0000_0000_0000_0000_0001;
    let times_x = mirrored << 1 ^ if mirrored >> 127 == 1 { polynomial } else { 0 };
    vec![
        plain,
        mirrored.to_le_bytes(),
        times_x.to_le_bytes(),
        times_x.rotate_left(64).to_le_bytes(),
    ]
}

pub(crate) fn disguised(octets: &[u8]) -> String {
    let digits = octets
        .iter()
        .map(|octet| format!("{:02x}", octet ^ DISGUISE));
    digits.collect()
}

/// The round keys that decryption has between its first and its last (FIPS 197 5.3.5).
pub(crate) fn inverse_round_keys(key: &[u8]) -> Vec<[u8; NEEDLE_LEN]> {
    let mut keys = round_keys(key);
    keys.pop();
    keys.drain(1..).map(inv_mix_columns).collect()
}

/// `InvMixColumns` of FIPS 197 5.3.3.
fn inv_mix_columns(mut block: [u8; NEEDLE_LEN]) -> [u8; NEEDLE_LEN] {
    for column in block.chunks_mut(4) {
        let old: [u8; 4] = column.try_into().unwrap();
        for (row, octet) in column.iter_mut().enumerate() {
            let factors = [0x0e, 0x0b, 0x0d, 0x09];
            *octet = (0..4).fold(0, |sum, i| {
                sum ^ gf_multiply(old[(row + i) % 4], factors[i])
            });
        }
    }
    block
}

/// The two subkeys of AES-CMAC (NIST SP 800-38B 6.1), and what they are made from.
pub(crate) fn cmac_subkeys(key: &[u8]) -> Vec<[u8; NEEDLE_LEN]> {
    let [zero, ..] = hash_keys(key)[..] else {
        return Vec::new();
    };
    let double = |block: [u8; NEEDLE_LEN]| {
        let number = u128::from_be_bytes(block);
        let carry = if number >> 127 == 1 { 0x87 } else { 0 };
        (number << 1 ^ carry).to_be_bytes()
    };
    vec![zero, double(zero), double(double(zero))]
}
