//! Australia.

use super::to_ten;
use crate::checks::{
    Table,
    algorithms::{digits, dot, last_is, luhn, number, uniform, weighted},
    whole,
};

pub(super) const CHECKS: Table = &[
    ("au_tfn", |text| whole(text, tfn(&digits(text)))),
    ("au_abn", |text| whole(text, abn(&digits(text)))),
    ("au_acn", |text| whole(text, acn(&digits(text)))),
    ("au_medicare", |text| whole(text, medicare(&digits(text)))),
    ("au_hpi", |text| {
        whole(text, health_identifier(&digits(text)))
    }),
];

/// Tax File Number (Australian Taxation Office): eight or nine digits, the last a check digit.
fn tfn(digits: &[u8]) -> bool {
    weighted(digits, &[1, 4, 3, 7, 5, 8, 6, 9, 10], 11)
        || weighted(digits, &[1, 4, 3, 7, 5, 8, 6, 9], 11)
}

/// Australian Business Number (Australian Business Register, "Format of the ABN"): the first
/// digit counts one less.
fn abn(digits: &[u8]) -> bool {
    const WEIGHTS: [u32; 11] = [10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19];
    digits.len() == 11
        && digits[0] > 0
        && !uniform(digits)
        && (dot(digits, &WEIGHTS) - WEIGHTS[0]).is_multiple_of(89)
}

/// Australian Company Number and Registered Body Number (ASIC, "Australian Company Number digit
/// check").
fn acn(digits: &[u8]) -> bool {
    last_is(digits, &[8, 7, 6, 5, 4, 3, 2, 1], to_ten)
}

/// Medicare card number (Services Australia): eight digits, the first from 2 to 6, a check digit,
/// the number of the issue, and perhaps that of the person on the card.
fn medicare(digits: &[u8]) -> bool {
    matches!(digits.len(), 10 | 11)
        && matches!(digits[0], 2..=6)
        && digits[9] > 0
        && last_is(&digits[..9], &[1, 3, 7, 9, 1, 3, 7, 9], |sum| sum % 10)
}

/// Healthcare identifiers of individuals, providers and organizations (AS 5017, AS 4846): 80036,
/// a kind from 0 to 2, nine digits and Luhn's check.
fn health_identifier(digits: &[u8]) -> bool {
    digits.len() == 16 && matches!(number(&digits[..6]), 800_360..=800_362) && luhn(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_examples() {
        assert!(tfn(&digits("123 456 782")) && !tfn(&digits("123 456 783")));
        assert!(abn(&digits("83 914 571 673")) && !abn(&digits("99 999 999 999")));
        assert!(acn(&digits("004 085 616")) && !acn(&digits("004 085 617")));
        assert!(medicare(&digits("2123 45670 1")) && !medicare(&digits("2123 45671 1")));
        assert!(health_identifier(&digits("8003 6016 6669 0503")));
        assert!(!health_identifier(&digits("8003 6016 6669 0504")));
    }
}
