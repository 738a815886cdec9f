//! Text inside of base64 (RFC 4648, both alphabets, also over several lines) and hexadecimal.

use super::view::{Edit, Text};
use std::ops::Range;

/// The shortest run that is tried, in characters: an identifier of eleven characters.
const RUN_MIN: usize = 16;
/// Lines that long may go on in the next line.
const LINE_MIN: usize = 40;
/// So many parts of a path are tried as what leads up to a run.
const PREFIXES_MAX: usize = 4;
/// So much is decoded before all of a run is.
const TASTE: usize = 64;

/// Which bytes runs are made of.
const IN_RUN: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] =
            (byte as u8).is_ascii_alphanumeric() || matches!(byte as u8, b'+' | b'/' | b'-' | b'_');
        byte += 1;
    }
    table
};

fn in_run(bytes: &[u8], at: usize) -> bool {
    bytes.get(at).is_some_and(|&byte| IN_RUN[usize::from(byte)])
}

/// Appends the runs that begin in `range` and decode to text, in order.
pub(super) fn unpack(text: &str, range: Range<usize>, out: &mut Vec<Edit>) {
    let bytes = text.as_bytes();
    // A run of RUN_MIN characters holds one place in RUN_MIN.
    let mut at = range.start;
    while at < range.end {
        let probe = at + (RUN_MIN - 1 - at % RUN_MIN);
        at = probe + 1;
        if !in_run(bytes, probe) {
            continue;
        }
        let left = bytes[range.start..probe].iter().rev();
        let from = probe - left.take_while(|&&byte| IN_RUN[usize::from(byte)]).count();
        let run = run_at(bytes, from);
        at = at.max(run.end);
        if run.len() < RUN_MIN || out.last().is_some_and(|last| last.span.end > run.start) {
            continue;
        }
        // A path or a name may lead up to what is packed.
        let parts = run
            .clone()
            .filter(|&at| matches!(bytes[at], b'/' | b'-' | b'_'))
            .map(|separator| separator + 1)
            .take(PREFIXES_MAX);
        let decoded = std::iter::once(run.start)
            .chain(parts)
            .filter(|start| run.end - start >= RUN_MIN)
            .find_map(|start| Some((start, decode(&bytes[start..run.end])?)));
        if let Some((start, decoded)) = decoded {
            out.push(Edit::new(start..run.end, Text::Owned(decoded)));
        }
    }
}

/// The run that begins at `start`, over line ends (with marks of quotation) where lines are long.
fn run_at(bytes: &[u8], start: usize) -> Range<usize> {
    let mut end = start;
    loop {
        let line = end;
        while in_run(bytes, end) {
            end += 1;
        }
        let full = end - line >= LINE_MIN;
        let next = end
            + bytes[end..]
                .iter()
                .take(8)
                .take_while(|byte| b"\r\n> \t".contains(byte))
                .count();
        let breaks = bytes[end..next].contains(&b'\n');
        if !(full && breaks && in_run(bytes, next) && in_run(bytes, next + 3)) {
            break;
        }
        end = next;
    }
    let padding = bytes[end..].iter().take(2).take_while(|&&b| b == b'=');
    start..end + padding.count()
}

/// What a run decodes to, if that is text.
fn decode(run: &[u8]) -> Option<String> {
    let hexadecimal = run.len().is_multiple_of(2) && run.iter().all(u8::is_ascii_hexdigit);
    let read = |run, cut| match hexadecimal {
        true => from_hex(run),
        false => from_base64(run, cut),
    };
    let taste = &run[..run.len().min(TASTE)];
    let cut = taste.len() < run.len();
    if !is_text(&read(taste, cut)?, cut) {
        return None;
    }
    let bytes = read(run, false)?;
    is_text(&bytes, false).then(|| String::from_utf8(bytes).ok())?
}

fn from_hex(run: &[u8]) -> Option<Vec<u8>> {
    let value = |byte: u8| (byte as char).to_digit(16).map(|digit| digit as u8);
    run.chunks_exact(2)
        .map(|pair| Some(value(pair[0])? << 4 | value(pair[1])?))
        .collect()
}

/// Decodes base64; a run that is not `cut` must end as the encoding does.
fn from_base64(run: &[u8], cut: bool) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(run.len() / 4 * 3 + 3);
    let (mut bits, mut held) = (0u32, 0);
    for &byte in run {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'\r' | b'\n' | b'>' | b' ' | b'\t' => continue,
            b'=' => break,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
            bits &= (1 << held) - 1;
        }
    }
    // What is left over of a whole run is less than a byte, and zero.
    (cut || (bits == 0 && held < 6)).then_some(bytes)
}

/// Whether the bytes are text: UTF-8 (`cut`: but for a character begun at the end) without control
/// characters, at least a quarter of it letters, digits and spaces.
fn is_text(bytes: &[u8], cut: bool) -> bool {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) if cut && error.error_len().is_none() => {
            std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return false,
    };
    let plain = text
        .chars()
        .filter(|c| c.is_alphanumeric() || *c == ' ')
        .count();
    !text.is_empty()
        && 4 * plain >= text.chars().count()
        && !text
            .chars()
            .any(|c| c.is_control() && !matches!(c, '\t' | '\n' | '\r'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn unpacked(text: &str) -> Vec<(&str, String)> {
        let mut edits = Vec::new();
        unpack(text, 0..text.len(), &mut edits);
        edits
            .into_iter()
            .map(|edit| match edit.text {
                Text::Owned(decoded) => (&text[edit.span.range()], decoded),
                other => panic!("{other:?}"),
            })
            .collect()
    }

    fn base64(bytes: &[u8]) -> String {
        const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        bytes
            .chunks(3)
            .flat_map(|three| {
                let word = three
                    .iter()
                    .chain([0, 0].iter())
                    .take(3)
                    .fold(0u32, |word, &byte| word << 8 | u32::from(byte));
                (0..4).map(move |at| match at > three.len() {
                    true => '=',
                    false => char::from(ALPHABET[(word >> (18 - 6 * at) & 63) as usize]),
                })
            })
            .collect()
    }

    #[test]
    fn runs_that_hold_text_are_read() {
        let packed = base64("anna.berg@example.org".as_bytes());
        assert_eq!(packed, "YW5uYS5iZXJnQGV4YW1wbGUub3Jn");
        for text in [
            packed.clone(),
            format!("mail: {packed}."),
            format!("\"{packed}\""),
            format!("data:text/plain;base64,{packed}"),
            format!("https://h.example/track/{packed}"),
        ] {
            assert_eq!(
                unpacked(&text),
                [(packed.as_str(), "anna.berg@example.org".to_owned())]
            );
        }
        assert_eq!(
            unpacked("x 616e6e61406578616d706c652e6f7267 y")[0].1,
            "anna@example.org"
        );
        let long = base64(
            "Dear Anna Berg, thank you for your letter of the third of May, which we got."
                .as_bytes(),
        );
        let folded = format!("> {}\n> {}", &long[..76], &long[76..]);
        assert_eq!(unpacked(&folded).len(), 1);
        assert!(unpacked(&folded)[0].1.ends_with("which we got."));
    }

    #[test]
    fn what_is_no_text_stays() {
        for text in [
            "internationalisation of the administration",
            "some_long_identifier_name/with/slashes",
            "4f9fd773d73fc944ab2afd0a8d02f93d1e7b5c3a",
            "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk",
            "123e4567-e89b-12d3-a456-426614174000",
            "AAAAAAAAAAAAAAAAAAAAAAAA",
        ] {
            assert!(unpacked(text).is_empty(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn packed_text_is_found_wherever_it_stands(
            inner in "[a-zé]{4}[a-z ]{8,40}[a-z]", pad in 0usize..40, around in " |\"|:|,|\n",
        ) {
            let packed = base64(inner.as_bytes());
            let text = format!("{}{around}{packed}{around}", "x ".repeat(pad));
            let edits = unpacked(&text);
            prop_assert_eq!(edits.len(), 1);
            prop_assert_eq!(&edits[0].1, &inner);
        }
    }
}
