//! One record as one line of the chain.

use super::Error;
use super::hash::{HEX_LEN, Hash};
use super::merkle::leaf_hash;
use crate::record::Record;
use memchr::memmem;
use serde::Deserialize;
use std::sync::Arc;

/// The longest line, its newline included.
pub const MAX_LINE_BYTES: usize = 1 << 20;

const DOMAIN: &[u8] = b"tollgate ledger v2";
const SEQ_PREFIX: &[u8] = b"{\"seq\":";
const ERASED_PREFIX: &[u8] = b",\"erased\":\"";

/// What stands before the first record.
pub(super) fn genesis() -> Hash {
    Hash::of(DOMAIN)
}

/// The hash of a line whose record has this leaf hash, after a line with the hash `prev`.
pub(super) fn chain(prev: &Hash, leaf: &Hash) -> Hash {
    Hash::of_all(&[prev.as_bytes(), leaf.as_bytes()])
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

/// The two hashes of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hashes {
    /// Of the chain up to it.
    pub(super) line: Hash,
    /// Of its record, as a leaf of the Merkle tree.
    pub(super) leaf: Hash,
}

impl Hashes {
    fn after(prev: &Hash, json: &[u8]) -> Hashes {
        let leaf = leaf_hash(json);
        let line = chain(prev, &leaf);
        Hashes { line, leaf }
    }
}

/// What a line is about: the key of its JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Record,
    Act,
}

impl Kind {
    fn key(self) -> &'static [u8] {
        match self {
            Kind::Record => b",\"record\":",
            Kind::Act => b",\"act\":",
        }
    }
}

/// Appends the line of a record, given as JSON, to `buf` and returns its hashes; on an error `buf`
/// is as before.
pub(super) fn write(
    buf: &mut Vec<u8>,
    prev: &Hash,
    seq: u64,
    kind: Kind,
    json: &[u8],
) -> Result<Hashes, Error> {
    let start = buf.len();
    // The hash comes before what it covers: leave room, fill it in after.
    buf.resize(start + HEX_LEN, b'0');
    buf.push(b' ');
    buf.extend_from_slice(SEQ_PREFIX);
    buf.extend_from_slice(seq.to_string().as_bytes());
    buf.extend_from_slice(kind.key());
    buf.extend_from_slice(json);
    buf.push(b'}');
    let hashes = Hashes::after(prev, &buf[start + HEX_LEN + 1..]);
    buf[start..start + HEX_LEN].copy_from_slice(&hashes.line.to_hex());
    buf.push(b'\n');
    let bytes = buf.len() - start;
    if bytes > MAX_LINE_BYTES {
        buf.truncate(start);
        return Err(Error::TooLong {
            bytes,
            limit: MAX_LINE_BYTES,
        });
    }
    Ok(hashes)
}

/// What stands in place of an erased record.
pub(super) fn erased(seq: u64, leaf: &Hash) -> String {
    format!("{{\"seq\":{seq},\"erased\":\"{leaf}\"}}")
}

/// A line as it stands in the file, its newline taken off: well-formed, not yet believed.
pub(super) struct Line<'a> {
    pub(super) hash: Hash,
    pub(super) seq: u64,
    /// The record's bytes: the leaf's data.
    pub(super) json: &'a [u8],
    /// The leaf hash of a record that was erased; `json` then only says so.
    erased: Option<Hash>,
}

impl<'a> Line<'a> {
    /// `None` if it does not even look like a line.
    pub(super) fn parse(line: &'a [u8]) -> Option<Line<'a>> {
        let (hex, rest) = line.split_at_checked(HEX_LEN)?;
        let json = rest.strip_prefix(b" ")?;
        let digits = json.strip_prefix(SEQ_PREFIX)?;
        let end = digits.iter().position(|&c| c == b',')?;
        let seq = std::str::from_utf8(&digits[..end]).ok()?.parse().ok()?;
        let erased = match digits[end..].strip_prefix(ERASED_PREFIX) {
            Some(rest) => {
                let leaf = Hash::from_hex(rest.get(..HEX_LEN)?)?;
                // No hash covers these bytes, so they must be exactly what we write.
                (erased(seq, &leaf).as_bytes() == json)
                    .then_some(leaf)?
                    .into()
            }
            None => None,
        };
        Some(Line {
            hash: Hash::from_hex(hex)?,
            seq,
            json,
            erased,
        })
    }

    /// Its leaf hash, if it continues a chain whose last hash is `prev`.
    pub(super) fn after(&self, prev: &Hash) -> Option<Hash> {
        let leaf = self.leaf();
        (chain(prev, &leaf) == self.hash).then_some(leaf)
    }

    /// Its leaf hash.
    pub(super) fn leaf(&self) -> Hash {
        self.erased.unwrap_or_else(|| leaf_hash(self.json))
    }

    /// Whether its record was erased.
    pub(super) fn is_erased(&self) -> bool {
        self.erased.is_some()
    }

    /// A time of the record in microseconds, by its key with quotes and colon; not parsed as JSON,
    /// in which no text can hold an unescaped quote.
    pub(super) fn micros(&self, key: &[u8]) -> Option<i64> {
        let digits = &self.json[memmem::find(self.json, key)? + key.len()..];
        let end = digits
            .iter()
            .position(|c| !c.is_ascii_digit() && *c != b'-')?;
        std::str::from_utf8(&digits[..end]).ok()?.parse().ok()
    }

    /// The record, of a line that was not erased.
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
        let hashes = write(
            &mut buf,
            &genesis(),
            7,
            Kind::Record,
            &to_json(&sample(7)).unwrap(),
        )
        .unwrap();
        assert_eq!(buf.pop(), Some(b'\n'));
        assert!(!buf.contains(&b'\n'));
        let line = Line::parse(&buf).unwrap();
        assert_eq!((line.seq, line.hash), (7, hashes.line));
        assert_eq!(line.after(&genesis()), Some(hashes.leaf));
        assert_eq!(line.after(&hashes.line), None);
        assert_eq!(line.leaf(), hashes.leaf);
        assert_eq!(line.record().unwrap(), sample(7));
    }

    #[test]
    fn genesis_is_the_documented_one() {
        // printf 'tollgate ledger v2' | sha256sum
        assert_eq!(
            genesis().to_string(),
            "3cf31ab2bb9e1af5ea86bf498098e848115096afb0240af445fa2069ae693cfc"
        );
    }

    #[test]
    fn an_overlong_record_is_refused_and_leaves_no_trace() {
        let mut record = sample(0);
        record.decision.reason = "x".repeat(MAX_LINE_BYTES);
        let mut buf = b"before".to_vec();
        let error = write(
            &mut buf,
            &genesis(),
            0,
            Kind::Record,
            &to_json(&record).unwrap(),
        )
        .unwrap_err();
        assert!(matches!(error, Error::TooLong { .. }), "{error}");
        assert_eq!(buf, b"before");
    }
}
