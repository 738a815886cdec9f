//! Which names a model goes by.

/// A pattern of model names, letter case ignored: `exact`, `prefix*`, or `name-{date}`, whose
/// date is `YYYYMMDD` or `YYYY-MM-DD` as providers write snapshots.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Pattern {
    Exact(String),
    Dated(String),
    Prefix(String),
}

/// How closely a pattern fits: an exact name before a dated one before a prefix, and the longer
/// before the shorter prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Specificity {
    Prefix(usize),
    Dated(usize),
    Exact,
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

    /// How closely a name fits, if at all.
    pub(super) fn fits(&self, name: &str) -> Option<Specificity> {
        let rest_after = |stem: &str| {
            let (head, rest) = name.as_bytes().split_at_checked(stem.len())?;
            head.eq_ignore_ascii_case(stem.as_bytes()).then_some(rest)
        };
        match self {
            Pattern::Exact(stem) => rest_after(stem)?.is_empty().then_some(Specificity::Exact),
            Pattern::Dated(stem) => {
                is_date(rest_after(stem)?).then_some(Specificity::Dated(stem.len()))
            }
            Pattern::Prefix(stem) => rest_after(stem).map(|_| Specificity::Prefix(stem.len())),
        }
    }
}

/// Whether the bytes look like a date of a snapshot; which day it is does not matter.
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
    fn fits_names() {
        let fits = |pattern: &str, name: &str| Pattern::parse(pattern).unwrap().fits(name);
        assert_eq!(fits("o3", "O3"), Some(Specificity::Exact));
        assert_eq!(fits("o3", "o3-mini"), None);
        assert_eq!(
            fits("gemini-3*", "gemini-3.5-flash"),
            Some(Specificity::Prefix(8))
        );
        for (name, dated) in [
            ("m-20260102", true),
            ("m-2026-01-02", true),
            ("m-2026-1-02", false),
            ("m-2026010", false),
            ("m-202601023", false),
            ("m-", false),
            ("m-２０２６", false),
        ] {
            assert_eq!(fits("m-{date}", name).is_some(), dated, "{name}");
        }
        assert_eq!(fits("né", "n"), None);
    }

    #[test]
    fn the_closest_is_the_greatest() {
        use Specificity::{Dated, Exact, Prefix};
        assert!(Exact > Dated(99) && Dated(1) > Prefix(99) && Prefix(5) > Prefix(4));
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
