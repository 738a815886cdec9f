//! Checks that a matched value must pass, by the name that rule packs use.
//!
//! A check sees the whole match and says how much of it is the value: check digits and length
//! tables know where an identifier ends better than a greedy pattern does.

use std::net::{Ipv4Addr, Ipv6Addr};

mod bank;
mod plausible;

/// A named check: the accepted length in bytes from the start of the match, or `None`.
pub type Check = fn(&str) -> Option<usize>;

/// The check of that name.
pub fn by_name(name: &str) -> Option<Check> {
    CHECKS
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, check)| *check)
}

/// The names that rule packs may use, for error messages.
pub fn names() -> impl Iterator<Item = &'static str> {
    CHECKS.iter().map(|(name, _)| *name)
}

const CHECKS: &[(&str, Check)] = &[
    ("luhn", |text| whole(text, luhn(&digits(text)))),
    ("card", bank::card),
    ("iban", bank::iban),
    ("nrb", bank::nrb),
    ("aba", |text| whole(text, bank::aba(&digits(text)))),
    ("verhoeff", |text| whole(text, verhoeff(&digits(text)))),
    ("mod11_10", |text| whole(text, mod11_10(&digits(text)))),
    ("ssn", |text| whole(text, plausible::ssn(&digits(text)))),
    ("e164", |text| whole(text, plausible::e164(&digits(text)))),
    ("phone_national", |text| {
        whole(text, plausible::phone_national(text, &digits(text)))
    }),
    ("iban_shape", bank::iban_shape),
    ("has_digits", |text| whole(text, digits(text).len() >= 3)),
    ("health_number", plausible::health_number),
    ("name", plausible::name),
    ("username", |text| whole(text, plausible::username(text))),
    ("digits_7_15", |text| {
        whole(text, (7..=15).contains(&digits(text).len()))
    }),
    ("ipv4", |text| {
        whole(text, text.parse::<Ipv4Addr>().is_ok_and(plausible::ipv4))
    }),
    ("ipv6", |text| {
        whole(
            text,
            text.parse::<Ipv6Addr>()
                .is_ok_and(|ip| plausible::ipv6(text, ip)),
        )
    }),
    ("url", plausible::url),
    ("date", |text| whole(text, plausible::date(text))),
    ("mixed", |text| whole(text, plausible::mixed(text))),
    ("password", |text| whole(text, plausible::password(text))),
    ("pesel", |text| {
        whole(text, weighted(text, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1], 10))
    }),
    ("nip", |text| {
        whole(
            text,
            remainder_is_last(text, &[6, 5, 7, 2, 3, 4, 5, 6, 7], 11),
        )
    }),
    ("regon9", |text| {
        whole(text, remainder_is_last(text, &[8, 9, 2, 3, 4, 5, 6, 7], 11))
    }),
    ("dni", |text| whole(text, plausible::dni(text))),
    ("vin", |text| whole(text, plausible::vin(text))),
];

fn whole(text: &str, accepted: bool) -> Option<usize> {
    accepted.then_some(text.len())
}

/// The decimal digits of a text, without their separators.
fn digits(text: &str) -> Vec<u8> {
    text.bytes()
        .filter(u8::is_ascii_digit)
        .map(|b| b - b'0')
        .collect()
}

/// ISO/IEC 7812-1 annex B. All-zero numbers do not pass.
fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, &digit)| {
            let digit = u32::from(digit);
            if at % 2 == 0 {
                digit
            } else {
                digit * 2 / 10 + digit * 2 % 10
            }
        })
        .sum();
    digits.len() > 1 && sum > 0 && sum.is_multiple_of(10)
}

/// Verhoeff's dihedral check, as used by India's Aadhaar.
fn verhoeff(digits: &[u8]) -> bool {
    // The dihedral group D5: below 5 rotations, from 5 on reflections.
    let multiply = |a: u8, b: u8| match (a < 5, b < 5) {
        (true, true) => (a + b) % 5,
        (true, false) => 5 + (a + b - 5) % 5,
        (false, true) => 5 + (a - b) % 5,
        (false, false) => (a + 5 - b) % 5,
    };
    const PERMUTE: [u8; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
    let mut check = 0;
    for (at, &digit) in digits.iter().rev().enumerate() {
        let permuted = (0..at % 8).fold(digit, |digit, _| PERMUTE[usize::from(digit)]);
        check = multiply(check, permuted);
    }
    digits.len() > 1 && check == 0
}

/// ISO 7064 MOD 11,10, as used by the German tax identification number.
fn mod11_10(digits: &[u8]) -> bool {
    let Some((&last, rest)) = digits.split_last() else {
        return false;
    };
    let product = rest.iter().fold(10u32, |product, &digit| {
        let sum = (product + u32::from(digit)) % 10;
        (if sum == 0 { 10 } else { sum }) * 2 % 11
    });
    !rest.is_empty() && u32::from(last) == (11 - product) % 10
}

/// Whether the weighted sum of exactly as many digits is divisible by `modulus`.
fn weighted(text: &str, weights: &[u32], modulus: u32) -> bool {
    let digits = digits(text);
    digits.len() == weights.len()
        && digits.iter().any(|&digit| digit != digits[0])
        && dot(&digits, weights).is_multiple_of(modulus)
}

/// Whether the last digit is the weighted sum of the others modulo `modulus`, 10 counting as 0.
fn remainder_is_last(text: &str, weights: &[u32], modulus: u32) -> bool {
    let digits = digits(text);
    digits.len() == weights.len() + 1
        && digits.iter().any(|&digit| digit != digits[0])
        && dot(&digits, weights) % modulus % 10 == u32::from(digits[weights.len()])
}

fn dot(digits: &[u8], weights: &[u32]) -> u32 {
    digits
        .iter()
        .zip(weights)
        .map(|(&digit, weight)| u32::from(digit) * weight)
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn accepts(check: &str, text: &str) -> bool {
        by_name(check).unwrap()(text) == Some(text.len())
    }

    #[test]
    fn published_examples() {
        for (check, text) in [
            ("luhn", "79927398713"),
            ("verhoeff", "2363"),
            ("verhoeff", "123451"),
            ("mod11_10", "86095742719"),
            ("pesel", "44051401359"),
            ("nip", "526-104-08-28"),
            ("regon9", "123456785"),
            ("dni", "12345678Z"),
            ("dni", "X1234567L"),
            ("vin", "1M8GDM9AXKP042788"),
            ("aba", "111000025"),
            ("iban", "GB82 WEST 1234 5698 7654 32"),
            ("iban", "NO9386011117947"),
            ("card", "4111 1111 1111 1111"),
            ("card", "378282246310005"),
            ("ssn", "123-45-6789"),
        ] {
            assert!(accepts(check, text), "{check} refuses {text}");
        }
    }

    #[test]
    fn near_misses() {
        for (check, text) in [
            ("luhn", "79927398710"),
            ("luhn", "0000000000000000"),
            ("verhoeff", "2364"),
            ("mod11_10", "86095742718"),
            ("pesel", "44051401358"),
            ("iban", "GB82 WEST 1234 5698 7654 33"),
            ("iban", "GB82 WEST 1234 5698 7654"),
            ("card", "4111 1111 1111 1112"),
            ("card", "9111111111111111"),
            ("ssn", "000-12-3456"),
            ("ssn", "666-12-3456"),
            ("ssn", "912-12-3456"),
            ("ssn", "123-00-4567"),
            ("ssn", "123-45-0000"),
            ("ipv4", "127.0.0.1"),
            ("ipv4", "203.0.113.7"),
            ("ipv6", "2001:db8::7"),
            ("ipv6", "::"),
            ("dni", "12345678A"),
            ("vin", "1M8GDM9AXKP042789"),
        ] {
            assert!(!accepts(check, text), "{check} accepts {text}");
        }
    }

    proptest! {
        #[test]
        fn one_changed_digit_is_noticed(text in "[0-9]{10,16}", at in 0usize..10, by in 1u8..10) {
            let mut changed = text.clone().into_bytes();
            changed[at] = b'0' + (changed[at] - b'0' + by) % 10;
            let changed = String::from_utf8(changed).unwrap();
            for check in ["luhn", "verhoeff", "mod11_10"] {
                prop_assert!(!(accepts(check, &text) && accepts(check, &changed)), "{}", check);
            }
        }

        #[test]
        fn any_text_is_answered_with_a_boundary(text in "\\PC{0,40}") {
            for (name, check) in CHECKS {
                if let Some(len) = check(&text) {
                    prop_assert!(text.get(..len).is_some(), "{}", name);
                }
            }
        }
    }
}
