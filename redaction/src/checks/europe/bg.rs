//! Bulgaria.

use crate::checks::algorithms::{digits, dot, is_day, last_is, pair};

table! {
    "bg_egn": digits egn,
    "bg_pnf": digits foreigner,
    "bg_eik": digits bulstat,
    "bg_vat": digits vat,
}

/// ЕГН (Закон за гражданската регистрация): birth date, its month raised by 20 for the 1800s and
/// by 40 for the 2000s, weights modulo 11.
fn egn(digits: &[u8]) -> bool {
    if !last_is(digits, &[2, 4, 8, 5, 10, 9, 7, 3, 6], |sum| sum % 11 % 10) {
        return false;
    }
    let (year, month, day) = (pair(digits, 0), pair(digits, 2), pair(digits, 4));
    match month {
        1..=12 => is_day(1900 + year, month, day),
        21..=32 => is_day(1800 + year, month - 20, day),
        _ => month > 40 && is_day(2000 + year, month - 40, day),
    }
}

/// ЛНЧ of foreigners (Закон за чужденците): weights modulo 10.
fn foreigner(digits: &[u8]) -> bool {
    last_is(digits, &[21, 19, 17, 13, 11, 9, 7, 3, 1], |sum| sum % 10)
}

/// ЕИК, БУЛСТАТ (Закон за търговския регистър): nine digits modulo 11 with a second row of weights
/// where the first leaves ten; a branch has four more with rows of their own.
fn bulstat(digits: &[u8]) -> bool {
    let twice = |digits: &[u8], first: &[u32], second: &[u32]| {
        let rest = dot(digits, first) % 11;
        if rest < 10 {
            rest
        } else {
            dot(digits, second) % 11 % 10
        }
    };
    let nine = |digits: &[u8]| {
        let check = twice(
            &digits[..8],
            &[1, 2, 3, 4, 5, 6, 7, 8],
            &[3, 4, 5, 6, 7, 8, 9, 10],
        );
        digits.iter().any(|&digit| digit > 0) && check == u32::from(digits[8])
    };
    match digits.len() {
        9 => nine(digits),
        13 => {
            nine(&digits[..9])
                && twice(&digits[8..12], &[2, 7, 3, 5], &[4, 9, 5, 7]) == u32::from(digits[12])
        }
        _ => false,
    }
}

/// ДДС номер (НАП): a legal entity's nine digits, or ten of a person, a foreigner or another.
fn vat(digits: &[u8]) -> bool {
    let other = |digits: &[u8]| {
        last_is(digits, &[4, 3, 2, 7, 6, 5, 4, 3, 2], |sum| {
            (11 - sum % 11) % 11
        })
    };
    match digits.len() {
        9 => bulstat(digits),
        10 => egn(digits) || foreigner(digits) || other(digits),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_examples() {
        assert!(egn(&digits("7523169263")) && egn(&digits("8032056031")));
        assert!(!egn(&digits("7552010004")) && !egn(&digits("8019010008")));
        assert!(foreigner(&digits("7111042925")) && !foreigner(&digits("7111042922")));
        assert!(vat(&digits("BG 175 074 752")) && !vat(&digits("175074751")));
    }
}
