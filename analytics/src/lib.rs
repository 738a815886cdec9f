//! The ledger, the analytics store, prices, the compliance tax and the report.
pub mod money;
pub mod price;
pub mod query;
pub mod record;
pub mod report;
pub mod rules;
pub mod tax;
pub mod tco;
