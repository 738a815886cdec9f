//! Central America and the Caribbean.

use super::{is_date, to_eleven, to_ten};
use crate::checks::{
    Table,
    algorithms::{as_digits, characters, digits, dot, last_is, luhn, number},
    whole,
};

pub(super) const CHECKS: Table = &[
    ("cu_ni", |text| whole(text, cu_ni(&digits(text)))),
    ("do_cedula", |text| whole(text, do_cedula(&digits(text)))),
    ("do_rnc", |text| whole(text, do_rnc(&digits(text)))),
    ("gt_cui", |text| whole(text, gt_cui(&digits(text)))),
    ("gt_nit", |text| whole(text, gt_nit(&characters(text)))),
    ("hn_dni", |text| whole(text, hn_dni(&digits(text)))),
    ("ni_cedula", |text| {
        whole(text, ni_cedula(&characters(text)))
    }),
    ("sv_dui", |text| whole(text, sv_dui(&digits(text)))),
    ("sv_nit", |text| whole(text, sv_nit(&digits(text)))),
];

/// Cuba's número de identidad: the day of birth, whose seventh digit tells the century (9: 19th,
/// 0 to 5: 20th, 6 to 8: 21st), and four digits.
fn cu_ni(digits: &[u8]) -> bool {
    let century: &[u8] = match digits.get(6) {
        Some(9) => &[1, 8],
        Some(0..=5) => &[1, 9],
        _ => &[2, 0],
    };
    digits.len() == 11 && {
        let year = [century, &digits[..2]].concat();
        let year = number(&year) as u32;
        let [month, day] = [2, 4].map(|at| number(&digits[at..at + 2]) as u32);
        crate::checks::algorithms::is_day(year, month, day)
    }
}

/// The Dominican Republic's cédula (JCE): eleven digits with Luhn's check.
fn do_cedula(digits: &[u8]) -> bool {
    digits.len() == 11 && luhn(digits)
}

/// The Dominican Republic's RNC (DGII): eight digits and a check digit from 1 to 9.
fn do_rnc(digits: &[u8]) -> bool {
    last_is(digits, &[7, 9, 8, 6, 5, 4, 3, 2], |sum| match sum % 11 {
        0 => 2,
        1 => 1,
        rest => 11 - rest,
    })
}

/// Guatemala's CUI (RENAP): eight digits and a check digit with modulo 11, then the department
/// and the municipality of birth.
fn gt_cui(digits: &[u8]) -> bool {
    /// How many municipalities each department has.
    const MUNICIPALITIES: [u64; 22] = [
        17, 8, 16, 16, 14, 14, 19, 8, 24, 21, 9, 30, 33, 21, 8, 17, 14, 5, 11, 11, 7, 17,
    ];
    digits.len() == 13
        && dot(digits, &[2, 3, 4, 5, 6, 7, 8, 9]) % 11 == u32::from(digits[8])
        && MUNICIPALITIES
            .get((number(&digits[9..11]) as usize).wrapping_sub(1))
            .is_some_and(|most| (1..=*most).contains(&number(&digits[11..])))
}

/// Guatemala's NIT (SAT): weights from 2 up from the right; K for 10.
fn gt_nit(characters: &[u8]) -> bool {
    let Some((&check, rest)) = characters.split_last() else {
        return false;
    };
    as_digits(rest).is_some_and(|digits| {
        let sum: u32 = (2..)
            .zip(digits.iter().rev())
            .map(|(weight, &digit)| weight * u32::from(digit))
            .sum();
        (2..=11).contains(&digits.len())
            && number(&digits) > 0
            && check == b"0123456789K"[(to_eleven(sum) % 11) as usize]
    })
}

/// Honduras's DNI (RNP): a municipality, the year of birth and five digits.
fn hn_dni(digits: &[u8]) -> bool {
    matches!(digits.len(), 13 | 14)
        && (1..=18).contains(&number(&digits[..2]))
        && (1..=28).contains(&number(&digits[2..4]))
        && (1900..2050).contains(&number(&digits[4..8]))
}

/// Nicaragua's cédula (CSE): a municipality, the day of birth, four digits and the letter that
/// the thirteen digits' remainder by 23 stands for.
fn ni_cedula(characters: &[u8]) -> bool {
    let Some((&check, rest)) = characters.split_last() else {
        return false;
    };
    as_digits(rest).is_some_and(|digits| {
        digits.len() == 13
            && is_date(&digits[7..9], &digits[5..7], &digits[3..5])
            && check == b"ABCDEFGHJKLMNPQRSTUVWXY"[(number(&digits) % 23) as usize]
    })
}

/// El Salvador's DUI (RNPN): eight digits and a check digit.
fn sv_dui(digits: &[u8]) -> bool {
    last_is(digits, &[9, 8, 7, 6, 5, 4, 3, 2], to_ten)
}

/// El Salvador's NIT (Ministerio de Hacienda): thirteen digits, the first 0, 1 or 9, and a check
/// digit, which is reckoned otherwise from the serial number 101 on.
fn sv_nit(digits: &[u8]) -> bool {
    if digits.len() != 14 || !matches!(digits[0], 0 | 1 | 9) {
        return false;
    }
    match number(&digits[10..13]) {
        ..=100 => last_is(
            digits,
            &[14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2],
            |sum| sum % 11 % 10,
        ),
        _ => last_is(digits, &[2, 7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2], |sum| {
            to_eleven(sum) % 11 % 10
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_examples() {
        assert!(cu_ni(&digits("91021027775")) && !cu_ni(&digits("02023061531")));
        assert!(do_cedula(&digits("00113918205")) && !do_cedula(&digits("00113918204")));
        assert!(do_rnc(&digits("1-01-85004-3")) && !do_rnc(&digits("1-01-85004-4")));
        assert!(gt_nit(b"576937K") && !gt_nit(b"5769371"));
        assert!(sv_nit(&digits("0614-050707-104-8")) && !sv_nit(&digits("0614-050707-104-9")));
        assert!(sv_dui(&digits("00016297-5")) && !sv_dui(&digits("00016297-6")));
        assert!(hn_dni(&digits("0801-1990-12345")) && !hn_dni(&digits("1901-1990-12345")));
    }

    #[test]
    fn the_letter_of_a_nicaraguan_card_is_one_of_23() {
        let cards = (b'A'..=b'Z')
            .filter(|&letter| ni_cedula(&[b"0010101900001".as_slice(), &[letter]].concat()));
        assert_eq!(cards.count(), 1);
        assert!(!ni_cedula(b"0014501900001A"));
    }

    #[test]
    fn a_guatemalan_number_names_a_municipality() {
        let valid = |municipality: &str| {
            (0..10).any(|check| gt_cui(&digits(&format!("12345678{check}{municipality}"))))
        };
        assert!(
            valid("0101") && valid("2217") && !valid("0118") && !valid("2301") && !valid("0100")
        );
    }
}
