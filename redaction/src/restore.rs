//! Puts the originals back where a model's answer holds placeholders.
//!
//! What counts as a placeholder, mangled as models do, is in `restore/form.rs`.

mod form;

use crate::vault::Vault;
use form::{Next, Reader, Step};
use std::borrow::Cow;

pub(crate) use form::{fold, is_word};

/// The longest text, in bytes, that a [`Restorer`] ever holds back.
pub const HELD_LEN_MAX: usize = form::FORM_LEN_MAX;

/// What the text is in which placeholders are restored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Escape {
    /// Plain text.
    #[default]
    None,
    /// JSON source, such as the arguments of a tool call: placeholders are recognised behind JSON
    /// escapes, and originals are written with them.
    Json,
}

/// Restores one text channel of an answer as it arrives.
///
/// Any chunking of a text gives the same output. Held back is only the end of a chunk that could
/// still become a placeholder of the vault, at most [`HELD_LEN_MAX`] bytes; with an empty vault,
/// nothing. Give it the same, complete vault each time, and [`finish`](Self::finish) it.
#[derive(Default)]
pub struct Restorer {
    escape: Escape,
    held: String,
    in_word: bool,
    restored: u32,
}

impl Restorer {
    /// For one channel; no two channels share one.
    pub fn new(escape: Escape) -> Self {
        Self {
            escape,
            ..Self::default()
        }
    }

    /// Takes the next chunk; appends to `out` what is certain.
    pub fn push(&mut self, vault: &Vault, chunk: &str, out: &mut String) {
        if vault.is_empty() {
            out.push_str(chunk);
        } else if self.held.is_empty() {
            let done = self.scan(vault, chunk, false, out);
            self.held.push_str(&chunk[done..]);
        } else {
            let mut text = std::mem::take(&mut self.held);
            text.push_str(chunk);
            let done = self.scan(vault, &text, false, out);
            text.drain(..done);
            self.held = text;
        }
    }

    /// Ends the channel (or a part of it that nothing can continue, such as a content block);
    /// appends what was held back. The restorer can be used for a new text afterwards.
    pub fn finish(&mut self, vault: &Vault, out: &mut String) {
        let text = std::mem::take(&mut self.held);
        self.scan(vault, &text, true, out);
        self.in_word = false;
    }

    /// How many placeholders were restored so far.
    pub fn restored(&self) -> u32 {
        self.restored
    }

    /// How many bytes are held back now.
    pub fn pending(&self) -> usize {
        self.held.len()
    }

    /// Appends to `out` all of `text` that is certain; returns up to where that is.
    fn scan(&mut self, vault: &Vault, text: &str, last: bool, out: &mut String) -> usize {
        let bytes = text.as_bytes();
        // `text[from..at]` is as it should be, but not in `out` yet.
        let (mut from, mut at) = (0, 0);
        while at < bytes.len() {
            let byte = bytes[at];
            let word = byte.is_ascii_alphanumeric();
            let plain = match byte {
                b'[' | b'<' | b'{' | b'(' | b'\\' => false,
                0..0x80 if self.in_word => true,
                0..0x80 => !vault.may_start(byte, bytes.get(at + 1).copied()),
                _ => {
                    let c = text[at..].chars().next().unwrap_or_default();
                    if form::may_start(c) {
                        false
                    } else {
                        self.in_word = is_word(c);
                        at += c.len_utf8();
                        continue;
                    }
                }
            };
            if plain {
                self.in_word = word;
                at += 1;
                continue;
            }
            let mut reader = Reader {
                text,
                at,
                escape: self.escape,
                last,
            };
            match form::at(vault, reader, self.in_word) {
                Step::More => break,
                Step::Hit { end, entry } => {
                    out.push_str(&text[from..at]);
                    self.write(vault.value(entry), out);
                    self.restored += 1;
                    // A plural s behind a tag without brackets is of the same word.
                    self.in_word = word;
                    (from, at) = (end, end);
                }
                Step::No => {
                    let Next::Char(c) = reader.next() else { break };
                    self.in_word = is_word(c);
                    at = reader.at;
                }
            }
        }
        out.push_str(&text[from..at]);
        at
    }

    fn write(&self, original: &str, out: &mut String) {
        match self.escape {
            Escape::None => out.push_str(original),
            Escape::Json => escape_json(original, out),
        }
    }
}

impl std::fmt::Debug for Restorer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Restorer")
            .field("pending", &self.pending())
            .field("restored", &self.restored)
            .finish_non_exhaustive()
    }
}

/// Restores a whole text; returns it and how many placeholders it held.
pub fn restore_all<'t>(vault: &Vault, text: &'t str, escape: Escape) -> (Cow<'t, str>, u32) {
    if vault.is_empty() {
        return (Cow::Borrowed(text), 0);
    }
    let mut restorer = Restorer::new(escape);
    let mut out = String::with_capacity(text.len());
    let done = restorer.scan(vault, text, true, &mut out);
    debug_assert_eq!(done, text.len());
    match restorer.restored {
        0 => (Cow::Borrowed(text), 0),
        restored => (Cow::Owned(out), restored),
    }
}

/// Appends text as the content of a JSON string (RFC 8259, section 7), without the quotes.
pub fn escape_json(text: &str, out: &mut String) {
    use std::fmt::Write;
    let mut from = 0;
    for (at, byte) in text.bytes().enumerate() {
        let short = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0..0x20 => "",
            _ => continue,
        };
        out.push_str(&text[from..at]);
        out.push_str(short);
        if short.is_empty() {
            let _ = write!(out, "\\u{byte:04x}");
        }
        from = at + 1;
    }
    out.push_str(&text[from..]);
}

#[cfg(test)]
mod tests;
