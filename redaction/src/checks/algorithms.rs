//! Check digit algorithms that identifiers of many countries share.
//!
//! All take digits by value (0 to 9) or upper-case ASCII characters, without separators, check
//! digits included, and say whether the check digits are right.

use std::ops::Deref;

/// Digits or characters of one identifier, kept on the stack. What exceeds the capacity of 64 is
/// left out: no identifier is as long, so such a text fails the check of its length.
#[derive(Clone, Copy)]
pub(super) struct Compact {
    bytes: [u8; 64],
    len: usize,
}

impl Compact {
    fn collect(bytes: impl Iterator<Item = u8>) -> Self {
        let mut compact = Self {
            bytes: [0; 64],
            len: 0,
        };
        for (place, byte) in compact.bytes.iter_mut().zip(bytes) {
            *place = byte;
            compact.len += 1;
        }
        compact
    }
}

impl Deref for Compact {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// The values of the decimal digits of a text.
pub(super) fn digits(text: &str) -> Compact {
    Compact::collect(
        text.bytes()
            .filter(u8::is_ascii_digit)
            .map(|byte| byte - b'0'),
    )
}

/// The ASCII letters and digits of a text, letters in upper case.
pub(super) fn characters(text: &str) -> Compact {
    Compact::collect(
        text.bytes()
            .filter(u8::is_ascii_alphanumeric)
            .map(|byte| byte.to_ascii_uppercase()),
    )
}

/// The text itself, for checks that need its separators.
pub(super) fn raw(text: &str) -> &str {
    text
}

/// The values of characters that are all digits, or `None`.
pub(super) fn as_digits(characters: &[u8]) -> Option<Compact> {
    characters
        .iter()
        .all(u8::is_ascii_digit)
        .then(|| Compact::collect(characters.iter().map(|byte| byte - b'0')))
}

/// The value of a character in base 36: digits count themselves, A is 10, Z is 35.
pub(super) fn base36(character: u8) -> u32 {
    match character {
        b'0'..=b'9' => u32::from(character - b'0'),
        _ => u32::from(character.to_ascii_uppercase() - b'A') + 10,
    }
}

/// The number that digits spell.
pub(super) fn number(digits: &[u8]) -> u64 {
    digits.iter().fold(0u64, |number, &digit| {
        number.wrapping_mul(10).wrapping_add(u64::from(digit))
    })
}

/// Whether all digits are the same one, as in made-up numbers.
pub(super) fn uniform(digits: &[u8]) -> bool {
    digits.iter().all(|digit| Some(digit) == digits.first())
}

/// The weighted sum of as many digits as there are weights.
pub(super) fn dot(digits: &[u8], weights: &[u32]) -> u32 {
    digits
        .iter()
        .zip(weights)
        .map(|(&digit, weight)| u32::from(digit) * weight)
        .sum()
}

/// Whether the weighted sum of exactly as many digits, not all the same, is a multiple of
/// `modulus`.
pub(super) fn weighted(digits: &[u8], weights: &[u32], modulus: u32) -> bool {
    digits.len() == weights.len()
        && !uniform(digits)
        && dot(digits, weights).is_multiple_of(modulus)
}

/// Whether there is one digit more than weights, they are not all the same, and the last is what
/// `check` makes of the weighted sum of the others. A `check` of more than 9 accepts nothing.
pub(super) fn last_is(digits: &[u8], weights: &[u32], check: impl Fn(u32) -> u32) -> bool {
    digits.len() == weights.len() + 1
        && !uniform(digits)
        && check(dot(digits, weights)) == u32::from(digits[weights.len()])
}

/// The two-digit number at a place. Panics when it lies beyond the end: ask for the length first.
pub(super) fn pair(digits: &[u8], at: usize) -> u32 {
    u32::from(digits[at]) * 10 + u32::from(digits[at + 1])
}

/// Whether such a day exists in this century or the last, for years of two digits.
pub(super) fn is_recent_day(year: u32, month: u32, day: u32) -> bool {
    is_day(1900 + year, month, day) || is_day(2000 + year, month, day)
}

/// Whether such a day exists in the Gregorian calendar.
pub(super) fn is_day(year: u32, month: u32, day: u32) -> bool {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        1..=12 => 31,
        _ => 0,
    };
    (1..=days).contains(&day)
}

/// ISO/IEC 7812-1 annex B, Luhn's mod 10. All-zero numbers do not pass.
pub(super) fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, &digit)| {
            let digit = u32::from(digit);
            if at % 2 == 0 {
                digit
            } else {
                digit * 2 / 10 + digit * 2 % 10
            }
        })
        .sum();
    digits.len() > 1 && sum > 0 && sum.is_multiple_of(10)
}

/// Verhoeff's check by the dihedral group of order ten (J. Verhoeff, "Error detecting decimal
/// codes", 1969).
pub(super) fn verhoeff(digits: &[u8]) -> bool {
    // The group D5: below 5 rotations, from 5 on reflections.
    let multiply = |a: u8, b: u8| match (a < 5, b < 5) {
        (true, true) => (a + b) % 5,
        (true, false) => 5 + (a + b - 5) % 5,
        (false, true) => 5 + (a - b) % 5,
        (false, false) => (a + 5 - b) % 5,
    };
    const PERMUTE: [u8; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
    let mut check = 0;
    for (at, &digit) in digits.iter().rev().enumerate() {
        let permuted = (0..at % 8).fold(digit, |digit, _| PERMUTE[usize::from(digit)]);
        check = multiply(check, permuted);
    }
    digits.len() > 1 && check == 0
}

/// Damm's check by a totally anti-symmetric quasigroup (H. M. Damm, 2004).
pub(super) fn damm(digits: &[u8]) -> bool {
    const TABLE: [[u8; 10]; 10] = [
        [0, 3, 1, 7, 5, 9, 8, 6, 4, 2],
        [7, 0, 9, 2, 1, 5, 4, 8, 6, 3],
        [4, 2, 0, 6, 8, 7, 1, 3, 5, 9],
        [1, 7, 5, 0, 9, 8, 3, 4, 2, 6],
        [6, 1, 2, 3, 0, 4, 5, 9, 7, 8],
        [3, 6, 7, 4, 2, 0, 9, 5, 8, 1],
        [5, 8, 6, 9, 7, 2, 0, 1, 3, 4],
        [8, 9, 4, 5, 3, 6, 2, 0, 1, 7],
        [9, 4, 3, 8, 6, 1, 7, 2, 0, 5],
        [2, 5, 8, 1, 4, 3, 6, 7, 9, 0],
    ];
    digits.len() > 1
        && digits.iter().fold(0, |state: u8, &digit| {
            TABLE[usize::from(state)][usize::from(digit)]
        }) == 0
}

/// ISO 7064 MOD 11,10: a hybrid system over digits with one check digit.
pub(super) fn mod11_10(digits: &[u8]) -> bool {
    hybrid(digits.iter().map(|&digit| u32::from(digit)), 10) && digits.len() > 1
}

/// ISO 7064 MOD 37,36: a hybrid system over letters and digits with one check character.
pub(super) fn mod37_36(characters: &[u8]) -> bool {
    hybrid(characters.iter().map(|&byte| base36(byte)), 36) && characters.len() > 1
}

/// ISO 7064 hybrid systems MOD `radix` + 1, `radix`: every character before the last is added
/// modulo `radix`, the sum doubled modulo `radix` + 1; the last must make the sum 1.
fn hybrid(values: impl ExactSizeIterator<Item = u32>, radix: u32) -> bool {
    let last = values.len().saturating_sub(1);
    let mut product = radix;
    for (at, value) in values.enumerate() {
        let sum = (product + value) % radix;
        if at == last {
            return sum == 1;
        }
        product = (if sum == 0 { radix } else { sum }) * 2 % (radix + 1);
    }
    false
}

/// ISO 7064 MOD 11-2: a pure system over digits; the last character may be an X, which counts 10.
pub(super) fn mod11_2(characters: &[u8]) -> bool {
    pure_radix_2(characters, 11, b'X')
}

/// ISO 7064 MOD 37-2: a pure system over letters and digits; the last character may be a `*`,
/// which counts 36.
pub(super) fn mod37_2(characters: &[u8]) -> bool {
    pure_radix_2(characters, 37, b'*')
}

/// ISO 7064 pure systems of radix 2: the sum of value times 2 to the power of the place from the
/// right is 1 modulo `modulus`. `supplement`, only last, counts `modulus` - 1.
fn pure_radix_2(characters: &[u8], modulus: u32, supplement: u8) -> bool {
    let last = characters.len().saturating_sub(1);
    let value = |at: usize, byte: u8| match byte {
        _ if at == last && byte == supplement => Some(modulus - 1),
        b'0'..=b'9' | b'A'..=b'Z' => Some(base36(byte)).filter(|&value| value < modulus - 1),
        _ => None,
    };
    let sum = characters
        .iter()
        .enumerate()
        .try_fold(0, |sum, (at, &byte)| {
            Some((sum * 2 + value(at, byte)?) % modulus)
        });
    characters.len() > 1 && sum == Some(1)
}

/// ISO 7064 MOD 97-10: the number that the characters spell, letters as two digits (A is 10), is
/// 1 modulo 97; the last two are the check digits.
pub(super) fn mod97_10(characters: &[u8]) -> bool {
    characters.len() > 2 && mod97(characters) == 1
}

/// The remainder by 97 of the number that digits and letters (A = 10 … Z = 35) spell.
pub(super) fn mod97<'a>(characters: impl IntoIterator<Item = &'a u8>) -> u32 {
    characters.into_iter().fold(0, |rest, &byte| match byte {
        b'0'..=b'9' => (rest * 10 + u32::from(byte - b'0')) % 97,
        _ => (rest * 100 + base36(byte)) % 97,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn published_examples() {
        assert!(luhn(&digits("79927398713")));
        assert!(verhoeff(&digits("2363")) && verhoeff(&digits("123451")));
        assert!(damm(&digits("5724")));
        assert!(mod11_10(&digits("07945")));
        assert!(mod11_2(b"07940") && mod11_2(b"079X"));
        assert!(mod37_2(b"A999914123456N"));
        assert!(mod37_36(b"A12425GABC1234002M"));
        assert!(mod97_10(b"79444"));
    }

    #[test]
    fn the_supplementary_character_stands_last() {
        assert!(!mod11_2(b"X7940") && !mod11_2(b"0A940") && !mod37_2(b"*999914123456N"));
    }

    #[test]
    fn days() {
        assert!(is_day(2000, 2, 29) && is_day(1996, 2, 29) && is_day(1999, 12, 31));
        assert!(!is_day(1900, 2, 29) && !is_day(1999, 2, 29) && !is_day(1999, 4, 31));
        assert!(!is_day(1999, 13, 1) && !is_day(1999, 0, 1) && !is_day(1999, 1, 0));
    }

    proptest! {
        #[test]
        fn one_changed_digit_is_noticed(text in "[0-9]{10,16}", at in 0usize..10, by in 1u8..10) {
            let mut changed = text.clone().into_bytes();
            changed[at] = b'0' + (changed[at] - b'0' + by) % 10;
            let changed = String::from_utf8(changed).unwrap();
            let both = |check: fn(&[u8]) -> bool| check(&digits(&text)) && check(&digits(&changed));
            for check in [luhn, verhoeff, damm, mod11_10] {
                prop_assert!(!both(check));
            }
            let both = |check: fn(&[u8]) -> bool| check(text.as_bytes()) && check(changed.as_bytes());
            for check in [mod11_2, mod37_2, mod37_36, mod97_10] {
                prop_assert!(!both(check));
            }
        }
    }
}
