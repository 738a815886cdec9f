//! South America but for Brazil.

use super::{to_eleven, to_ten};
use crate::checks::{
    Table,
    algorithms::{as_digits, characters, digits, dot, last_is, luhn, number},
    whole,
};

pub(super) const CHECKS: Table = &[
    ("ar_cuit", |text| whole(text, ar_cuit(&digits(text)))),
    ("ar_cbu", |text| whole(text, ar_cbu(&digits(text)))),
    ("cl_rut", |text| whole(text, cl_rut(&characters(text)))),
    ("co_nit", |text| whole(text, co_nit(&digits(text)))),
    ("ec_ci", |text| whole(text, ec_ci(&digits(text)))),
    ("ec_ruc", |text| whole(text, ec_ruc(&digits(text)))),
    ("pe_cui", |text| whole(text, pe_cui(&characters(text)))),
    ("pe_ruc", |text| whole(text, pe_ruc(&digits(text)))),
    ("py_ruc", |text| whole(text, py_ruc(&digits(text)))),
    ("uy_ci", |text| whole(text, uy_ci(&digits(text)))),
    ("uy_rut", |text| whole(text, uy_rut(&digits(text)))),
    ("ve_rif", |text| whole(text, ve_rif(&characters(text)))),
];

/// Argentina's CUIT and CUIL (AFIP, ANSES): a kind, eight digits and a check digit.
fn ar_cuit(digits: &[u8]) -> bool {
    let known = |kind| matches!(kind, 20 | 23..=27 | 30 | 33 | 34 | 50 | 51 | 55);
    let check = |sum| match to_eleven(sum) {
        11 => 0,
        10 => 9,
        digit => digit,
    };
    last_is(digits, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2], check) && known(number(&digits[..2]))
}

/// Argentina's CBU and CVU (BCRA, Comunicación A 2622): bank, branch and check digit, then the
/// account and its check digit.
fn ar_cbu(digits: &[u8]) -> bool {
    const ACCOUNT: [u32; 13] = [3, 9, 7, 1, 3, 9, 7, 1, 3, 9, 7, 1, 3];
    digits.len() == 22
        && last_is(&digits[..8], &[7, 1, 3, 9, 7, 1, 3], to_ten)
        && last_is(&digits[8..], &ACCOUNT, to_ten)
}

/// Chile's RUT and RUN (Servicio de Impuestos Internos): weights 2 to 7 from the right, again and
/// again; K for 10.
fn cl_rut(characters: &[u8]) -> bool {
    let Some((&check, rest)) = characters.split_last() else {
        return false;
    };
    let weights: [u32; 8] = [3, 2, 7, 6, 5, 4, 3, 2];
    as_digits(rest).is_some_and(|digits| {
        matches!(digits.len(), 7 | 8) && number(&digits) >= 100_000 && {
            let sum = dot(&digits, &weights[8 - digits.len()..]);
            check == b"0123456789K"[(to_eleven(sum) % 11) as usize]
        }
    })
}

/// Colombia's NIT (DIAN, Orden Administrativa 4 de 1989): primes from 3 on as weights from the
/// right.
fn co_nit(digits: &[u8]) -> bool {
    const PRIMES: [u32; 15] = [71, 67, 59, 53, 47, 43, 41, 37, 29, 23, 19, 17, 13, 7, 3];
    let check = |sum| match sum % 11 {
        rest @ (0 | 1) => rest,
        rest => 11 - rest,
    };
    (8..=16).contains(&digits.len()) && last_is(digits, &PRIMES[16 - digits.len()..], check)
}

/// A province of Ecuador, or 30 and 50 for those who were born or live abroad.
fn ec_province(digits: &[u8]) -> bool {
    digits.len() > 2 && matches!(number(&digits[..2]), 1..=24 | 30 | 50)
}

/// Ecuador's cédula (Registro Civil): a province, a third digit up to 6 and Luhn's check.
fn ec_ci(digits: &[u8]) -> bool {
    digits.len() == 10 && ec_province(digits) && digits[2] <= 6 && luhn(digits)
}

/// Ecuador's RUC (SRI): a person's cédula, or a company's (third digit 9) or public body's (third
/// digit 6) number with modulo 11, and the number of the establishment.
fn ec_ruc(digits: &[u8]) -> bool {
    if digits.len() != 13 || !ec_province(digits) {
        return false;
    }
    let person = || ec_ci(&digits[..10]) && number(&digits[10..]) > 0;
    let check = |sum| to_eleven(sum) % 11;
    let public =
        || last_is(&digits[..9], &[3, 2, 7, 6, 5, 4, 3, 2], check) && number(&digits[9..]) > 0;
    let company =
        || last_is(&digits[..10], &[4, 3, 2, 7, 6, 5, 4, 3, 2], check) && number(&digits[10..]) > 0;
    match digits[2] {
        0..=5 => person(),
        6 => public() || person(),
        9 => public() || company(),
        _ => false,
    }
}

/// Peru's number of the identity document with its check digit or letter (RENIEC).
fn pe_cui(characters: &[u8]) -> bool {
    let Some((&check, rest)) = characters.split_last() else {
        return false;
    };
    as_digits(rest).is_some_and(|digits| {
        let rest = (dot(&digits, &[3, 2, 7, 6, 5, 4, 3, 2]) % 11) as usize;
        digits.len() == 8 && (check == b"65432110987"[rest] || check == b"KJIHGFEDCBA"[rest])
    })
}

/// Peru's RUC (SUNAT): a kind, eight digits and a check digit.
fn pe_ruc(digits: &[u8]) -> bool {
    let check = |sum| to_eleven(sum) % 10;
    last_is(digits, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2], check)
        && matches!(number(&digits[..2]), 10 | 15 | 16 | 17 | 20)
}

/// Paraguay's RUC (SET, Ley 1352/88): weights from 2 up from the right; 10 counts 0.
fn py_ruc(digits: &[u8]) -> bool {
    const WEIGHTS: [u32; 8] = [9, 8, 7, 6, 5, 4, 3, 2];
    (6..=9).contains(&digits.len())
        && last_is(digits, &WEIGHTS[9 - digits.len()..], |sum| {
            to_eleven(sum) % 11 % 10
        })
}

/// Uruguay's cédula de identidad (DNIC): six or seven digits and a check digit.
fn uy_ci(digits: &[u8]) -> bool {
    const WEIGHTS: [u32; 7] = [2, 9, 8, 7, 6, 3, 4];
    matches!(digits.len(), 7 | 8) && last_is(digits, &WEIGHTS[8 - digits.len()..], to_ten)
}

/// Uruguay's RUT (DGI): an office from 01 to 22, six digits, 001 and a check digit.
fn uy_rut(digits: &[u8]) -> bool {
    last_is(digits, &[4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2], |sum| {
        to_eleven(sum) % 11
    }) && matches!(number(&digits[..2]), 1..=22)
        && number(&digits[2..8]) > 0
        && number(&digits[8..11]) == 1
}

/// Venezuela's RIF (SENIAT): a letter that counts with four, eight digits and a check digit, 0
/// for 10 and 11.
fn ve_rif(characters: &[u8]) -> bool {
    let Some((letter, rest)) = characters.split_first() else {
        return false;
    };
    let start = match letter {
        b'V' => 4,
        b'E' => 8,
        b'J' | b'C' => 12,
        b'P' => 16,
        b'G' => 20,
        _ => return false,
    };
    let check = |sum| match to_eleven(start + sum) {
        10 | 11 => 0,
        digit => digit,
    };
    as_digits(rest).is_some_and(|digits| last_is(&digits, &[3, 2, 7, 6, 5, 4, 3, 2], check))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_examples() {
        assert!(ar_cuit(&digits("20-05536168-2")) && !ar_cuit(&digits("20-26756539-2")));
        assert!(
            ar_cbu(&digits("2850590940090418135201")) && !ar_cbu(&digits("2810590940090418135201"))
        );
        assert!(cl_rut(b"760864285") && cl_rut(b"125319092") && !cl_rut(b"125319093"));
        assert!(co_nit(&digits("213.123.432-1")) && !co_nit(&digits("213.123.432-5")));
        assert!(ec_ci(&digits("171430710-3")) && !ec_ci(&digits("171430710-4")));
        assert!(ec_ruc(&digits("1792060346-001")) && !ec_ruc(&digits("1792060347-001")));
        assert!(pe_cui(b"101174102") && !pe_cui(b"101174103"));
        assert!(pe_ruc(&digits("20512333797")) && !pe_ruc(&digits("20512333798")));
        assert!(py_ruc(&digits("80028061-0")) && !py_ruc(&digits("80028061-1")));
        assert!(uy_rut(&digits("21-100342-001-7")) && !uy_rut(&digits("210303670014")));
        assert!(ve_rif(b"V114702834") && !ve_rif(b"V114702833"));
    }

    #[test]
    fn the_check_digit_of_an_uruguayan_card() {
        // 1.234.567-2, the example of the identity service's own validator.
        assert!(uy_ci(&digits("1.234.567-2")) && !uy_ci(&digits("1.234.567-3")));
    }
}
