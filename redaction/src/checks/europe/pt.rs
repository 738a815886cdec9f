//! Portugal.

use crate::checks::algorithms::{base36, characters, digits, last_is, mod97_10, uniform};

table! {
    "pt_nif": digits nif,
    "pt_cc": characters citizen_card,
    "pt_niss": digits social_security,
    "pt_nib": characters bank_account,
}

/// NIF (Decreto-Lei 14/2013): weights 9 to 2 modulo 11.
fn nif(digits: &[u8]) -> bool {
    digits.first() != Some(&0)
        && last_is(digits, &[9, 8, 7, 6, 5, 4, 3, 2], |sum| {
            (11 - sum % 11) % 11 % 10
        })
}

/// Cartão de cidadão (Lei 7/2007; IRN, "Validação de Número de Documento"): Luhn over letters and
/// digits, where letters count from 10 and a doubled value above 9 loses 9.
fn citizen_card(characters: &[u8]) -> bool {
    let sum: u32 = characters
        .iter()
        .enumerate()
        .map(|(at, &character)| match (at % 2, base36(character)) {
            (0, value) if value > 4 => value * 2 - 9,
            (0, value) => value * 2,
            (_, value) => value,
        })
        .sum();
    let [first @ .., _, _, last] = characters else {
        return false;
    };
    characters.len() == 12
        && first.iter().chain([last]).all(u8::is_ascii_digit)
        && sum.is_multiple_of(10)
}

/// NISS (Segurança Social): weights of primes, complement to 9 modulo 10.
fn social_security(digits: &[u8]) -> bool {
    matches!(digits.first(), Some(1 | 2))
        && last_is(digits, &[29, 23, 19, 17, 13, 11, 7, 5, 3, 2], |sum| {
            9 - sum % 10
        })
}

/// NIB (Banco de Portugal): 21 digits, ISO 7064 MOD 97-10.
fn bank_account(characters: &[u8]) -> bool {
    characters.len() == 21 && !uniform(characters) && mod97_10(characters)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_examples() {
        assert!(nif(&digits("PT 501 964 843")) && !nif(&digits("501964842")));
        assert!(citizen_card(b"000000000ZZ4") && !citizen_card(b"000000000ZZ3"));
        // Made up: the weighted sum of ten digits ends in 7.
        assert!(
            social_security(&digits("12345678902")) && !social_security(&digits("12345678903"))
        );
        // The digits of the IBAN PT50 0002 0123 1234 5678 9015 4 of the SWIFT registry.
        assert!(bank_account(b"000201231234567890154") && !bank_account(b"000201231234567890155"));
    }
}
