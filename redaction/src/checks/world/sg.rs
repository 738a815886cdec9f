//! Singapore.

use super::place;
use crate::checks::{
    Table,
    algorithms::{as_digits, characters, dot, number},
    whole,
};

pub(super) const CHECKS: Table = &[
    ("sg_nric", |text| whole(text, nric(&characters(text)))),
    ("sg_uen", |text| whole(text, uen(&characters(text)))),
];

/// NRIC and FIN (Immigration and Checkpoints Authority): S and T for citizens and permanent
/// residents, F, G and (since 2022) M for others, seven digits and a letter by modulo 11.
fn nric(characters: &[u8]) -> bool {
    let [series, digits @ .., check] = characters else {
        return false;
    };
    let (start, letters) = match series {
        b'S' => (0, b"JZIHGFEDCBA"),
        b'T' => (4, b"JZIHGFEDCBA"),
        b'F' => (0, b"XWUTRQPNMLK"),
        b'G' => (4, b"XWUTRQPNMLK"),
        b'M' => (3, b"XWUTRQPNJLK"),
        _ => return false,
    };
    as_digits(digits).is_some_and(|digits| {
        let sum = start + dot(&digits, &[2, 7, 6, 5, 4, 3, 2]);
        digits.len() == 7 && letters[(sum % 11) as usize] == *check
    })
}

/// Unique Entity Number (ACRA): a business's eight digits, a local company's year and five
/// digits, or T, S or R, a year, a kind of entity and four characters; and a check letter.
fn uen(characters: &[u8]) -> bool {
    let Some((&check, rest)) = characters.split_last() else {
        return false;
    };
    match as_digits(rest) {
        Some(digits) if digits.len() == 8 => {
            let sum = dot(&digits, &[10, 4, 9, 3, 8, 2, 7, 1]);
            b"XMKECAWLJDB"[(sum % 11) as usize] == check
        }
        Some(digits) if digits.len() == 9 => {
            let sum = dot(&digits, &[10, 8, 6, 4, 9, 7, 5, 3, 1]);
            (1800..2100).contains(&number(&digits[..4]))
                && b"ZKCMDNERGWH"[(sum % 11) as usize] == check
        }
        None if rest.len() == 9 => uen_of_other_entity(rest, check),
        _ => false,
    }
}

/// The third form of the UEN; its check character comes from the same alphabet as the rest.
fn uen_of_other_entity(rest: &[u8], check: u8) -> bool {
    const ALPHABET: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWX0123456789";
    let sum: Option<u32> = rest
        .iter()
        .zip([4, 3, 5, 3, 10, 2, 2, 5, 7])
        .map(|(&character, weight)| Some(place(ALPHABET, character)? * weight))
        .sum();
    matches!(rest[0], b'R' | b'S' | b'T')
        && as_digits(&rest[1..3]).is_some()
        && sum.is_some_and(|sum| ALPHABET[((sum + 6) % 11) as usize] == check)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_examples() {
        assert!(nric(b"S1234567D") && nric(b"F1234567N") && !nric(b"S1234567E"));
        assert!(nric(b"T1234567J") && nric(b"G1234567X") && nric(b"M1234567K"));
        assert!(uen(b"00192200M") && uen(b"197401143C") && !uen(b"00192200N"));
        assert!(uen(b"S16FC0121D") && uen(b"T01FC6132D") && !uen(b"T01FC6132E"));
    }
}
