//! Canada.

use super::{is_yymmdd, to_eleven};
use crate::checks::{
    Table,
    algorithms::{digits, luhn},
    whole,
};

pub(super) const CHECKS: Table = &[
    ("ca_sin", |text| whole(text, sin(&digits(text)))),
    ("ca_bn", |text| whole(text, bn(&digits(text)))),
    ("ca_bc_phn", |text| whole(text, bc_phn(&digits(text)))),
    ("ca_qc_nam", |text| whole(text, qc_nam(&digits(text)))),
];

/// Social Insurance Number (Service Canada): nine digits with Luhn's check; none begins with 0
/// or 8.
fn sin(digits: &[u8]) -> bool {
    digits.len() == 9 && !matches!(digits[0], 0 | 8) && luhn(digits)
}

/// Business Number (Canada Revenue Agency): nine digits with Luhn's check, and perhaps a program
/// account of two letters and four digits, which the check does not cover.
fn bn(digits: &[u8]) -> bool {
    matches!(digits.len(), 9 | 13) && luhn(&digits[..9])
}

/// British Columbia's Personal Health Number (Ministry of Health, "PHN check digit"): 9, eight
/// digits, of whose weighted values only the remainders by 11 count, and a check digit.
fn bc_phn(digits: &[u8]) -> bool {
    let [9, middle @ .., check] = digits else {
        return false;
    };
    let weights = [2, 4, 8, 5, 10, 9, 7, 3];
    let sum: u32 = middle
        .iter()
        .zip(weights)
        .map(|(&digit, weight)| u32::from(digit) * weight % 11)
        .sum();
    middle.len() == 8 && to_eleven(sum) % 11 == u32::from(*check)
}

/// Quebec's health insurance number (RAMQ), after the four letters of the name: year, month (50
/// more for women) and day of birth and two digits.
fn qc_nam(digits: &[u8]) -> bool {
    let &[y1, y2, m1, m2, d1, d2, _, _] = digits else {
        return false;
    };
    is_yymmdd(&[y1, y2, m1 % 5, m2, d1, d2])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_examples() {
        assert!(sin(&digits("130 692 544")) && !sin(&digits("130 692 545")));
        // A number that Luhn's check accepts but that is not given out.
        assert!(!sin(&digits("046 454 286")));
        assert!(bn(&digits("12302 6635")) && bn(&digits("123026635RT0001")));
        assert!(!bn(&digits("123026636RT0001")));
        assert!(bc_phn(&digits("9698 658 215")) && !bc_phn(&digits("9698 658 216")));
        assert!(qc_nam(&digits("TREM 8551 2315")) && !qc_nam(&digits("TREM 8533 2315")));
    }
}
