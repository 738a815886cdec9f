//! Czechia and Slovakia.

use crate::checks::algorithms::{digits, dot, is_day, last_is, number, pair, raw};

table! {
    "cz_birth_number": digits birth_number,
    "cz_ico": digits organisation,
    "cz_vat": digits vat,
    "cz_account": raw account,
    "sk_vat": digits slovak_vat,
}

/// Rodné číslo (zákon č. 133/2000 Sb., zákon č. 301/1995 Z. z.): birth date YYMMDD, whose month
/// women raise by 50 and full days by 20 more; since 1954 ten digits that 11 divides, or whose
/// first nine leave ten and are followed by 0.
fn birth_number(digits: &[u8]) -> bool {
    if !matches!(digits.len(), 9 | 10) {
        return false;
    }
    let (short, year) = (digits.len() == 9, pair(digits, 0));
    let century = if short || year >= 54 { 1900 } else { 2000 };
    let month = pair(digits, 2) % 50 % 20;
    if !is_day(century + year, month, pair(digits, 4)) {
        return false;
    }
    match short {
        true => year < 54 && number(&digits[6..]) > 0,
        false => number(&digits[..9]) % 11 % 10 == u64::from(digits[9]),
    }
}

/// IČO (ČSÚ, ŠÚ SR): weights 8 to 2 modulo 11.
fn organisation(digits: &[u8]) -> bool {
    last_is(digits, &[8, 7, 6, 5, 4, 3, 2], |sum| {
        match (11 - sum % 11) % 11 {
            0 => 1,
            check => check % 10,
        }
    })
}

/// DIČ (zákon č. 280/2009 Sb.): an IČO, a birth number, or nine digits after a 6 of who has neither.
fn vat(digits: &[u8]) -> bool {
    // The weighted sum s of the seven digits gives (8 - (10 - s) mod 11) mod 10.
    let special = |digits: &[u8]| {
        digits[0] == 6
            && last_is(&digits[1..], &[8, 7, 6, 5, 4, 3, 2], |sum| {
                let rest = (21 - sum % 11) % 11;
                (18 - rest) % 10
            })
    };
    match digits.len() {
        8 => digits[0] != 9 && organisation(digits),
        9 => special(digits) || birth_number(digits),
        _ => birth_number(digits),
    }
}

/// Account number (vyhláška ČNB č. 169/2011 Sb.): a prefix of up to six digits, a number of two to
/// ten, each weighted modulo 11, and the code of a bank of either country.
fn account(text: &str) -> bool {
    let Some((account, bank)) = text.split_once('/') else {
        return false;
    };
    let (prefix, account) = account.split_once('-').unwrap_or(("", account));
    let sound = |part: &str, weights: &[u32]| {
        let digits = digits(part);
        digits.len() <= weights.len()
            && dot(&digits, &weights[weights.len() - digits.len()..]).is_multiple_of(11)
    };
    let account_digits = digits(account);
    BANKS.binary_search(&bank).is_ok()
        && account_digits.len() >= 2
        && number(&account_digits) > 0
        && sound(prefix, &[10, 5, 8, 4, 2, 1])
        && sound(account, &[6, 3, 7, 9, 10, 5, 8, 4, 2, 1])
}

/// Codes of banks, from the lists of the Czech (ČNB) and the Slovak (NBS) national bank.
const BANKS: &[&str] = &[
    "0100", "0200", "0300", "0600", "0710", "0720", "0800", "0900", "1100", "1111", "2010", "2020",
    "2060", "2070", "2100", "2200", "2220", "2250", "2260", "2275", "2600", "2700", "3000", "3030",
    "3050", "3060", "3100", "3500", "4000", "4300", "5200", "5500", "5600", "5800", "5900", "6000",
    "6100", "6200", "6210", "6300", "6363", "6500", "6700", "6800", "7300", "7500", "7910", "7930",
    "7950", "7960", "7970", "7980", "7990", "8030", "8040", "8050", "8060", "8090", "8100", "8120",
    "8130", "8150", "8160", "8170", "8180", "8190", "8198", "8199", "8200", "8220", "8230", "8240",
    "8250", "8255", "8265", "8270", "8280", "8283", "8291", "8292", "8293", "8294", "8299", "8320",
    "8330", "8360", "8370", "8380", "8390", "8400", "8410", "8420", "8430", "8440", "8450", "8460",
    "8500",
];

/// IČ DPH and DIČ (Finančná správa SR): ten digits that 11 divides, or a birth number.
fn slovak_vat(digits: &[u8]) -> bool {
    digits.len() == 10
        && digits[0] != 0
        && ((matches!(digits[2], 2 | 3 | 4 | 7 | 8 | 9) && number(digits).is_multiple_of(11))
            || birth_number(digits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_examples() {
        assert!(birth_number(&digits("710319/2745")) && !birth_number(&digits("991231123")));
        assert!(!birth_number(&digits("1103492745")) && !birth_number(&digits("590312/123")));
        assert!(
            vat(&digits("CZ 25123891")) && vat(&digits("640903926")) && vat(&digits("7103192745"))
        );
        assert!(!vat(&digits("25123890")) && organisation(&digits("00177041")));
        assert!(account("19-2000145399/0800") && account("178124-4159/0710") && BANKS.is_sorted());
        assert!(!account("19-2000145398/0800") && !account("2000145399"));
        assert!(slovak_vat(&digits("SK 202 274 96 19")) && !slovak_vat(&digits("2022749618")));
    }
}
