//! One record as one line of the chain.

use super::Error;
use crate::record::Record;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::fmt;
use std::sync::Arc;

/// The longest line, its newline included.
pub const MAX_LINE_BYTES: usize = 1 << 20;

const DOMAIN: &[u8] = b"tollgate ledger v1";
const HEX_LEN: usize = 64;
const SEQ_PREFIX: &[u8] = b"{\"seq\":";

/// A SHA-256 of the chain, shown as lower-case hex.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hash([u8; 32]);

impl Hash {
    /// What stands before the first record.
    pub fn genesis() -> Hash {
        Hash(Sha256::digest(DOMAIN).into())
    }

    /// The hash of a line whose JSON is `json`, after a line with this hash.
    pub fn next(&self, json: &[u8]) -> Hash {
        let mut sha = Sha256::new();
        sha.update(self.0);
        sha.update(json);
        Hash(sha.finalize().into())
    }

    /// The raw bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    fn to_hex(self) -> [u8; HEX_LEN] {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut hex = [0; HEX_LEN];
        for (pair, byte) in hex.chunks_exact_mut(2).zip(self.0) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 15)];
        }
        hex
    }

    /// Strict: upper-case digits are refused, so that every bit of a line counts.
    fn from_hex(hex: &[u8]) -> Option<Hash> {
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct In {
    seq: u64,
    record: Record,
}

/// A record as its line holds it.
pub(super) fn to_json(record: &Record) -> Result<Vec<u8>, serde_json::Error> {
    // About what a record takes.
    let mut json = Vec::with_capacity(1024);
    serde_json::to_writer(&mut json, record)?;
    Ok(json)
}

/// Appends the line of a record, given as JSON, to `buf` and returns its hash; on an error `buf`
/// is as before.
pub(super) fn write(buf: &mut Vec<u8>, prev: &Hash, seq: u64, json: &[u8]) -> Result<Hash, Error> {
    let start = buf.len();
    // The hash comes before what it covers: leave room, fill it in after.
    buf.resize(start + HEX_LEN, b'0');
    buf.push(b' ');
    buf.extend_from_slice(SEQ_PREFIX);
    buf.extend_from_slice(seq.to_string().as_bytes());
    buf.extend_from_slice(b",\"record\":");
    buf.extend_from_slice(json);
    buf.push(b'}');
    let hash = prev.next(&buf[start + HEX_LEN + 1..]);
    buf[start..start + HEX_LEN].copy_from_slice(&hash.to_hex());
    buf.push(b'\n');
    let bytes = buf.len() - start;
    if bytes > MAX_LINE_BYTES {
        buf.truncate(start);
        return Err(Error::TooLong {
            bytes,
            limit: MAX_LINE_BYTES,
        });
    }
    Ok(hash)
}

/// A line as it stands in the file, its newline taken off: well-formed, not yet believed.
pub(super) struct Line<'a> {
    pub(super) hash: Hash,
    pub(super) seq: u64,
    json: &'a [u8],
}

impl<'a> Line<'a> {
    /// `None` if it does not even look like a line.
    pub(super) fn parse(line: &'a [u8]) -> Option<Line<'a>> {
        let (hex, rest) = line.split_at_checked(HEX_LEN)?;
        let json = rest.strip_prefix(b" ")?;
        let digits = json.strip_prefix(SEQ_PREFIX)?;
        let end = digits.iter().position(|&c| c == b',')?;
        let seq = std::str::from_utf8(&digits[..end]).ok()?.parse().ok()?;
        Some(Line {
            hash: Hash::from_hex(hex)?,
            seq,
            json,
        })
    }

    /// Whether it continues a chain whose last hash is `prev`.
    pub(super) fn follows(&self, prev: &Hash) -> bool {
        prev.next(self.json) == self.hash
    }

    /// The record.
    pub(super) fn record(&self) -> Result<Record, Error> {
        let form = |source| Error::Form {
            seq: self.seq,
            source: Arc::new(source),
        };
        let line: In = serde_json::from_slice(self.json).map_err(form)?;
        debug_assert_eq!(line.seq, self.seq);
        Ok(line.record)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::tests::sample;

    #[test]
    fn a_line_reads_back() {
        let mut buf = Vec::new();
        let hash = write(&mut buf, &Hash::genesis(), 7, &to_json(&sample(7)).unwrap()).unwrap();
        assert_eq!(buf.pop(), Some(b'\n'));
        assert!(!buf.contains(&b'\n'));
        let line = Line::parse(&buf).unwrap();
        assert_eq!((line.seq, line.hash), (7, hash));
        assert!(line.follows(&Hash::genesis()));
        assert!(!line.follows(&hash));
        assert_eq!(line.record().unwrap(), sample(7));
    }

    #[test]
    fn genesis_is_the_documented_one() {
        // printf 'tollgate ledger v1' | sha256sum
        assert_eq!(
            Hash::genesis().to_string(),
            "588f43568502b900c243ad505b76b8ba6ee3e001df791378a9ab1008dcabcb08"
        );
    }

    #[test]
    fn upper_case_hex_is_not_a_hash() {
        let hex = Hash::genesis().to_string();
        assert!(Hash::from_hex(hex.as_bytes()).is_some());
        assert!(Hash::from_hex(hex.to_uppercase().as_bytes()).is_none());
        assert!(Hash::from_hex(&hex.as_bytes()[1..]).is_none());
    }

    #[test]
    fn an_overlong_record_is_refused_and_leaves_no_trace() {
        let mut record = sample(0);
        record.decision.reason = "x".repeat(MAX_LINE_BYTES);
        let mut buf = b"before".to_vec();
        let error = write(&mut buf, &Hash::genesis(), 0, &to_json(&record).unwrap()).unwrap_err();
        assert!(matches!(error, Error::TooLong { .. }), "{error}");
        assert_eq!(buf, b"before");
    }
}
