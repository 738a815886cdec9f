//! Values broken over lines: by wrapping, by the marks of a quoted mail, by hyphenation in a PDF.

use super::view::{Edit, Text};
use std::ops::Range;

/// So much of either line is looked at to tell how it goes on, in bytes.
const LOOKED_AT: usize = 80;

/// Appends edits that join lines whose ends are in `range` where a value seems to go on.
pub(super) fn join(text: &str, range: Range<usize>, out: &mut Vec<Edit>) {
    let bytes = text.as_bytes();
    let mut line = range.start;
    for (offset, _) in text[range.clone()].match_indices('\n') {
        let at = range.start + offset;
        let begun = std::mem::replace(&mut line, at + 1);
        let end = if at > 0 && bytes[at - 1] == b'\r' {
            at - 1
        } else {
            at
        };
        let end = end
            - bytes[..end]
                .iter()
                .rev()
                .take(4)
                .take_while(|&&b| b == b' ')
                .count();
        let start = next_line(bytes, at + 1);
        if out.last().is_some_and(|last| last.span.end > end) || end == 0 || start >= bytes.len() {
            continue;
        }
        if are_records(&bytes[begun..end.max(begun)], &bytes[start..]) {
            continue;
        }
        let left = last_word(bytes, end);
        let right = first_word(bytes, start);
        if left.is_empty() || right.is_empty() || !goes_on(bytes, &left, &right) {
            continue;
        }
        let hyphened = bytes[end - 1] == b'-'
            && left.len() > 1
            && bytes[end - 2].is_ascii_lowercase()
            && bytes[start].is_ascii_lowercase();
        let from = if hyphened { end - 1 } else { end };
        let joint = match in_groups(bytes, &left, &right) {
            true => Text::Char(' '),
            false => Text::Nothing,
        };
        out.push(Edit::new(from..start, joint));
    }
}

/// Where the next line's own text begins: after indentation, marks of quotation and of comments.
fn next_line(bytes: &[u8], at: usize) -> usize {
    let marks = bytes[at..]
        .iter()
        .take(16)
        .take_while(|byte| matches!(byte, b' ' | b'\t' | b'>' | b'|' | b'#' | b'*'));
    let marks = marks.count();
    at + marks
}

fn in_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"@._+-/=:~%".contains(&byte) || byte >= 0x80
}

fn last_word(bytes: &[u8], end: usize) -> Range<usize> {
    let word = bytes[..end].iter().rev().take(LOOKED_AT);
    end - word.take_while(|&&byte| in_word(byte)).count()..end
}

fn first_word(bytes: &[u8], start: usize) -> Range<usize> {
    let word = bytes[start..].iter().take(LOOKED_AT);
    start..start + word.take_while(|&&byte| in_word(byte)).count()
}

/// Whether a value may go on over the line end between two words: one of them is a part of an
/// identifier, and neither ends a sentence or names a field.
fn goes_on(bytes: &[u8], left: &Range<usize>, right: &Range<usize>) -> bool {
    let (one, other) = (&bytes[left.clone()], &bytes[right.clone()]);
    let digits = |word: &[u8]| word.iter().filter(|byte| byte.is_ascii_digit()).count();
    // A number goes on with digits on both sides of the break.
    let number = digits(one) >= 2
        && digits(other) >= 2
        && one.last().is_some_and(u8::is_ascii_digit)
        && other[0].is_ascii_digit();
    let address = one.contains(&b'@') != other.contains(&b'@')
        && other[0].is_ascii_alphanumeric() | matches!(other[0], b'@' | b'.');
    let token = (one.len() >= 8 && digits(one) >= 2 || other.len() >= 8 && digits(other) >= 2)
        && one
            .last()
            .is_some_and(|b| b.is_ascii_alphanumeric() || b"-_+/".contains(b))
        && (other[0].is_ascii_alphanumeric() || b"-_+/".contains(&other[0]))
        && one.len() + other.len() >= 16
        && (digits(other) > 0 || other.len() >= 8);
    let sentence = one
        .last()
        .is_some_and(|byte| matches!(byte, b'.' | b':' | b'='));
    let field = matches!(other.last(), Some(b':' | b'='));
    (number || address || token) && !sentence && !field
}

/// Whether two lines begin alike, with a digit, as the rows of tables and the lines of logs do, or
/// neither holds a letter, as in columns of numbers. `next` may go on after its line.
fn are_records(line: &[u8], next: &[u8]) -> bool {
    let line = &line[next_line(line, 0).min(line.len())..];
    let numbers = |text: &[u8]| {
        let line = text
            .iter()
            .take(LOOKED_AT)
            .take_while(|&&byte| byte != b'\n');
        !line.clone().any(u8::is_ascii_alphabetic) && line.count() > 0
    };
    (line.first().is_some_and(u8::is_ascii_digit) && shape(line) == shape(next))
        || (numbers(line) && numbers(next))
        || is_timed(next)
}

/// Whether a line begins with a date or a time of day, as lines of logs do: `2026-11-24`,
/// `[24/Nov`, `10:15:`.
fn is_timed(line: &[u8]) -> bool {
    let line = line.strip_prefix(b"[").unwrap_or(line);
    let run = |from: usize| {
        let rest = line.get(from..).unwrap_or_default();
        rest.iter().take_while(|byte| byte.is_ascii_digit()).count()
    };
    let (first, separator) = (run(0), line.get(run(0)).copied());
    match (first, separator) {
        (4, Some(b'-' | b'/' | b'.')) => run(5) == 2,
        (2, Some(b':')) => run(3) == 2 && line.get(5) == Some(&b':'),
        (2, Some(b'/')) => line.get(3).is_some_and(u8::is_ascii_alphabetic),
        _ => false,
    }
}

/// The first four kinds of characters that follow each other in a line.
fn shape(line: &[u8]) -> [u8; 4] {
    let (mut kinds, mut seen, mut last) = ([0; 4], 0, 0);
    for byte in line.iter().take(24).take_while(|&&byte| byte != b'\n') {
        let kind = match byte {
            b'0'..=b'9' => b'0',
            b'a'..=b'z' | b'A'..=b'Z' => b'a',
            other => *other,
        };
        if kind != last && seen < kinds.len() {
            kinds[seen] = kind;
            seen += 1;
        }
        last = kind;
    }
    kinds
}

/// Whether the two words are groups of digits of one number, so that a blank stood between them.
fn in_groups(bytes: &[u8], left: &Range<usize>, right: &Range<usize>) -> bool {
    let digits = |range: &Range<usize>| {
        bytes[range.clone()]
            .iter()
            .all(|b| b.is_ascii_alphanumeric())
    };
    let group = |end: usize, length: usize| {
        // The group before, of the same length, with a blank between.
        let before = end.checked_sub(2 * length + 1);
        before.is_some_and(|start| {
            bytes[start + length] == b' '
                && bytes[start..start + length]
                    .iter()
                    .all(u8::is_ascii_alphanumeric)
        })
    };
    digits(left) && digits(right) && left.len() <= 6 && group(left.end, left.len())
}

#[cfg(test)]
mod tests {
    use super::{super::view::View, *};

    fn joined(text: &str) -> String {
        let mut edits = Vec::new();
        join(text, 0..text.len(), &mut edits);
        View::new(text, 0..text.len(), &edits).text
    }

    #[test]
    fn broken_values_are_joined() {
        for (text, whole) in [
            (
                "card 4111 1111\n1111 1111 ok",
                "card 4111 1111 1111 1111 ok",
            ),
            ("card 4111111\r\n111111111 ok", "card 4111111111111111 ok"),
            (
                "> account DE89 3704 0044\n> 0532 0130 00 ok",
                "> account DE89 3704 0044 0532 0130 00 ok",
            ),
            (
                "mail anna.berg@exam\nple.org now",
                "mail anna.berg@example.org now",
            ),
            (
                "mail anna.berg@exam-\nple.org now",
                "mail anna.berg@example.org now",
            ),
            (
                "mail anna.berg\n@example.org now",
                "mail anna.berg@example.org now",
            ),
            (
                "# key a8Kd02jfLs93kd\n# Pwq1Zx7Vb5Nm",
                "# key a8Kd02jfLs93kdPwq1Zx7Vb5Nm",
            ),
        ] {
            assert_eq!(joined(text), whole);
        }
    }

    #[test]
    fn lines_of_their_own_stay() {
        for text in [
            "the quick brown\nfox jumps",
            "4111 1111\n1111 1111\n2222 3333",
            "2024-06-21 ok bytes=12\n2024-06-22 ok bytes=13",
            "in 2023\nSee above",
            "total: 1200\nname: 1300",
            "costs 40.\n50 more",
            "id,name,n\n17,ab,1234\n18,cd,5678",
            "from 192.168.0.17 port 50122 SHA256:9a0b1c2d3e4f5a6b\n2026-11-24T10:15:00Z INFO up",
            "sent 1200 bytes to 10.1.2.3 id 9a0b1c2d3e4f\nNov 24 10:15:00 web sshd[17]: ok",
        ] {
            assert_eq!(joined(text), text);
        }
    }
}
