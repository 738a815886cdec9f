//! Italy and San Marino.

use crate::checks::algorithms::{base36, characters, digits, is_recent_day, luhn, number, pair};

table! {
    "it_cf": characters codice_fiscale,
    "it_iva": digits iva,
    "it_health_card": digits health_card,
}

/// Codice fiscale (D.M. 23 dicembre 1976): letters of the name, year, a letter for the month, day
/// (plus 40 for women), municipality, check letter. Letters LMNPQRSTUV replace digits where two
/// people would get the same code.
fn codice_fiscale(characters: &[u8]) -> bool {
    if characters.len() != 16 {
        return false;
    }
    let digit = |at: usize| match characters[at] {
        byte @ b'0'..=b'9' => Some(byte - b'0'),
        byte => b"LMNPQRSTUV"
            .iter()
            .position(|&letter| letter == byte)
            .map(|at| at as u8),
    };
    let all: Option<Vec<u8>> = [6, 7, 9, 10, 12, 13, 14].into_iter().map(digit).collect();
    let month = b"ABCDEHLMPRST"
        .iter()
        .position(|&letter| letter == characters[8]);
    let letters = [0, 1, 2, 3, 4, 5, 11, 15]
        .iter()
        .all(|&at| characters[at].is_ascii_uppercase());
    let (Some(digits), Some(month), true) = (all, month, letters) else {
        return false;
    };
    // Values of the characters in odd places, by their place in the alphabet (0 and A are 1).
    const ODD: [u32; 26] = [
        1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24,
        23,
    ];
    let place = |byte: u8| base36(byte) - if byte.is_ascii_digit() { 0 } else { 10 };
    let sum: u32 = characters[..15]
        .iter()
        .enumerate()
        .map(|(at, &byte)| match at % 2 {
            0 => ODD[place(byte) as usize],
            _ => place(byte),
        })
        .sum();
    let day = pair(&digits, 2);
    let day = if day > 40 { day - 40 } else { day };
    is_recent_day(pair(&digits, 0), month as u32 + 1, day) && place(characters[15]) == sum % 26
}

/// Partita IVA (D.P.R. 633/1972, art. 35), also the codice fiscale of bodies: seven digits, the
/// province's office (001 to 100, 120, 121, 888, 999), Luhn.
fn iva(digits: &[u8]) -> bool {
    digits.len() == 11
        && number(&digits[..7]) > 0
        && matches!(number(&digits[7..10]), 1..=100 | 120 | 121 | 888 | 999)
        && luhn(digits)
}

/// Tessera sanitaria (EN 1867, as the European health insurance card): 80 for health, 380 for
/// Italy, 14 digits and Luhn's.
fn health_card(digits: &[u8]) -> bool {
    digits.len() == 20 && number(&digits[..5]) == 80380 && luhn(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_examples() {
        assert!(codice_fiscale(b"RSSMRA85T10A562S") && codice_fiscale(b"RCCMNL83S18D969H"));
        assert!(!codice_fiscale(b"RCCMNL83S18D969") && !codice_fiscale(b"RSSMRA85T10A562T"));
        assert!(iva(&digits("IT 00743110157")) && !iva(&digits("00743110158")));
        assert!(!health_card(&digits("80380001234567890123")));
    }
}
