//! Africa but for Egypt.

use super::{is_date, is_ddmmyy, is_yymmdd, place};
use crate::checks::{
    Table,
    algorithms::{as_digits, base36, characters, digits, dot, last_is, luhn, number, uniform},
    whole,
};

pub(super) const CHECKS: Table = &[
    ("gh_tin", |text| whole(text, gh_tin(&characters(text)))),
    ("gn_nifp", |text| whole(text, gn_nifp(&digits(text)))),
    ("ma_ice", |text| whole(text, ma_ice(&digits(text)))),
    ("mu_nid", |text| whole(text, mu_nid(&characters(text)))),
    ("mz_nuit", |text| whole(text, mz_nuit(&digits(text)))),
    ("rw_nid", |text| whole(text, rw_nid(&digits(text)))),
    ("sn_ninea", |text| whole(text, sn_ninea(&characters(text)))),
    ("tz_nida", |text| whole(text, tz_nida(&digits(text)))),
    ("za_id", |text| whole(text, za_id(&digits(text)))),
    ("za_tin", |text| whole(text, za_tin(&digits(text)))),
    ("zw_id", |text| whole(text, zw_id(&characters(text)))),
];

/// Ghana's taxpayer number (Ghana Revenue Authority): a letter, 00, seven digits and a check
/// digit, X for 10.
fn gh_tin(characters: &[u8]) -> bool {
    let [_, digits @ .., check] = characters else {
        return false;
    };
    let Some(digits) = as_digits(digits) else {
        return false;
    };
    let sum = dot(&digits, &[1, 2, 3, 4, 5, 6, 7, 8, 9]) % 11;
    digits.len() == 9 && b"0123456789X"[sum as usize] == *check
}

/// Guinea's permanent tax number (Direction nationale des impôts): nine digits with Luhn's check.
fn gn_nifp(digits: &[u8]) -> bool {
    digits.len() == 9 && luhn(digits)
}

/// Morocco's common company number (ICE, Décret 2-11-63): nine digits of the company, four of the
/// establishment and two that make the whole a multiple of 97.
fn ma_ice(digits: &[u8]) -> bool {
    digits.len() == 15 && !uniform(digits) && number(digits).is_multiple_of(97)
}

/// Mauritius's identity number (Civil Status Division): a letter of the surname, day of birth,
/// six digits and a check character by modulo 17.
fn mu_nid(characters: &[u8]) -> bool {
    let sum: u32 = (2..=14)
        .rev()
        .zip(characters)
        .map(|(weight, &character)| weight * base36(character))
        .sum();
    characters.len() == 14
        && as_digits(&characters[1..7]).is_some_and(|day| is_ddmmyy(&day))
        && base36(characters[13]) == (17 - sum % 17) % 17
}

/// Mozambique's NUIT (Autoridade Tributária): a kind, seven digits and a check digit, 1 for 10.
fn mz_nuit(digits: &[u8]) -> bool {
    last_is(digits, &[8, 9, 4, 5, 6, 7, 8, 9], |sum| match sum % 11 {
        10 => 1,
        rest => rest,
    })
}

/// Rwanda's national number (NIDA): the status (1 to 3), the year of birth, 7 or 8 for the sex,
/// and ten digits.
fn rw_nid(digits: &[u8]) -> bool {
    digits.len() == 16
        && matches!(digits[0], 1..=3)
        && (1900..2050).contains(&number(&digits[1..5]))
        && matches!(digits[5], 7 | 8)
}

/// Senegal's NINEA (Agence nationale de la statistique): seven or nine digits, the even places of
/// nine counted twice, to a multiple of 10; after them perhaps the COFI, which is not covered.
fn sn_ninea(characters: &[u8]) -> bool {
    let number = match characters {
        [number @ .., _, b'A'..=b'Z', _] => number,
        number => number,
    };
    let weights = [1, 2, 1, 2, 1, 2, 1, 2, 1];
    as_digits(number).is_some_and(|digits| {
        matches!(digits.len(), 7 | 9)
            && !uniform(&digits)
            && dot(&digits, &weights[9 - digits.len()..]).is_multiple_of(10)
    })
}

/// Tanzania's national number (NIDA): day of birth, the postal code, five digits and two.
fn tz_nida(digits: &[u8]) -> bool {
    digits.len() == 20 && is_date(&digits[..4], &digits[4..6], &digits[6..8])
}

/// South Africa's identity number (Identification Act 68 of 1997): day of birth, four digits, the
/// citizenship (0 to 2), a digit and Luhn's check.
fn za_id(digits: &[u8]) -> bool {
    digits.len() == 13 && is_yymmdd(digits) && digits[10] <= 2 && luhn(digits)
}

/// South Africa's tax reference number (SARS): ten digits with Luhn's check.
fn za_tin(digits: &[u8]) -> bool {
    digits.len() == 10 && matches!(digits[0], 0..=3 | 9) && luhn(digits)
}

/// Zimbabwe's national number (Registrar General): district and serial number, the letter that
/// their remainder by 23 stands for, and the district of origin.
fn zw_id(characters: &[u8]) -> bool {
    let Some(at) = characters.iter().position(u8::is_ascii_alphabetic) else {
        return false;
    };
    let value = characters[..at]
        .iter()
        .fold(0, |value, &digit| (value * 10 + base36(digit)) % 23);
    characters.len() == at + 3
        && matches!(at, 8 | 9)
        && place(b"ZABCDEFGHJKLMNPQRSTVWXY", characters[at]) == Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_examples() {
        assert!(gh_tin(b"C0000803561") && !gh_tin(b"C0000803562"));
        assert!(gn_nifp(&digits("693770885")) && !gn_nifp(&digits("693770886")));
        assert!(ma_ice(&digits("001561191000066")) && !ma_ice(&digits("001561191000065")));
        assert!(mz_nuit(&digits("400339910")) && !mz_nuit(&digits("400339911")));
        assert!(sn_ninea(b"3067221") && sn_ninea(b"30672212G2") && !sn_ninea(b"3067222"));
        assert!(za_id(&digits("7503305044089")) && !za_id(&digits("8503305044089")));
        assert!(za_tin(&digits("0001339050")) && !za_tin(&digits("2449/494/16/0")));
        assert!(
            tz_nida(&digits("19900607-14121-00002-23"))
                && !tz_nida(&digits("19901307-14121-00002-23"))
        );
        assert!(rw_nid(&digits("1199080001234567")) && !rw_nid(&digits("1199060001234567")));
    }

    #[test]
    fn one_check_character_fits() {
        let mauritian = (b'0'..=b'Z')
            .filter(|check| check.is_ascii_alphanumeric())
            .filter(|&check| mu_nid(&[b"B010190123456".as_slice(), &[check]].concat()));
        assert_eq!(mauritian.count(), 1);
        assert!(zw_id(b"502001148W50") && !zw_id(b"502001149W50"));
        let zimbabwean = (b'A'..=b'Z')
            .filter(|&check| zw_id(&[b"631234567".as_slice(), &[check], b"63"].concat()));
        assert_eq!(zimbabwean.count(), 1);
    }
}
