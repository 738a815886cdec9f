//! France and Monaco.

use crate::checks::algorithms::{as_digits, base36, characters, digits, luhn, number};

table! {
    "fr_nir": characters nir,
    "fr_nif": digits nif,
    "fr_siren": digits siren,
    "fr_siret": digits siret,
    "fr_vat": characters vat,
    "fr_rib": characters rib,
}

/// NIR (INSEE, décret 82-103): sex, year, month, department, commune, order, and 97 minus the rest
/// by 97; Corsica's 2A and 2B count 19 and 18.
fn nir(characters: &[u8]) -> bool {
    let mut bytes = [0; 15];
    if characters.len() != 15 {
        return false;
    }
    bytes.copy_from_slice(characters);
    match &characters[5..7] {
        b"2A" => bytes[5..7].copy_from_slice(b"19"),
        b"2B" => bytes[5..7].copy_from_slice(b"18"),
        _ => {}
    }
    let Some(digits) = as_digits(&bytes) else {
        return false;
    };
    // Months above 12 stand for unknown ones.
    let month = number(&digits[3..5]);
    matches!(digits[0], 1..=4 | 7 | 8)
        && (matches!(month, 1..=12 | 20 | 30..=42 | 50..))
        && 97 - number(&digits[..13]) % 97 == number(&digits[13..])
}

/// Numéro fiscal de référence (DGFiP): 0 to 3, nine digits, the rest of those ten by 511.
fn nif(digits: &[u8]) -> bool {
    digits.len() == 13 && digits[0] <= 3 && number(&digits[..10]) % 511 == number(&digits[10..])
}

/// SIREN (INSEE): nine digits, Luhn.
fn siren(digits: &[u8]) -> bool {
    digits.len() == 9 && luhn(digits)
}

/// SIRET (INSEE): a SIREN and five digits, Luhn over all; La Poste's establishments instead have
/// digits that add up to a multiple of five.
fn siret(digits: &[u8]) -> bool {
    let la_poste = number(digits) / 100_000 == 356_000_000;
    let sum: u32 = digits.iter().map(|&digit| u32::from(digit)).sum();
    digits.len() == 14
        && siren(&digits[..9])
        && (luhn(digits) || (la_poste && sum.is_multiple_of(5)))
}

/// Numéro de TVA (CGI annexe II art. 286 ter A): key of two characters and the SIREN, which for
/// Monaco begins with 000. A key of digits is 12 plus three times the SIREN's rest, modulo 97; one
/// with a letter counts in base 34 and by 11.
fn vat(characters: &[u8]) -> bool {
    let compact = characters.strip_prefix(b"FR").unwrap_or(characters);
    let Some((&[first, second], rest)) = compact.split_first_chunk::<2>() else {
        return false;
    };
    let Some(digits) = super::exactly(rest, 9) else {
        return false;
    };
    let siren_number = number(&digits);
    if !(siren(&digits) || siren_number < 1_000_000) {
        return false;
    }
    // Without I and O, which look like digits.
    let place = |byte: u8| match byte {
        b'0'..=b'9' => Some(u64::from(byte - b'0')),
        b'A'..=b'H' => Some(u64::from(byte - b'A') + 10),
        b'J'..=b'N' => Some(u64::from(byte - b'J') + 18),
        b'P'..=b'Z' => Some(u64::from(byte - b'P') + 23),
        _ => None,
    };
    let (Some(a), Some(b)) = (place(first), place(second)) else {
        return false;
    };
    match (a < 10, b < 10) {
        (true, true) => a * 10 + b == (12 + 3 * (siren_number % 97)) % 97,
        (first_digit, _) => {
            let key = if first_digit {
                a * 24 + b - 10
            } else {
                a * 34 + b - 100
            };
            (siren_number + 1 + key / 11) % 11 == key % 11
        }
    }
}

/// RIB (CFONB): bank, counter, account (letters count 1 to 9 in turn) and the key modulo 97.
fn rib(characters: &[u8]) -> bool {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => u64::from(byte - b'0'),
        b'A'..=b'I' => u64::from(byte - b'A') + 1,
        b'J'..=b'R' => u64::from(byte - b'J') + 1,
        _ => u64::from(base36(byte)) - 28 + 2,
    };
    characters.len() == 23
        && characters[..10]
            .iter()
            .chain(&characters[21..])
            .all(u8::is_ascii_digit)
        && characters
            .iter()
            .fold(0, |rest, &byte| (rest * 10 + digit(byte)) % 97)
            == 0
        && characters.iter().any(|&byte| byte != b'0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_examples() {
        assert!(nir(b"295109912611193") && nir(b"253072B07300470") && !nir(b"295109912611199"));
        assert!(nif(&digits("30 23 217 600 053")) && !nif(&digits("3023217600054")));
        assert!(siren(&digits("552 008 443")) && !siren(&digits("552008442")));
        assert!(siret(&digits("732 829 320 00074")) && siret(&digits("35600000049837")));
        assert!(vat(b"FR40303265045") && vat(b"FR23334175221") && !vat(b"FR84323140391"));
        assert!(vat(b"K7399859412") && vat(b"FR53000004605"));
        assert!(rib(b"20041010050500013M02606") && !rib(b"20041010050500013M02607"));
    }
}
