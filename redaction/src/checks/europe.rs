//! Checks of identifiers of European countries, one file for each or for a family.

use super::{
    Table,
    algorithms::{Compact, as_digits},
};

mod at;
mod baltic;
mod be;
mod bg;
mod cz;
mod de;
mod east;
mod es;
mod fr;
mod gb;
mod gr;
mod hu;
mod it;
mod nl;
mod nordic;
mod pl;
mod pt;
mod ro;
mod small;
mod yugoslav;

/// One table for each country or family.
pub(super) const TABLES: &[Table] = &[
    at::CHECKS,
    baltic::CHECKS,
    be::CHECKS,
    bg::CHECKS,
    cz::CHECKS,
    de::CHECKS,
    east::CHECKS,
    es::CHECKS,
    fr::CHECKS,
    gb::CHECKS,
    gr::CHECKS,
    hu::CHECKS,
    it::CHECKS,
    nl::CHECKS,
    nordic::CHECKS,
    pl::CHECKS,
    pt::CHECKS,
    ro::CHECKS,
    small::CHECKS,
    yugoslav::CHECKS,
];

/// The values of exactly `count` characters, all digits.
fn exactly(characters: &[u8], count: usize) -> Option<Compact> {
    as_digits(characters).filter(|digits| digits.len() == count)
}
