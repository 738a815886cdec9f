//! Austria.

use crate::checks::algorithms::{characters, digits, dot, is_recent_day, luhn, pair};

table! {
    "at_svnr": digits svnr,
    "at_tin": digits tin,
    "at_uid": characters uid,
}

/// Sozialversicherungsnummer (ASVG § 31, Dachverband): check digit in place 4, modulo 11, then the
/// birth date DDMMYY; months 13 to 15 stand in where the day's numbers have run out.
fn svnr(digits: &[u8]) -> bool {
    if digits.len() != 10 || digits[0] == 0 {
        return false;
    }
    let sum = dot(digits, &[3, 7, 9, 0, 5, 8, 4, 2, 1, 6]);
    let (day, month, year) = (pair(digits, 4), pair(digits, 6), pair(digits, 8));
    sum % 11 == u32::from(digits[3])
        && (is_recent_day(year, month, day) || (13..=15).contains(&month) && day <= 31)
}

/// Abgabenkontonummer (BMF): two digits of the office, six of the account, a Luhn digit.
fn tin(digits: &[u8]) -> bool {
    digits.len() == 9 && luhn(digits)
}

/// UID (BMF, "Aufbau der UID-Nummern"): U, seven digits and Luhn's sum taken from 96.
fn uid(characters: &[u8]) -> bool {
    let number = characters.strip_prefix(b"AT").unwrap_or(characters);
    let Some(number) = number.strip_prefix(b"U") else {
        return false;
    };
    let Some(digits) = super::exactly(number, 8) else {
        return false;
    };
    // Luhn's sum with 4 added to it: the same as for a number led by one more digit.
    let sum: u32 = (0..7)
        .map(|at| {
            let digit = u32::from(digits[at]);
            if at % 2 == 1 {
                digit * 2 / 10 + digit * 2 % 10
            } else {
                digit
            }
        })
        .sum();
    (96 - sum) % 10 == u32::from(digits[7])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_examples() {
        assert!(svnr(&digits("1237 010180")) && !svnr(&digits("2237 010180")));
        assert!(tin(&digits("59-119/9013")) && !tin(&digits("59-119/9012")));
        assert!(uid(b"ATU13585627") && uid(b"U13585627") && !uid(b"U13585626"));
    }
}
