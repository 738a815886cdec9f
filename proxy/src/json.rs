//! A strict RFC 8259 scanner that reports every value of a body with its path and exact byte
//! range and builds no tree, so that the body can be edited by byte range.
//!
//! Stricter than `serde_json`: a byte-order mark, a depth beyond the limit and (by choice) a key
//! that an object holds twice are refused, because two readers may understand them differently.
//! Laxer: a number of any size passes, for it is handed on as it is written.

mod error;
mod text;

pub use error::{JsonError, JsonErrorKind};
pub use text::{OffsetMap, Text, decode};

use std::borrow::Cow;
use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::ops::Range;

/// What a body may be at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JsonLimits {
    /// Bytes of the whole body; offsets are 32 bits wide inside, so never more than 4 GiB.
    pub bytes_max: usize,
    /// Objects and arrays within each other.
    pub depth_max: usize,
    /// Values and keys of the whole body.
    pub values_max: usize,
    /// What to do about a key that an object already holds.
    pub duplicates: Duplicates,
}

impl Default for JsonLimits {
    /// 32 MiB, 128 levels, 4 million values and keys, duplicates refused.
    fn default() -> Self {
        Self {
            bytes_max: 32 << 20,
            depth_max: 128,
            values_max: 4_000_000,
            duplicates: Duplicates::Refuse,
        }
    }
}

/// What to do about a key that an object already holds. Keys are compared decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duplicates {
    /// An error: readers differ on which one counts, so an inspector could see another prompt
    /// than the model does.
    Refuse,
    /// An event [`Token::Duplicate`] after the key's own.
    Report,
}

/// One step of the way from the root to a value.
#[derive(Clone, PartialEq, Eq)]
pub enum Step<'a> {
    /// Of an object, by decoded key.
    Key(Cow<'a, str>),
    /// Of an array.
    Index(usize),
}

impl std::fmt::Debug for Step<'_> {
    /// Hides keys, which callers may fill with anything.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Key(_) => f.write_str("Key(..)"),
            Self::Index(index) => write!(f, "Index({index})"),
        }
    }
}

/// What was met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token {
    /// `{`
    ObjectStart,
    /// `}`; the event's range is the whole object.
    ObjectEnd,
    /// `[`
    ArrayStart,
    /// `]`; the event's range is the whole array.
    ArrayEnd,
    /// A key; it is the last step of the path. The range is between the quotes.
    Key,
    /// The key just reported is in its object for the second time.
    Duplicate,
    /// A string value; the range is between the quotes.
    String,
    /// A number, as written.
    Number,
    /// `true` or `false`.
    Bool(bool),
    /// `null`
    Null,
}

/// A value, key or bracket of the text, in the order of the text.
pub struct Event<'a> {
    /// What it is.
    pub token: Token,
    /// Where it is, in bytes of what is scanned.
    pub range: Range<usize>,
    /// The way to it from the root; empty for the root itself.
    pub path: &'a [Step<'a>],
    /// The text of the range, as written.
    pub raw: &'a str,
}

impl<'a> Event<'a> {
    /// The content of a string or key, with the way back to the bytes of the body.
    pub fn decode(&self) -> Result<Text<'a>, JsonError> {
        decode(self.raw, self.range.start)
    }
}

/// Scans one JSON value with nothing but whitespace around it, and calls `visit` for each event.
/// Ends at the first error, the visitor's included.
pub fn scan<E: From<JsonError>>(
    body: &[u8],
    limits: &JsonLimits,
    visit: impl FnMut(Event<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let max = limits.bytes_max.min(u32::MAX as usize);
    if body.len() > max {
        return Err(JsonError {
            kind: JsonErrorKind::TooLarge(max),
            offset: max,
        }
        .into());
    }
    let text = std::str::from_utf8(body).map_err(|error| JsonError {
        kind: JsonErrorKind::Utf8,
        offset: error.valid_up_to(),
    })?;
    let scanner = Scanner {
        text,
        bytes: body,
        at: 0,
        limits,
        visit,
        values: 0,
        path: Vec::new(),
        frames: Vec::new(),
        keys: Vec::new(),
        seed: RandomState::new().hash_one(0u8),
    };
    scanner.run()
}

/// An object or array that is open.
struct Frame {
    start: usize,
    object: bool,
    /// Where its keys begin in the scanner's, while they are few.
    keys: usize,
    /// Hashes of its keys, once they are many.
    many: Option<HashSet<u64>>,
}

/// Keys of one object beyond which they are looked up in a set.
const FEW_KEYS: usize = 16;

struct Scanner<'b, 'l, V> {
    text: &'b str,
    bytes: &'b [u8],
    at: usize,
    limits: &'l JsonLimits,
    visit: V,
    values: usize,
    path: Vec<Step<'b>>,
    frames: Vec<Frame>,
    keys: Vec<u64>,
    seed: u64,
}

impl<'b, E, V> Scanner<'b, '_, V>
where
    E: From<JsonError>,
    V: FnMut(Event<'_>) -> Result<(), E>,
{
    fn run(mut self) -> Result<(), E> {
        loop {
            if self.value()? {
                continue;
            }
            // A value ended; so may what is around it.
            loop {
                let Some(frame) = self.frames.last() else {
                    self.skip_whitespace();
                    return match self.bytes.get(self.at) {
                        None => Ok(()),
                        Some(_) => Err(self.error(JsonErrorKind::Trailing)),
                    };
                };
                let object = frame.object;
                match (self.next_byte()?, object) {
                    (b',', true) => {
                        self.at += 1;
                        self.path.pop();
                        self.key()?;
                        break;
                    }
                    (b',', false) => {
                        self.at += 1;
                        if let Some(Step::Index(index)) = self.path.last_mut() {
                            *index += 1;
                        }
                        break;
                    }
                    (b'}', true) | (b']', false) => {
                        self.path.pop();
                        self.close()?;
                    }
                    (_, true) => return Err(self.expected("`,` or `}`")),
                    (_, false) => return Err(self.expected("`,` or `]`")),
                }
            }
        }
    }

    /// Reads a value, or opens an object or array up to its first value; says whether it opened.
    fn value(&mut self) -> Result<bool, E> {
        let start = self.at_value()?;
        match self.bytes[start] {
            b'"' => {
                let range = self.string()?;
                self.emit(Token::String, range)?;
            }
            b'-' | b'0'..=b'9' => {
                self.number()?;
                self.emit(Token::Number, start..self.at)?;
            }
            b'{' => return self.open(true),
            b'[' => return self.open(false),
            b't' => self.literal("true", Token::Bool(true))?,
            b'f' => self.literal("false", Token::Bool(false))?,
            b'n' => self.literal("null", Token::Null)?,
            _ => return Err(self.expected("a value")),
        }
        Ok(false)
    }

    fn at_value(&mut self) -> Result<usize, E> {
        self.next_byte()?;
        Ok(self.at)
    }

    fn open(&mut self, object: bool) -> Result<bool, E> {
        let start = self.at;
        if self.frames.len() >= self.limits.depth_max {
            return Err(self.error(JsonErrorKind::TooDeep(self.limits.depth_max)));
        }
        self.at += 1;
        let token = if object {
            Token::ObjectStart
        } else {
            Token::ArrayStart
        };
        self.emit(token, start..self.at)?;
        self.frames.push(Frame {
            start,
            object,
            keys: self.keys.len(),
            many: None,
        });
        let close = if object { b'}' } else { b']' };
        if self.next_byte()? == close {
            self.close()?;
            return Ok(false);
        }
        if object {
            self.key()?;
        } else {
            self.path.push(Step::Index(0));
        }
        Ok(true)
    }

    fn close(&mut self) -> Result<(), E> {
        self.at += 1;
        let Some(frame) = self.frames.pop() else {
            return Ok(());
        };
        self.keys.truncate(frame.keys);
        let token = if frame.object {
            Token::ObjectEnd
        } else {
            Token::ArrayEnd
        };
        self.emit(token, frame.start..self.at)
    }

    /// Reads a key and its colon.
    fn key(&mut self) -> Result<(), E> {
        if self.next_byte()? != b'"' {
            return Err(self.expected("a key in quotes"));
        }
        let range = self.string()?;
        let raw = &self.text[range.clone()];
        let key = match raw.contains('\\') {
            false => Cow::Borrowed(raw),
            true => decode(raw, range.start)?.content,
        };
        let hash = key_hash(self.seed, &key);
        self.path.push(Step::Key(key));
        self.emit(Token::Key, range.clone())?;
        if !self.first_of_object(hash) {
            if self.limits.duplicates == Duplicates::Refuse {
                let kind = JsonErrorKind::Duplicate;
                return Err(JsonError {
                    kind,
                    offset: range.start,
                }
                .into());
            }
            self.emit(Token::Duplicate, range)?;
        }
        if self.next_byte()? != b':' {
            return Err(self.expected("`:`"));
        }
        self.at += 1;
        Ok(())
    }

    /// Notes a key of the innermost object, by its hash.
    fn first_of_object(&mut self, hash: u64) -> bool {
        let Some(frame) = self.frames.last_mut() else {
            return true;
        };
        if let Some(many) = &mut frame.many {
            return many.insert(hash);
        }
        let few = &self.keys[frame.keys..];
        if few.contains(&hash) {
            return false;
        }
        if few.len() < FEW_KEYS {
            self.keys.push(hash);
        } else {
            frame.many = Some(few.iter().copied().chain([hash]).collect());
        }
        true
    }

    /// Reads a string from its quote on; returns the range between the quotes.
    fn string(&mut self) -> Result<Range<usize>, E> {
        let start = self.at + 1;
        self.at = start;
        loop {
            self.at += plain_len(&self.bytes[self.at..]);
            match self.bytes.get(self.at) {
                Some(b'"') => break,
                Some(b'\\') => {
                    let rest = &self.bytes[self.at..];
                    let escape = text::escape(rest).map_err(|kind| self.error(kind))?;
                    self.at += escape.len;
                }
                Some(_) => return Err(self.error(JsonErrorKind::Control)),
                None => return Err(self.error(JsonErrorKind::End)),
            }
        }
        self.at += 1;
        Ok(start..self.at - 1)
    }

    fn number(&mut self) -> Result<(), E> {
        self.skip_if(|byte| byte == b'-');
        match self.bytes.get(self.at) {
            Some(b'0') => self.at += 1,
            _ => self.digits()?,
        }
        if self.skip_if(|byte| byte == b'.') {
            self.digits()?;
        }
        if self.skip_if(|byte| byte | 0x20 == b'e') {
            self.skip_if(|byte| byte == b'+' || byte == b'-');
            self.digits()?;
        }
        match self.bytes.get(self.at) {
            Some(b'0'..=b'9' | b'.' | b'-' | b'+' | b'a'..=b'z' | b'A'..=b'Z') => {
                Err(self.error(JsonErrorKind::Number))
            }
            _ => Ok(()),
        }
    }

    fn digits(&mut self) -> Result<(), E> {
        let rest = &self.bytes[self.at..];
        match rest.iter().take_while(|byte| byte.is_ascii_digit()).count() {
            0 if rest.is_empty() => Err(self.error(JsonErrorKind::End)),
            0 => Err(self.error(JsonErrorKind::Number)),
            count => {
                self.at += count;
                Ok(())
            }
        }
    }

    fn skip_if(&mut self, wanted: impl Fn(u8) -> bool) -> bool {
        let met = self.bytes.get(self.at).is_some_and(|&byte| wanted(byte));
        self.at += usize::from(met);
        met
    }

    fn literal(&mut self, literal: &'static str, token: Token) -> Result<(), E> {
        let rest = &self.bytes[self.at..];
        if !rest.starts_with(literal.as_bytes()) {
            let cut_off = literal.as_bytes().starts_with(rest);
            let kind = if cut_off {
                JsonErrorKind::End
            } else {
                JsonErrorKind::Expected(literal)
            };
            return Err(self.error(kind));
        }
        let start = self.at;
        self.at += literal.len();
        self.emit(token, start..self.at)
    }

    fn emit(&mut self, token: Token, range: Range<usize>) -> Result<(), E> {
        self.values += 1;
        if self.values > self.limits.values_max {
            let kind = JsonErrorKind::TooMany(self.limits.values_max);
            return Err(JsonError {
                kind,
                offset: range.start,
            }
            .into());
        }
        let raw = &self.text[range.clone()];
        (self.visit)(Event {
            token,
            range,
            path: &self.path,
            raw,
        })
    }

    fn skip_whitespace(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.bytes.get(self.at) {
            self.at += 1;
        }
    }

    /// The next byte that is no whitespace; it is not consumed.
    fn next_byte(&mut self) -> Result<u8, E> {
        self.skip_whitespace();
        self.bytes
            .get(self.at)
            .copied()
            .ok_or_else(|| self.error(JsonErrorKind::End))
    }

    fn expected(&self, what: &'static str) -> E {
        self.error(JsonErrorKind::Expected(what))
    }

    fn error(&self, kind: JsonErrorKind) -> E {
        JsonError {
            kind,
            offset: self.at,
        }
        .into()
    }
}

/// A hash of a key under a seed that is new for each scan. Equal keys never escape it, and who
/// should find two keys that collide has only their own body refused.
fn key_hash(seed: u64, key: &str) -> u64 {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let mix = |hash: u64, word: u64| {
        let product = u128::from(hash ^ word) * u128::from(FACTOR);
        (product as u64) ^ (product >> 64) as u64
    };
    key.as_bytes()
        .chunks(8)
        .fold(mix(seed, key.len() as u64), |hash, chunk| {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            mix(hash, u64::from_le_bytes(word)).rotate_left(23)
        })
}

/// How many bytes at the start of a string's rest are neither quote, backslash nor control
/// character; eight at a time.
fn plain_len(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH: u64 = ONES << 7;
    // The high bit of each byte that is zero; exact up to and including the first.
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word & HIGH;
    let mut at = 0;
    for chunk in bytes.chunks_exact(8) {
        let word = u64::from_le_bytes(chunk.try_into().unwrap_or_default());
        let control = word.wrapping_sub(ONES * 0x20) & !word & HIGH;
        let quote = zeros(word ^ (ONES * u64::from(b'"')));
        let backslash = zeros(word ^ (ONES * u64::from(b'\\')));
        let met = control | quote | backslash;
        if met != 0 {
            return at + met.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    let plain = |&&byte: &&u8| byte >= 0x20 && byte != b'"' && byte != b'\\';
    at + bytes[at..].iter().take_while(plain).count()
}

#[cfg(test)]
mod tests;
