//! Poland.

use crate::checks::algorithms::{base36, characters, digits, is_day, last_is, pair, weighted};

table! {
    "pl_pesel": digits pesel,
    "pl_nip": digits nip,
    "pl_regon": digits regon,
    "pl_id_card": characters id_card,
    "pl_passport": characters passport,
}

/// PESEL (ustawa o ewidencji ludności, 2010): a birth date, whose month carries the century, and
/// a check digit.
fn pesel(digits: &[u8]) -> bool {
    if !weighted(digits, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1], 10) {
        return false;
    }
    let (year, month, day) = (pair(digits, 0), pair(digits, 2), pair(digits, 4));
    let century = [1900, 2000, 2100, 2200, 1800][(month / 20) as usize];
    is_day(century + year, month % 20, day)
}

/// NIP (rozporządzenie w sprawie NIP): check digit in place 10, modulo 11.
fn nip(digits: &[u8]) -> bool {
    last_is(digits, &[6, 5, 7, 2, 3, 4, 5, 6, 7], |sum| sum % 11)
}

/// REGON (GUS): nine digits, or fourteen that begin with the nine of the parent.
fn regon(digits: &[u8]) -> bool {
    let nine = |digits| last_is(digits, &[8, 9, 2, 3, 4, 5, 6, 7], |sum| sum % 11 % 10);
    match digits.len() {
        14 => {
            nine(&digits[..9])
                && last_is(digits, &[2, 4, 8, 5, 0, 9, 7, 3, 6, 1, 2, 4, 8], |sum| {
                    sum % 11 % 10
                })
        }
        _ => nine(digits),
    }
}

/// The identity card: three letters and six digits, the first of which is the check digit
/// (weights 7, 3, 1 as in ICAO Doc 9303, over the whole 0 modulo 10 with weight 9 for it).
fn id_card(characters: &[u8]) -> bool {
    document(characters, &[7, 3, 1, 9, 7, 3, 1, 7, 3])
}

/// The passport: two letters and seven digits, the first of which is the check digit.
fn passport(characters: &[u8]) -> bool {
    document(characters, &[7, 3, 9, 1, 7, 3, 1, 7, 3])
}

fn document(characters: &[u8], weights: &[u32; 9]) -> bool {
    let sum: u32 = characters
        .iter()
        .zip(weights)
        .map(|(&character, weight)| base36(character) * weight)
        .sum();
    characters.len() == 9 && sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_examples() {
        assert!(pesel(&digits("44051401359")) && pesel(&digits("02070803628")));
        assert!(!pesel(&digits("44051401358")) && !pesel(&digits("44131401354")));
        assert!(nip(&digits("526-104-08-28")) && !nip(&digits("526-104-08-27")));
        assert!(regon(&digits("123456785")) && regon(&digits("12345678512347")));
        assert!(id_card(b"ABS123456") && !id_card(b"ABS123457"));
        assert!(passport(b"ZS0000177") && !passport(b"ZS0000178"));
    }
}
