//! New Zealand.

use super::{place, to_eleven, to_ten};
use crate::checks::{
    Table,
    algorithms::{characters, digits, dot, last_is, number},
    whole,
};
use std::ops::{Range, RangeInclusive};

pub(super) const CHECKS: Table = &[
    ("nz_ird", |text| whole(text, ird(&digits(text)))),
    ("nz_nhi", |text| whole(text, nhi(&characters(text)))),
    ("nz_bank", |text| whole(text, bank(text))),
    ("nz_nzbn", |text| whole(text, nzbn(&digits(text)))),
];

/// IRD number (Inland Revenue, RWT and NRWT specification): eight or nine digits from 10,000,000
/// to 150,000,000; where the first weights give 10, the second count.
fn ird(digits: &[u8]) -> bool {
    let Some((&check, rest)) = digits.split_last() else {
        return false;
    };
    if !matches!(digits.len(), 8 | 9) || !(10_000_000..150_000_000).contains(&number(digits)) {
        return false;
    }
    let value = |weights: [u32; 8]| to_eleven(dot(rest, &weights[8 - rest.len()..])) % 11;
    let expected = match value([3, 2, 7, 6, 5, 4, 3, 2]) {
        10 => value([7, 4, 3, 2, 5, 2, 7, 6]),
        value => value,
    };
    expected == u32::from(check)
}

/// National Health Index number (Health New Zealand, HISO 10046): three letters but I and O, and
/// either three digits and a check digit by modulo 11, or two digits, a letter and a check letter
/// by modulo 24.
fn nhi(characters: &[u8]) -> bool {
    const LETTERS: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZ";
    let &[first, second, third, .., check] = characters else {
        return false;
    };
    let value = |character: u8| match character {
        b'0'..=b'9' => Some(u32::from(character - b'0')),
        letter => place(LETTERS, letter).map(|place| place + 1),
    };
    let sum: Option<u32> = characters[..characters.len() - 1]
        .iter()
        .zip([7, 6, 5, 4, 3, 2])
        .map(|(&character, weight)| Some(value(character)? * weight))
        .sum();
    let Some(sum) = sum else { return false };
    characters.len() == 7
        && [first, second, third].iter().all(u8::is_ascii_alphabetic)
        && match (characters[5].is_ascii_digit(), check.is_ascii_digit()) {
            (true, true) => {
                !sum.is_multiple_of(11) && to_eleven(sum) % 10 == u32::from(check - b'0')
            }
            (false, false) => LETTERS[23 - (sum % 24) as usize] == check,
            _ => false,
        }
}

/// Bank account number (Inland Revenue, RWT and NRWT specification, "Bank account number
/// validation"): bank, branch, account of up to eight digits and suffix of up to four, each
/// filled with zeros from the left.
fn bank(text: &str) -> bool {
    let mut number = [0; 18];
    let mut fill = |group: &str, place: Range<usize>| {
        let group = digits(group);
        let start = place.end.checked_sub(group.len());
        start.filter(|&start| start >= place.start).map(|start| {
            number[start..place.end].copy_from_slice(&group);
        })
    };
    let places = [0..2, 2..6, 6..14, 14..18];
    let groups: Vec<&str> = text.split(['-', ' ']).collect();
    let filled = match groups[..] {
        [_, _, _, _] => groups
            .into_iter()
            .zip(places)
            .try_for_each(|(group, place)| fill(group, place)),
        [one] if matches!(one.len(), 15 | 16) && one.is_ascii() => {
            [0..2, 2..6, 6..13, 13..one.len()]
                .into_iter()
                .zip(places)
                .try_for_each(|(range, place)| fill(&one[range], place))
        }
        _ => None,
    };
    filled.is_some() && bank_check(&number)
}

/// The check of a bank account number of eighteen digits.
fn bank_check(digits: &[u8; 18]) -> bool {
    let [bank, branch, account] = [0..2, 2..6, 6..14].map(|place| number(&digits[place]) as u32);
    let Some((_, _, method)) = BRANCHES
        .iter()
        .find(|(of, branches, _)| *of == bank && branches.contains(&branch))
    else {
        return false;
    };
    // The weights of the eighteen places, whether products are reduced to one digit, the modulus.
    let (weights, reduced, modulus): ([u32; 18], bool, u32) = match method {
        b'A' if account < 990_000 => (
            [0, 0, 6, 3, 7, 9, 0, 0, 10, 5, 8, 4, 2, 1, 0, 0, 0, 0],
            false,
            11,
        ),
        b'A' => (
            [0, 0, 0, 0, 0, 0, 0, 0, 10, 5, 8, 4, 2, 1, 0, 0, 0, 0],
            false,
            11,
        ),
        b'D' => (
            [0, 0, 0, 0, 0, 0, 0, 7, 6, 5, 4, 3, 2, 1, 0, 0, 0, 0],
            false,
            11,
        ),
        b'E' => (
            [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5, 4, 3, 2, 0, 0, 0, 1],
            true,
            11,
        ),
        b'F' => (
            [0, 0, 0, 0, 0, 0, 0, 1, 7, 3, 1, 7, 3, 1, 0, 0, 0, 0],
            false,
            10,
        ),
        b'G' => (
            [0, 0, 0, 0, 0, 0, 0, 1, 3, 7, 1, 3, 7, 1, 0, 3, 7, 1],
            true,
            10,
        ),
        _ => ([0; 18], false, 1),
    };
    let sum = |reduce: fn(u32) -> u32| -> u32 {
        let products = digits
            .iter()
            .zip(weights)
            .map(|(&digit, weight)| u32::from(digit) * weight);
        products
            .map(|product| {
                if reduced && product > 9 {
                    reduce(product)
                } else {
                    product
                }
            })
            .sum()
    };
    // "Add the digits" and "take the remainder by nine" differ at multiples of nine; both are met.
    let held = |sum: u32| sum.is_multiple_of(modulus);
    account > 0 && (held(sum(|product| (product - 1) % 9 + 1)) || held(sum(|product| product % 9)))
}

/// The branches of each bank and its method of the specification; X is no check.
const BRANCHES: &[(u32, RangeInclusive<u32>, u8)] = &[
    (1, 1..=999, b'A'),
    (1, 1100..=1199, b'A'),
    (1, 1800..=1899, b'A'),
    (2, 1..=999, b'A'),
    (2, 1200..=1299, b'A'),
    (3, 1..=999, b'A'),
    (3, 1300..=1399, b'A'),
    (3, 1500..=1599, b'A'),
    (3, 1700..=1799, b'A'),
    (3, 1900..=1999, b'A'),
    (4, 2000..=2099, b'A'),
    (6, 1..=999, b'A'),
    (6, 1400..=1499, b'A'),
    (8, 6500..=6599, b'D'),
    (9, 0..=0, b'E'),
    (10, 5165..=5169, b'A'),
    (11, 5000..=6499, b'A'),
    (11, 6600..=8999, b'A'),
    (12, 3000..=3299, b'A'),
    (12, 3400..=3499, b'A'),
    (12, 3600..=3699, b'A'),
    (13, 4900..=4999, b'A'),
    (14, 4700..=4799, b'A'),
    (15, 3900..=3999, b'A'),
    (16, 4400..=4499, b'A'),
    (17, 3300..=3399, b'A'),
    (18, 3500..=3599, b'A'),
    (19, 4600..=4649, b'A'),
    (20, 4100..=4199, b'A'),
    (21, 4800..=4899, b'A'),
    (22, 4000..=4049, b'A'),
    (23, 3700..=3799, b'A'),
    (24, 4300..=4349, b'A'),
    (25, 2500..=2599, b'F'),
    (26, 2600..=2699, b'G'),
    (27, 3800..=3849, b'A'),
    (28, 2100..=2149, b'G'),
    (29, 2150..=2299, b'G'),
    (30, 2900..=2949, b'A'),
    (31, 2800..=2849, b'X'),
    (33, 6700..=6799, b'F'),
    (35, 2400..=2499, b'A'),
    (38, 9000..=9499, b'A'),
];

/// New Zealand Business Number (NZBN Act 2016): a GS1 Global Location Number that begins with 94.
fn nzbn(digits: &[u8]) -> bool {
    last_is(digits, &[1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3], to_ten) && digits[..2] == [9, 4]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_examples() {
        assert!(
            ird(&digits("49-091-850")) && ird(&digits("49-098-576")) && !ird(&digits("136410133"))
        );
        // HISO 10046 and a public explanation of it.
        assert!(nhi(b"ZAC5361") && !nhi(b"ZAC3561"));
        assert!(nhi(b"ZAD96LT") && nhi(b"ZDD96LZ") && !nhi(b"ZAD96LM"));
        assert!(
            bank("01-0242-0100194-00") && bank("0102420100194000") && !bank("01-0242-0100195-00")
        );
        // The specification's example of the reduced products.
        assert!(bank("26-2600-0320871-032"));
        assert!(nzbn(&digits("9429041561775")) && !nzbn(&digits("9429041561776")));
    }
}
