//! Romania and Moldova.

use crate::checks::algorithms::{characters, digits, dot, is_day, last_is, number, pair};

table! {
    "ro_cnp": digits cnp,
    "ro_cui": digits cui,
    "ro_onrc": characters trade_register,
    "md_idno": digits moldovan,
}

/// CNP (Legea 105/1996): sex and century, birth date YYMMDD, county, serial, weights modulo 11.
fn cnp(digits: &[u8]) -> bool {
    let check = |sum: u32| match sum % 11 {
        10 => 1,
        check => check,
    };
    if digits.first() == Some(&0) || !last_is(digits, &[2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9], check)
    {
        return false;
    }
    let (year, month, day) = (pair(digits, 1), pair(digits, 3), pair(digits, 5));
    let born = |century: u32| is_day(century + year, month, day);
    let dated = match digits[0] {
        3 | 4 => born(1800),
        5 | 6 => born(2000),
        1 | 2 => born(1900),
        _ => born(1900) || born(2000),
    };
    dated && matches!(pair(digits, 7), 1..=52 | 70 | 80..=83 | 90..=99)
}

/// CUI, CIF (OUG 116/2009): up to nine digits and a check digit, weights 7, 5, 3, 2, 1 from the
/// right, ten times the sum modulo 11.
fn cui(digits: &[u8]) -> bool {
    const WEIGHTS: [u32; 9] = [7, 5, 3, 2, 1, 7, 5, 3, 2];
    let Some((&last, body)) = digits.split_last() else {
        return false;
    };
    (1..=9).contains(&body.len())
        && body[0] > 0
        && dot(body, &WEIGHTS[9 - body.len()..]) * 10 % 11 % 10 == u32::from(last)
}

/// Trade register number since 2024 (Ordin 2478/C/2024): J, F or C, year, serial, county, and the
/// sum of the digits modulo 10, where the letter counts by its code's last digit.
fn trade_register(characters: &[u8]) -> bool {
    let (14, Some((&letter @ (b'J' | b'F' | b'C'), body))) =
        (characters.len(), characters.split_first())
    else {
        return false;
    };
    super::exactly(body, 13).is_some_and(|digits| {
        let sum: u32 = digits[..12].iter().map(|&digit| u32::from(digit)).sum();
        matches!(number(&digits[..4]), 1990..=2100)
            && matches!(pair(&digits, 10), 0..=52)
            && (sum + u32::from(letter % 10)) % 10 == u32::from(digits[12])
    })
}

/// IDNP and IDNO of Moldova (Hotărîrea Guvernului 333/2002): weights 7, 3, 1 modulo 10.
fn moldovan(digits: &[u8]) -> bool {
    last_is(digits, &[7, 3, 1, 7, 3, 1, 7, 3, 1, 7, 3, 1], |sum| {
        sum % 10
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_examples() {
        assert!(cnp(&digits("1630615123457")) && !cnp(&digits("1630615123458")));
        assert!(
            cui(&digits("RO 185 472 90")) && cui(&digits("18547290")) && !cui(&digits("18547291"))
        );
        assert!(moldovan(&digits("1008600038413")) && !moldovan(&digits("1008600038412")));
        assert!(!trade_register(b"J2012000750529X"));
    }
}
