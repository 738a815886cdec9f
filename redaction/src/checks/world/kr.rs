//! South Korea.

use super::{to_eleven, to_ten};
use crate::checks::{
    Table,
    algorithms::{digits, dot, last_is, number, uniform},
    whole,
};

pub(super) const CHECKS: Table = &[
    ("kr_rrn", |text| whole(text, rrn(&digits(text)))),
    ("kr_rrn_birth", |text| whole(text, birth(&digits(text)))),
    ("kr_brn", |text| whole(text, brn(&digits(text)))),
    ("kr_crn", |text| whole(text, crn(&digits(text)))),
];

const WEIGHTS: [u32; 12] = [2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5];

/// Resident registration number (주민등록번호, Ministry of the Interior and Safety) as given out
/// until October 2020: day of birth, century and sex, place, and a check digit.
fn rrn(digits: &[u8]) -> bool {
    birth(digits)
        && number(&digits[7..9]) <= 96
        && last_is(digits, &WEIGHTS, |sum| to_eleven(sum) % 10)
}

/// What remains of the check since October 2020, when the digits after the sex became random.
fn birth(digits: &[u8]) -> bool {
    let century: &[u8] = match digits.get(6) {
        Some(1 | 2 | 5 | 6) => &[1, 9],
        Some(3 | 4 | 7 | 8) => &[2, 0],
        Some(0 | 9) => &[1, 8],
        _ => return false,
    };
    let year = number(&[century, &digits[..2]].concat()) as u32;
    digits.len() == 13
        && !uniform(&digits[7..])
        && crate::checks::algorithms::is_day(
            year,
            number(&digits[2..4]) as u32,
            number(&digits[4..6]) as u32,
        )
}

/// Business registration number (사업자등록번호, National Tax Service).
fn brn(digits: &[u8]) -> bool {
    digits.len() == 10
        && number(&digits[..3]) >= 101
        && number(&digits[3..5]) > 0
        && number(&digits[5..9]) > 0
        && to_ten(dot(digits, &[1, 3, 7, 1, 3, 7, 1, 3, 5]) + u32::from(digits[8]) * 5 / 10)
            == u32::from(digits[9])
}

/// Corporate registration number (법인등록번호; Supreme Court rules on registration numbers of
/// corporations): weights 1 and 2 in turn.
fn crn(digits: &[u8]) -> bool {
    last_is(digits, &[1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2], to_ten)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_examples() {
        assert!(rrn(&digits("971013-9019902")) && !rrn(&digits("971013-9019903")));
        assert!(birth(&digits("971013-9019903")) && !birth(&digits("971313-9019903")));
        assert!(brn(&digits("116-82-00276")) && !brn(&digits("116-82-00277")));
        // Registration number of a well-known public company.
        assert!(crn(&digits("130111-0006246")) && !crn(&digits("130111-0006247")));
    }
}
