//! Characters written as escapes: `%40`, `&#64;`, `\u0040`, `=40`.

use super::view::{Edit, Text};

/// Reads the escape that begins at `at` (a `%`, `&`, `\` or `=`), if there is one: appends its
/// edits and says where to read on.
pub(super) fn unescape(text: &str, at: usize, out: &mut Vec<Edit>) -> Option<usize> {
    match text.as_bytes()[at] {
        b'%' => octets(text, at, b'%', out),
        b'&' => entity(text, at, out),
        b'\\' => backslash(text, at, out),
        b'=' => quoted_printable(text, at, out),
        _ => None,
    }
}

fn hex(byte: u8) -> Option<u8> {
    (byte as char).to_digit(16).map(|digit| digit as u8)
}

/// The byte that two hexadecimal digits at `at` write.
fn octet(bytes: &[u8], at: usize) -> Option<u8> {
    let digits = bytes.get(at..at + 2)?;
    Some(hex(digits[0])? << 4 | hex(digits[1])?)
}

/// One character as UTF-8 octets, each with its mark before: percent-encoding (RFC 3986) and
/// quoted-printable (RFC 2045). Control characters other than white space are left alone.
fn octets(text: &str, at: usize, mark: u8, out: &mut Vec<Edit>) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut decoded = [0u8; 4];
    let length = match octet(bytes, at + 1)? {
        0..0x80 => 1,
        0xC2..0xE0 => 2,
        0xE0..0xF0 => 3,
        0xF0..0xF5 => 4,
        _ => return None,
    };
    for (number, byte) in decoded[..length].iter_mut().enumerate() {
        let here = at + number * 3;
        if bytes.get(here) != Some(&mark) {
            return None;
        }
        *byte = octet(bytes, here + 1)?;
    }
    let c = std::str::from_utf8(&decoded[..length])
        .ok()?
        .chars()
        .next()?;
    push(at, at + length * 3, c, out)
}

/// Quoted-printable octets and soft line breaks. Because `=` stands in much that is not encoded
/// (`status=200`), an octet counts only if it writes a character of several octets, or has a
/// hexadecimal letter and no letter or digit after it would make it a longer word, or is the `@`
/// between letters.
fn quoted_printable(text: &str, at: usize, out: &mut Vec<Edit>) -> Option<usize> {
    let bytes = text.as_bytes();
    let rest = &bytes[at + 1..];
    // Not the padding of base64, not the end of a statement that goes on.
    let spaced = at == 0 || bytes[at - 1].is_ascii_whitespace() || bytes[at - 1] == b'=';
    let ending = match rest {
        [b'\n', ..] => 1,
        [b'\r', b'\n', ..] => 2,
        _ => 0,
    };
    if ending > 0 {
        if spaced {
            return None;
        }
        out.push(Edit::new(at..at + 1 + ending, Text::Nothing));
        return Some(at + 1 + ending);
    }
    let digits = rest.get(..2)?;
    let upper = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'A'..=b'F');
    if !digits.iter().all(upper) {
        return None;
    }
    let letter = digits.iter().any(u8::is_ascii_uppercase);
    let after = rest.get(2);
    let between = at > 0
        && bytes[at - 1].is_ascii_alphanumeric()
        && after.is_some_and(u8::is_ascii_alphabetic);
    let clear = match octet(bytes, at + 1)? {
        0x80.. => true,
        b'@' => between,
        _ => letter,
    };
    clear.then(|| octets(text, at, b'=', out)).flatten()
}

/// `\n`, `\"`, `\x40`, `\u0040` with surrogate pairs, `\u{40}`, `\U00000040`: JSON (RFC 8259) and
/// the string literals of C, Rust, Python and JavaScript.
fn backslash(text: &str, at: usize, out: &mut Vec<Edit>) -> Option<usize> {
    let bytes = text.as_bytes();
    let number = |from: usize, digits: usize| -> Option<u32> {
        let digits = text.get(from..from + digits)?;
        digits
            .bytes()
            .try_fold(0, |number, byte| Some(number << 4 | u32::from(hex(byte)?)))
    };
    match bytes.get(at + 1)? {
        b'n' => push(at, at + 2, '\n', out),
        b'r' => push(at, at + 2, '\r', out),
        b't' => push(at, at + 2, '\t', out),
        &quoted @ (b'"' | b'\'' | b'/' | b'\\') => push(at, at + 2, char::from(quoted), out),
        b'x' => push(at, at + 4, char::from(octet(bytes, at + 2)?), out),
        b'U' => push(at, at + 10, char::from_u32(number(at + 2, 8)?)?, out),
        b'u' if bytes.get(at + 2) == Some(&b'{') => {
            let digits = bytes[at + 3..].iter().take(7).position(|&b| b == b'}')?;
            let c = char::from_u32(number(at + 3, digits)?)?;
            push(at, at + 4 + digits, c, out)
        }
        b'u' => {
            let unit = number(at + 2, 4)?;
            if !(0xD800..0xDC00).contains(&unit) {
                return push(at, at + 6, char::from_u32(unit)?, out);
            }
            let low = text.get(at + 6..at + 8).filter(|&mark| mark == "\\u");
            let low = low.and_then(|_| number(at + 8, 4))?;
            let pair = 0x10000 + ((unit - 0xD800) << 10) + low.checked_sub(0xDC00)?;
            push(at, at + 12, char::from_u32(pair)?, out)
        }
        _ => None,
    }
}

/// The names that HTML gives to characters of values; letters with marks are `letter + mark`.
const NAMES: &[(&str, char)] = &[
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("nbsp", ' '),
    ("commat", '@'),
    ("period", '.'),
    ("comma", ','),
    ("colon", ':'),
    ("semi", ';'),
    ("sol", '/'),
    ("lowbar", '_'),
    ("hyphen", '-'),
    ("dash", '-'),
    ("plus", '+'),
    ("equals", '='),
    ("num", '#'),
    ("excl", '!'),
    ("quest", '?'),
    ("percnt", '%'),
    ("dollar", '$'),
    ("ast", '*'),
    ("lpar", '('),
    ("rpar", ')'),
    ("lsqb", '['),
    ("rsqb", ']'),
    ("lcub", '{'),
    ("rcub", '}'),
    ("Tab", '\t'),
    ("NewLine", '\n'),
    ("szlig", 'ß'),
    ("oslash", 'ø'),
    ("Oslash", 'Ø'),
    ("aelig", 'æ'),
    ("AElig", 'Æ'),
    ("aring", 'å'),
    ("Aring", 'Å'),
    ("lstrok", 'ł'),
    ("Lstrok", 'Ł'),
];

/// The marks that HTML names put after a letter, with the letters in the order of [`MARKED`].
const MARKS: &[(&str, &str)] = &[
    ("acute", "áéíóúýÁÉÍÓÚÝćńśźĆŃŚŹ"),
    ("grave", "àèìòù\0ÀÈÌÒÙ\0\0\0\0\0\0\0\0\0"),
    ("circ", "âêîôû\0ÂÊÎÔÛ\0\0\0\0\0\0\0\0\0"),
    ("uml", "äëïöüÿÄËÏÖÜ\0\0\0\0\0\0\0\0\0"),
    ("tilde", "ã\0\0õ\0\0Ã\0\0Õ\0\0\0ñ\0\0\0Ñ\0\0"),
    ("cedil", "\0\0\0\0\0\0\0\0\0\0\0\0ç\0\0\0Ç\0\0\0"),
];
const MARKED: &str = "aeiouyAEIOUYcnszCNSZ";

/// Character references of HTML.
fn entity(text: &str, at: usize, out: &mut Vec<Edit>) -> Option<usize> {
    let bytes = text.as_bytes();
    let length = bytes[at + 1..].iter().take(12).position(|&b| b == b';')?;
    let name = text.get(at + 1..at + 1 + length)?;
    let c = match name.strip_prefix('#') {
        Some(number) => {
            let code = match number.strip_prefix(['x', 'X']) {
                Some(digits) => u32::from_str_radix(digits, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)?
        }
        None => named(name)?,
    };
    push(at, at + length + 2, c, out)
}

fn named(name: &str) -> Option<char> {
    if let Some((_, c)) = NAMES.iter().find(|(known, _)| *known == name) {
        return Some(*c);
    }
    let mut letters = name.chars();
    let letter = MARKED.find(letters.next()?)?;
    let (_, marked) = MARKS.iter().find(|(mark, _)| *mark == letters.as_str())?;
    marked.chars().nth(letter).filter(|&c| c != '\0')
}

/// One character in place of an escape; not for control characters, which text does not hold.
fn push(start: usize, end: usize, c: char, out: &mut Vec<Edit>) -> Option<usize> {
    if c.is_control() && !matches!(c, '\t' | '\n' | '\r') {
        return None;
    }
    out.push(Edit::new(start..end, Text::Char(c)));
    Some(end)
}

#[cfg(test)]
mod tests {
    use super::{super::view::View, *};
    use proptest::prelude::*;

    fn read(text: &str) -> String {
        let (mut edits, mut at) = (Vec::new(), 0);
        while at < text.len() {
            at = match text.is_char_boundary(at) {
                true => unescape(text, at, &mut edits).unwrap_or(at + 1),
                false => at + 1,
            };
        }
        View::new(text, 0..text.len(), &edits).text
    }

    #[test]
    fn escapes_of_each_form() {
        for (text, plain) in [
            ("anna%40example%2Eorg", "anna@example.org"),
            ("M%C3%BCller %E2%82%AC", "Müller €"),
            ("anna&#64;example&#x2e;org", "anna@example.org"),
            ("M&uuml;ller &amp; Jos&eacute; &commat;", "Müller & José @"),
            (r"anna\u0040example\x2eorg", "anna@example.org"),
            (r#"{\"name\":\"Anna\"}\n"#, "{\"name\":\"Anna\"}\n"),
            (r"\ud83d\ude42 \u{1F642}", "🙂 🙂"),
            (
                "M=C3=BCller anna=40example=2Eorg",
                "Müller anna@example.org",
            ),
            ("anna@exam=\nple.org", "anna@example.org"),
        ] {
            assert_eq!(read(text), plain, "{text}");
        }
    }

    #[test]
    fn what_is_no_escape_stays() {
        for text in [
            "100% of 5%, 20 %",
            "status=200 bytes=48 id=40 x = 12",
            "a && b &c; &nosuch; AT&T",
            r"\d+ \w \u12 \x4",
            "%FF%FE %00",
            "let x =\n    5",
            "%",
            "&",
            "\\",
            "=",
        ] {
            assert_eq!(read(text), text);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_with_ordered_disjoint_edits(text in r"[%&\\=#ux0-9A-Fa-f;é🙂{} ]{0,60}") {
            read(&text);
        }
    }
}
