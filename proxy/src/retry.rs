//! When an attempt is made again: after how long, and after which answers.

use crate::config::Failover;
use http::{HeaderMap, header};
use jiff::fmt::rfc2822::DateTimeParser;
use std::time::Duration;

/// Statuses of an answer that another attempt may better: the request was not served, and nothing
/// in it is said to be wrong. 529 is Anthropic's "overloaded".
pub(crate) fn is_worth_another(status: u16) -> bool {
    matches!(status, 408 | 429 | 500 | 502 | 503 | 504 | 529)
}

/// Statuses by which an endpoint says that it, not the request, is at fault.
pub(crate) fn is_endpoints_fault(status: u16) -> bool {
    matches!(status, 502 | 503 | 504 | 529)
}

/// The wait before round `round` (from 1): doubled each time up to a bound, of which the upper
/// half is left to chance so that callers who failed together do not come back together.
pub(crate) fn backoff(
    settings: &Failover,
    round: u32,
    random: impl FnOnce(u64) -> u64,
) -> Duration {
    let doubled = settings
        .backoff_ms
        .saturating_mul(1 << round.saturating_sub(1).min(16));
    let whole = doubled.min(settings.backoff_max_ms);
    Duration::from_millis(whole / 2 + random(whole.div_ceil(2) + 1))
}

/// How long an answer asks to be left alone: OpenAI's `retry-after-ms`, or `Retry-After` (RFC 9110,
/// section 10.2.3) in seconds or as a date, which is told from the answer's own `Date`.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    if let Some(ms) = text("retry-after-ms").and_then(|ms| ms.parse::<f64>().ok()) {
        return Duration::try_from_secs_f64(ms / 1e3).ok();
    }
    let after = text(header::RETRY_AFTER.as_str())?;
    if let Ok(seconds) = after.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let parser = DateTimeParser::new();
    let date = |text: &str| parser.parse_timestamp(text).ok();
    let (until, now) = (date(after)?, date(text(header::DATE.as_str())?)?);
    Some(until.duration_since(now).try_into().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_bound_with_half_left_to_chance() {
        let settings = Failover {
            backoff_ms: 100,
            backoff_max_ms: 300,
            ..Failover::default()
        };
        let waits = |random: fn(u64) -> u64| {
            [1, 2, 3, 40].map(|round| backoff(&settings, round, random).as_millis())
        };
        assert_eq!(waits(|_| 0), [50, 100, 150, 150]);
        assert_eq!(waits(|n| n - 1), [100, 200, 300, 300]);
    }

    #[test]
    fn retry_after_in_each_of_its_forms() {
        let asked = |headers: &[(&'static str, &'static str)]| {
            let headers = headers.iter().map(|(name, value)| {
                let name = http::HeaderName::from_static(name);
                (name, http::HeaderValue::from_static(value))
            });
            retry_after(&headers.collect()).map(|wait| wait.as_millis())
        };
        let date = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(asked(&[("retry-after", "7")]), Some(7_000));
        assert_eq!(asked(&[("retry-after", " 0.5 ")]), Some(500));
        let both = [("retry-after", "7"), ("retry-after-ms", "125")];
        assert_eq!(asked(&both), Some(125));
        let until = ("retry-after", "Sun, 06 Nov 1994 08:50:37 GMT");
        assert_eq!(asked(&[date, until]), Some(60_000));
        let past = ("retry-after", "Sun, 06 Nov 1994 08:00:00 GMT");
        assert_eq!(asked(&[date, past]), Some(0));
        for bad in [
            vec![],
            vec![until],
            vec![("retry-after", "soon")],
            vec![("retry-after", "-3")],
        ] {
            assert_eq!(asked(&bad), None, "{bad:?}");
        }
        assert_eq!(asked(&[("retry-after", "1e300")]), None);
    }
}
