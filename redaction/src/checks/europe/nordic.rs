//! Denmark, Finland, Iceland, Norway, Sweden, the Faroe Islands.

use crate::checks::algorithms::{characters, digits, is_recent_day, luhn, number, pair, weighted};

table! {
    "dk_cpr": digits danish_person,
    "dk_cpr_modulo": digits danish_person_checked,
    "dk_cvr": digits danish_company,
    "fi_hetu": characters finnish_person,
    "fi_ytunnus": digits finnish_company,
    "is_kennitala": digits icelandic,
    "no_fnr": digits norwegian_person,
    "no_orgnr": digits norwegian_company,
    "no_account": digits norwegian_account,
    "se_pnr": digits swedish_person,
    "se_orgnr": digits swedish_company,
    "se_vat": digits swedish_vat,
}

/// CPR-nummer (CPR-loven): birth date DDMMYY (day plus 60 for replacement numbers) and a serial.
/// Since 2007 the check digit need not be right.
fn danish_person(digits: &[u8]) -> bool {
    digits.len() == 10 && {
        let day = pair(digits, 0);
        let day = if day > 60 { day - 60 } else { day };
        is_recent_day(pair(digits, 4), pair(digits, 2), day)
    }
}

/// A CPR-nummer as issued until 2007: weights modulo 11.
fn danish_person_checked(digits: &[u8]) -> bool {
    danish_person(digits) && weighted(digits, &[4, 3, 2, 7, 6, 5, 4, 3, 2, 1], 11)
}

/// CVR-nummer (Erhvervsstyrelsen): weights modulo 11.
fn danish_company(digits: &[u8]) -> bool {
    digits.first() != Some(&0) && weighted(digits, &[2, 7, 6, 5, 4, 3, 2, 1], 11)
}

/// Henkilötunnus (valtioneuvoston asetus 128/2010): birth date, a sign of the century, a serial, a
/// check character of the rest of the nine digits by 31. The signs + and - are separators here.
fn finnish_person(characters: &[u8]) -> bool {
    let (body, serial) = match characters.len() {
        10 => (&characters[..6], &characters[6..]),
        11 if b"ABCDEFUVWXY".contains(&characters[6]) => (&characters[..6], &characters[7..]),
        _ => return false,
    };
    let (Some(date), Some(serial), check) = (
        super::exactly(body, 6),
        super::exactly(&serial[..3], 3),
        serial[3],
    ) else {
        return false;
    };
    let rest = (number(&date) * 1000 + number(&serial)) % 31;
    number(&serial) >= 2
        && is_recent_day(pair(&date, 4), pair(&date, 2), pair(&date, 0))
        && b"0123456789ABCDEFHJKLMNPRSTUVWXY"[rest as usize] == check
}

/// Y-tunnus (PRH): seven digits, weights modulo 11.
fn finnish_company(digits: &[u8]) -> bool {
    weighted(digits, &[7, 9, 10, 5, 8, 4, 2, 1], 11)
}

/// Kennitala (Þjóðskrá): date DDMMYY, of organisations with 40 more days, two digits, a check digit
/// modulo 11, the century.
fn icelandic(digits: &[u8]) -> bool {
    if digits.len() != 10 || !weighted(&digits[..9], &[3, 2, 7, 6, 5, 4, 3, 2, 1], 11) {
        return false;
    }
    let day = pair(digits, 0);
    let day = if day > 40 { day - 40 } else { day };
    matches!(digits[9], 0 | 8 | 9) && is_recent_day(pair(digits, 4), pair(digits, 2), day)
}

/// Fødselsnummer and D-nummer (Skatteetaten): birth date DDMMYY (day plus 40 for a D-nummer, month
/// plus 40 or 80 for other kinds), a serial, two check digits modulo 11.
fn norwegian_person(digits: &[u8]) -> bool {
    if digits.len() != 11
        || !weighted(&digits[..10], &[3, 7, 6, 1, 8, 9, 4, 5, 2, 1], 11)
        || !weighted(digits, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1], 11)
    {
        return false;
    }
    let (day, month) = (pair(digits, 0), pair(digits, 2));
    let day = if day > 40 { day - 40 } else { day };
    is_recent_day(pair(digits, 4), month % 40, day)
}

/// Organisasjonsnummer (Brønnøysundregistrene): weights modulo 11.
fn norwegian_company(digits: &[u8]) -> bool {
    weighted(digits, &[3, 2, 7, 6, 5, 4, 3, 2, 1], 11)
}

/// Kontonummer (Finans Norge): bank, group, account, weights modulo 11; Luhn among seven digits of
/// the former post bank.
fn norwegian_account(digits: &[u8]) -> bool {
    match digits.len() {
        7 => luhn(digits),
        11 if digits.starts_with(&[0, 0, 0, 0]) => luhn(&digits[4..]),
        _ => weighted(digits, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1], 11),
    }
}

/// Personnummer (folkbokföringslagen) and samordningsnummer (day plus 60): birth date and serial,
/// Luhn over the last ten digits.
fn swedish_person(digits: &[u8]) -> bool {
    let ten = match digits.len() {
        10 => digits,
        12 if matches!(pair(digits, 0), 18..=20) => &digits[2..],
        _ => return false,
    };
    let day = pair(ten, 4);
    let day = if day > 60 { day - 60 } else { day };
    luhn(ten) && is_recent_day(pair(ten, 0), pair(ten, 2), day)
}

/// Organisationsnummer (lagen om identitetsbeteckning för juridiska personer): the third digit is
/// at least 2, so that no date is meant; Luhn.
fn swedish_company(digits: &[u8]) -> bool {
    digits.len() == 10 && digits[0] > 0 && digits[2] >= 2 && luhn(digits)
}

/// Momsregistreringsnummer (Skatteverket): the number of the person or the organisation, and 01.
fn swedish_vat(digits: &[u8]) -> bool {
    digits.len() == 12 && digits.ends_with(&[0, 1]) && luhn(&digits[..10])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_examples() {
        assert!(
            danish_person_checked(&digits("211062-5629")) && !danish_person(&digits("511362-5629"))
        );
        assert!(danish_company(&digits("DK 13585628")) && !danish_company(&digits("13585627")));
        assert!(finnish_person(b"131052308T") && finnish_person(b"131052A308T"));
        assert!(!finnish_person(b"131052308U") && !finnish_person(b"310252308Y"));
        assert!(finnish_company(&digits("2077474-0")) && !finnish_company(&digits("2077474-1")));
        assert!(icelandic(&digits("450401-3150")) && !icelandic(&digits("530575-0299")));
        assert!(
            norwegian_person(&digits("151086 95088")) && !norwegian_person(&digits("15108695077"))
        );
        assert!(
            norwegian_company(&digits("988 077 917")) && !norwegian_company(&digits("988077918"))
        );
        assert!(
            norwegian_account(&digits("8601.11.17947"))
                && !norwegian_account(&digits("86011117949"))
        );
        assert!(swedish_person(&digits("880320-0016")) && swedish_person(&digits("198803200016")));
        assert!(!swedish_person(&digits("880320-0018")) && swedish_company(&digits("123456-7897")));
        assert!(swedish_vat(&digits("SE 123456789701")) && !swedish_vat(&digits("123456789702")));
    }
}
