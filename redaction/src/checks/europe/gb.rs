//! The United Kingdom.

use crate::checks::algorithms::{
    characters, digits, dot, is_recent_day, last_is, number, pair, uniform,
};

table! {
    "gb_nhs": digits nhs,
    "gb_chi": digits chi,
    "gb_utr": digits utr,
    "gb_vat": characters vat,
    "gb_upn": characters upn,
    "gb_driver": characters driver,
}

/// NHS number (NHS Data Dictionary) of England and Wales, and the Health and Care number of
/// Northern Ireland: modulo 11.
fn nhs(digits: &[u8]) -> bool {
    last_is(digits, &[10, 9, 8, 7, 6, 5, 4, 3, 2], |sum| {
        (11 - sum % 11) % 11
    })
}

/// CHI number of Scotland: the NHS number's check digit behind a birth date DDMMYY.
fn chi(digits: &[u8]) -> bool {
    nhs(digits) && is_recent_day(pair(digits, 4), pair(digits, 2), pair(digits, 0))
}

/// Unique Taxpayer Reference (HMRC): the first digit checks the other nine, modulo 11.
fn utr(digits: &[u8]) -> bool {
    digits.len() == 10
        && !uniform(digits)
        && b"\x02\x01\x09\x08\x07\x06\x05\x04\x03\x02\x01"
            [(dot(&digits[1..], &[6, 7, 8, 9, 10, 5, 4, 3, 2]) % 11) as usize]
            == digits[0]
}

/// VAT registration number (HMRC, VATREG): nine digits, weighted sum a multiple of 97 or, since
/// 2010, 42 or 55 more; three more digits name a branch. GD and HA with three digits are government's
/// and health authorities'.
fn vat(characters: &[u8]) -> bool {
    let compact = [&b"GB"[..], b"XI"]
        .iter()
        .find_map(|prefix| characters.strip_prefix(*prefix))
        .unwrap_or(characters);
    if let [b'G', b'D', number @ ..] | [b'H', b'A', number @ ..] = compact {
        let below = compact[0] == b'G';
        return super::exactly(number, 3).is_some_and(|digits| (digits[0] < 5) == below);
    }
    let digits = match compact.len() {
        9 | 12 => super::exactly(compact, compact.len()),
        _ => None,
    };
    digits.is_some_and(|digits| {
        let sum = dot(&digits, &[8, 7, 6, 5, 4, 3, 2, 10, 1]);
        match sum % 97 {
            0 => number(&digits[..7]) > 0,
            42 | 55 => digits[0] > 0,
            _ => false,
        }
    })
}

/// Unique Pupil Number (Department for Education): a check letter of 23, then twelve digits; the
/// last of a temporary number is a letter.
fn upn(characters: &[u8]) -> bool {
    const LETTERS: &[u8; 23] = b"ABCDEFGHJKLMNPQRTUVWXYZ";
    let (13, Some((&check, body))) = (characters.len(), characters.split_first()) else {
        return false;
    };
    let value = |byte: u8| match byte {
        b'0'..=b'9' => Some(u32::from(byte - b'0')),
        _ => LETTERS
            .iter()
            .position(|&letter| letter == byte)
            .map(|at| at as u32),
    };
    let sum: Option<u32> = (2..)
        .zip(body)
        .map(|(weight, &byte)| Some(value(byte)? * weight))
        .sum();
    body[..11].iter().all(u8::is_ascii_digit)
        && sum.is_some_and(|sum| LETTERS[(sum % 23) as usize] == check)
}

/// Driver number (DVLA): behind five characters of the surname the decade of birth, the month (plus
/// 50 for women), the day, the last digit of the year.
fn driver(characters: &[u8]) -> bool {
    let Some(digits) = characters
        .get(5..11)
        .and_then(|digits| super::exactly(digits, 6))
    else {
        return false;
    };
    let year = u32::from(digits[0]) * 10 + u32::from(digits[5]);
    is_recent_day(year, pair(&digits, 1) % 50, pair(&digits, 3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_examples() {
        assert!(nhs(&digits("943 476 5919")) && !nhs(&digits("9434765918")));
        assert!(chi(&digits("010101 0001")) && !chi(&digits("943 476 5919")));
        assert!(utr(&digits("1955839661")) && !utr(&digits("2955839661")));
        assert!(vat(b"GB980780684") && vat(b"GD001") && !vat(b"802311781") && !vat(b"HA001"));
        assert!(driver(b"MORGA753116SM9IJ") && !driver(b"MORGA733116SM9IJ"));
        assert!(upn(b"B801200005001") && !upn(b"A801200005001"));
    }
}
