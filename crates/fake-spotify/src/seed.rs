//! Numbers and ids derived from text, the same on every start.

use sha2::{Digest, Sha256};

/// A number from 0 to `bound - 1` that depends on the seed alone.
pub(crate) fn number_below(seed: &str, bound: usize) -> usize {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in seed.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    // FNV-1a alone gives similar seeds similar numbers; this is the final mix of splitmix64.
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^= hash >> 31;
    usize::try_from(hash % (bound as u64)).unwrap_or(0)
}

/// An id in Spotify's alphabet; at most 32 characters.
pub(crate) fn base62(seed: &str, length: usize) -> String {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let hash = Sha256::digest(seed);
    let digit = |byte: &u8| char::from(DIGITS[usize::from(*byte) % DIGITS.len()]);
    hash.iter().take(length).map(digit).collect()
}
