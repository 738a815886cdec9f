//! Lines of JSON (`application/x-ndjson`), chunk by chunk.
//!
//! Each line keeps the bytes it came in, so that what needs no change is passed on as it is.

use bytes::{Bytes, BytesMut};
use std::fmt;

/// A line is larger than the parser's limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line of more than {max} bytes")]
pub struct LineTooLarge {
    /// The limit.
    pub max: usize,
}

/// Cuts a stream into lines. Any chunking gives the same lines.
pub struct Parser {
    buffer: BytesMut,
    /// Up to where the buffer holds no line end.
    scanned: usize,
    max: usize,
}

impl Parser {
    /// A parser that refuses lines of more than `max` bytes.
    pub fn new(max: usize) -> Self {
        Self {
            buffer: BytesMut::new(),
            scanned: 0,
            max,
        }
    }

    /// Takes the next chunk of the stream.
    pub fn push(&mut self, chunk: &[u8]) {
        self.buffer.extend_from_slice(chunk);
    }

    /// The next line that is complete. After an error the parser must not be used further.
    ///
    /// # Errors
    /// When a line is larger than the limit.
    pub fn next_line(&mut self) -> Result<Option<Line>, LineTooLarge> {
        let found = memchr::memchr(b'\n', &self.buffer[self.scanned..]);
        let end = found.map(|at| self.scanned + at + 1);
        if end.unwrap_or(self.buffer.len()) > self.max {
            return Err(LineTooLarge { max: self.max });
        }
        self.scanned = if end.is_some() { 0 } else { self.buffer.len() };
        Ok(end.map(|end| Line(self.buffer.split_to(end).freeze())))
    }

    /// Ends the stream: the last line may go without a line end.
    pub fn finish(self) -> Option<Line> {
        (!self.buffer.is_empty()).then(|| Line(self.buffer.freeze()))
    }
}

/// One line with the bytes that it came in.
#[derive(Clone, PartialEq, Eq)]
pub struct Line(Bytes);

impl Line {
    /// All bytes of it, its line end included.
    pub fn raw(&self) -> &Bytes {
        &self.0
    }

    /// What stands in it.
    pub fn data(&self) -> &[u8] {
        self.0.trim_ascii()
    }

    /// A line with other content and a line end like this one's, which the last line of a stream
    /// may lack.
    pub fn with_data(&self, data: &[u8]) -> Line {
        let end: &[u8] = match self.0.ends_with(b"\r\n") {
            true => b"\r\n",
            false => b"\n",
        };
        Line([data, end].concat().into())
    }
}

impl fmt::Debug for Line {
    /// Shows its size only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line")
            .field("bytes", &self.0.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lines(chunks: &[&[u8]]) -> Vec<Bytes> {
        let mut parser = Parser::new(64);
        let mut lines = Vec::new();
        for chunk in chunks {
            parser.push(chunk);
            while let Some(line) = parser.next_line().expect("small") {
                lines.push(line.raw().clone());
            }
        }
        lines.extend(parser.finish().map(|line| line.raw().clone()));
        lines
    }

    proptest! {
        #[test]
        fn any_chunking_gives_the_same_lines(text in "[a{}\\r\\n]{0,60}", chunk_len in 1_usize..20) {
            let chunks: Vec<&[u8]> = text.as_bytes().chunks(chunk_len).collect();
            let cut = lines(&chunks);
            prop_assert_eq!(&cut, &lines(&[text.as_bytes()]));
            prop_assert_eq!(cut.concat(), text.as_bytes());
        }
    }

    #[test]
    fn a_line_is_bounded_whether_it_ends_or_not() {
        for tail in ["", "\n"] {
            let mut parser = Parser::new(8);
            parser.push(format!("{{\"a\":12345}}{tail}").as_bytes());
            assert_eq!(parser.next_line(), Err(LineTooLarge { max: 8 }));
        }
    }

    #[test]
    fn other_content_keeps_the_line_end() {
        for (line, expected) in [("{}\r\n", "[]\r\n"), ("{}\n", "[]\n"), ("{}", "[]\n")] {
            let line = Line(Bytes::from(line));
            assert_eq!(line.data(), b"{}");
            assert_eq!(line.with_data(b"[]").raw(), expected);
        }
    }
}
