//! W3C trace context (Recommendation of 2021-11-23): which trace a request belongs to.
//!
//! `traceparent` is passed on as it came and its trace id recorded, so that traces of callers can
//! be joined with records. It holds identifiers only, and counts only in the exact form of the
//! Recommendation. `tracestate` and `baggage` may hold any text, are not inspected, and so are not
//! passed on.

use http::{HeaderMap, HeaderName, HeaderValue};

/// The header.
pub(crate) const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// The header's value, if it is well-formed: `00-<trace id>-<parent id>-<flags>`, each in lower-case
/// hex. Versions to come may say more behind that, which nobody here can read.
pub(crate) fn parent(headers: &HeaderMap) -> Option<&HeaderValue> {
    let mut all = headers.get_all(TRACEPARENT).iter();
    let value = all.next().filter(|_| all.next().is_none())?;
    is_sound(value.to_str().ok()?).then_some(value)
}

/// The trace id of a well-formed value.
pub(crate) fn id(parent: &HeaderValue) -> &str {
    let id = parent.to_str().ok().and_then(|text| text.get(3..35));
    id.unwrap_or_default()
}

fn is_sound(text: &str) -> bool {
    let is_hex = |part: &str, length: usize| {
        let digit = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
        part.len() == length && part.bytes().all(digit)
    };
    let is_id = |part: &str, length| is_hex(part, length) && part.bytes().any(|b| b != b'0');
    let parts: Vec<&str> = text.split('-').collect();
    matches!(parts[..], ["00", trace, span, flags]
        if is_id(trace, 32) && is_id(span, 16) && is_hex(flags, 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn only_the_exact_form_counts() {
        let mut headers = HeaderMap::new();
        assert_eq!(parent(&headers), None);
        headers.append(TRACEPARENT, HeaderValue::from_static(SOUND));
        let value = parent(&headers).expect("well-formed");
        assert_eq!(id(value), "4bf92f3577b34da6a3ce929d0e0e4736");
        headers.append(TRACEPARENT, HeaderValue::from_static(SOUND));
        assert_eq!(parent(&headers), None, "two are none");
        for bad in [
            "",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-anna",
            "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-anna lindgren 4da6a3ce929d0e0e47-00f067aa0ba902b7-01",
        ] {
            assert!(!is_sound(bad), "{bad}");
        }
    }
}
