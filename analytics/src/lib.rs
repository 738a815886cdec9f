//! The ledger, the analytics store, prices, the compliance tax and the report.
pub mod client;
pub mod ledger;
pub mod migrate;
pub mod money;
pub mod paper;
pub mod price;
pub mod query;
pub mod record;
pub mod report;
pub mod rules;
pub mod schema;
pub mod ship;
pub mod siem;
pub mod store;
pub mod tax;
pub mod tco;
