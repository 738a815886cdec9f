//! Which names a model goes by.

use std::fmt;

/// A pattern of names, letter case ignored: `*` is any text, `#` is a digit, all else is itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Pattern(String);

impl Pattern {
    /// Reads a pattern; `None` if it is empty or fits every name.
    pub(super) fn parse(text: &str) -> Option<Pattern> {
        let text = text.to_lowercase();
        let plain = text.bytes().any(|byte| byte != b'*');
        plain.then_some(Pattern(text))
    }

    /// The one name that it fits, unless it fits several.
    pub(super) fn exact(&self) -> Option<&str> {
        (!self.0.contains(['*', '#'])).then_some(&self.0)
    }

    /// Whether it fits a name, which must be in lower case.
    pub(super) fn fits(&self, name: &str) -> bool {
        fits(self.0.as_bytes(), name.as_bytes())
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Greedy with one point of return, the last `*`: linear but for names that nearly repeat, and
/// never worse than pattern times name.
fn fits(pattern: &[u8], name: &[u8]) -> bool {
    let (mut p, mut n) = (0, 0);
    let mut again: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some(b'*') => {
                again = Some((p + 1, n));
                p += 1;
                continue;
            }
            Some(b'#') if name[n].is_ascii_digit() => {}
            Some(&byte) if byte == name[n] && byte != b'#' => {}
            _ => match again {
                Some((after, from)) => {
                    again = Some((after, from + 1));
                    (p, n) = (after, from + 1);
                    continue;
                }
                None => return false,
            },
        }
        (p, n) = (p + 1, n + 1);
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

/// The name with the compact dates of a snapshot (`-20251211`) as `-2025-12-11`, if it has one:
/// routers write the former where price lists have the latter.
pub(super) fn with_dashed_dates(name: &str) -> Option<String> {
    let bytes = name.as_bytes();
    let mut dashed = String::with_capacity(name.len() + 2);
    let mut from = 0;
    for (at, _) in name.match_indices('-') {
        let date = bytes.get(at + 1..at + 9).filter(|date| is_date(date));
        let ends = matches!(bytes.get(at + 9), None | Some(b'-' | b':'));
        if date.is_some() && ends && at >= from {
            let (year, month) = (at + 5, at + 7);
            dashed.push_str(&name[from..year]);
            dashed.push('-');
            dashed.push_str(&name[year..month]);
            dashed.push('-');
            from = month;
        }
    }
    dashed.push_str(&name[from..]);
    (dashed != name).then_some(dashed)
}

fn is_date(digits: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(digits) else {
        return false;
    };
    let number = |range: std::ops::Range<usize>| text.get(range).and_then(|part| part.parse().ok());
    let (Some(year), Some(month), Some(day)) = (number(0..4), number(4..6), number(6..8)) else {
        return false;
    };
    text.bytes().all(|byte| byte.is_ascii_digit())
        && (2000..2100).contains(&year)
        && jiff::civil::Date::new(year, month as i8, day as i8).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn patterns_fit() {
        for (pattern, name, expected) in [
            ("gpt-4o", "gpt-4o", true),
            ("GPT-4o", "gpt-4o", true),
            ("gpt-4o", "gpt-4o-mini", false),
            ("gpt-4o*", "gpt-4o-mini", true),
            ("gpt-4o*", "gpt-4o", true),
            ("*4o", "gpt-4o", true),
            ("*claude*", "us.claude-3", true),
            ("a*b*c", "axxbxbyc", true),
            ("a*b*c", "axxbxby", false),
            ("m-####-##-##", "m-2026-01-02", true),
            ("m-####-##-##", "m-2026-01-0x", false),
            ("m-#*", "m-3-x", true),
            ("m-#*", "m-x", false),
            ("m#", "m#", false),
            ("*-tts", "x-tts-1", false),
        ] {
            let parsed = Pattern::parse(pattern).unwrap();
            assert_eq!(parsed.fits(name), expected, "{pattern} {name}");
        }
        for nothing in ["", "*", "**"] {
            assert_eq!(Pattern::parse(nothing), None, "{nothing:?} was taken");
        }
    }

    #[test]
    fn compact_dates_get_dashes() {
        for (name, dashed) in [
            ("gpt-5.2-20251211", Some("gpt-5.2-2025-12-11")),
            ("m-20251211-v1:0", Some("m-2025-12-11-v1:0")),
            ("m-20251211:batch", Some("m-2025-12-11:batch")),
            ("m-20251341", None),
            ("m-20250230", None),
            ("m-202512111", None),
            ("m-2025-12-11", None),
            ("m-２０２５１２１１", None),
            ("m", None),
        ] {
            assert_eq!(with_dashed_dates(name).as_deref(), dashed, "{name}");
        }
    }

    proptest! {
        #[test]
        fn a_name_fits_what_is_made_from_it(name in "[a-z0-9.-]{1,20}", cut in 0_usize..20) {
            let cut = cut.min(name.len());
            for pattern in [name.clone(), format!("{}*{}", &name[..cut], &name[cut..]), format!("*{name}*")] {
                prop_assert!(Pattern::parse(&pattern).unwrap().fits(&name));
            }
        }

        #[test]
        fn no_name_panics(pattern in "\\PC{0,20}", name in "\\PC{0,40}") {
            if let Some(pattern) = Pattern::parse(&pattern) {
                let _ = pattern.fits(&name);
            }
            let _ = with_dashed_dates(&name);
        }
    }
}
