//! Checks of identifiers of European countries.

use super::Table;

mod pl;

/// One table for each country or family.
pub(super) const TABLES: &[Table] = &[pl::CHECKS];
