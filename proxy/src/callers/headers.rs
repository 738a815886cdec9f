//! What is left of a caller's rates, as headers of an answer.
//!
//! OpenAI's names (developers.openai.com, "Rate limits") with the time until all is there again as
//! `1m30s`; Anthropic's (docs.anthropic.com, "Rate limits") with the instant, in RFC 3339.

use crate::rescue::value;
use crate::wire::WireKind;
use http::{HeaderName, HeaderValue};
use jiff::Timestamp;
use std::time::Duration;

/// What is left of one rate.
pub(super) struct Left {
    /// Per minute.
    pub(super) limit: u64,
    pub(super) left: u64,
    /// Until all of it is there again.
    pub(super) reset: Duration,
}

pub(super) fn of(
    wire: WireKind,
    at: Timestamp,
    requests: Option<Left>,
    tokens: Option<Left>,
) -> Vec<(HeaderName, HeaderValue)> {
    let kinds = [("requests", requests), ("tokens", tokens)];
    let mut headers = Vec::new();
    for (kind, left) in kinds {
        let Some(Left { limit, left, reset }) = left else {
            continue;
        };
        for (what, text) in [
            ("limit", limit.to_string()),
            ("remaining", left.to_string()),
            ("reset", told(wire, at, reset)),
        ] {
            let name = match wire {
                WireKind::Anthropic => format!("anthropic-ratelimit-{kind}-{what}"),
                _ => format!("x-ratelimit-{what}-{kind}"),
            };
            if let Ok(name) = HeaderName::from_bytes(name.as_bytes()) {
                headers.push((name, value(&text)));
            }
        }
    }
    headers
}

fn told(wire: WireKind, at: Timestamp, reset: Duration) -> String {
    let seconds = reset.as_millis().div_ceil(1000) as i64;
    match wire {
        WireKind::Anthropic => {
            let reset = at.checked_add(jiff::SignedDuration::from_secs(seconds));
            let seconds = reset.map_or(at.as_second(), Timestamp::as_second);
            Timestamp::from_second(seconds).unwrap_or(at).to_string()
        }
        _ if reset.as_secs() == 0 => format!("{}ms", reset.as_millis()),
        _ if seconds < 60 => format!("{seconds}s"),
        _ => format!("{}m{}s", seconds / 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_wire_is_told_in_its_own_words() {
        let at = "2026-11-24T09:00:00.25Z".parse().expect("a time");
        let left = |ms| Left {
            limit: 60,
            left: 7,
            reset: Duration::from_millis(ms),
        };
        let told = |wire, requests, tokens| -> Vec<String> {
            let all = of(wire, at, requests, tokens);
            all.iter()
                .map(|(name, value)| format!("{name}: {}", value.to_str().expect("ASCII")))
                .collect()
        };
        assert_eq!(
            told(WireKind::OpenAi, Some(left(83_100)), Some(left(120))),
            [
                "x-ratelimit-limit-requests: 60",
                "x-ratelimit-remaining-requests: 7",
                "x-ratelimit-reset-requests: 1m24s",
                "x-ratelimit-limit-tokens: 60",
                "x-ratelimit-remaining-tokens: 7",
                "x-ratelimit-reset-tokens: 120ms",
            ]
        );
        assert_eq!(
            told(WireKind::Anthropic, None, Some(left(2_000))),
            [
                "anthropic-ratelimit-tokens-limit: 60",
                "anthropic-ratelimit-tokens-remaining: 7",
                "anthropic-ratelimit-tokens-reset: 2026-11-24T09:00:02Z",
            ]
        );
        assert_eq!(told(WireKind::OpenAi, None, None), [""; 0]);
    }
}
