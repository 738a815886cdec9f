//! Western Asia, Iran and Egypt.

use super::{is_date, to_eleven};
use crate::checks::{
    Table,
    algorithms::{digits, is_day, last_is, luhn, number, uniform},
    whole,
};

pub(super) const CHECKS: Table = &[
    ("ae_id", |text| whole(text, ae_id(&digits(text)))),
    ("bh_cpr", |text| whole(text, bh_cpr(&digits(text)))),
    ("eg_nid", |text| whole(text, eg_nid(&digits(text)))),
    ("il_id", |text| whole(text, il_id(&digits(text)))),
    ("il_company", |text| whole(text, il_company(&digits(text)))),
    ("ir_melli", |text| whole(text, ir_melli(&digits(text)))),
    ("ir_company", |text| whole(text, ir_company(&digits(text)))),
    ("kw_civil", |text| whole(text, kw_civil(&digits(text)))),
    ("qa_id", |text| whole(text, qa_id(&digits(text)))),
    ("sa_id", |text| whole(text, sa_id(&digits(text)))),
];

/// Emirates ID (ICP): 784, the year of birth, seven digits and Luhn's check.
fn ae_id(digits: &[u8]) -> bool {
    digits.len() == 15
        && digits.starts_with(&[7, 8, 4])
        && (1900..2100).contains(&number(&digits[3..7]))
        && luhn(digits)
}

/// Bahrain's personal number (Information and eGovernment Authority): year and month of birth,
/// then five digits.
fn bh_cpr(digits: &[u8]) -> bool {
    digits.len() == 9 && (1..=12).contains(&number(&digits[2..4])) && !uniform(&digits[4..])
}

/// Egypt's national number (Civil Status Organization): the century (2 or 3), the day of birth,
/// the governorate and five digits; how the last is reckoned is not published.
fn eg_nid(digits: &[u8]) -> bool {
    digits.len() == 14 && {
        let year = match digits[0] {
            2 => 1900,
            3 => 2000,
            _ => return false,
        };
        let [yy, month, day, governorate] =
            [1, 3, 5, 7].map(|at| number(&digits[at..at + 2]) as u32);
        is_day(year + yy, month, day)
            && matches!(governorate, 1..=4 | 11..=19 | 21..=29 | 31..=35 | 88)
    }
}

/// Israel's identity number (Population and Immigration Authority): up to nine digits with Luhn's
/// check; those with fewer are filled with zeros from the left, which count nothing.
fn il_id(digits: &[u8]) -> bool {
    (5..=9).contains(&digits.len()) && !uniform(digits) && luhn(digits)
}

/// Israel's number of companies and associations (Israeli Corporations Authority): as that of
/// persons, beginning with 5.
fn il_company(digits: &[u8]) -> bool {
    digits.len() == 9 && digits[0] == 5 && il_id(digits)
}

/// Iran's national code (کد ملی; National Organization for Civil Registration): nine digits and a
/// check digit, itself the remainder where that is 0 or 1.
fn ir_melli(digits: &[u8]) -> bool {
    last_is(digits, &[10, 9, 8, 7, 6, 5, 4, 3, 2], |sum| {
        match sum % 11 {
            rest @ (0 | 1) => rest,
            rest => 11 - rest,
        }
    })
}

/// Iran's national number of legal persons (شناسه ملی): eleven digits; the tenth and 2 are added
/// to every digit.
fn ir_company(digits: &[u8]) -> bool {
    let &[ref rest @ .., tenth, check] = digits else {
        return false;
    };
    let add = u32::from(tenth) + 2;
    let sum: u32 = rest
        .iter()
        .chain([&tenth])
        .zip([29, 27, 23, 19, 17, 29, 27, 23, 19, 17])
        .map(|(&digit, weight)| (u32::from(digit) + add) * weight)
        .sum();
    digits.len() == 11 && !uniform(digits) && sum % 11 % 10 == u32::from(check)
}

/// Kuwait's civil number (Public Authority for Civil Information): the century (2 or 3), the day
/// of birth, four digits and a check digit.
fn kw_civil(digits: &[u8]) -> bool {
    last_is(digits, &[2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2], to_eleven)
        && matches!(digits[0], 1..=3)
        && is_date(&digits[1..3], &digits[3..5], &digits[5..7])
}

/// Qatar's identity number (Ministry of Interior): the century (2 or 3), the year of birth, the
/// country's number in ISO 3166-1 and five digits.
fn qa_id(digits: &[u8]) -> bool {
    digits.len() == 11 && matches!(digits[0], 2 | 3) && (4..=894).contains(&number(&digits[3..6]))
}

/// Saudi Arabia's national number (1) and that of residents (2), with Luhn's check.
fn sa_id(digits: &[u8]) -> bool {
    digits.len() == 10 && matches!(digits[0], 1 | 2) && luhn(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_examples() {
        assert!(ae_id(&digits("784-1980-1234567-8")) && !ae_id(&digits("784-1980-1234567-9")));
        assert!(eg_nid(&digits("29001011234567")) && !eg_nid(&digits("29013011234567")));
        assert!(il_id(&digits("3933742-3")) && !il_id(&digits("3933742-4")));
        assert!(il_company(&digits("516179157")) && !il_company(&digits("516179158")));
        assert!(ir_melli(&digits("0013542419")) && !ir_melli(&digits("0013542418")));
        assert!(ir_company(&digits("14007650912")) && !ir_company(&digits("14007650913")));
        assert!(sa_id(&digits("1000000008")) && !sa_id(&digits("1000000009")));
        assert!(qa_id(&digits("28535612345")) && !qa_id(&digits("18535612345")));
    }

    #[test]
    fn kuwaiti_examples() {
        for example in ["288020122596", "227081660516", "292091998298"] {
            assert!(kw_civil(&digits(example)), "{example}");
        }
        assert!(!kw_civil(&digits("288020122597")) && !kw_civil(&digits("288130122596")));
    }
}
