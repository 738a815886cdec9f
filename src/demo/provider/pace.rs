//! How an answer is cut into the pieces of a stream, and when each leaves.

use super::Latency;
use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, Response, header};
use futures::StreamExt;
use futures::stream;
use std::convert::Infallible;

/// Cuts a text into small pieces of changing length, so that whatever it holds is split at another
/// point each time. Pieces end on character boundaries and are together the text.
pub fn pieces(text: &str) -> Vec<String> {
    const LENGTHS: [usize; 7] = [3, 1, 6, 2, 9, 4, 13];
    let start = text.len() % LENGTHS.len();
    let mut lengths = LENGTHS.iter().cycle().skip(start);
    let mut pieces = Vec::new();
    let mut rest = text.chars();
    loop {
        let length = *lengths.next().unwrap_or(&1);
        let piece: String = rest.by_ref().take(length).collect();
        if piece.is_empty() {
            return pieces;
        }
        pieces.push(piece);
    }
}

/// A response that sends each server-sent event at its time.
pub fn event_stream(events: Vec<String>, latency: Latency) -> Response<Body> {
    stream(
        events.into_iter().map(Bytes::from).collect(),
        latency,
        "text/event-stream",
    )
}

/// A response that sends each piece of its kind at its time.
pub fn stream(events: Vec<Bytes>, latency: Latency, kind: &'static str) -> Response<Body> {
    let events = stream::iter(events).then(move |event| async move {
        tokio::time::sleep(latency.piece).await;
        Ok::<_, Infallible>(event)
    });
    let mut response = Response::new(Body::from_stream(events));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pieces_are_the_text_and_small() {
        for text in [
            "",
            "a",
            "Grüße an [PERSON_K7Q2MX] und [EMAIL_B4C5DF].",
            "日本語のテキスト",
        ] {
            let cut = pieces(text);
            assert_eq!(cut.concat(), text);
            assert!(
                cut.iter()
                    .all(|piece| (1..=13).contains(&piece.chars().count()))
            );
        }
    }
}
