//! Which names a model goes by.

/// A pattern of model names, letter case ignored: `exact`, `prefix*`, or `name-{date}`, whose
/// date is `YYYYMMDD` or `YYYY-MM-DD` as providers write snapshots.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Pattern {
    Exact(String),
    Dated(String),
    Prefix(String),
}

impl Pattern {
    /// Reads a pattern; `None` if it is empty or has a `*` or brace elsewhere than at its end.
    pub(super) fn parse(text: &str) -> Option<Pattern> {
        let text = text.to_ascii_lowercase();
        let (stem, make): (&str, fn(String) -> Pattern) = match text.strip_suffix("{date}") {
            Some(stem) => (stem, Pattern::Dated),
            None => match text.strip_suffix('*') {
                Some(stem) => (stem, Pattern::Prefix),
                None => (&text, Pattern::Exact),
            },
        };
        let plain = !stem.is_empty() && !stem.contains(['*', '{', '}']);
        plain.then(|| make(stem.to_owned()))
    }
}

/// The name without the date of a snapshot at its end, if there is one; which day does not matter.
pub(super) fn undated(name: &str) -> Option<&str> {
    [8, 10].into_iter().find_map(|len| {
        let (stem, date) = name.split_at_checked(name.len().checked_sub(len)?)?;
        is_date(date.as_bytes()).then_some(stem)
    })
}

fn is_date(bytes: &[u8]) -> bool {
    let digits = |part: &[u8]| part.iter().all(u8::is_ascii_digit);
    match bytes.len() {
        8 => digits(bytes),
        10 => {
            digits(&bytes[..4])
                && bytes[4] == b'-'
                && digits(&bytes[5..7])
                && bytes[7] == b'-'
                && digits(&bytes[8..])
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_come_off() {
        for (name, stem) in [
            ("m-20260102", Some("m-")),
            ("m-2026-01-02", Some("m-")),
            ("m-2026-1-02", None),
            ("m-2026010", None),
            ("m-202601023", Some("m-2")),
            ("m-", None),
            ("m-２０２６", None),
        ] {
            assert_eq!(undated(name), stem, "{name}");
        }
    }

    #[test]
    fn refuses_odd_patterns() {
        for text in [
            "", "*", "{date}", "a*b", "a**", "a{date}b", "a*{date}", "a{dat}",
        ] {
            assert_eq!(Pattern::parse(text), None, "{text:?} was taken");
        }
    }
}
