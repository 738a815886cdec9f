//! Mexico.

use super::{is_date, is_yymmdd, place, to_ten};
use crate::checks::{
    Table,
    algorithms::{as_digits, characters, digits, last_is, luhn, number},
    whole,
};

pub(super) const CHECKS: Table = &[
    ("mx_curp", |text| whole(text, curp(&characters(text)))),
    ("mx_rfc", |text| whole(text, rfc(text))),
    ("mx_clabe", |text| whole(text, clabe(&digits(text)))),
    ("mx_nss", |text| whole(text, nss(&digits(text)))),
    ("mx_elector", |text| whole(text, elector(&digits(text)))),
];

/// Codes of the states (RENAPO), NE for those born abroad.
const STATES: &[u8] = b"ASBCBSCCCHCLCMCSDFDGGRGTHGJCMCMNMSNENLNTOCPLQRQTSLSPSRTCTLTSVZYNZS";

/// Clave Única de Registro de Población (RENAPO): four letters of the name, the day of birth, the
/// sex, the state, three consonants, a character that tells the century, and a check digit. In
/// the values of the characters, Ñ stands between N and O.
fn curp(characters: &[u8]) -> bool {
    const ALPHABET: &[u8] = b"0123456789ABCDEFGHIJKLMN\0OPQRSTUVWXYZ";
    if characters.len() != 18 {
        return false;
    }
    let Some(birth) = as_digits(&characters[4..10]) else {
        return false;
    };
    let century: &[u8] = match characters[16].is_ascii_digit() {
        true => &[1, 9],
        false => &[2, 0],
    };
    let year = [century, &birth[..2]].concat();
    let sum: Option<u32> = (2..=18)
        .rev()
        .zip(characters)
        .map(|(weight, &character)| Some(weight * place(ALPHABET, character)?))
        .sum();
    is_date(&year, &birth[2..4], &birth[4..6])
        && STATES.chunks(2).any(|state| state == &characters[11..13])
        && sum.is_some_and(|sum| to_ten(sum) == u32::from(characters[17].wrapping_sub(b'0')))
}

/// Registro Federal de Contribuyentes (SAT): three letters of a company's name or four of a
/// person's, the day of foundation or birth and three characters. The last is a check digit that
/// about one number in seventy has wrong, so only the day is checked.
fn rfc(text: &str) -> bool {
    let digits = digits(text);
    digits.len() >= 6 && is_yymmdd(&digits)
}

/// Clave Bancaria Estandarizada (Banco de México): seventeen digits with the weights 3, 7, 1, of
/// whose products only the last digits count, and a check digit.
fn clabe(digits: &[u8]) -> bool {
    const WEIGHTS: [u32; 17] = [3, 7, 1, 3, 7, 1, 3, 7, 1, 3, 7, 1, 3, 7, 1, 3, 7];
    last_is(digits, &WEIGHTS, to_ten) && number(&digits[..3]) > 0
}

/// Número de Seguridad Social (IMSS): eleven digits with Luhn's check.
fn nss(digits: &[u8]) -> bool {
    digits.len() == 11 && luhn(digits)
}

/// Clave de elector (INE), after six consonants of the name: the day of birth, the state from 01
/// to 32 (33, 87 and 88: born abroad), and after the letter of the sex three digits.
fn elector(digits: &[u8]) -> bool {
    digits.len() == 11 && is_yymmdd(digits) && matches!(number(&digits[6..8]), 1..=33 | 87 | 88)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_examples() {
        assert!(curp(b"BOXW310820HNERXN09") && !curp(b"BOXW310820HNERXN08"));
        assert!(rfc("GODE 561231 GR8") && rfc("MAB-930714-8T4") && !rfc("GODE561331GR8"));
        // Banco de México's example.
        assert!(clabe(&digits("032180000118359719")) && !clabe(&digits("032180000118359710")));
        assert!(nss(&digits("01 23 45 6789 7")) && !nss(&digits("01 23 45 6798 7")));
        assert!(elector(&digits("GMVLMR80070501M100")) && !elector(&digits("GMVLMR80130501M100")));
    }
}
