//! Japan.

use super::to_eleven;
use crate::checks::{
    Table,
    algorithms::{digits, dot, last_is, number, uniform},
    whole,
};

pub(super) const CHECKS: Table = &[
    ("jp_my_number", |text| whole(text, my_number(&digits(text)))),
    ("jp_corporate_number", |text| {
        whole(text, corporate_number(&digits(text)))
    }),
    ("jp_resident_code", |text| {
        whole(text, resident_code(&digits(text)))
    }),
    ("jp_driver_licence", |text| {
        whole(text, driver_licence(&digits(text)))
    }),
];

/// What both numbers of residents have: 10 and 11 count 0.
fn check(sum: u32) -> u32 {
    to_eleven(sum) % 11 % 10
}

/// Individual number (個人番号; Ordinance of the Ministry of Internal Affairs and Communications
/// no. 85 of 2014, article 5).
fn my_number(digits: &[u8]) -> bool {
    last_is(digits, &[6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2], check)
}

/// Resident record code (住民票コード; Ordinance of the Ministry of Home Affairs no. 35 of 1999).
fn resident_code(digits: &[u8]) -> bool {
    last_is(digits, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2], check)
}

/// Corporate number (法人番号; National Tax Agency, Ordinance of the Ministry of Finance no. 70 of
/// 2014): the check digit comes first.
fn corporate_number(digits: &[u8]) -> bool {
    let Some((&check, rest)) = digits.split_first() else {
        return false;
    };
    rest.len() == 12
        && !uniform(digits)
        && 9 - dot(rest, &[2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1]) % 9 == u32::from(check)
}

/// Driving licence (運転免許証番号, National Police Agency): the commission's code from 10 to 97, the
/// year, six digits, a check digit (0 for 10, 1 for 11), and how often the card was lost.
fn driver_licence(digits: &[u8]) -> bool {
    digits.len() == 12
        && (10..=97).contains(&number(&digits[..2]))
        && last_is(&digits[..11], &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2], |sum| {
            to_eleven(sum) % 10
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_examples() {
        assert!(my_number(&digits("6214 9832 0257")) && !my_number(&digits("6214 9832 0258")));
        assert!(corporate_number(&digits("5-8356-7825-6246")));
        assert!(!corporate_number(&digits("5-8356-7825-6247")));
    }

    #[test]
    fn licences_made_up_in_explanations() {
        assert!(driver_licence(&digits("309012345620")) && driver_licence(&digits("459803358720")));
        assert!(!driver_licence(&digits("309012345630")));
    }

    #[test]
    fn one_check_digit_fits() {
        for (check, before, after) in [
            (driver_licence as fn(&[u8]) -> bool, "3012345678", "0"),
            (resident_code, "1234567890", ""),
        ] {
            let fit = (0..10).filter(|digit| check(&digits(&format!("{before}{digit}{after}"))));
            assert_eq!(fit.count(), 1);
        }
        assert!(!driver_licence(&digits("091234567800")));
    }
}
