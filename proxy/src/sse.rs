//! Server-sent events, chunk by chunk (WHATWG HTML, section 9.2.6).
//!
//! Each event keeps the bytes it came in, so that what needs no change is passed on as it is: the
//! raw bytes of all events, and of what is left at the end, are the stream.

use bytes::{Bytes, BytesMut};
use std::borrow::Cow;
use std::fmt;

const BOM: &[u8] = b"\xef\xbb\xbf";

/// Largest event that a parser takes unless told otherwise: 16 MiB, for whole images come in one.
pub const EVENT_LEN_MAX: usize = 16 << 20;

/// An event is larger than the parser's limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("server-sent event of more than {max} bytes")]
pub struct EventTooLarge {
    /// The limit.
    pub max: usize,
}

/// Cuts a stream into events. Any chunking gives the same events.
pub struct Parser {
    buffer: BytesMut,
    /// Up to where the buffer holds no line end, or only such that were dealt with.
    scanned: usize,
    /// Where the current line starts; behind a byte-order mark or a stray LF, if there is one.
    line: usize,
    /// What of the event's start is no part of its first line.
    skip: usize,
    /// Whether the stream is still at its first byte, where a byte-order mark may be.
    first: bool,
    /// Whether the last line ended in a CR without LF. In such streams an event ends at its CR,
    /// rather than wait for the next event to see that no LF follows.
    lone_cr: bool,
    /// Whether the last event ended at a CR, so that an LF here is the rest of a line end.
    after_cr: bool,
    max: usize,
}

impl Default for Parser {
    fn default() -> Self {
        Self::new(EVENT_LEN_MAX)
    }
}

impl Parser {
    /// A parser that refuses events of more than `max` bytes.
    pub fn new(max: usize) -> Self {
        Self {
            buffer: BytesMut::new(),
            scanned: 0,
            line: 0,
            skip: 0,
            first: true,
            lone_cr: false,
            after_cr: false,
            max,
        }
    }

    /// Takes the next chunk of the stream. Call [`next_event`](Self::next_event) until it has no
    /// more before the next chunk: that keeps what is buffered below one event and one chunk.
    pub fn push(&mut self, chunk: &[u8]) {
        self.buffer.extend_from_slice(chunk);
    }

    /// The next event that is complete. After an error the parser must not be used further.
    pub fn next_event(&mut self) -> Result<Option<Event>, EventTooLarge> {
        match self.event_end(false) {
            Some(end) if end > self.max => Err(EventTooLarge { max: self.max }),
            Some(end) => Ok(Some(self.cut(end))),
            None if self.buffer.len() > self.max => Err(EventTooLarge { max: self.max }),
            None => Ok(None),
        }
    }

    /// Ends the stream; call it when [`next_event`](Self::next_event) has no more.
    pub fn finish(mut self) -> End {
        match self.event_end(true) {
            Some(end) => End::Event(self.cut(end)),
            None if self.buffer.is_empty() => End::Clean,
            None => End::Unfinished(self.cut(self.buffer.len())),
        }
    }

    /// How many bytes are held of an event that is not complete.
    pub fn pending(&self) -> usize {
        self.buffer.len()
    }

    fn cut(&mut self, end: usize) -> Event {
        let raw = self.buffer.split_to(end).freeze();
        let skip = std::mem::take(&mut self.skip);
        self.scanned = 0;
        self.line = 0;
        Event { raw, skip }
    }

    /// Where the first event in the buffer ends, if it does.
    fn event_end(&mut self, last: bool) -> Option<usize> {
        if self.after_cr && !self.buffer.is_empty() {
            self.after_cr = false;
            let stray = usize::from(self.buffer[0] == b'\n');
            (self.scanned, self.line, self.skip) = (stray, stray, stray);
        }
        if self.first && (self.buffer.len() >= BOM.len() || !BOM.starts_with(&self.buffer)) {
            self.first = false;
            if self.buffer.starts_with(BOM) {
                (self.scanned, self.line, self.skip) = (BOM.len(), BOM.len(), BOM.len());
            }
        }
        loop {
            let found = memchr::memchr2(b'\n', b'\r', &self.buffer[self.scanned..]);
            let Some(at) = found.map(|found| self.scanned + found) else {
                self.scanned = self.buffer.len();
                return None;
            };
            let blank = at == self.line;
            let cr = self.buffer[at] == b'\r';
            if cr && blank && self.lone_cr {
                self.after_cr = true;
                return Some(at + 1);
            }
            let follower = self.buffer.get(at + 1);
            if cr && follower.is_none() && !last {
                self.scanned = at;
                return None;
            }
            self.lone_cr = cr && follower != Some(&b'\n');
            let next = at + if cr && !self.lone_cr { 2 } else { 1 };
            if blank {
                return Some(next);
            }
            (self.line, self.scanned) = (next, next);
        }
    }
}

/// How a stream ended.
#[derive(Debug)]
pub enum End {
    /// Behind an event's blank line.
    Clean,
    /// With one more event, which waited for a possible LF.
    Event(Event),
    /// Within an event: the standard has readers drop it.
    Unfinished(Event),
}

/// One event (or a block of comments, or a stray blank line) with the bytes that it came in.
#[derive(Clone, PartialEq, Eq)]
pub struct Event {
    raw: Bytes,
    skip: usize,
}

impl Event {
    /// An event of our own making; `name` must hold no line end.
    pub fn new(name: Option<&str>, data: &[u8]) -> Self {
        let mut out = Vec::with_capacity(data.len() + 32);
        if let Some(name) = name {
            debug_assert!(!name.contains(['\r', '\n']));
            out.extend_from_slice(b"event: ");
            out.extend_from_slice(name.as_bytes());
            out.push(b'\n');
        }
        write_data(data, b"data: ", b"\n", &mut out);
        out.push(b'\n');
        Self {
            raw: out.into(),
            skip: 0,
        }
    }

    /// All bytes of it, its blank line included.
    pub fn raw(&self) -> &Bytes {
        &self.raw
    }

    /// The payload: its `data` lines joined by LF; nothing if there is none.
    pub fn data(&self) -> Option<Cow<'_, [u8]>> {
        let mut lines = self.lines().filter_map(|line| line.field("data"));
        let first = lines.next()?;
        let Some(second) = lines.next() else {
            return Some(Cow::Borrowed(first));
        };
        let mut data = [first, second].join(&b'\n');
        for line in lines {
            data.push(b'\n');
            data.extend_from_slice(line);
        }
        Some(Cow::Owned(data))
    }

    /// The value of its last `event` line.
    pub fn name(&self) -> Option<&str> {
        self.text("event")
    }

    /// The value of its last `id` line.
    pub fn id(&self) -> Option<&str> {
        self.text("id")
    }

    /// The value of its last `retry` line: how long to wait before reconnecting.
    pub fn retry_ms(&self) -> Option<u64> {
        let digits = self.text("retry")?;
        digits
            .bytes()
            .all(|byte| byte.is_ascii_digit())
            .then(|| digits.parse().ok())?
    }

    /// The same event with another payload: every other line stays, byte for byte and in its
    /// place. The new data lines are written as the first one was.
    pub fn with_data(&self, data: &[u8]) -> Event {
        let mut out = Vec::with_capacity(self.raw.len() + data.len());
        out.extend_from_slice(&self.raw[..self.skip]);
        let mut written = false;
        for line in self.lines() {
            if line.field("data").is_some() {
                if !written {
                    let prefix: &[u8] = match line.content.starts_with(b"data:") {
                        true if !line.content.starts_with(b"data: ") => b"data:",
                        _ => b"data: ",
                    };
                    write_data(data, prefix, line.end, &mut out);
                    written = true;
                }
                continue;
            }
            if line.content.is_empty() && !written {
                write_data(data, b"data: ", line.end, &mut out);
                written = true;
            }
            out.extend_from_slice(line.content);
            out.extend_from_slice(line.end);
        }
        Event {
            raw: out.into(),
            skip: self.skip,
        }
    }

    fn text(&self, name: &str) -> Option<&str> {
        let value = self.lines().filter_map(|line| line.field(name)).last()?;
        std::str::from_utf8(value).ok()
    }

    fn lines(&self) -> impl Iterator<Item = Line<'_>> {
        let mut rest = &self.raw[self.skip..];
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let at = memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
            let end = match &rest[at..] {
                [b'\r', b'\n', ..] => 2,
                tail => tail.len().min(1),
            };
            let line = Line {
                content: &rest[..at],
                end: &rest[at..at + end],
            };
            rest = &rest[at + end..];
            Some(line)
        })
    }
}

impl fmt::Debug for Event {
    /// Shows its size only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("bytes", &self.raw.len())
            .finish_non_exhaustive()
    }
}

struct Line<'a> {
    content: &'a [u8],
    end: &'a [u8],
}

impl<'a> Line<'a> {
    /// The value, if the line is this field's.
    fn field(&self, name: &str) -> Option<&'a [u8]> {
        match self.content.strip_prefix(name.as_bytes())? {
            [] => Some(&[]),
            [b':', b' ', value @ ..] | [b':', value @ ..] => Some(value),
            _ => None,
        }
    }
}

/// Writes a payload as data lines, one for each of its lines.
fn write_data(data: &[u8], prefix: &[u8], end: &[u8], out: &mut Vec<u8>) {
    // The last line of a stream that broke off has no end.
    let end = if end.is_empty() { b"\n" } else { end };
    let mut rest = data;
    loop {
        let at = memchr::memchr2(b'\n', b'\r', rest);
        let line = &rest[..at.unwrap_or(rest.len())];
        out.extend_from_slice(prefix);
        // A reader strips one space behind the colon: the line's own must not be that.
        if prefix.ends_with(b":") && line.starts_with(b" ") {
            out.push(b' ');
        }
        out.extend_from_slice(line);
        out.extend_from_slice(end);
        let Some(at) = at else { return };
        let crlf = rest[at..].starts_with(b"\r\n");
        rest = &rest[at + if crlf { 2 } else { 1 }..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Parsed = (Vec<Event>, Option<Event>);

    fn parse<'c>(chunks: impl IntoIterator<Item = &'c [u8]>) -> Parsed {
        let mut parser = Parser::default();
        let mut events = Vec::new();
        for chunk in chunks {
            parser.push(chunk);
            while let Some(event) = parser.next_event().unwrap() {
                events.push(event);
            }
        }
        match parser.finish() {
            End::Clean => (events, None),
            End::Event(event) => {
                events.push(event);
                (events, None)
            }
            End::Unfinished(event) => (events, Some(event)),
        }
    }

    fn data(stream: &str) -> Vec<Option<String>> {
        let (events, rest) = parse([stream.as_bytes()]);
        assert_eq!(rest, None);
        let text = |event: &Event| {
            event
                .data()
                .map(|data| String::from_utf8_lossy(&data).into())
        };
        events.iter().map(text).collect()
    }

    #[test]
    fn fields_as_the_standard_has_them() {
        let some = |data: &str| Some(data.to_string());
        for end in ["\n", "\r\n", "\r"] {
            let stream = "\u{feff}: hi\nevent:delta\nid: 7\nretry: 250\ndata: a\ndata:b\ndata:  c\n\ndata\n\n\
                          datax: no\n data: no\n\n\ndata: {}\n\n";
            let stream = stream.replace('\n', end);
            assert_eq!(
                data(&stream),
                [some("a\nb\n c"), some(""), None, None, some("{}")],
                "{end:?}"
            );
            let (events, _) = parse([stream.as_bytes()]);
            let first = &events[0];
            assert_eq!(
                (first.name(), first.id(), first.retry_ms()),
                (Some("delta"), Some("7"), Some(250))
            );
            assert_eq!(
                (events[1].name(), events[1].id(), events[1].retry_ms()),
                (None, None, None)
            );
        }
    }

    #[test]
    fn events_come_out_as_soon_as_they_are_complete() {
        for stream in [
            "data: 1\n\n",
            "data: 1\r\n\r\n",
            "data: 1\r\r",
            "data: 1\r\n\n",
        ] {
            let mut parser = Parser::default();
            for (at, byte) in stream.bytes().enumerate() {
                parser.push(&[byte]);
                let event = parser.next_event().unwrap();
                assert_eq!(
                    event.is_some(),
                    at + 1 == stream.len(),
                    "{stream:?} at {at}"
                );
            }
            assert_eq!(parser.pending(), 0);
            assert!(matches!(parser.finish(), End::Clean));
        }
    }

    #[test]
    fn unfinished_event_is_reported_with_its_bytes() {
        for stream in [
            "data: 1",
            "data: 1\n",
            "data: 1\r",
            "data: 1\r\n",
            "\u{feff}",
            "data: 1\n:",
        ] {
            let stream = format!("data: 0\n\n{stream}");
            let (events, rest) = parse([stream.as_bytes()]);
            assert_eq!(events.len(), 1);
            assert_eq!(rest.unwrap().raw(), &stream[9..], "{stream:?}");
        }
        for stream in ["event: x\ndata: 1", "\u{feff}data: 1"] {
            let (_, rest) = parse([stream.as_bytes()]);
            assert_eq!(rest.unwrap().data().unwrap(), &b"1"[..]);
        }
    }

    #[test]
    fn too_large_an_event_is_an_error_and_many_are_none() {
        let mut parser = Parser::new(20);
        parser.push("data: 1\n\n".repeat(100).as_bytes());
        for _ in 0..100 {
            assert!(parser.next_event().unwrap().is_some());
        }
        parser.push(b"data: 3456789012345");
        assert_eq!(parser.next_event(), Ok(None));
        parser.push(b"67");
        assert_eq!(parser.next_event(), Err(EventTooLarge { max: 20 }));
        let mut parser = Parser::new(20);
        parser.push(b"data: 34567890123456\n\n");
        assert_eq!(parser.next_event(), Err(EventTooLarge { max: 20 }));
    }

    #[test]
    fn rewriting_keeps_all_other_lines() {
        for (event, payload, expected) in [
            (
                ": c\nevent: x\ndata: 1\nid: 3\n\n",
                "2",
                ": c\nevent: x\ndata: 2\nid: 3\n\n",
            ),
            (
                "data:1\r\ndata:2\r\nid:3\r\n\r\n",
                "4",
                "data:4\r\nid:3\r\n\r\n",
            ),
            ("data: 1\r\r", "2\n3", "data: 2\rdata: 3\r\r"),
            ("data:1\n\n", " 2", "data:  2\n\n"),
            ("data\n\n", "2", "data: 2\n\n"),
            ("event: x\n\n", "2", "event: x\ndata: 2\n\n"),
            ("\u{feff}data: 1\n\n", "2", "\u{feff}data: 2\n\n"),
            ("data: 1\n\n", "", "data: \n\n"),
            (
                "data: 1\n\n",
                "a\r\nb\rc\n",
                "data: a\ndata: b\ndata: c\ndata: \n\n",
            ),
        ] {
            let (events, _) = parse([event.as_bytes()]);
            let rewritten = events[0].with_data(payload.as_bytes());
            assert_eq!(rewritten.raw(), expected);
            let read = rewritten.data().unwrap();
            assert_eq!(
                &read[..],
                payload.replace("\r\n", "\n").replace('\r', "\n").as_bytes()
            );
        }
        let (_, rest) = parse([&b"data: 1"[..]]);
        assert_eq!(rest.unwrap().with_data(b"2").raw(), "data: 2\n");
    }

    #[test]
    fn own_events() {
        assert_eq!(Event::new(None, b"{}").raw(), "data: {}\n\n");
        let event = Event::new(Some("error"), b"a\nb");
        assert_eq!(event.raw(), "event: error\ndata: a\ndata: b\n\n");
        assert_eq!(event.name(), Some("error"));
        assert_eq!(format!("{event:?}"), "Event { bytes: 30, .. }");
    }

    fn stream() -> impl Strategy<Value = Vec<u8>> {
        let pieces = prop::sample::select(vec![
            "\n", "\n", "\n\n", "\r", "\r", "\r\r", "\r\n", "\r\n\r\n", "data", "data:", "data: x",
            ":", " ", "id: 1", "event: e", "\u{feff}", "\u{e9}", "retry: 1",
        ]);
        prop::collection::vec(pieces, 0..24).prop_map(|pieces| pieces.concat().into_bytes())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3_000))]

        #[test]
        fn any_chunking_equals_the_whole(
            stream in stream(),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
        ) {
            let whole = parse([&stream[..]]);
            let mut bytes: Vec<u8> =
                whole.0.iter().flat_map(|event| event.raw().to_vec()).collect();
            bytes.extend(whole.1.iter().flat_map(|rest| rest.raw().to_vec()));
            prop_assert_eq!(&bytes, &stream);
            prop_assert_eq!(&parse(stream.chunks(1)), &whole);
            let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
            cuts.extend([0, stream.len()]);
            cuts.sort_unstable();
            prop_assert_eq!(&parse(cuts.windows(2).map(|cut| &stream[cut[0]..cut[1]])), &whole);
        }

        #[test]
        fn same_payloads_as_a_plain_reading(stream in stream()) {
            // Line ends made one, then events cut at blank lines: the standard, without chunks.
            let text = String::from_utf8_lossy(&stream);
            let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
            let text = text.replace("\r\n", "\n").replace('\r', "\n");
            let mut expected = Vec::new();
            let mut payload: Option<Vec<&str>> = None;
            let mut lines: Vec<_> = text.split('\n').collect();
            lines.pop();
            for line in lines {
                let (name, value) = line.split_once(':').unwrap_or((line, ""));
                if line.is_empty() {
                    expected.extend(payload.take().map(|lines| lines.join("\n")));
                } else if name == "data" {
                    payload.get_or_insert_default().push(value.strip_prefix(' ').unwrap_or(value));
                }
            }
            let (events, _) = parse([&stream[..]]);
            let payloads: Vec<_> = events
                .iter()
                .filter_map(|event| event.data())
                .map(|data| String::from_utf8_lossy(&data).into_owned())
                .collect();
            prop_assert_eq!(payloads, expected);
        }
    }
}
