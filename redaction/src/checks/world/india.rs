//! India.

use crate::checks::{
    Table,
    algorithms::{as_digits, base36, characters, digits, luhn, number, verhoeff},
    whole,
};

pub(super) const CHECKS: Table = &[
    ("in_aadhaar", |text| whole(text, aadhaar(&digits(text)))),
    ("in_epic", |text| whole(text, epic(&digits(text)))),
    ("in_gstin", |text| whole(text, gstin(&characters(text)))),
    ("in_pan", |text| whole(text, pan(&characters(text)))),
];

/// Aadhaar number and virtual identifier (UIDAI, "Aadhaar number: a numbering scheme"): twelve or
/// sixteen digits that begin with 2 to 9, Verhoeff's check, and no palindrome.
fn aadhaar(digits: &[u8]) -> bool {
    matches!(digits.len(), 12 | 16)
        && digits[0] > 1
        && !digits.iter().eq(digits.iter().rev())
        && verhoeff(digits)
}

/// Electoral photo identity card (Election Commission of India): after three letters seven digits
/// with Luhn's check.
fn epic(digits: &[u8]) -> bool {
    digits.len() == 7 && luhn(digits)
}

/// Permanent account number (Income Tax Department): five letters, of which the fourth is the
/// kind of holder, four digits that are not all 0, and a letter.
fn pan(characters: &[u8]) -> bool {
    characters.len() == 10
        && b"ABCFGHJKLPT".contains(&characters[3])
        && as_digits(&characters[5..9]).is_some_and(|digits| number(&digits) > 0)
}

/// Goods and services tax number (CBIC): the state from 01 to 38 (97 and 99: other and central
/// territory), the PAN, the registration, and a check character by Luhn's method of radix 36.
fn gstin(characters: &[u8]) -> bool {
    if characters.len() != 15 || !pan(&characters[2..12]) {
        return false;
    }
    let sum: u32 = characters
        .iter()
        .rev()
        .enumerate()
        .map(|(at, &character)| (base36(character), at % 2 == 1))
        .map(|(value, doubled)| match doubled {
            true => value * 2 / 36 + value * 2 % 36,
            false => value,
        })
        .sum();
    as_digits(&characters[..2]).is_some_and(|state| matches!(number(&state), 1..=38 | 97 | 99))
        && characters[12] != b'0'
        && sum.is_multiple_of(36)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_examples() {
        assert!(aadhaar(&digits("2341 2341 2346")) && !aadhaar(&digits("2341 2341 2347")));
        assert!(aadhaar(&digits("2341 2341 2341 2341")) && !aadhaar(&digits("1341 2341 2346")));
        assert!(epic(&digits("WKH1186253")) && !epic(&digits("WKH1186263")));
        assert!(pan(b"ACUPA7085R") && !pan(b"ACUPA0000R") && !pan(b"ACUZA7085R"));
        assert!(gstin(b"27AAPFU0939F1ZV") && !gstin(b"27AAPFU0939F1ZW"));
    }
}
