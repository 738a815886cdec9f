//! Checks of identifiers of European countries, one file each.

use super::{
    Table,
    algorithms::{Compact, as_digits},
};

mod at;
mod be;
mod de;
mod es;
mod fr;
mod gb;
mod it;
mod nl;
mod pl;

/// One table for each country or family.
pub(super) const TABLES: &[Table] = &[
    at::CHECKS,
    be::CHECKS,
    de::CHECKS,
    es::CHECKS,
    fr::CHECKS,
    gb::CHECKS,
    it::CHECKS,
    nl::CHECKS,
    pl::CHECKS,
];

/// The values of exactly `count` characters, all digits.
fn exactly(characters: &[u8], count: usize) -> Option<Compact> {
    as_digits(characters).filter(|digits| digits.len() == count)
}
