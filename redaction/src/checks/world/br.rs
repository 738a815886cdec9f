//! Brazil.

use crate::checks::{
    Table,
    algorithms::{as_digits, characters, digits, dot, last_is, number, uniform, weighted},
    whole,
};

pub(super) const CHECKS: Table = &[
    ("br_cpf", |text| whole(text, cpf(&digits(text)))),
    ("br_cnpj", |text| whole(text, cnpj(&characters(text)))),
    ("br_pis", |text| whole(text, pis(&digits(text)))),
    ("br_cnh", |text| whole(text, cnh(&digits(text)))),
    ("br_titulo", |text| whole(text, titulo(&digits(text)))),
    ("br_cns", |text| whole(text, cns(&digits(text)))),
    ("br_rg_sp", |text| whole(text, rg_sp(&characters(text)))),
];

/// The Receita Federal's modulo 11: what is missing to a multiple of 11, 0 for 10 and 11.
fn modulo_11(sum: u32) -> u32 {
    match sum % 11 {
        0 | 1 => 0,
        rest => 11 - rest,
    }
}

/// Cadastro de Pessoas Físicas (Receita Federal, IN RFB 1548/2015): nine digits and two check
/// digits.
fn cpf(digits: &[u8]) -> bool {
    digits.len() == 11
        && last_is(&digits[..10], &[10, 9, 8, 7, 6, 5, 4, 3, 2], modulo_11)
        && last_is(digits, &[11, 10, 9, 8, 7, 6, 5, 4, 3, 2], modulo_11)
}

/// Cadastro Nacional da Pessoa Jurídica: twelve digits, or letters and digits since July 2026
/// (IN RFB 2229/2024: a character counts its ASCII code less 48), and two check digits.
fn cnpj(characters: &[u8]) -> bool {
    const WEIGHTS: [u32; 13] = [6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2];
    let sum = |weights: &[u32]| -> u32 {
        let values = characters
            .iter()
            .map(|character| u32::from(character - b'0'));
        values
            .zip(weights)
            .map(|(value, weight)| value * weight)
            .sum()
    };
    let [.., first, second] = characters else {
        return false;
    };
    characters.len() == 14
        && !uniform(characters)
        && modulo_11(sum(&WEIGHTS[1..])) == u32::from(first - b'0')
        && modulo_11(sum(&WEIGHTS)) == u32::from(second - b'0')
}

/// PIS, PASEP, NIT and NIS (Caixa, INSS), and the RENAVAM of vehicles (Senatran): ten digits and
/// a check digit.
fn pis(digits: &[u8]) -> bool {
    last_is(digits, &[3, 2, 9, 8, 7, 6, 5, 4, 3, 2], modulo_11)
}

/// Carteira Nacional de Habilitação (Senatran): nine digits and two check digits; where the first
/// would be 10, it is 0 and the second falls by 2.
fn cnh(digits: &[u8]) -> bool {
    if digits.len() != 11 || uniform(&digits[..9]) {
        return false;
    }
    let first = dot(digits, &[9, 8, 7, 6, 5, 4, 3, 2, 1]) % 11;
    let second = dot(digits, &[1, 2, 3, 4, 5, 6, 7, 8, 9]) % 11;
    let second = match (first, second) {
        (_, 10) => 0,
        (10, second) => (second + 9) % 11 % 10,
        (_, second) => second,
    };
    first % 10 == u32::from(digits[9]) && second == u32::from(digits[10])
}

/// Título de eleitor (TSE, Resolução 21.538/2003): eight digits, the state from 01 to 28, and two
/// check digits; São Paulo and Minas Gerais (01 and 02) write 1 where the others write 0.
fn titulo(digits: &[u8]) -> bool {
    if digits.len() != 12 {
        return false;
    }
    let state = number(&digits[8..10]);
    let check = |sum: u32| match sum % 11 {
        0 if state <= 2 => 1,
        rest => rest % 10,
    };
    (1..=28).contains(&state)
        && check(dot(digits, &[2, 3, 4, 5, 6, 7, 8, 9])) == u32::from(digits[10])
        && check(dot(&digits[8..11], &[7, 8, 9])) == u32::from(digits[11])
}

/// Cartão Nacional de Saúde (Ministério da Saúde, DATASUS): fifteen digits that begin with 1, 2,
/// 7, 8 or 9 and whose weighted sum is a multiple of 11.
fn cns(digits: &[u8]) -> bool {
    matches!(digits, [1 | 2 | 7..=9, ..])
        && weighted(
            digits,
            &[15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1],
            11,
        )
}

/// Registro Geral of São Paulo (SSP-SP): eight digits, and a check digit, X for 10, that brings
/// the weighted sum to a multiple of 11.
fn rg_sp(characters: &[u8]) -> bool {
    let Some((check, rest)) = characters.split_last() else {
        return false;
    };
    let check = match check {
        b'X' => 10,
        digit => u32::from(digit.wrapping_sub(b'0')),
    };
    as_digits(rest).is_some_and(|digits| {
        digits.len() == 8
            && check <= 10
            && !uniform(&digits)
            && (dot(&digits, &[2, 3, 4, 5, 6, 7, 8, 9]) + check).is_multiple_of(11)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_examples() {
        assert!(cpf(&digits("390.533.447-05")) && !cpf(&digits("231.002.999-01")));
        assert!(!cpf(&digits("111.111.111-11")));
        assert!(
            cnpj(&characters("16.727.230/0001-97")) && !cnpj(&characters("16.727.230/0001-98"))
        );
        // Receita Federal, "CNPJ alfanumérico", perguntas e respostas.
        assert!(
            cnpj(&characters("12.ABC.345/01DE-35")) && !cnpj(&characters("12.ABC.345/01DE-36"))
        );
        assert!(pis(&digits("123.45678.91-9")) && !pis(&digits("123.45678.91-8")));
        assert!(cnh(&digits("69044271146")) && !cnh(&digits("69044271147")));
        assert!(titulo(&digits("1023 8501 0671")) && !titulo(&digits("1023 8501 0672")));
        assert!(rg_sp(&characters("24.678.131-2")) && !rg_sp(&characters("24.678.131-3")));
    }

    #[test]
    fn a_health_card_is_a_multiple_of_eleven() {
        let cards = (0..10)
            .filter(|last| cns(&digits(&format!("89800000000000{last}"))))
            .count();
        assert!(cards <= 1);
        assert!(!cns(&digits("398000000000000")));
    }
}
