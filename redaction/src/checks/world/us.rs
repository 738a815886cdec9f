//! The United States. The Social Security number's and the routing number's checks are general
//! ones (`ssn`, `aba`).

use crate::checks::{
    Table,
    algorithms::{digits, dot, luhn, number, uniform},
    whole,
};

pub(super) const CHECKS: Table = &[
    ("us_npi", |text| whole(text, npi(&digits(text)))),
    ("us_dea", |text| whole(text, dea(text))),
    ("us_ein", |text| whole(text, ein(&digits(text)))),
];

/// National Provider Identifier, 45 CFR 162.406: ten digits that begin with 1 or 2, the last of
/// which is Luhn's check digit of the others after the prefix 80840.
fn npi(digits: &[u8]) -> bool {
    let mut card = [8, 0, 8, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    if digits.len() != 10 || !matches!(digits[0], 1 | 2) {
        return false;
    }
    card[5..].copy_from_slice(digits);
    luhn(&card)
}

/// Registration number of the Drug Enforcement Administration: a registrant's letter, the first
/// letter of a name or 9, and seven digits. The last digit is that of the sum of the first, third
/// and fifth and twice the others.
fn dea(text: &str) -> bool {
    let digits = digits(text.get(2..).unwrap_or_default());
    digits.len() == 7
        && !uniform(&digits)
        && dot(&digits, &[1, 2, 1, 2, 1, 2]) % 10 == u32::from(digits[6])
}

/// Employer Identification Number: a prefix that an IRS campus gives out ("How EINs are assigned
/// and valid EIN prefixes").
fn ein(digits: &[u8]) -> bool {
    let campus = |prefix: u64| {
        !matches!(
            prefix,
            0 | 7..=9 | 17..=19 | 28 | 29 | 49 | 69 | 70 | 78 | 79 | 89 | 96 | 97
        )
    };
    digits.len() == 9 && campus(number(&digits[..2])) && number(&digits[2..]) != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_examples() {
        // CMS, "Requirements for NPI and NPI check digit".
        assert!(npi(&digits("1234567893")) && !npi(&digits("1234567892")));
        assert!(dea("AP5836727") && dea("F91234563") && !dea("AP5836726"));
        assert!(ein(&digits("91-1144442")) && !ein(&digits("07-1144442")));
    }
}
