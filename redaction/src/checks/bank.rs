//! Numbers of banks and of payment cards.

use super::algorithms::{digits, luhn, mod97};

/// Luhn plus the issuer ranges in use (ISO/IEC 7812; ranges as published by the schemes).
pub(super) fn card(text: &str) -> Option<usize> {
    let digits = digits(text);
    let prefix = |len: usize| {
        digits
            .iter()
            .take(len)
            .fold(0u32, |n, &d| n * 10 + u32::from(d))
    };
    let (two, three, four) = (prefix(2), prefix(3), prefix(4));
    let issued = match digits.len() {
        13 => digits[0] == 4,
        14 => matches!(three, 300..=305 | 309) || matches!(two, 36 | 38 | 39),
        15 => matches!(two, 34 | 37),
        16 => {
            digits[0] == 4
                || matches!(two, 50..=58 | 62 | 65 | 81)
                || matches!(four, 2221..=2720 | 3528..=3589 | 6011 | 6304)
                || matches!(four, 6759 | 6761..=6763 | 2200..=2204 | 6060..=6069 | 9792)
                || matches!(three, 644..=649)
        }
        17..=19 => {
            matches!(two, 62)
                || matches!(four, 5018 | 5020 | 5038 | 5893 | 6304 | 6759 | 6761..=6763)
                || (digits.len() == 19 && digits[0] == 4)
        }
        _ => false,
    };
    (issued && luhn(&digits)).then_some(text.len())
}

/// ISO 13616: the country's length, then ISO 7064 MOD 97-10. Accepts the part of the match that
/// has the country's length.
pub(super) fn iban(text: &str) -> Option<usize> {
    let (number, end) = iban_number(text)?;
    (mod97(number[4..].iter().chain(&number[..4])) == 1).then_some(end)
}

/// A known country and its length, whatever the check digits say.
pub(super) fn iban_shape(text: &str) -> Option<usize> {
    let (number, end) = iban_number(text)?;
    (number[4..]
        .iter()
        .filter(|byte| byte.is_ascii_digit())
        .count()
        >= 8)
        .then_some(end)
}

/// The characters of an IBAN of the country's length at the start, and where it ends.
fn iban_number(text: &str) -> Option<(Vec<u8>, usize)> {
    let mut compact = Vec::with_capacity(34);
    let mut ends = Vec::with_capacity(34);
    for (at, byte) in text.bytes().enumerate() {
        if byte.is_ascii_alphanumeric() {
            compact.push(byte.to_ascii_uppercase());
            ends.push(at + 1);
        }
    }
    let country = compact.get(..2)?;
    let len = IBAN_LENGTHS
        .iter()
        .find(|(code, _)| code.as_bytes() == country)
        .map(|(_, len)| usize::from(*len))?;
    if compact.len() < len || !compact[2..4].iter().all(u8::is_ascii_digit) {
        return None;
    }
    compact.truncate(len);
    Some((compact, ends[len - 1]))
}

/// Poland's NRB: an IBAN written without its country code.
pub(super) fn nrb(text: &str) -> Option<usize> {
    let number: Vec<u8> = text.bytes().filter(u8::is_ascii_digit).collect();
    if number.len() != 26 || number[2..].iter().all(|&digit| digit == b'0') {
        return None;
    }
    let rearranged = number[2..].iter().chain(b"PL").chain(&number[..2]);
    (mod97(rearranged) == 1).then_some(text.len())
}

/// The American Bankers Association's routing number.
pub(super) fn aba(digits: &[u8]) -> bool {
    let [a, b, c, d, e, f, g, h, i] = digits else {
        return false;
    };
    let sum = |three: [&u8; 3]| {
        three
            .into_iter()
            .map(|&digit| u32::from(digit))
            .sum::<u32>()
    };
    let first = a * 10 + b;
    matches!(first, 1..=12 | 21..=32 | 61..=72 | 80)
        && (3 * sum([a, d, g]) + 7 * sum([b, e, h]) + sum([c, f, i])).is_multiple_of(10)
}

/// Length of an IBAN by country, from the SWIFT IBAN Registry, release 99.
const IBAN_LENGTHS: &[(&str, u8)] = &[
    ("AD", 24),
    ("AE", 23),
    ("AL", 28),
    ("AT", 20),
    ("AZ", 28),
    ("BA", 20),
    ("BE", 16),
    ("BG", 22),
    ("BH", 22),
    ("BI", 27),
    ("BR", 29),
    ("BY", 28),
    ("CH", 21),
    ("CR", 22),
    ("CY", 28),
    ("CZ", 24),
    ("DE", 22),
    ("DJ", 27),
    ("DK", 18),
    ("DO", 28),
    ("EE", 20),
    ("EG", 29),
    ("ES", 24),
    ("FI", 18),
    ("FK", 18),
    ("FO", 18),
    ("FR", 27),
    ("GB", 22),
    ("GE", 22),
    ("GI", 23),
    ("GL", 18),
    ("GR", 27),
    ("GT", 28),
    ("HN", 28),
    ("HR", 21),
    ("HU", 28),
    ("IE", 22),
    ("IL", 23),
    ("IQ", 23),
    ("IS", 26),
    ("IT", 27),
    ("JO", 30),
    ("KW", 30),
    ("KZ", 20),
    ("LB", 28),
    ("LC", 32),
    ("LI", 21),
    ("LT", 20),
    ("LU", 20),
    ("LV", 21),
    ("LY", 25),
    ("MC", 27),
    ("MD", 24),
    ("ME", 22),
    ("MK", 19),
    ("MN", 20),
    ("MR", 27),
    ("MT", 31),
    ("MU", 30),
    ("NI", 28),
    ("NL", 18),
    ("NO", 15),
    ("OM", 23),
    ("PK", 24),
    ("PL", 28),
    ("PS", 29),
    ("PT", 25),
    ("QA", 29),
    ("RO", 24),
    ("RS", 22),
    ("RU", 33),
    ("SA", 24),
    ("SC", 31),
    ("SD", 18),
    ("SE", 24),
    ("SI", 19),
    ("SK", 24),
    ("SM", 27),
    ("SO", 23),
    ("ST", 25),
    ("SV", 28),
    ("TL", 23),
    ("TN", 24),
    ("TR", 26),
    ("UA", 29),
    ("VA", 22),
    ("VG", 24),
    ("XK", 20),
    ("YE", 30),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_iban_ends_where_its_country_says() {
        let text = "NO93 8601 1117 947 AND MORE";
        assert_eq!(iban(text), Some("NO93 8601 1117 947".len()));
    }

    #[test]
    fn the_length_table_is_sorted_and_sane() {
        assert!(IBAN_LENGTHS.is_sorted_by(|a, b| a.0 < b.0));
        assert!(IBAN_LENGTHS.iter().all(|(_, len)| (15..=34).contains(len)));
    }
}
