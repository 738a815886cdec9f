//! Greece and Cyprus.

use crate::checks::algorithms::{characters, digits, is_recent_day, luhn, pair, uniform};

table! {
    "gr_afm": digits afm,
    "gr_amka": digits amka,
    "cy_tic": characters cypriot_tax,
}

/// ΑΦΜ (ΑΑΔΕ): digits weighted by powers of two, modulo 11.
fn afm(digits: &[u8]) -> bool {
    let Some((&last, body)) = digits.split_last() else {
        return false;
    };
    let sum = body
        .iter()
        .fold(0u32, |sum, &digit| sum * 2 + u32::from(digit))
        * 2;
    body.len() == 8 && !uniform(digits) && sum % 11 % 10 == u32::from(last)
}

/// ΑΜΚΑ (ν. 3655/2008): birth date DDMMYY, serial, Luhn.
fn amka(digits: &[u8]) -> bool {
    digits.len() == 11
        && luhn(digits)
        && is_recent_day(pair(digits, 4), pair(digits, 2), pair(digits, 0))
}

/// ΑΦΤ of Cyprus (Tax Department): eight digits and a letter: the digits in even places as they
/// are, those in odd places by a table, modulo 26.
fn cypriot_tax(characters: &[u8]) -> bool {
    const ODD: [u32; 10] = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21];
    let compact = characters.strip_prefix(b"CY").unwrap_or(characters);
    let Some((&letter, body)) = compact.split_last() else {
        return false;
    };
    super::exactly(body, 8).is_some_and(|digits| {
        let value = |(at, &digit): (usize, &u8)| match at % 2 {
            0 => ODD[usize::from(digit)],
            _ => u32::from(digit),
        };
        let sum: u32 = digits.iter().enumerate().map(value).sum();
        !digits.starts_with(&[1, 2]) && letter == b'A' + (sum % 26) as u8
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_examples() {
        assert!(
            !afm(&digits("23456783")) && afm(&digits("094259216")) && !afm(&digits("123456781"))
        );
        assert!(amka(&digits("01013099997")) && !amka(&digits("01013099999")));
        assert!(cypriot_tax(b"CY10259033P") && !cypriot_tax(b"10259033Z"));
    }
}
