//! Estonia, Latvia, Lithuania.

use crate::checks::algorithms::{digits, dot, is_day, last_is, number, pair, weighted};

table! {
    "ee_ik": digits personal,
    "ee_vat": digits estonian_vat,
    "ee_register": digits register,
    "lt_ak": digits lithuanian_personal,
    "lt_vat": digits lithuanian_vat,
    "lt_register": digits register_of_nine,
    "lv_pk": digits latvian,
    "lv_personal": digits latvian_personal,
}

/// The check digit that Estonia and Lithuania share: weights 1, 2 … modulo 11; where that leaves
/// ten, weights 3, 4 …; nine is followed by one.
fn twice_weighted(digits: &[u8]) -> bool {
    let Some((&last, body)) = digits.split_last() else {
        return false;
    };
    let rest = |first: usize| {
        let sum: usize = body
            .iter()
            .enumerate()
            .map(|(at, &digit)| ((at + first - 1) % 9 + 1) * usize::from(digit))
            .sum();
        sum % 11
    };
    let check = match rest(1) {
        10 => rest(3) % 10,
        check => check,
    };
    check == usize::from(last)
}

/// Isikukood (EVS 585:2007) and asmens kodas (Gyventojų registro įstatymas): sex and century, birth
/// date YYMMDD, serial, check digit.
fn personal(digits: &[u8]) -> bool {
    if digits.len() != 11 || !(1..=8).contains(&digits[0]) || !twice_weighted(digits) {
        return false;
    }
    let century = 1800 + u32::from(digits[0] - 1) / 2 * 100;
    is_day(century + pair(digits, 1), pair(digits, 3), pair(digits, 5))
}

/// Asmens kodas; a few begin with 9 and have no date.
fn lithuanian_personal(digits: &[u8]) -> bool {
    personal(digits) || (digits.len() == 11 && digits[0] == 9 && twice_weighted(digits))
}

/// KMKR (Maksu- ja Tolliamet): weights 3, 7, 1 modulo 10.
fn estonian_vat(digits: &[u8]) -> bool {
    weighted(digits, &[3, 7, 1, 3, 7, 1, 3, 7, 1], 10)
}

/// Registrikood (äriregister): eight digits, the first 1, 7, 8 or 9.
fn register(digits: &[u8]) -> bool {
    digits.len() == 8 && matches!(digits[0], 1 | 7..=9) && twice_weighted(digits)
}

/// Įmonės kodas (Registrų centras): nine digits, or seven of before 2004.
fn register_of_nine(digits: &[u8]) -> bool {
    matches!(digits.len(), 7 | 9) && number(digits) > 0 && twice_weighted(digits)
}

/// PVM kodas (VMI): nine digits of bodies, twelve of others; the last but one is 1.
fn lithuanian_vat(digits: &[u8]) -> bool {
    matches!(digits.len(), 9 | 12) && digits[digits.len() - 2] == 1 && twice_weighted(digits)
}

/// Personas kods (Fizisko personu reģistra likums): birth date DDMMYY and the century, or since
/// 2017 a number that begins with 32; weights modulo 11.
fn latvian_personal(digits: &[u8]) -> bool {
    if !last_is(digits, &[10, 5, 8, 4, 2, 1, 6, 3, 7, 9], |sum| {
        (sum + 1) % 11 % 10
    }) {
        return false;
    }
    let year = 1800 + u32::from(digits[6]) * 100 + pair(digits, 4);
    pair(digits, 0) == 32 || is_day(year, pair(digits, 2), pair(digits, 0))
}

/// PVN numurs (VID): a personal code, or a body's eleven digits, of which the first is above 3 and
/// the weighted sum leaves 3.
fn latvian(digits: &[u8]) -> bool {
    let body = digits.len() == 11
        && digits[0] > 3
        && dot(digits, &[9, 1, 4, 8, 3, 10, 2, 5, 7, 6, 1]) % 11 == 3;
    body || latvian_personal(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_examples() {
        assert!(personal(&digits("36805280109")) && !personal(&digits("36805280108")));
        assert!(estonian_vat(&digits("EE 100 931 558")) && !estonian_vat(&digits("100594103")));
        assert!(register(&digits("12345678")) && !register(&digits("12345679")));
        assert!(
            lithuanian_personal(&digits("33309240064"))
                && !lithuanian_personal(&digits("33309240164"))
        );
        assert!(lithuanian_vat(&digits("119511515")) && lithuanian_vat(&digits("100001919017")));
        assert!(!lithuanian_vat(&digits("100001919018")) && register_of_nine(&digits("119511515")));
        assert!(latvian(&digits("4000 3521 600")) && !latvian(&digits("40003521601")));
        assert!(
            latvian_personal(&digits("161175-19997")) && !latvian_personal(&digits("161375-19997"))
        );
    }
}
