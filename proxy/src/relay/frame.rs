//! A stream's frames: server-sent events, lines, or Amazon's binary messages.

use super::{Fault, is};
use crate::{eventstream, ndjson, sse};
use bytes::Bytes;
use http::HeaderMap;
use std::borrow::Cow;

/// One frame with the bytes that it came in.
#[derive(Clone)]
pub(super) enum Frame {
    Event(sse::Event),
    Line(ndjson::Line),
    Message(eventstream::Message),
}

impl Frame {
    /// All bytes of it.
    pub(super) fn raw(&self) -> &Bytes {
        match self {
            Frame::Event(event) => event.raw(),
            Frame::Line(line) => line.raw(),
            Frame::Message(message) => message.raw(),
        }
    }

    /// Its payload, if it has one.
    pub(super) fn data(&self) -> Option<Cow<'_, [u8]>> {
        match self {
            Frame::Event(event) => event.data(),
            Frame::Line(line) => Some(Cow::Borrowed(line.data())),
            Frame::Message(message) => Some(Cow::Borrowed(message.data())),
        }
    }

    /// What it says that it is, where its payload does not.
    pub(super) fn kind(&self) -> &str {
        match self {
            Frame::Message(message) => message.header(":event-type").unwrap_or(""),
            Frame::Event(_) | Frame::Line(_) => "",
        }
    }

    /// The same frame with another payload.
    pub(super) fn with_data(&self, data: &[u8]) -> Frame {
        match self {
            Frame::Event(event) => Frame::Event(event.with_data(data)),
            Frame::Line(line) => Frame::Line(line.with_data(data)),
            Frame::Message(message) => Frame::Message(message.with_data(data)),
        }
    }
}

/// Cuts a stream into frames. Any chunking gives the same.
pub(super) enum Frames {
    Events(sse::Parser),
    Lines(ndjson::Parser),
    Messages(eventstream::Parser),
}

/// How a stream ended.
pub(super) enum End {
    /// Behind a whole frame.
    Clean,
    /// With one more.
    Frame(Frame),
    /// Within one.
    Unfinished,
}

impl Frames {
    /// For the kind of stream that an answer's head announces; `None` where it is no stream.
    pub(super) fn of(headers: &HeaderMap, max: usize) -> Option<Frames> {
        if is(headers, "text/event-stream") {
            Some(Frames::Events(sse::Parser::new(max)))
        } else if is(headers, "application/x-ndjson") {
            Some(Frames::Lines(ndjson::Parser::new(max)))
        } else if is(headers, "application/vnd.amazon.eventstream") {
            Some(Frames::Messages(eventstream::Parser::new(max)))
        } else {
            None
        }
    }

    /// Takes the next chunk of the stream.
    pub(super) fn push(&mut self, chunk: &[u8]) {
        match self {
            Frames::Events(parser) => parser.push(chunk),
            Frames::Lines(parser) => parser.push(chunk),
            Frames::Messages(parser) => parser.push(chunk),
        }
    }

    /// The next frame that is complete.
    pub(super) fn next_frame(&mut self) -> Result<Option<Frame>, Fault> {
        Ok(match self {
            Frames::Events(parser) => parser.next_event()?.map(Frame::Event),
            Frames::Lines(parser) => parser.next_line()?.map(Frame::Line),
            Frames::Messages(parser) => parser.next_message()?.map(Frame::Message),
        })
    }

    /// Ends the stream.
    pub(super) fn finish(self) -> End {
        match self {
            Frames::Events(parser) => match parser.finish() {
                sse::End::Clean => End::Clean,
                sse::End::Event(event) => End::Frame(Frame::Event(event)),
                sse::End::Unfinished(_) => End::Unfinished,
            },
            Frames::Lines(parser) => parser
                .finish()
                .map_or(End::Clean, |line| End::Frame(Frame::Line(line))),
            Frames::Messages(parser) => match parser.is_clean() {
                true => End::Clean,
                false => End::Unfinished,
            },
        }
    }
}
