//! Decoded strings, and the way from them back to the bytes of the body.

use super::{JsonError, JsonErrorKind};
use std::borrow::Cow;
use std::ops::Range;

/// The content of a JSON string.
pub struct Text<'a> {
    /// The decoded content; borrowed if it holds no escape.
    pub content: Cow<'a, str>,
    /// From byte offsets in the content to those in the body.
    pub map: OffsetMap,
}

/// Decodes what stands between the quotes of a JSON string, `base` bytes into the body.
pub fn decode(raw: &str, base: usize) -> Result<Text<'_>, JsonError> {
    let bytes = raw.as_bytes();
    let Some(mut next) = memchr::memchr(b'\\', bytes) else {
        return Ok(Text {
            content: Cow::Borrowed(raw),
            map: OffsetMap::linear(base),
        });
    };
    let mut content = String::with_capacity(raw.len());
    let mut atoms = Vec::new();
    let mut at = 0;
    loop {
        content.push_str(&raw[at..next]);
        let Escape { c, len } = escape(&bytes[next..]).map_err(|kind| JsonError {
            kind,
            offset: base + next,
        })?;
        atoms.push(Atom {
            decoded: content.len() as u32,
            raw: (base + next) as u32,
            decoded_len: c.len_utf8() as u16,
            raw_len: len as u16,
        });
        content.push(c);
        at = next + len;
        match memchr::memchr(b'\\', &bytes[at..]) {
            Some(further) => next = at + further,
            None => break,
        }
    }
    content.push_str(&raw[at..]);
    Ok(Text {
        content: Cow::Owned(content),
        map: OffsetMap {
            base: base as u32,
            atoms,
        },
    })
}

/// From byte offsets in decoded text to byte offsets in the body.
///
/// Only what has another length when decoded is stored, 12 bytes for each escape; everything
/// between is one to one. Offsets are 32 bits wide: a scan refuses larger bodies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OffsetMap {
    base: u32,
    atoms: Vec<Atom>,
}

/// A piece that can only be replaced as a whole: an escape, or several around one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Atom {
    decoded: u32,
    raw: u32,
    decoded_len: u16,
    raw_len: u16,
}

impl Atom {
    fn decoded_end(self) -> usize {
        self.decoded as usize + usize::from(self.decoded_len)
    }

    fn raw_end(self) -> usize {
        self.raw as usize + usize::from(self.raw_len)
    }
}

impl OffsetMap {
    /// Of text that is the same bytes in the body, `base` bytes into it.
    pub fn linear(base: usize) -> Self {
        Self {
            base: base as u32,
            atoms: Vec::new(),
        }
    }

    /// The bytes of the body that a range of the decoded text comes from. Never cuts an escape:
    /// a range that ends within one is widened to hold it.
    pub fn raw(&self, decoded: Range<usize>) -> Range<usize> {
        self.raw_start(decoded.start)..self.raw_end(decoded.end)
    }

    fn raw_start(&self, at: usize) -> usize {
        match self.last_atom_from(at) {
            Some(atom) if at < atom.decoded_end() => atom.raw as usize,
            other => self.after(other, at),
        }
    }

    fn raw_end(&self, at: usize) -> usize {
        match self.last_atom_from(at) {
            Some(atom) if at == atom.decoded as usize => atom.raw as usize,
            Some(atom) if at < atom.decoded_end() => atom.raw_end(),
            other => self.after(other, at),
        }
    }

    /// The last atom that starts at or before a place of the decoded text.
    fn last_atom_from(&self, at: usize) -> Option<Atom> {
        let count = self
            .atoms
            .partition_point(|atom| atom.decoded as usize <= at);
        count.checked_sub(1).map(|last| self.atoms[last])
    }

    fn after(&self, atom: Option<Atom>, at: usize) -> usize {
        match atom {
            Some(atom) => atom.raw_end() + (at - atom.decoded_end()),
            None => self.base as usize + at,
        }
    }

    /// The map of JSON within a string: `self` leads from the inner text to the decoded outer
    /// string, `outer` from there to the body; the result leads all the way.
    pub fn compose(&self, outer: &OffsetMap) -> OffsetMap {
        let mut atoms = Vec::with_capacity(self.atoms.len() + outer.atoms.len());
        let first = outer.atoms.partition_point(|atom| atom.decoded < self.base);
        let mut rest = outer.atoms[first..].iter().copied().peekable();
        // From the outer string to the inner text, since the last inner atom.
        let (mut outer_from, mut inner_from) = (self.base as usize, 0);
        for &inner in &self.atoms {
            while let Some(atom) = rest.next_if(|atom| atom.decoded < inner.raw) {
                let decoded = inner_from + (atom.decoded as usize - outer_from);
                atoms.push(Atom {
                    decoded: decoded as u32,
                    ..atom
                });
            }
            let raw = outer.raw(inner.raw as usize..inner.raw_end());
            atoms.push(Atom {
                raw: raw.start as u32,
                raw_len: raw.len() as u16,
                ..inner
            });
            while rest
                .next_if(|atom| (atom.decoded as usize) < inner.raw_end())
                .is_some()
            {}
            (outer_from, inner_from) = (inner.raw_end(), inner.decoded_end());
        }
        atoms.extend(rest.map(|atom| {
            let decoded = inner_from + (atom.decoded as usize - outer_from);
            Atom {
                decoded: decoded as u32,
                ..atom
            }
        }));
        OffsetMap {
            base: outer.raw_start(self.base as usize) as u32,
            atoms,
        }
    }
}

/// A decoded escape and its length in bytes as written.
pub(super) struct Escape {
    pub(super) c: char,
    pub(super) len: usize,
}

/// Decodes the escape at the start of `bytes`, which is a backslash.
pub(super) fn escape(bytes: &[u8]) -> Result<Escape, JsonErrorKind> {
    let c = match bytes.get(1).ok_or(JsonErrorKind::End)? {
        b'"' => '"',
        b'\\' => '\\',
        b'/' => '/',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return unicode_escape(bytes),
        _ => return Err(JsonErrorKind::Escape),
    };
    Ok(Escape { c, len: 2 })
}

fn unicode_escape(bytes: &[u8]) -> Result<Escape, JsonErrorKind> {
    let high = hex(bytes, 2)?;
    if let Some(c) = char::from_u32(high) {
        return Ok(Escape { c, len: 6 });
    }
    if high >= 0xdc00 || !bytes[6..].starts_with(b"\\u") {
        return Err(JsonErrorKind::Surrogate);
    }
    let low = hex(bytes, 8)?;
    if !(0xdc00..0xe000).contains(&low) {
        return Err(JsonErrorKind::Surrogate);
    }
    let code = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
    char::from_u32(code)
        .map(|c| Escape { c, len: 12 })
        .ok_or(JsonErrorKind::Surrogate)
}

fn hex(bytes: &[u8], from: usize) -> Result<u32, JsonErrorKind> {
    (from..from + 4).try_fold(0, |code, at| {
        let byte = *bytes.get(at).ok_or(JsonErrorKind::End)?;
        let digit = char::from(byte).to_digit(16).ok_or(JsonErrorKind::Escape)?;
        Ok(code << 4 | digit)
    })
}
