//! Makes text legible: what cannot be set, or what would make it read as something else, is written
//! as its code point.

use crate::fonts::Fonts;
use serde_json::Value;
use std::borrow::Cow;

/// A text of which each character can be set.
pub(crate) fn text<'a>(text: &'a str, fonts: &Fonts) -> Cow<'a, str> {
    let Some(first) = text.find(|c| !plain(c, fonts)) else {
        return Cow::Borrowed(text);
    };
    let mut out = text[..first].to_owned();
    for c in text[first..].chars() {
        if plain(c, fonts) {
            out.push(c);
        } else {
            out.push_str(&format!("[U+{:04X}]", u32::from(c)));
        }
    }
    Cow::Owned(out)
}

/// All strings of a value, and the names of its members.
pub(crate) fn value(value: &mut Value, fonts: &Fonts) {
    match value {
        Value::String(string) => {
            if let Cow::Owned(legible) = text(string, fonts) {
                *string = legible;
            }
        }
        Value::Array(items) => {
            for item in items {
                self::value(item, fonts);
            }
        }
        Value::Object(members) => {
            let taken = std::mem::take(members);
            members.extend(taken.into_iter().map(|(name, mut member)| {
                self::value(&mut member, fonts);
                (text(&name, fonts).into_owned(), member)
            }));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Whether a character is set as itself.
fn plain(c: char, fonts: &Fonts) -> bool {
    match c {
        ' '..='~' | '\n' | '\t' => true,
        _ => !c.is_control() && !invisible(c) && fonts.have(c),
    }
}

/// Characters that leave no ink and can make a text read as another: those that turn its direction
/// or join, part or hide what is beside them (after Unicode's default ignorables).
fn invisible(c: char) -> bool {
    matches!(
        u32::from(c),
        0x00AD
            | 0x034F
            | 0x061C
            | 0x115F..=0x1160
            | 0x17B4..=0x17B5
            | 0x180B..=0x180F
            | 0x200B..=0x200F
            | 0x2028..=0x202E
            | 0x2060..=0x206F
            | 0x3164
            | 0xFE00..=0xFE0F
            | 0xFEFF
            | 0xFFA0
            | 0xFFF0..=0xFFFB
            | 0xE0000..=0xE0FFF
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_cannot_be_set_is_written_as_its_code_point() {
        let fonts = Fonts::built_in();
        for (given, legible) in [
            ("Zürich, Αθήνα, Київ, Łódź", "Zürich, Αθήνα, Київ, Łódź"),
            ("12.00 € – 3 µs · “a”", "12.00 € – 3 µs · “a”"),
            ("中\u{301}", "[U+4E2D]\u{301}"),
            ("evil\u{202E}fdp.exe", "evil[U+202E]fdp.exe"),
            ("a\u{200B}b\u{7}", "a[U+200B]b[U+0007]"),
            ("two\nlines\tand", "two\nlines\tand"),
        ] {
            assert_eq!(text(given, &fonts), legible, "{given:?}");
        }
    }

    #[test]
    fn names_of_members_are_made_legible_too() {
        let mut given = json!({ "中": ["中", 1, null, { "a": "中" }] });
        value(&mut given, &Fonts::built_in());
        let legible = json!({ "[U+4E2D]": ["[U+4E2D]", 1, null, { "a": "[U+4E2D]" }] });
        assert_eq!(given, legible);
    }
}
