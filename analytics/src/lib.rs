//! The ledger, the analytics store, prices, the compliance tax and the report.
pub mod ledger;
pub mod money;
pub mod price;
pub mod query;
pub mod record;
pub mod report;
pub mod rules;
pub mod store;
pub mod tax;
pub mod tco;
