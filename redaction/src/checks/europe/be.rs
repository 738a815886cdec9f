//! Belgium.

use crate::checks::algorithms::{digits, is_day, number, pair};

table! {
    "be_nn": digits national,
    "be_vat": digits enterprise,
    "be_id_card": digits remainder_97,
}

/// Rijksregisternummer (Royal Decree of 3 April 1984) and BIS number (month raised by 20 or 40):
/// birth date YYMMDD, serial, 97 minus the rest by 97 of the first nine digits, which a 2 leads for
/// those born since 2000. Parts of the date may be unknown, as they often are in BIS numbers.
fn national(digits: &[u8]) -> bool {
    if digits.len() != 11 {
        return false;
    }
    let (body, check) = (number(&digits[..9]), number(&digits[9..]));
    let (year, month, day) = (pair(digits, 0), pair(digits, 2) % 20, pair(digits, 4));
    let dated = |century: u32| {
        pair(digits, 2) >= 20 || month == 0 || day == 0 || is_day(century + year, month, day)
    };
    pair(digits, 2) <= 52
        && number(&digits[6..9]) != 0
        && ((97 - body % 97 == check && dated(1900))
            || (97 - (2_000_000_000 + body) % 97 == check && dated(2000)))
}

/// Ondernemingsnummer (Royal Decree of 24 June 2003): 0 or 1, seven digits, 97 minus the rest by
/// 97. Nine digits are the older form without the 0.
fn enterprise(digits: &[u8]) -> bool {
    let Some((body, check)) = digits.split_last_chunk::<2>() else {
        return false;
    };
    matches!((digits.len(), digits[0]), (10, 0 | 1) | (9, _))
        && number(body) > 0
        && (number(body) + number(check)).is_multiple_of(97)
}

/// Identity card and national bank account: ten digits and the rest by 97, 97 for 0.
fn remainder_97(digits: &[u8]) -> bool {
    if digits.len() != 12 {
        return false;
    }
    let rest = number(&digits[..10]) % 97;
    number(&digits[..10]) > 0 && number(&digits[10..]) == if rest == 0 { 97 } else { rest }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_examples() {
        assert!(national(&digits("85.07.30-033 28")) && national(&digits("17 07 30 033 84")));
        assert!(!national(&digits("85.07.30-033 29")) && !national(&digits("85.13.30-033 61")));
        assert!(enterprise(&digits("BE 0428.759.497")) && !enterprise(&digits("BE431150351")));
        assert!(remainder_97(&digits("591-1917064-58")) && remainder_97(&digits("539-0075470-34")));
    }
}
