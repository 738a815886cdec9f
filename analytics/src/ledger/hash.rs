//! A SHA-256, as the ledger's files and proofs write it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use std::fmt;

/// Hex digits of a hash.
pub(super) const HEX_LEN: usize = 64;

/// A SHA-256, shown as lower-case hex.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hash([u8; 32]);

impl Hash {
    /// The hash of some bytes.
    pub fn of(bytes: &[u8]) -> Hash {
        Hash(Sha256::digest(bytes).into())
    }

    /// The hash of several pieces, one after the other.
    pub(super) fn of_all(pieces: &[&[u8]]) -> Hash {
        let mut sha = Sha256::new();
        for piece in pieces {
            sha.update(piece);
        }
        Hash(sha.finalize().into())
    }

    /// The raw bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Standard base64, as checkpoints and proofs write it.
    pub fn to_base64(&self) -> String {
        STANDARD.encode(self.0)
    }

    /// Reads what [`Hash::to_base64`] wrote; `None` for anything else.
    pub fn from_base64(text: &str) -> Option<Hash> {
        Some(Hash(STANDARD.decode(text).ok()?.try_into().ok()?))
    }

    pub(super) fn to_hex(self) -> [u8; HEX_LEN] {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut hex = [0; HEX_LEN];
        for (pair, byte) in hex.chunks_exact_mut(2).zip(self.0) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 15)];
        }
        hex
    }

    /// Strict: upper-case digits are refused, so that every bit of a line counts.
    pub(super) fn from_hex(hex: &[u8]) -> Option<Hash> {
        fn digit(c: u8) -> Option<u8> {
            match c {
                b'0'..=b'9' => Some(c - b'0'),
                b'a'..=b'f' => Some(c - b'a' + 10),
                _ => None,
            }
        }
        if hex.len() != HEX_LEN {
            return None;
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(hex.chunks_exact(2)) {
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Some(Hash(bytes))
    }
}

impl From<[u8; 32]> for Hash {
    fn from(bytes: [u8; 32]) -> Hash {
        Hash(bytes)
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.to_hex()))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_and_base64_read_back_and_nothing_else_does() {
        let hash = Hash::of(b"abc");
        let hex = hash.to_string();
        assert_eq!(Hash::from_hex(hex.as_bytes()), Some(hash));
        assert!(Hash::from_hex(hex.to_uppercase().as_bytes()).is_none());
        assert!(Hash::from_hex(&hex.as_bytes()[1..]).is_none());
        assert_eq!(Hash::from_base64(&hash.to_base64()), Some(hash));
        for bad in ["", "AAAA", &hash.to_base64()[1..]] {
            assert!(Hash::from_base64(bad).is_none(), "{bad}");
        }
    }
}
