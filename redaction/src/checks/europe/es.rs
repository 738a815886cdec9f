//! Spain and Andorra.

use crate::checks::algorithms::{characters, digits, dot, number};

table! {
    "es_dni": characters dni,
    "es_nif": characters nif,
    "es_cif": characters cif,
    "es_nss": digits nss,
    "es_ccc": digits ccc,
    "es_cadastre": characters cadastre,
    "es_cups": characters cups,
}

/// DNI and NIE (Orden INT/2058/2008): eight digits (a leading X, Y, Z counts 0, 1, 2) and the
/// letter of the remainder by 23.
fn dni(characters: &[u8]) -> bool {
    let Some((&letter, body)) = characters.split_last() else {
        return false;
    };
    let (lead, rest) = match body.split_first() {
        Some((&first @ b'X'..=b'Z', rest)) => (u64::from(first - b'X'), super::exactly(rest, 7)),
        _ => (0, super::exactly(body, 8)),
    };
    rest.is_some_and(|digits| letter_of(lead * 10_000_000 + number(&digits)) == letter)
}

fn letter_of(number: u64) -> u8 {
    b"TRWAGMYFPDXBNJZSQVHLCKE"[(number % 23) as usize]
}

/// The tax number of anybody (Orden EHA/451/2008): a DNI or NIE, K, L or M with seven digits and
/// the DNI's letter, or a company's CIF; ES may lead.
fn nif(characters: &[u8]) -> bool {
    let compact = characters.strip_prefix(b"ES").unwrap_or(characters);
    let foreign = || match compact {
        [b'K' | b'L' | b'M', digits @ .., letter] => {
            super::exactly(digits, 7).is_some_and(|digits| letter_of(number(&digits)) == *letter)
        }
        _ => false,
    };
    dni(compact) || cif(compact) || foreign()
}

/// CIF (Orden EHA/451/2008): the legal form's letter, seven digits, Luhn's digit, which some forms
/// must and others may write as a letter (J is 0, A is 1 …).
fn cif(characters: &[u8]) -> bool {
    let [
        b'A'..=b'J' | b'N' | b'P'..=b'S' | b'U'..=b'W',
        middle @ ..,
        control,
    ] = characters
    else {
        return false;
    };
    let Some(digits) = super::exactly(middle, 7) else {
        return false;
    };
    let sum: u32 = digits
        .iter()
        .enumerate()
        .map(|(at, &digit)| {
            let digit = u32::from(digit);
            if at % 2 == 0 {
                digit * 2 / 10 + digit * 2 % 10
            } else {
                digit
            }
        })
        .sum();
    let check = ((10 - sum % 10) % 10) as u8;
    *control == b'0' + check || *control == b"JABCDEFGHI"[usize::from(check)]
}

/// Número de la Seguridad Social (TGSS): province, eight digits (leading zeros left out of the
/// sum), the rest by 97.
fn nss(digits: &[u8]) -> bool {
    if digits.len() != 12 {
        return false;
    }
    let (province, serial) = (number(&digits[..2]), number(&digits[2..10]));
    let body = match serial < 10_000_000 {
        true => province * 10_000_000 + serial,
        false => province * 100_000_000 + serial,
    };
    matches!(province, 1..=53 | 66) && serial > 0 && body % 97 == number(&digits[10..])
}

/// Código cuenta cliente (AEB): bank and branch with a check digit, account with a check digit,
/// both modulo 11.
fn ccc(digits: &[u8]) -> bool {
    const WEIGHTS: [u32; 10] = [1, 2, 4, 8, 5, 10, 9, 7, 3, 6];
    let check = |sum: u32| match 11 - sum % 11 {
        11 => 0,
        10 => 1,
        digit => digit,
    };
    digits.len() == 20
        && number(&digits[..8]) > 0
        && check(dot(&digits[..8], &WEIGHTS[2..])) == u32::from(digits[8])
        && check(dot(&digits[10..], &WEIGHTS)) == u32::from(digits[9])
}

/// Referencia catastral (Dirección General del Catastro): 14 characters of the plot, four digits
/// of the property, two check letters, each over one half of the plot and the property.
fn cadastre(characters: &[u8]) -> bool {
    const WEIGHTS: [u32; 11] = [13, 15, 12, 5, 4, 17, 9, 21, 3, 7, 1];
    if characters.len() != 20 {
        return false;
    }
    // The Spanish alphabet, with an Ñ after N.
    let value = |byte: u8| match byte {
        b'0'..=b'9' => u32::from(byte - b'0'),
        b'A'..=b'N' => u32::from(byte - b'A') + 1,
        _ => u32::from(byte - b'A') + 2,
    };
    let letter = |half: &[u8]| {
        let sum: u32 = half
            .iter()
            .chain(&characters[14..18])
            .zip(WEIGHTS)
            .map(|(&byte, weight)| value(byte) * weight)
            .sum();
        b"MQWERTYUIOPASDFGHJKLBZX"[(sum % 23) as usize]
    };
    letter(&characters[..7]) == characters[18] && letter(&characters[7..14]) == characters[19]
}

/// CUPS (Red Eléctrica): ES, 16 digits, two letters of the rest by 529, and for some a point.
fn cups(characters: &[u8]) -> bool {
    let Some(body) = characters.strip_prefix(b"ES") else {
        return false;
    };
    let (20 | 22, Some(digits)) = (
        characters.len(),
        body.get(..16).and_then(|digits| super::exactly(digits, 16)),
    ) else {
        return false;
    };
    let rest = number(&digits) % 529;
    letter_of(rest / 23) == body[16] && letter_of(rest % 23) == body[17]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_examples() {
        assert!(dni(b"54362315K") && dni(b"X2482300W") && !dni(b"54362315Z"));
        assert!(nif(b"ESB58378431") && nif(b"M1234567L") && !nif(b"B64717839"));
        assert!(cif(b"A13585625") && cif(b"J99216582") && !cif(b"J99216583"));
        assert!(nss(&digits("28/12345678/40")) && !nss(&digits("281234567841")));
        assert!(ccc(&digits("1234-1234-16 1234567890")) && !ccc(&digits("12341234161234567891")));
        assert!(cadastre(b"7837301VG8173B0001TT") && !cadastre(b"7837301/VG8173B 0001 TX"));
        assert!(cups(b"ES1234123456789012JY") && cups(b"ES1234123456789012JY1F"));
        assert!(!cups(b"ES1234123456789012XY"));
    }
}
