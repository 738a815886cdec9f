//! Identifiers of international standards.

use super::algorithms::{base36, characters, luhn, mod11_2, mod97_10, raw};

table! {
    "lei": characters lei,
    "isin": characters isin,
    "isni": characters isni,
    "mrz_passport": raw mrz_passport,
    "mrz_card": raw mrz_card,
}

/// ISO 17442 legal entity identifier: 18 letters and digits, ISO 7064 MOD 97-10. One without
/// letters is taken for another number.
fn lei(characters: &[u8]) -> bool {
    characters.len() == 20
        && characters.iter().any(u8::is_ascii_uppercase)
        && characters.iter().any(|byte| matches!(byte, b'1'..=b'9'))
        && mod97_10(characters)
}

/// ISO 6166 securities identification number: a country, nine letters or digits, Luhn over the
/// digits that the characters spell in base 36.
fn isin(characters: &[u8]) -> bool {
    let mut spelled = [0; 24];
    let mut len = 0;
    for &byte in characters.iter().take(12) {
        let value = base36(byte) as u8;
        if value > 9 {
            spelled[len] = value / 10;
            len += 1;
        }
        spelled[len] = value % 10;
        len += 1;
    }
    characters.len() == 12
        && characters[..2].iter().all(u8::is_ascii_uppercase)
        && characters[11].is_ascii_digit()
        && luhn(&spelled[..len])
}

/// ISO 27729 name identifier, of which ORCID is a part: sixteen digits, ISO 7064 MOD 11-2.
fn isni(characters: &[u8]) -> bool {
    characters.len() == 16 && mod11_2(characters)
}

/// ICAO Doc 9303 part 3: weights 7, 3, 1 modulo 10; `<` counts 0.
fn field(parts: &[&[u8]], check: u8) -> bool {
    let sum: u32 = parts
        .iter()
        .flat_map(|part| part.iter())
        .zip([7, 3, 1].into_iter().cycle())
        .map(|(&byte, weight)| {
            if byte == b'<' {
                0
            } else {
                base36(byte) * weight
            }
        })
        .sum();
    check.is_ascii_digit() && sum % 10 == u32::from(check - b'0')
}

/// The second line of a passport (ICAO Doc 9303 part 4, TD3): number, birth date and expiry, each
/// with its check digit, and one over all.
fn mrz_passport(text: &str) -> bool {
    let line = text.as_bytes();
    line.len() == 44
        && line
            .iter()
            .all(|&byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'<')
        && field(&[&line[..9]], line[9])
        && field(&[&line[13..19]], line[19])
        && field(&[&line[21..27]], line[27])
        && field(&[&line[..10], &line[13..20], &line[21..43]], line[43])
}

/// The first line of an identity card (ICAO Doc 9303 part 5, TD1): the document number with its
/// check digit.
fn mrz_card(text: &str) -> bool {
    let line = text.as_bytes();
    line.len() == 30
        && line
            .iter()
            .all(|&byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'<')
        && field(&[&line[5..14]], line[14])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_examples() {
        assert!(lei(b"213800KUD8LAJWSQ9D15") && !lei(b"213800KUD8LXJWSQ9D15"));
        assert!(isin(b"US0378331005") && !isin(b"US0378331006"));
        assert!(
            isni(b"0000000218250097") && isni(b"000000012281955X") && !isni(b"0000000218250096")
        );
        // The specimens of ICAO Doc 9303 parts 4 and 5.
        assert!(mrz_passport("L898902C36UTO7408122F1204159ZE184226B<<<<<10"));
        assert!(!mrz_passport(
            "L898902C36UTO7408122F1204158ZE184226B<<<<<10"
        ));
        assert!(mrz_card("I<UTOD231458907<<<<<<<<<<<<<<<"));
        assert!(
            !mrz_card("I<UTOD231458908<<<<<<<<<<<<<<<")
                && !mrz_card("I<UTOÉ31458908<<<<<<<<<<<<<<<")
        );
    }
}
