//! Checks that a matched value must pass, by the name that rule packs use.
//!
//! A check sees the whole match and says how much of it is the value: check digits and length
//! tables know where an identifier ends better than a greedy pattern does.
//!
//! What several kinds of identifiers share is in `algorithms`; the checks of one country's
//! identifiers are together in the file of that country, named `country_kind`.

use std::net::{Ipv4Addr, Ipv6Addr};

/// The table of a file's checks: `"name": reader check`, where the reader ([`algorithms::digits`] or
/// [`algorithms::characters`]) takes off separators and the check tells good from bad.
macro_rules! table {
    ($($name:literal: $read:ident $check:expr,)*) => {
        pub(super) const CHECKS: $crate::checks::Table = &[
            $(($name, |text| $crate::checks::whole(text, $check(&$read(text)))),)*
        ];
    };
}

mod algorithms;
mod bank;
mod europe;
mod international;
mod plausible;
mod secret;
mod wallet;
mod world;

use algorithms::{
    characters, damm, digits, luhn, mod11_2, mod11_10, mod37_2, mod37_36, mod97_10, verhoeff,
};

/// A named check: the accepted length in bytes from the start of the match, or `None`.
pub type Check = fn(&str) -> Option<usize>;

/// The check of that name.
pub fn by_name(name: &str) -> Option<Check> {
    all()
        .find(|(known, _)| *known == name)
        .map(|(_, check)| *check)
}

/// The names that rule packs may use, for error messages.
pub fn names() -> impl Iterator<Item = &'static str> {
    all().map(|(name, _)| *name)
}

/// Whether the check of that name may accept less than the whole match. Of matches that others
/// judge, the end is known before they are asked.
pub fn shortens(name: &str) -> bool {
    SHORTENING.contains(&name)
}

const SHORTENING: &[&str] = &[
    "card",
    "iban",
    "iban_shape",
    "nrb",
    "health_number",
    "url",
    "password",
    "password_strong",
    "username",
];

/// Checks by their names.
type Table = &'static [(&'static str, Check)];

fn all() -> impl Iterator<Item = &'static (&'static str, Check)> {
    [
        &GENERAL,
        &international::CHECKS,
        &secret::TABLE,
        &wallet::TABLE,
    ]
    .into_iter()
    .chain(europe::TABLES)
    .chain(world::TABLES)
    .copied()
    .flatten()
}

const GENERAL: Table = &[
    ("luhn", |text| whole(text, luhn(&digits(text)))),
    ("card", bank::card),
    ("iban", bank::iban),
    ("nrb", bank::nrb),
    ("aba", |text| whole(text, bank::aba(&digits(text)))),
    ("verhoeff", |text| whole(text, verhoeff(&digits(text)))),
    ("damm", |text| whole(text, damm(&digits(text)))),
    ("mod11_10", |text| whole(text, mod11_10(&digits(text)))),
    ("mod11_2", |text| whole(text, mod11_2(&characters(text)))),
    ("mod37_2", |text| whole(text, mod37_2(&characters(text)))),
    ("mod37_36", |text| whole(text, mod37_36(&characters(text)))),
    ("mod97_10", |text| whole(text, mod97_10(&characters(text)))),
    ("ssn", |text| whole(text, plausible::ssn(&digits(text)))),
    ("e164", |text| whole(text, plausible::e164(&digits(text)))),
    ("phone_national", |text| {
        whole(text, plausible::phone_national(text, &digits(text)))
    }),
    ("iban_shape", bank::iban_shape),
    ("has_digits", |text| whole(text, digits(text).len() >= 3)),
    ("health_number", plausible::health_number),
    ("name", plausible::name),
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
    ("vin", |text| whole(text, plausible::vin(text))),
];

fn whole(text: &str, accepted: bool) -> Option<usize> {
    accepted.then_some(text.len())
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
            ("vin", "1M8GDM9AXKP042789"),
        ] {
            assert!(!accepts(check, text), "{check} accepts {text}");
        }
    }

    #[test]
    fn names_are_unique() {
        let mut seen = std::collections::HashSet::new();
        for name in names() {
            assert!(seen.insert(name), "{name} twice");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_answered_with_a_boundary(text in "\\PC{0,40}|[0-9A-Z./ -]{0,24}|[0-9]{0,20}") {
            for (name, check) in all() {
                if let Some(len) = check(&text) {
                    prop_assert!(text.get(..len).is_some(), "{}", name);
                }
            }
        }
    }
}
