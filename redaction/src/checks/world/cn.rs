//! China, Hong Kong, Macao and Taiwan.

use super::{is_date, place, to_ten};
use crate::checks::{
    Table,
    algorithms::{as_digits, base36, characters, digits, dot, mod11_2, number, uniform},
    whole,
};

pub(super) const CHECKS: Table = &[
    ("cn_resident", |text| {
        whole(text, cn_resident(&characters(text)))
    }),
    ("cn_resident_15", |text| {
        whole(text, cn_resident_15(&digits(text)))
    }),
    ("cn_uscc", |text| whole(text, cn_uscc(&characters(text)))),
    ("hk_id", |text| whole(text, hk_id(&characters(text)))),
    ("tw_id", |text| whole(text, tw_id(&characters(text)))),
    ("tw_ubn", |text| whole(text, tw_ubn(&digits(text)))),
];

/// The first two digits of a place's code (GB/T 2260).
fn is_province(digits: &[u8]) -> bool {
    matches!(
        number(&digits[..2]),
        11..=15 | 21..=23 | 31..=37 | 41..=46 | 50..=54 | 61..=65 | 71 | 81..=83
    )
}

/// Resident identity number (居民身份证, GB 11643-1999): place, day of birth, three digits, and a
/// check character by ISO 7064 MOD 11-2.
fn cn_resident(characters: &[u8]) -> bool {
    characters.len() == 18
        && mod11_2(characters)
        && as_digits(&characters[..17]).is_some_and(|digits| {
            is_province(&digits) && is_date(&digits[6..10], &digits[10..12], &digits[12..14])
        })
}

/// Resident identity number of the first generation: a year of two digits and no check digit.
fn cn_resident_15(digits: &[u8]) -> bool {
    digits.len() == 15
        && is_province(digits)
        && is_date(&digits[6..8], &digits[8..10], &digits[10..12])
}

/// Unified social credit code (统一社会信用代码, GB 32100-2015): letters but I, O, S, V and Z, and
/// a check character by modulo 31 with the powers of 3 as weights.
fn cn_uscc(characters: &[u8]) -> bool {
    const ALPHABET: &[u8] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";
    let weights = std::iter::successors(Some(1), |weight| Some(weight * 3 % 31));
    let values = characters
        .iter()
        .map(|&character| place(ALPHABET, character));
    let sum: Option<u32> = values
        .zip(weights)
        .take(17)
        .map(|(value, weight)| Some(value? * weight))
        .sum();
    characters.len() == 18
        && sum.is_some_and(|sum| ALPHABET[((31 - sum % 31) % 31) as usize] == characters[17])
}

/// Hong Kong identity card (Immigration Department): one or two letters, six digits and a check
/// digit or A; a single letter is preceded by a blank, which counts 36.
fn hk_id(characters: &[u8]) -> bool {
    let value = |at: usize| base36(characters[at]);
    let (letters, digits) = match characters.len() {
        8 => (36 * 9 + value(0) * 8, &characters[1..]),
        9 => (value(0) * 9 + value(1) * 8, &characters[2..]),
        _ => return false,
    };
    let sum: u32 = digits
        .iter()
        .zip((1..=7).rev())
        .map(|(&digit, weight)| base36(digit) * weight)
        .sum();
    as_digits(&digits[..6]).is_some_and(|digits| !uniform(&digits))
        && (letters + sum).is_multiple_of(11)
}

/// Taiwan's identity number and resident certificate (Ministry of the Interior): a letter that
/// stands for two digits, 1, 2, 8 or 9 (before 2021 for residents a second letter), seven digits
/// and a check digit.
fn tw_id(characters: &[u8]) -> bool {
    /// In this order the letters stand for 10 to 35.
    const LETTERS: &[u8] = b"ABCDEFGHJKLMNPQRSTUVXYWZIO";
    let &[first, second, ref rest @ ..] = characters else {
        return false;
    };
    let Some(place_of_first) = place(LETTERS, first) else {
        return false;
    };
    let second = match second {
        b'1' | b'2' | b'8' | b'9' => u32::from(second - b'0'),
        b'A'..=b'D' => place(LETTERS, second).unwrap_or_default() % 10,
        _ => return false,
    };
    as_digits(rest).is_some_and(|digits| {
        let letter = place_of_first / 10 + 1 + place_of_first % 10 * 9;
        let sum = letter + second * 8 + dot(&digits, &[7, 6, 5, 4, 3, 2, 1]);
        digits.len() == 8 && !uniform(&digits) && to_ten(sum) == u32::from(digits[7])
    })
}

/// Taiwan's unified business number (統一編號, Ministry of Finance): the digits of the weighted
/// values add up to a multiple of 10, or one less where the seventh digit is 7. (Since April 2023
/// numbers may be given out that only make a multiple of 5, which is too weak a sign.)
fn tw_ubn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .zip([1, 2, 1, 2, 1, 2, 4, 1])
        .map(|(&digit, weight)| u32::from(digit) * weight)
        .map(|product| product / 10 + product % 10)
        .sum();
    digits.len() == 8
        && !uniform(digits)
        && (sum.is_multiple_of(10) || digits[6] == 7 && (sum + 1).is_multiple_of(10))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_examples() {
        assert!(cn_resident(b"360426199101010071") && !cn_resident(b"360426199101010072"));
        // GB 11643-1999, annex A.
        assert!(cn_resident(b"11010519491231002X") && cn_resident(b"440524188001010014"));
        assert!(cn_uscc(b"91110000600037341L") && !cn_uscc(b"A1110000600037341L"));
        assert!(hk_id(b"A1234563") && hk_id(b"AB9876543") && !hk_id(b"A1234564"));
        assert!(tw_id(b"A123456789") && !tw_id(b"A123456788"));
        assert!(tw_ubn(&digits("00501503")) && !tw_ubn(&digits("00501504")));
    }
}
