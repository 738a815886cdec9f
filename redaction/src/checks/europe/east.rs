//! Russia, Ukraine, Belarus, Turkey, Azerbaijan.

use crate::checks::algorithms::{base36, characters, digits, dot, is_day, last_is, number, pair};

table! {
    "ru_inn": digits inn,
    "ru_ogrn": digits ogrn,
    "ru_snils": digits snils,
    "ua_rntrc": digits ukrainian_taxpayer,
    "ua_edrpou": digits ukrainian_company,
    "ua_unzr": digits ukrainian_register,
    "by_unp": characters belarusian_taxpayer,
    "by_person": characters belarusian_person,
    "tr_tckn": digits turkish_person,
    "tr_vkn": digits turkish_taxpayer,
    "az_voen": digits azerbaijani_taxpayer,
}

/// ИНН (приказ ФНС ММВ-7-6/435@): ten digits of bodies, twelve of people with two check digits,
/// modulo 11.
fn inn(digits: &[u8]) -> bool {
    let check = |sum: u32| sum % 11 % 10;
    match digits.len() {
        10 => last_is(digits, &[2, 4, 10, 3, 5, 9, 4, 6, 8], check),
        12 => {
            last_is(&digits[..11], &[7, 2, 4, 10, 3, 5, 9, 4, 6, 8], check)
                && last_is(digits, &[3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8], check)
        }
        _ => false,
    }
}

/// ОГРН, thirteen digits, and ОГРНИП, fifteen (постановление 438): the number before the check
/// digit modulo 11 or 13.
fn ogrn(digits: &[u8]) -> bool {
    let Some((&last, body)) = digits.split_last() else {
        return false;
    };
    let modulus = match digits.len() {
        13 => 11,
        15 => 13,
        _ => return false,
    };
    digits[0] > 0 && number(body) % modulus % 10 == u64::from(last)
}

/// СНИЛС (постановление Правления ПФР 192п): weights 9 to 1, modulo 101, 100 counting as 0;
/// numbers up to 001-001-998 have no check digits.
fn snils(digits: &[u8]) -> bool {
    digits.len() == 11
        && number(&digits[..9]) > 1_001_998
        && dot(digits, &[9, 8, 7, 6, 5, 4, 3, 2, 1]) % 101 % 100 == pair(digits, 9)
}

/// РНОКПП (Податковий кодекс України, ст. 70): days of the birth date since 1899, serial, weights
/// modulo 11 of which the first is -1.
fn ukrainian_taxpayer(digits: &[u8]) -> bool {
    last_is(digits, &[10, 5, 7, 9, 4, 6, 10, 5, 7], |sum| sum % 11 % 10)
}

/// ЄДРПОУ (Держстат): weights 1 to 7, or 7, 1 to 6 between 30 and 60 millions; two more each where
/// that leaves ten.
fn ukrainian_company(digits: &[u8]) -> bool {
    if digits.len() != 8 || number(digits) == 0 {
        return false;
    }
    let first: [u32; 7] = match digits[0] {
        3..=5 => [7, 1, 2, 3, 4, 5, 6],
        _ => [1, 2, 3, 4, 5, 6, 7],
    };
    let check = match dot(digits, &first) % 11 {
        10 => dot(digits, &first.map(|weight| weight + 2)) % 11 % 10,
        check => check,
    };
    check == u32::from(digits[7])
}

/// УНЗР (Закон про Єдиний державний демографічний реєстр): birth date YYYYMMDD, serial, weights
/// 7, 3, 1 modulo 10.
fn ukrainian_register(digits: &[u8]) -> bool {
    last_is(digits, &[7, 3, 1, 7, 3, 1, 7, 3, 1, 7, 3, 1], |sum| {
        sum % 10
    }) && is_day(
        number(&digits[..4]) as u32,
        pair(digits, 4),
        pair(digits, 6),
    )
}

/// УНП (Налоговый кодекс Республики Беларусь): nine digits, of people with two letters first,
/// weights modulo 11.
fn belarusian_taxpayer(characters: &[u8]) -> bool {
    const WEIGHTS: [u32; 8] = [29, 23, 19, 17, 13, 7, 5, 3];
    let (9, [first, second, rest @ ..]) = (characters.len(), characters) else {
        return false;
    };
    let second = match (first.is_ascii_digit(), second) {
        (true, digit @ b'0'..=b'9') => u32::from(digit - b'0'),
        (false, letter) => match b"ABCEHKMOPT".iter().position(|known| known == letter) {
            Some(place) => place as u32,
            None => return false,
        },
        _ => return false,
    };
    let Some(rest) = super::exactly(rest, 7) else {
        return false;
    };
    let sum = base36(*first) * WEIGHTS[0] + second * WEIGHTS[1] + dot(&rest[..6], &WEIGHTS[2..]);
    b"1234567ABCEHKM".contains(first) && sum % 11 == u32::from(rest[6])
}

/// Личный номер (закон о регистре населения): sex and century, birth date DDMMYY, region's letter,
/// serial, citizenship, a check digit with weights 7, 3, 1 modulo 10.
fn belarusian_person(characters: &[u8]) -> bool {
    let (14, Some((&last @ b'0'..=b'9', body))) = (characters.len(), characters.split_last())
    else {
        return false;
    };
    let sum: u32 = body
        .iter()
        .zip([7, 3, 1].into_iter().cycle())
        .map(|(&character, weight)| base36(character) * weight)
        .sum();
    sum % 10 == u32::from(last - b'0')
}

/// T.C. kimlik numarası (5490 sayılı kanun): digits in odd and even places give the tenth, all ten
/// the eleventh.
fn turkish_person(digits: &[u8]) -> bool {
    if digits.len() != 11 || digits[0] == 0 {
        return false;
    }
    let odd = dot(digits, &[1, 0, 1, 0, 1, 0, 1, 0, 1]);
    let even = dot(digits, &[0, 1, 0, 1, 0, 1, 0, 1, 0]);
    (odd * 7 + 9 * even) % 10 == u32::from(digits[9])
        && (odd + even + u32::from(digits[9])) % 10 == u32::from(digits[10])
}

/// Vergi kimlik numarası (Gelir İdaresi Başkanlığı): each digit plus its place from the right,
/// times two to that place, modulo 9.
fn turkish_taxpayer(digits: &[u8]) -> bool {
    let (10, Some((&last, body))) = (digits.len(), digits.split_last()) else {
        return false;
    };
    let sum: u32 = (1..)
        .zip(body.iter().rev())
        .map(|(place, &digit)| match (u32::from(digit) + place) % 10 {
            0 => 0,
            value => match (value << place) % 9 {
                0 => 9,
                rest => rest,
            },
        })
        .sum();
    number(digits) > 0 && (10 - sum % 10) % 10 == u32::from(last)
}

/// VÖEN (Dövlət Vergi Xidməti): weights modulo 11 in place nine; the last digit says a body (1) or
/// a person (2).
fn azerbaijani_taxpayer(digits: &[u8]) -> bool {
    matches!((digits.len(), digits.last()), (10, Some(1 | 2)))
        && last_is(&digits[..9], &[4, 1, 8, 6, 2, 7, 5, 3], |sum| sum % 11)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_examples() {
        assert!(
            inn(&digits("1234567894"))
                && inn(&digits("123456789047"))
                && !inn(&digits("1234567895"))
        );
        assert!(ogrn(&digits("1022200525819")) && ogrn(&digits("385768585948949")));
        assert!(!ogrn(&digits("1022500001328")));
        assert!(snils(&digits("112-233-445 95")) && !snils(&digits("112-233-445 96")));
        assert!(
            ukrainian_taxpayer(&digits("1759013776")) && !ukrainian_taxpayer(&digits("1759013770"))
        );
        assert!(ukrainian_company(&digits("32855961")) && !ukrainian_company(&digits("32855968")));
        assert!(belarusian_taxpayer(b"200988541") && belarusian_taxpayer(b"MA1953684"));
        assert!(!belarusian_taxpayer(b"200988542"));
        assert!(turkish_person(&digits("17291716060")) && !turkish_person(&digits("17291716050")));
        assert!(
            turkish_taxpayer(&digits("4540536920")) && !turkish_taxpayer(&digits("4540536921"))
        );
        assert!(
            azerbaijani_taxpayer(&digits("1400057421"))
                && !azerbaijani_taxpayer(&digits("1400057424"))
        );
    }
}
