//! End-to-end tests with the real binary.
//!
//! Each test starts one gate and puts many cases through it: a gate without name recognition and
//! without the embedded store is ready within moments, and the two that need them share one test
//! each. After its cases a test searches upstream captures, logs, metrics and every file of the
//! data directory for what it planted.

#[path = "../../src/demo/leak_checker.rs"]
#[allow(
    unreachable_pub,
    reason = "shared with the demo, which uses it from a private module"
)]
mod leak_checker;
#[path = "../../src/demo/provider/mod.rs"]
#[allow(
    unreachable_pub,
    reason = "shared with the demo, which uses it from a private module"
)]
mod provider;

mod gate;
mod upstream;

mod bad_input;
mod bad_upstream;
mod budgets;
mod callers;
mod connections;
mod demo;
mod exchanges;
mod failover;
mod large_body;
mod ledger;
mod limits;
mod reload;
mod sdk;
mod siem;
mod store;
mod streams;
mod tls;
mod wires;
