//! Checks of identifiers of countries outside Europe.

use super::{
    Table,
    algorithms::{is_day, number},
};

mod africa;
mod au;
mod br;
mod ca;
mod central_america;
mod central_asia;
mod cn;
mod india;
mod jp;
mod kr;
mod middle_east;
mod mx;
mod nz;
mod sg;
mod south_america;
mod southeast_asia;
mod us;

/// One table for each country or family.
pub(super) const TABLES: &[Table] = &[
    africa::CHECKS,
    au::CHECKS,
    br::CHECKS,
    ca::CHECKS,
    central_america::CHECKS,
    central_asia::CHECKS,
    cn::CHECKS,
    india::CHECKS,
    jp::CHECKS,
    kr::CHECKS,
    middle_east::CHECKS,
    mx::CHECKS,
    nz::CHECKS,
    sg::CHECKS,
    south_america::CHECKS,
    southeast_asia::CHECKS,
    us::CHECKS,
];

/// Whether six digits are a day as YYMMDD. The century is open, so 29 February is one in every
/// fourth year.
fn is_yymmdd(digits: &[u8]) -> bool {
    is_date(&digits[..2], &digits[2..4], &digits[4..6])
}

/// Whether six digits are a day as DDMMYY.
fn is_ddmmyy(digits: &[u8]) -> bool {
    is_date(&digits[4..6], &digits[2..4], &digits[..2])
}

/// Whether digits are a year, of two or four digits, a month and a day.
fn is_date(year: &[u8], month: &[u8], day: &[u8]) -> bool {
    let [year, month, day] = [year, month, day].map(|digits| number(digits) as u32);
    match year {
        0..100 => is_day(2000 + year, month, day),
        1850..2100 => is_day(year, month, day),
        _ => false,
    }
}

/// The check digit that brings a sum to a multiple of 11; 10 and 11 are left to the caller.
fn to_eleven(sum: u32) -> u32 {
    11 - sum % 11
}

/// The check digit that brings a sum to a multiple of 10.
fn to_ten(sum: u32) -> u32 {
    (10 - sum % 10) % 10
}

/// Where a character stands in an alphabet of ASCII characters.
fn place(alphabet: &[u8], character: u8) -> Option<u32> {
    let at = alphabet.iter().position(|&other| other == character)?;
    u32::try_from(at).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        assert!(is_yymmdd(&[9, 9, 1, 2, 3, 1]) && is_yymmdd(&[0, 0, 0, 2, 2, 9]));
        assert!(!is_yymmdd(&[9, 9, 3, 1, 1, 2]) && !is_yymmdd(&[9, 9, 0, 2, 2, 9]));
        assert!(
            is_date(&[1, 9, 7, 0], &[0, 1], &[0, 1]) && !is_date(&[1, 7, 7, 0], &[0, 1], &[0, 1])
        );
    }
}
