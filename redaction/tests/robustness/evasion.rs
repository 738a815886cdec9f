//! Values written otherwise than they are: found, and covered from their first byte to their last.

use crate::{find, suites};
use proptest::prelude::*;
use serde::Deserialize;
use std::fmt::Write;
use tollgate_redaction::Entity;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Suite {
    case: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    text: String,
    /// What must be found, as it stands in the text.
    find: Vec<(Entity, String)>,
}

#[test]
fn values_are_found_in_all_of_their_length() {
    let mut failures = Vec::new();
    let mut cases = 0;
    for (name, suite) in suites::<Suite>("evasion") {
        for case in suite.case {
            cases += 1;
            let found: Vec<(Entity, &str)> = find(&case.text)
                .iter()
                .map(|finding| (finding.entity, &case.text[finding.span.range()]))
                .collect();
            for (entity, value) in &case.find {
                if !found.contains(&(*entity, value.as_str())) {
                    failures.push(format!("{name}: {:?}: found {found:?}", case.text));
                }
            }
        }
    }
    assert!(cases > 50, "only {cases} cases");
    assert!(
        failures.is_empty(),
        "{} of {cases}:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

fn each(text: &str, write: impl Fn(char, &mut String)) -> String {
    let mut out = String::new();
    text.chars().for_each(|c| write(c, &mut out));
    out
}

fn base64(text: &str) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for three in text.as_bytes().chunks(3) {
        let byte = |at: usize| three.get(at).map_or(0, |&byte| u32::from(byte));
        let word = byte(0) << 16 | byte(1) << 8 | byte(2);
        for at in 0..4 {
            out.push(match at > three.len() {
                true => '=',
                false => char::from(ALPHABET[(word >> (18 - 6 * at) & 63) as usize]),
            });
        }
    }
    out
}

/// Ways to write a text otherwise, by name.
type Way = (&'static str, fn(&str) -> String);

const WAYS: &[Way] = &[
    // Without padding, which says nothing: what is read may leave it uncovered.
    ("base64", |text| {
        base64(text).trim_end_matches('=').to_owned()
    }),
    ("padded base64", base64),
    ("hexadecimal", |text| {
        text.bytes().fold(String::new(), |mut out, byte| {
            let _ = write!(out, "{byte:02x}");
            out
        })
    }),
    ("percent", |text| {
        text.bytes().fold(String::new(), |mut out, byte| {
            let _ = match byte.is_ascii_alphanumeric() {
                true => write!(out, "{}", char::from(byte)),
                false => write!(out, "%{byte:02X}"),
            };
            out
        })
    }),
    ("entity", |text| {
        each(text, |c, out| match c.is_ascii_alphabetic() {
            true => out.push(c),
            false => out.push_str(&format!("&#{};", c as u32)),
        })
    }),
    ("unicode escape", |text| {
        each(text, |c, out| {
            let mut units = [0; 2];
            match c.is_ascii_alphabetic() {
                true => out.push(c),
                false => c
                    .encode_utf16(&mut units)
                    .iter()
                    .for_each(|unit| out.push_str(&format!("\\u{unit:04x}"))),
            }
        })
    }),
    ("full width", |text| {
        each(text, |c, out| {
            out.push(match c {
                '!'..='~' => char::from_u32(c as u32 + 0xFEE0).unwrap(),
                other => other,
            });
        })
    }),
    ("zero width", |text| {
        each(text, |c, out| {
            out.push(c);
            if c.is_ascii_alphanumeric() {
                out.push('\u{200b}');
            }
        })
        .trim_end_matches('\u{200b}')
        .to_owned()
    }),
    ("Devanagari digits", |text| {
        each(text, |c, out| {
            out.push(
                c.to_digit(10)
                    .map_or(c, |digit| char::from_u32(0x966 + digit).unwrap()),
            );
        })
    }),
    ("Cyrillic letters", |text| {
        each(text, |c, out| {
            out.push(match c {
                'a' => 'а',
                'e' => 'е',
                'o' => 'о',
                'E' => 'Е',
                'x' => 'х',
                other => other,
            });
        })
    }),
];

const VALUES: &[(Entity, &str)] = &[
    (Entity::Email, "anna.berg@example.org"),
    (Entity::Card, "4111111111111111"),
    (Entity::Card, "5500 0000 0000 0004"),
    (Entity::Iban, "DE89 3704 0044 0532 0130 00"),
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn a_value_is_found_under_any_three_layers(
        ways in prop::collection::vec(0..WAYS.len(), 1..=3),
        value in 0..VALUES.len(),
        before in prop::sample::select(vec!["", "see ", "日本 ", "{\"x\": \"", "a=1 "]),
        after in prop::sample::select(vec!["", " there", "\n", "\"}", ", é"]),
    ) {
        let (_, plain) = VALUES[value];
        let written = ways.iter().fold(plain.to_owned(), |text, &way| WAYS[way].1(&text));
        let text = format!("{before}{written}{after}");
        let found = find(&text);
        let names: Vec<_> = ways.iter().map(|&way| WAYS[way].0).collect();
        // Padding that another layer has written otherwise may be left over; it says nothing.
        let padded = ways.iter().any(|&way| WAYS[way].0 == "padded base64");
        prop_assert!(!padded || !found.is_empty(), "{:?} by {:?}: {:?}", plain, names, text);
        for (offset, c) in written.char_indices().filter(|(_, c)| !padded && c.is_alphanumeric()) {
            let at = before.len() + offset;
            prop_assert!(
                found.iter().any(|f| f.span.start <= at && at + c.len_utf8() <= f.span.end),
                "{:?} by {:?}: {:?} finds {:?}", plain, names, text, found
            );
        }
        for finding in &found {
            prop_assert!(text.get(finding.span.range()).is_some());
        }
    }

    #[test]
    fn any_text_is_read_soundly(
        parts in prop::collection::vec(prop::sample::select(vec![
            "%", "%4", "%41", "&#", "&#64;", "&amp;", "\\", "\\u", "\\ud83d", "\\u0040", "=", "=\n", "=C3=A9", "\u{200b}",
            "\u{301}", "а", "Ω", "é", "🙂", "４", "٤", "\u{a0}", " ", "\n", "> ", "-", "4", "1 1 1 1 1 1 1", "@", " at ",
            " dot ", "anna", "example.org", "YW5uYUBleGFtcGxlLm9yZw==", "4111 1111", "1111 1111", "DE89 3704", "\r\n", "\u{0}",
        ]), 0..60),
    ) {
        let text = parts.concat();
        let found = find(&text);
        for finding in &found {
            prop_assert!(!finding.span.is_empty() && text.get(finding.span.range()).is_some());
        }
        for pair in found.windows(2) {
            prop_assert!(pair[0].span.end <= pair[1].span.start);
        }
    }
}
