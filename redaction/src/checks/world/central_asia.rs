//! Central Asia.

use super::{is_date, is_ddmmyy, is_yymmdd};
use crate::checks::{
    Table,
    algorithms::{digits, dot, uniform},
    whole,
};

pub(super) const CHECKS: Table = &[
    ("kg_inn", |text| whole(text, kg_inn(&digits(text)))),
    ("kz_bin", |text| whole(text, kz_bin(&digits(text)))),
    ("kz_iin", |text| whole(text, kz_iin(&digits(text)))),
    ("uz_pinfl", |text| whole(text, uz_pinfl(&digits(text)))),
];

/// The check digit of Kazakhstan's numbers (Law on national registers of identification numbers,
/// 2007): weights 1 to 11; where they give 10, 3 to 11, 1 and 2, and no number where these do too.
fn kz_check(digits: &[u8]) -> bool {
    let value = |weights| dot(digits, weights) % 11;
    let expected = match value(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]) {
        10 => value(&[3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2]),
        value => value,
    };
    digits.len() == 12 && !uniform(digits) && expected == u32::from(digits[11])
}

/// Kazakhstan's individual number (ИИН): day of birth, century and sex, four digits and a check
/// digit.
fn kz_iin(digits: &[u8]) -> bool {
    kz_check(digits) && is_yymmdd(digits) && digits[6] <= 6
}

/// Kazakhstan's business number (БИН): year and month of registration, the kind (4 to 6), and a
/// check digit.
fn kz_bin(digits: &[u8]) -> bool {
    kz_check(digits)
        && matches!(digits[2..4], [0, 1..=9] | [1, 0..=2])
        && matches!(digits[4], 4..=6)
}

/// Uzbekistan's personal number (ПИНФЛ, JSHSHIR): century and sex from 1 to 6, day of birth,
/// district, three digits and one more.
fn uz_pinfl(digits: &[u8]) -> bool {
    digits.len() == 14 && matches!(digits[0], 1..=6) && is_ddmmyy(&digits[1..7])
}

/// Kyrgyzstan's personal number (ИНН, ПИН): sex (1 or 2), day of birth with a year of four
/// digits, and five digits.
fn kg_inn(digits: &[u8]) -> bool {
    digits.len() == 14
        && matches!(digits[0], 1 | 2)
        && is_date(&digits[5..9], &digits[3..5], &digits[1..3])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kazakh_numbers() {
        let fit = |check: fn(&[u8]) -> bool, start: &str| {
            (0..10)
                .filter(|digit| check(&digits(&format!("{start}{digit}"))))
                .count()
        };
        assert_eq!(
            (fit(kz_iin, "85010130012"), fit(kz_bin, "09014000012")),
            (1, 1)
        );
        assert_eq!(
            (fit(kz_iin, "85130130012"), fit(kz_bin, "09013000012")),
            (0, 0)
        );
    }

    #[test]
    fn numbers_with_a_birth_day() {
        assert!(uz_pinfl(&digits("31503850123456")) && !uz_pinfl(&digits("33203850123456")));
        assert!(kg_inn(&digits("21503198500123")) && !kg_inn(&digits("31503198500123")));
    }
}
