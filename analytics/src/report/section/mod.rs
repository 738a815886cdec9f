//! The sections of the page, one file each.

pub(super) mod business_case;
pub(super) mod decisions;
pub(super) mod findings;
pub(super) mod method;
pub(super) mod months;
pub(super) mod routes;
pub(super) mod spend;
pub(super) mod summary;
pub(super) mod tax;
pub(super) mod tco;
pub(super) mod waterfall;
