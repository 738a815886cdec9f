//! Amazon's binary event streams (`application/vnd.amazon.eventstream`), chunk by chunk.
//!
//! Source: Smithy, "Amazon Event Stream". A message is its length and that of its headers (big
//! endian, 32 bits each), a CRC-32 of these, the headers, a payload, and a CRC-32 of all. Each
//! message keeps the bytes it came in, so that what needs no change is passed on as it is.

use bytes::{Bytes, BytesMut};
use std::fmt;
use std::ops::Range;

/// Both lengths and their checksum.
const PRELUDE_LEN: usize = 12;
/// The checksum at the end.
const CRC_LEN: usize = 4;

/// What is no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// It is larger than the parser's limit.
    #[error("message of more than {0} bytes")]
    TooLarge(usize),
    /// A length or a checksum is wrong.
    #[error("message that is damaged")]
    Damaged,
}

/// Cuts a stream into messages. Any chunking gives the same messages.
pub struct Parser {
    buffer: BytesMut,
    max: usize,
}

impl Parser {
    /// A parser that refuses messages of more than `max` bytes.
    pub fn new(max: usize) -> Self {
        Self {
            buffer: BytesMut::new(),
            max,
        }
    }

    /// Takes the next chunk of the stream.
    pub fn push(&mut self, chunk: &[u8]) {
        self.buffer.extend_from_slice(chunk);
    }

    /// The next message that is complete. After an error the parser must not be used further.
    ///
    /// # Errors
    /// When a message is too large, or a checksum is not that of its bytes.
    pub fn next_message(&mut self) -> Result<Option<Message>, MessageError> {
        let Some(prelude) = self.buffer.get(..PRELUDE_LEN) else {
            return Ok(None);
        };
        let (len, headers_len) = (word(prelude, 0) as usize, word(prelude, 4) as usize);
        if crc32fast::hash(&prelude[..8]) != word(prelude, 8) {
            return Err(MessageError::Damaged);
        }
        if len > self.max {
            return Err(MessageError::TooLarge(self.max));
        }
        let end = len.checked_sub(CRC_LEN).ok_or(MessageError::Damaged)?;
        let payload = PRELUDE_LEN + headers_len..end;
        if payload.start > payload.end {
            return Err(MessageError::Damaged);
        }
        if self.buffer.len() < len {
            return Ok(None);
        }
        let raw = self.buffer.split_to(len).freeze();
        if crc32fast::hash(&raw[..end]) != word(&raw, end) {
            return Err(MessageError::Damaged);
        }
        Ok(Some(Message { raw, payload }))
    }

    /// Whether the stream ended between two messages.
    pub fn is_clean(&self) -> bool {
        self.buffer.is_empty()
    }
}

/// One message with the bytes that it came in.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    raw: Bytes,
    payload: Range<usize>,
}

impl Message {
    /// A message of our own making: headers that are texts, and a payload.
    pub fn new(headers: &[(&str, &str)], payload: &[u8]) -> Message {
        let mut encoded = Vec::new();
        for (name, value) in headers {
            encoded.push(u8::try_from(name.len()).unwrap_or(u8::MAX));
            encoded.extend_from_slice(name.as_bytes());
            // 7 is a text, with its length in 16 bits.
            encoded.push(7);
            encoded
                .extend_from_slice(&u16::try_from(value.len()).unwrap_or(u16::MAX).to_be_bytes());
            encoded.extend_from_slice(value.as_bytes());
        }
        build(&encoded, payload)
    }

    /// All bytes of it.
    pub fn raw(&self) -> &Bytes {
        &self.raw
    }

    /// Its payload.
    pub fn data(&self) -> &[u8] {
        &self.raw[self.payload.clone()]
    }

    /// The same message with another payload: its headers stay.
    pub fn with_data(&self, data: &[u8]) -> Message {
        build(&self.raw[PRELUDE_LEN..self.payload.start], data)
    }

    /// The value of a header that is a text.
    pub fn header(&self, wanted: &str) -> Option<&str> {
        let mut rest = &self.raw[PRELUDE_LEN..self.payload.start];
        while let [name_len, tail @ ..] = rest {
            let (name, tail) = tail.split_at_checked(usize::from(*name_len))?;
            let (kind, tail) = tail.split_first()?;
            let (value_len, tail) = match kind {
                // Yes, no; a byte, 16, 32 and 64 bits; bytes, a text; a time; a UUID.
                0 | 1 => (0, tail),
                2 => (1, tail),
                3 => (2, tail),
                4 => (4, tail),
                5 | 8 => (8, tail),
                6 | 7 => {
                    let (len, tail) = tail.split_at_checked(2)?;
                    (usize::from(u16::from_be_bytes([len[0], len[1]])), tail)
                }
                9 => (16, tail),
                _ => return None,
            };
            let (value, tail) = tail.split_at_checked(value_len)?;
            if name == wanted.as_bytes() && *kind == 7 {
                return std::str::from_utf8(value).ok();
            }
            rest = tail;
        }
        None
    }
}

impl fmt::Debug for Message {
    /// Shows its size only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("bytes", &self.raw.len())
            .finish_non_exhaustive()
    }
}

/// Puts lengths and checksums around headers, as they are encoded, and a payload.
fn build(headers: &[u8], payload: &[u8]) -> Message {
    let len = PRELUDE_LEN + headers.len() + payload.len() + CRC_LEN;
    let mut raw = Vec::with_capacity(len);
    // Both are bounded by the limits on answers, far below 32 bits.
    raw.extend_from_slice(&(len as u32).to_be_bytes());
    raw.extend_from_slice(&(headers.len() as u32).to_be_bytes());
    raw.extend_from_slice(&crc32fast::hash(&raw).to_be_bytes());
    raw.extend_from_slice(headers);
    raw.extend_from_slice(payload);
    raw.extend_from_slice(&crc32fast::hash(&raw).to_be_bytes());
    let payload = PRELUDE_LEN + headers.len()..len - CRC_LEN;
    Message {
        raw: raw.into(),
        payload,
    }
}

fn word(bytes: &[u8], at: usize) -> u32 {
    let word = bytes.get(at..at + 4).and_then(|w| w.try_into().ok());
    u32::from_be_bytes(word.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn messages(chunks: &[&[u8]]) -> Vec<Message> {
        let mut parser = Parser::new(1 << 20);
        let mut messages = Vec::new();
        for chunk in chunks {
            parser.push(chunk);
            while let Some(message) = parser.next_message().expect("sound") {
                messages.push(message);
            }
        }
        assert!(parser.is_clean());
        messages
    }

    proptest! {
        #[test]
        fn any_chunking_gives_the_same_messages(
            payloads in prop::collection::vec("[a-z{}]{0,40}", 1..6),
            chunk_len in 1_usize..50,
        ) {
            let headers = [(":event-type", "contentBlockDelta"), (":message-type", "event")];
            let stream: Vec<u8> = payloads
                .iter()
                .flat_map(|payload| Message::new(&headers, payload.as_bytes()).raw().to_vec())
                .collect();
            let chunks: Vec<&[u8]> = stream.chunks(chunk_len).collect();
            let cut = messages(&chunks);
            let found: Vec<&[u8]> = cut.iter().map(Message::data).collect();
            let wanted: Vec<&[u8]> = payloads.iter().map(String::as_bytes).collect();
            prop_assert_eq!(found, wanted);
            for message in &cut {
                prop_assert_eq!(message.header(":event-type"), Some("contentBlockDelta"));
                prop_assert_eq!(message.header(":message-type"), Some("event"));
                prop_assert_eq!(message.header("other"), None);
                prop_assert_eq!(&message.with_data(message.data()), message);
            }
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut parser = Parser::new(1 << 10);
            parser.push(&bytes);
            while let Ok(Some(message)) = parser.next_message() {
                let _ = message.header(":event-type");
            }
        }
    }

    #[test]
    fn a_damaged_message_is_refused_wherever_it_is_damaged() {
        let raw = Message::new(&[(":event-type", "metadata")], b"{\"a\":1}")
            .raw()
            .clone();
        for at in 0..raw.len() {
            let mut bytes = raw.to_vec();
            bytes[at] ^= 1;
            let mut parser = Parser::new(1 << 10);
            parser.push(&bytes);
            assert_eq!(
                parser.next_message(),
                Err(MessageError::Damaged),
                "byte {at}"
            );
        }
    }

    #[test]
    fn a_message_is_bounded_before_it_is_whole() {
        let raw = Message::new(&[], &[b' '; 100]).raw().clone();
        let mut parser = Parser::new(64);
        parser.push(&raw[..20]);
        assert_eq!(parser.next_message(), Err(MessageError::TooLarge(64)));
    }
}
