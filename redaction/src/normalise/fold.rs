//! Characters read as the ASCII ones that they look like or mean.

use super::{
    confusable::{
        digit, is_combining, is_dash, is_invisible, is_space, latin, may_look_latin, plain,
    },
    view::{Edit, Text},
};
use crate::context::is_word;

/// Reads the characters at `at`, which is not ASCII or a control: says where to read on, having
/// appended the edits.
///
/// What stands rightly in its place stays: an accent, a Cyrillic word, a joiner in Persian, a
/// selector after an emoji.
pub(super) fn fold(text: &str, at: usize, out: &mut Vec<Edit>) -> usize {
    let Some(c) = text[at..].chars().next() else {
        return text.len();
    };
    let end = at + c.len_utf8();
    if may_look_latin(c) {
        return fold_word(text, at, out);
    }
    if let Some(ascii) = digit(c).or_else(|| plain(c)) {
        out.push(Edit::new(at..end, Text::Char(ascii)));
        return end;
    }
    let before = text[..at].chars().next_back();
    if is_invisible(c) {
        let hidden = text[at..].chars().take_while(|&c| is_invisible(c));
        let end = at + hidden.map(char::len_utf8).sum::<usize>();
        // Beside a letter or digit it may part a value; beside an emoji it belongs there.
        if is_plain(before) || is_plain(text[end..].chars().next()) {
            out.push(Edit::new(at..end, Text::Nothing));
        }
        return end;
    }
    let after = text[end..].chars().next();
    if is_combining(c) {
        if before.is_some_and(|c| c.is_ascii_alphanumeric() || c == '@') {
            let marks = text[at..].chars().take_while(|&c| is_combining(c));
            let end = at + marks.map(char::len_utf8).sum::<usize>();
            // The marks go with what they are drawn over, so that neither is left without.
            let base = before.map_or(at, |base| at - base.len_utf8());
            if let Some(base_char) = before
                && out.last().is_none_or(|last| last.span.end <= base)
            {
                out.push(Edit::new(base..end, Text::Char(base_char)));
            }
            return end;
        }
        return end;
    }
    let is_digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit() || digit(c).is_some());
    if is_space(c) && (is_digit(before) || is_digit(after)) {
        out.push(Edit::new(at..end, Text::Char(' ')));
    } else if is_dash(c) && is_digit(before) && is_digit(after) {
        out.push(Edit::new(at..end, Text::Char('-')));
    }
    end
}

/// Reads look-alikes in the word around `at` as Latin letters, if the word has Latin letters too,
/// or digits and look-alikes alone.
fn fold_word(text: &str, at: usize, out: &mut Vec<Edit>) -> usize {
    if let Some(end) = word_of_its_own(text.as_bytes(), at) {
        return end;
    }
    let joins = |c: &char| is_word(*c) || matches!(c, '@' | '.' | '_');
    let before = text[..at]
        .chars()
        .rev()
        .take_while(|c| c.is_ascii() && joins(c))
        .take(64);
    let start = at - before.map(char::len_utf8).sum::<usize>();
    // One character at least, for signs among the letters of these blocks.
    let word = text[at..].chars().enumerate();
    let word = word.take_while(|(number, c)| *number == 0 || joins(c));
    let end = at + word.map(|(_, c)| c.len_utf8()).sum::<usize>();
    let word = &text[start..end];
    let has = |class: fn(char) -> bool| word.chars().any(class);
    let mixed = has(|c| c.is_ascii_alphabetic());
    let number = has(|c| c.is_ascii_digit())
        && word
            .chars()
            .all(|c| !c.is_alphabetic() || latin(c).is_some());
    for (offset, c) in text[at..end].char_indices() {
        let here = at + offset;
        let ascii = match mixed || number {
            true => latin(c).or_else(|| digit(c)).or_else(|| plain(c)),
            false => digit(c).or_else(|| plain(c)),
        };
        if let Some(ascii) = ascii {
            out.push(Edit::new(here..here + c.len_utf8(), Text::Char(ascii)));
        }
    }
    end
}

/// The end of the run of Greek, Cyrillic or Armenian letters at `at`, if nothing else touches it:
/// most of what is written in these scripts.
fn word_of_its_own(bytes: &[u8], at: usize) -> Option<usize> {
    let touches =
        |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'@' | b'_') || *byte >= 0x80;
    let letters = bytes[at..].chunks_exact(2);
    // U+0380 to U+057F in two bytes each.
    let end = at
        + 2 * letters
            .take_while(|pair| matches!(pair[0], 0xCE..=0xD5))
            .count();
    let before = at.checked_sub(1).map(|before| bytes[before]);
    let after = bytes.get(end);
    let dotted = after == Some(&b'.') && bytes.get(end + 1).is_some_and(touches);
    let alone = !before.is_some_and(|b| touches(&b) || b == b'.') && !after.is_some_and(touches);
    (end > at && alone && !dotted).then_some(end)
}

/// Whether `c` is a character that identifiers are made of, or looks like one.
fn is_plain(c: Option<char>) -> bool {
    c.is_some_and(|c| {
        c.is_ascii_alphanumeric()
            || "@._-+/:".contains(c)
            || digit(c).is_some()
            || latin(c).is_some()
    })
}

#[cfg(test)]
mod tests {
    use super::{super::view::View, *};

    fn folded(text: &str) -> String {
        let (mut edits, mut at) = (Vec::new(), 0);
        while at < text.len() {
            let c = text[at..].chars().next().unwrap();
            at = match c.is_ascii() && !is_invisible(c) {
                true => at + 1,
                false => fold(text, at, &mut edits),
            };
        }
        View::new(text, 0..text.len(), &edits).text
    }

    #[test]
    fn look_alikes_and_forms_are_read_as_ascii() {
        for (text, read) in [
            ("pаypаl", "paypal"),
            ("аnna@exаmple.org", "anna@example.org"),
            ("ΑΒ123456", "AB123456"),
            ("４１１１", "4111"),
            ("٤١١١", "4111"),
            ("an\u{200b}na", "anna"),
            ("4\u{336}1\u{336}", "41"),
            ("12\u{a0}34", "12 34"),
            ("12\u{2013}34", "12-34"),
            ("\u{1}a", "a"),
            ("a\u{1}b", "ab"),
        ] {
            assert_eq!(folded(text), read, "{text}");
        }
    }

    #[test]
    fn what_stands_in_its_place_stays() {
        for text in [
            "Привет, мир. Это текст 2024 года",
            "Γειά σου Κόσμε",
            "Müller, café, łódź, İstanbul",
            "می\u{200c}خواهم",
            "❤\u{fe0f} 👩\u{200d}🔬 ok",
            "wait – no, «non\u{a0}»",
            "日本語のテキスト",
            "֍ ҂ ͵",
        ] {
            assert_eq!(folded(text), text);
        }
    }
}
