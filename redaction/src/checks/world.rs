//! Checks of identifiers of countries outside Europe.

use super::Table;

/// One table for each country or family.
pub(super) const TABLES: &[Table] = &[];
