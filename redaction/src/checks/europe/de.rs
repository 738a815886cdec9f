//! Germany.

use crate::checks::algorithms::{base36, characters, digits, last_is, mod11_10, pair};

table! {
    "de_idnr": digits idnr,
    "de_vat": digits vat,
    "de_kvnr": characters kvnr,
    "de_rvnr": characters rvnr,
    "de_id_card": characters document,
    "de_lanr": digits lanr,
    "de_ik": digits ik,
}

/// Steuer-Identifikationsnummer (§ 139b AO, BZSt): ISO 7064 MOD 11,10; of the first ten digits one
/// stands there twice or three times, the others at most once.
fn idnr(digits: &[u8]) -> bool {
    if digits.len() != 11 || digits[0] == 0 || !mod11_10(digits) {
        return false;
    }
    let mut counts = [0u8; 10];
    for &digit in &digits[..10] {
        counts[usize::from(digit)] += 1;
    }
    let repeated = counts.iter().filter(|&&count| count > 1).count();
    repeated == 1 && counts.iter().all(|&count| count <= 3)
}

/// Umsatzsteuer-Identifikationsnummer (§ 27a UStG, BZSt): nine digits, ISO 7064 MOD 11,10.
fn vat(digits: &[u8]) -> bool {
    digits.len() == 9 && digits[0] != 0 && mod11_10(digits)
}

/// Krankenversichertennummer (§ 290 SGB V): a letter, eight digits, a check digit; the letter
/// counts as two digits, weights 1 and 2 in turn, sums of digits.
fn kvnr(characters: &[u8]) -> bool {
    let Some((&letter @ b'A'..=b'Z', number)) = characters.split_first() else {
        return false;
    };
    let Some(number) = super::exactly(number, 9) else {
        return false;
    };
    let letter = letter - b'A' + 1;
    let spelled = [letter / 10, letter % 10]
        .into_iter()
        .chain(number[..8].iter().copied());
    let sum: u32 = spelled
        .zip([1, 2].into_iter().cycle())
        .map(|(digit, weight)| cross_sum(u32::from(digit) * weight))
        .sum();
    sum % 10 == u32::from(number[8])
}

/// Rentenversicherungsnummer (§ 147 SGB VI, VKVV): area, birth date DDMMYY, first letter of the
/// name at birth, serial, check digit; the letter counts as two digits.
fn rvnr(characters: &[u8]) -> bool {
    let (12, Some(&letter @ b'A'..=b'Z')) = (characters.len(), characters.get(8)) else {
        return false;
    };
    let (Some(before), Some(after)) = (
        super::exactly(&characters[..8], 8),
        super::exactly(&characters[9..], 3),
    ) else {
        return false;
    };
    let letter = letter - b'A' + 1;
    const WEIGHTS: [u32; 12] = [2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1];
    let spelled = (before.iter().copied())
        .chain([letter / 10, letter % 10])
        .chain(after[..2].iter().copied());
    let sum: u32 = spelled
        .zip(WEIGHTS)
        .map(|(digit, weight)| cross_sum(u32::from(digit) * weight))
        .sum();
    // The day is raised by 50 where its serials have run out.
    let (day, month) = (pair(&before, 2) % 50, pair(&before, 4));
    (1..=31).contains(&day) && month <= 12 && sum % 10 == u32::from(after[2])
}

fn cross_sum(number: u32) -> u32 {
    number / 10 + number % 10
}

/// Identity card and passport (ICAO Doc 9303 part 3): nine characters and in place ten the check
/// digit, weights 7, 3, 1; cards print the nationality D behind it.
fn document(characters: &[u8]) -> bool {
    let characters = characters.strip_suffix(b"D").unwrap_or(characters);
    let Some((&last @ b'0'..=b'9', number)) = characters.split_last() else {
        return false;
    };
    let sum: u32 = number
        .iter()
        .zip([7, 3, 1].into_iter().cycle())
        .map(|(&character, weight)| base36(character) * weight)
        .sum();
    number.len() == 9 && number.iter().any(u8::is_ascii_digit) && sum % 10 == u32::from(last - b'0')
}

/// Lebenslange Arztnummer (KBV): six digits, a check digit (weights 4 and 9, complement to 10),
/// two of the specialty.
fn lanr(digits: &[u8]) -> bool {
    digits.len() == 9
        && last_is(&digits[..7], &[4, 9, 4, 9, 4, 9], |sum| {
            (10 - sum % 10) % 10
        })
}

/// Institutionskennzeichen (§ 293 SGB V): the sum of digits of places three to eight, every other
/// doubled from the first on, modulo 10.
fn ik(digits: &[u8]) -> bool {
    if digits.len() != 9 {
        return false;
    }
    let sum: u32 = digits[2..8]
        .iter()
        .zip([2, 1].into_iter().cycle())
        .map(|(&digit, weight)| cross_sum(u32::from(digit) * weight))
        .sum();
    digits[0] > 0 && sum % 10 == u32::from(digits[8])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_examples() {
        assert!(idnr(&digits("86 095 742 719")) && idnr(&digits("47036892816")));
        assert!(!idnr(&digits("86095742718")));
        assert!(vat(&digits("DE136695976")) && !vat(&digits("DE136695978")));
        assert!(kvnr(b"A123456780") && !kvnr(b"A123456781") && !kvnr(b"1123456780"));
        assert!(rvnr(b"15070649C103") && !rvnr(b"15070649C104"));
        assert!(document(b"T220001293") && document(b"L01X00T471D") && !document(b"L01X00T472"));
        assert!(lanr(&digits("123456601")) && !lanr(&digits("123456701")));
        assert!(ik(&digits("260326822")) && !ik(&digits("260326823")));
    }
}
