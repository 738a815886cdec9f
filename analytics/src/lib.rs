//! Ledger, store, prices, report.
