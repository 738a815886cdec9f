//! Ireland, Luxembourg, Malta, Switzerland and Liechtenstein.

use crate::checks::algorithms::{
    characters, digits, dot, is_day, last_is, luhn, number, pair, verhoeff, weighted,
};

table! {
    "ie_pps": characters irish,
    "lu_vat": digits luxembourgish_vat,
    "lu_person": digits luxembourgish_person,
    "mt_vat": digits maltese_vat,
    "ch_ahv": digits swiss_person,
    "ch_uid": digits swiss_company,
}

/// PPS and VAT number of Ireland (Revenue): seven digits, a letter of the weighted sum by 23, and
/// perhaps a second letter that counts nine times. VAT numbers of before 1980 have a letter in
/// second place, which does not count.
fn irish(characters: &[u8]) -> bool {
    const LETTERS: &[u8; 23] = b"WABCDEFGHIJKLMNOPQRSTUV";
    let compact = characters.strip_prefix(b"IE").unwrap_or(characters);
    let (Some(body), Some(&check)) = (compact.get(..7), compact.get(7)) else {
        return false;
    };
    let second = match compact.get(8) {
        None => 0,
        Some(b'W') => 0,
        Some(&letter @ b'A'..=b'V') => u32::from(letter - b'A') + 1,
        Some(_) => return false,
    };
    let old = || {
        let rest = super::exactly(&body[2..], 5)?;
        let first = super::exactly(&body[..1], 1)?;
        Some(dot(&rest, &[7, 6, 5, 4, 3]) + u32::from(first[0]) * 2)
    };
    let sum = super::exactly(body, 7)
        .map(|digits| dot(&digits, &[8, 7, 6, 5, 4, 3, 2]))
        .or_else(old);
    compact.len() <= 9
        && sum.is_some_and(|sum| LETTERS[((sum + second * 9) % 23) as usize] == check)
}

/// Numéro de TVA of Luxembourg (AED): six digits and their rest by 89.
fn luxembourgish_vat(digits: &[u8]) -> bool {
    digits.len() == 8 && number(digits) > 0 && number(&digits[..6]) % 89 == number(&digits[6..])
}

/// Matricule of Luxembourg (loi du 19 juin 2013): birth date YYYYMMDD, serial, a digit of Luhn's
/// and one of Verhoeff's over the first eleven.
fn luxembourgish_person(digits: &[u8]) -> bool {
    if digits.len() != 13 {
        return false;
    }
    let year = number(&digits[..4]) as u32;
    let mut second = [0; 12];
    second[..11].copy_from_slice(&digits[..11]);
    second[11] = digits[12];
    (1850..2100).contains(&year)
        && is_day(year, pair(digits, 4), pair(digits, 6))
        && luhn(&digits[..12])
        && verhoeff(&second)
}

/// VAT number of Malta (Commissioner for Revenue): weights modulo 37.
fn maltese_vat(digits: &[u8]) -> bool {
    digits.first() != Some(&0) && weighted(digits, &[3, 4, 6, 7, 8, 9, 10, 1], 37)
}

/// AHV-Nummer (AHVV Art. 133bis): 756 and ten digits as in EAN-13.
fn swiss_person(digits: &[u8]) -> bool {
    digits.starts_with(&[7, 5, 6]) && weighted(digits, &[1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1], 10)
}

/// UID (UIDG Art. 3): nine digits, weights modulo 11; the VAT number is the same.
fn swiss_company(digits: &[u8]) -> bool {
    last_is(digits, &[5, 4, 3, 2, 7, 6, 5, 4], |sum| {
        (11 - sum % 11) % 11
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_examples() {
        assert!(irish(b"IE6433435F") && irish(b"6433435OA") && irish(b"8D79739I"));
        assert!(!irish(b"6433435E") && !irish(b"6433435FW1"));
        assert!(
            luxembourgish_vat(&digits("LU 150 274 42")) && !luxembourgish_vat(&digits("15027443"))
        );
        assert!(
            luxembourgish_person(&digits("1893120105732"))
                && !luxembourgish_person(&digits("1893120105742"))
        );
        assert!(maltese_vat(&digits("MT 1167-9112")) && !maltese_vat(&digits("11679113")));
        assert!(
            swiss_person(&digits("756.9217.0769.85")) && !swiss_person(&digits("7569217076984"))
        );
        assert!(
            swiss_company(&digits("CHE-100.155.212")) && !swiss_company(&digits("CHE-100.155.213"))
        );
    }
}
