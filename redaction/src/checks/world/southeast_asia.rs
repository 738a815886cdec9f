//! South-east Asia but for Singapore, and Sri Lanka.

use super::{is_date, is_yymmdd, to_eleven};
use crate::checks::{
    Table,
    algorithms::{digits, last_is, luhn, number, uniform},
    whole,
};

pub(super) const CHECKS: Table = &[
    ("id_nik", |text| whole(text, id_nik(&digits(text)))),
    ("id_npwp", |text| whole(text, id_npwp(&digits(text)))),
    ("lk_nic", |text| whole(text, lk_nic(&digits(text)))),
    ("my_nric", |text| whole(text, my_nric(&digits(text)))),
    ("th_pin", |text| whole(text, th_pin(&digits(text)))),
    ("vn_cccd", |text| whole(text, vn_cccd(&digits(text)))),
    ("vn_mst", |text| whole(text, vn_mst(&digits(text)))),
];

/// Indonesia's NIK (Permendagri 137/2017 for the codes of places): province, regency, district,
/// day of birth (40 more for women) and four digits.
fn id_nik(digits: &[u8]) -> bool {
    digits.len() == 16
        && matches!(
            number(&digits[..2]),
            11..=21 | 31..=36 | 51..=53 | 61..=65 | 71..=76 | 81 | 82 | 91..=97
        )
        && number(&digits[2..4]) > 0
        && digits[6] < 8
        && is_date(&digits[10..12], &digits[8..10], &[digits[6] % 4, digits[7]])
}

/// Indonesia's NPWP (Direktorat Jenderal Pajak, PMK 112/2022): fifteen digits, of which the first
/// nine have Luhn's check; since 2024 with a 0 before them.
fn id_npwp(digits: &[u8]) -> bool {
    match digits.len() {
        15 => luhn(&digits[..9]),
        16 => digits[0] == 0 && luhn(&digits[..10]),
        _ => false,
    }
}

/// Sri Lanka's identity number (Department for Registration of Persons): the year, the day of it
/// (500 more for women), and a serial number.
fn lk_nic(digits: &[u8]) -> bool {
    let day = match digits.len() {
        9 => number(&digits[2..5]),
        12 if matches!(number(&digits[..4]), 1900..2050) => number(&digits[4..7]),
        _ => return false,
    };
    matches!(day % 500, 1..=366) && day < 1000 && !uniform(digits)
}

/// Malaysia's identity card (Jabatan Pendaftaran Negara): day of birth, place of birth and four
/// digits.
fn my_nric(digits: &[u8]) -> bool {
    digits.len() == 12
        && is_yymmdd(digits)
        && matches!(
            number(&digits[6..8]),
            1..=16 | 21..=68 | 71 | 72 | 74..=79 | 82..=93 | 98 | 99
        )
}

/// Thailand's identity number (Department of Provincial Administration) and number of legal
/// persons (which begins with 0).
fn th_pin(digits: &[u8]) -> bool {
    last_is(digits, &[13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2], |sum| {
        to_eleven(sum) % 10
    })
}

/// Vietnam's citizen number (Decree 137/2015): a province from 001 to 096, century and sex, two
/// digits of the year, and six digits.
fn vn_cccd(digits: &[u8]) -> bool {
    digits.len() == 12
        && (1..=96).contains(&number(&digits[..3]))
        && digits[3] < 4
        && !uniform(&digits[6..])
}

/// Vietnam's tax number (General Department of Taxation): two digits of the province, seven, a
/// check digit, and perhaps the three digits of a branch.
fn vn_mst(digits: &[u8]) -> bool {
    let check = |sum: u32| 10 - sum % 11;
    match digits.len() {
        13 if number(&digits[10..]) == 0 => return false,
        10 | 13 => (),
        _ => return false,
    }
    number(&digits[2..9]) > 0 && last_is(&digits[..10], &[31, 29, 23, 19, 17, 13, 7, 5, 3], check)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_examples() {
        assert!(id_nik(&digits("3171011708450001")) && !id_nik(&digits("3171011713450001")));
        assert!(id_nik(&digits("3171015708450001")) && !id_nik(&digits("0171011708450001")));
        assert!(
            id_npwp(&digits("01.312.166.0-091.000")) && !id_npwp(&digits("01.312.167.0-091.000"))
        );
        assert!(id_npwp(&digits("0013121660091000")));
        assert!(my_nric(&digits("770305-02-1234")) && !my_nric(&digits("770305-17-1234")));
        assert!(th_pin(&digits("3-1006-00445-63-5")) && !th_pin(&digits("3-1006-00445-63-6")));
        assert!(th_pin(&digits("0-99-4-000-61772-1")));
        assert!(vn_mst(&digits("0100233488")) && vn_mst(&digits("0314409058-002")));
        assert!(!vn_mst(&digits("0100233480")));
        assert!(lk_nic(&digits("853400937V")) && !lk_nic(&digits("854000937V")));
        assert!(vn_cccd(&digits("001200012345")) && !vn_cccd(&digits("097200012345")));
    }
}
