//! Slovenia, Croatia, Serbia, Bosnia and Herzegovina, Montenegro, North Macedonia, Kosovo: numbers
//! that go back to one state's, and those that came after.

use crate::checks::algorithms::{digits, dot, is_day, last_is, mod11_10, number, pair, uniform};

table! {
    "jmbg": digits jmbg,
    "hr_oib": digits oib,
    "si_ddv": digits slovenian_tax,
    "si_maticna": digits slovenian_register,
    "rs_pib": digits serbian_tax,
    "me_pib": digits montenegrin_tax,
    "mk_edb": digits macedonian_tax,
}

/// JMBG, EMŠO, ЕМБГ (Yugoslav law of 1976, kept by its successors): birth date DDMMYYY, region,
/// serial, weights modulo 11; ten, which should not occur, stands as 0.
fn jmbg(digits: &[u8]) -> bool {
    if !last_is(digits, &[7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2], |sum| {
        (11 - sum % 11) % 11 % 10
    }) {
        return false;
    }
    let year = number(&digits[4..7]) as u32;
    let century = if year < 800 { 2000 } else { 1000 };
    is_day(century + year, pair(digits, 2), pair(digits, 0))
}

/// OIB (Zakon o osobnom identifikacijskom broju): ISO 7064 MOD 11,10.
fn oib(digits: &[u8]) -> bool {
    digits.len() == 11 && !uniform(digits) && mod11_10(digits)
}

/// Davčna številka (ZDavP-2): weights 8 to 2 modulo 11.
fn slovenian_tax(digits: &[u8]) -> bool {
    digits.first() != Some(&0)
        && last_is(digits, &[8, 7, 6, 5, 4, 3, 2], |sum| match 11 - sum % 11 {
            10 => 0,
            check => check,
        })
}

/// Matična številka (Zakon o Poslovnem registru Slovenije, AJPES): weights 7 to 2 modulo 11; three
/// more digits name a part of the unit.
fn slovenian_register(digits: &[u8]) -> bool {
    matches!(digits.len(), 7 | 10)
        && last_is(&digits[..7], &[7, 6, 5, 4, 3, 2], |sum| {
            match 11 - sum % 11 {
                11 => 11,
                check => check % 10,
            }
        })
}

/// ПИБ (Serbia, Poreska uprava): nine digits, ISO 7064 MOD 11,10.
fn serbian_tax(digits: &[u8]) -> bool {
    digits.len() == 9 && !uniform(digits) && mod11_10(digits)
}

/// PIB (Montenegro, Poreska uprava): weights 8 to 2 modulo 11.
fn montenegrin_tax(digits: &[u8]) -> bool {
    last_is(digits, &[8, 7, 6, 5, 4, 3, 2], |sum| {
        (11 - sum % 11) % 11 % 10
    })
}

/// ЕДБ (North Macedonia, УЈП): thirteen digits, weights modulo 11.
fn macedonian_tax(digits: &[u8]) -> bool {
    let check = |sum: u32| (11 - sum % 11) % 11 % 10;
    last_is(digits, &[7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2], check)
        && dot(&digits[..3], &[1, 1, 1]) > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_examples() {
        assert!(jmbg(&digits("0101006500006")) && !jmbg(&digits("0101006500007")));
        assert!(oib(&digits("33392005961")) && !oib(&digits("33392005962")));
        assert!(slovenian_tax(&digits("SI 5022 3054")) && !slovenian_tax(&digits("50223055")));
        assert!(
            slovenian_register(&digits("9331310000")) && !slovenian_register(&digits("9331320000"))
        );
        assert!(serbian_tax(&digits("101134702")) && !serbian_tax(&digits("101134703")));
        assert!(montenegrin_tax(&digits("02655284")) && !montenegrin_tax(&digits("02655283")));
        assert!(
            macedonian_tax(&digits("4030000375897")) && !macedonian_tax(&digits("4030000375890"))
        );
    }
}
