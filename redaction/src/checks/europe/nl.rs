//! The Netherlands.

use crate::checks::algorithms::{characters, digits, dot, mod97_10, number, uniform};

table! {
    "nl_bsn": digits bsn,
    "nl_onderwijs": digits education,
    "nl_btw": characters vat,
    "nl_document": characters document,
    "nl_account": digits account,
}

/// Burgerservicenummer, RSIN and former sofinummer (Wabb; "elfproef"): weights 9 to 2 and -1,
/// multiple of 11.
fn bsn(digits: &[u8]) -> bool {
    eleven(digits) == Some(0)
}

/// Onderwijsnummer (DUO): begins with 10, the elfproef leaves 5.
fn education(digits: &[u8]) -> bool {
    digits.starts_with(&[1, 0]) && eleven(digits) == Some(5)
}

fn eleven(digits: &[u8]) -> Option<u32> {
    if digits.len() != 9 || uniform(digits) || number(digits) < 10_000 {
        return None;
    }
    Some(dot(digits, &[9, 8, 7, 6, 5, 4, 3, 2, 10]) % 11)
}

/// Btw-identificatienummer (Belastingdienst): a BSN or RSIN, B, two digits; those of sole traders
/// since 2020 are random and pass ISO 7064 MOD 97-10 with NL before them.
fn vat(characters: &[u8]) -> bool {
    let compact = characters.strip_prefix(b"NL").unwrap_or(characters);
    let (12, Some(b'B'), Some(body)) = (
        compact.len(),
        compact.get(9),
        compact.get(..9).and_then(|body| super::exactly(body, 9)),
    ) else {
        return false;
    };
    let mut whole = *b"NL000000000B00";
    whole[2..].copy_from_slice(compact);
    compact[10..].iter().all(u8::is_ascii_digit)
        && compact[10..] != *b"00"
        && (bsn(&body) || mod97_10(&whole))
}

/// Passport and identity card (Paspoortuitvoeringsregeling): two letters, six letters or digits, a
/// digit, no letter O; with a digit besides the last, so that words do not pass.
fn document(characters: &[u8]) -> bool {
    let (9, [a, b, middle @ .., last]) = (characters.len(), characters) else {
        return false;
    };
    a.is_ascii_uppercase()
        && b.is_ascii_uppercase()
        && last.is_ascii_digit()
        && middle.iter().any(u8::is_ascii_digit)
        && !characters.contains(&b'O')
}

/// Bank account number before IBAN: nine or ten digits, elfproef with weights 10 to 1.
fn account(digits: &[u8]) -> bool {
    let weights = [10, 9, 8, 7, 6, 5, 4, 3, 2, 1];
    matches!(digits.len(), 9 | 10)
        && !uniform(digits)
        && dot(digits, &weights[10 - digits.len()..]).is_multiple_of(11)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_examples() {
        assert!(bsn(&digits("1112.22.333")) && !bsn(&digits("1112.52.333")));
        assert!(education(&digits("101222331")) && !education(&digits("100252333")));
        assert!(vat(b"NL004495445B01") && vat(b"NL002455799B11") && !vat(b"NL123456789B90"));
        assert!(document(b"EM0000000") && !document(b"EM000000O"));
        assert!(account(&digits("417164300")) && !account(&digits("417164301")));
    }
}
