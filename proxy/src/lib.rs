//! The gateway: inspects a request, decides on it, sends it where it may go, restores the answer.
//!
//! Read [`exchange`] first; it is the spine, and its drawing is the life of one exchange.

pub mod admin;
mod attempt;
pub mod callers;
pub mod config;
pub mod credential;
mod downstream;
mod draft;
pub mod edit;
mod egress;
pub mod endpoint;
pub mod error;
pub mod eventstream;
pub mod exchange;
pub mod gate;
pub mod gateway;
pub mod health;
mod identity;
mod inspect;
pub mod json;
pub mod keys;
pub mod metrics;
pub mod ndjson;
pub mod pattern;
pub mod permit;
pub mod policy;
pub mod prompt;
mod relay;
mod rescue;
mod retry;
mod secret;
mod sigv4;
pub mod sse;
mod trace;
pub mod wire;

pub use egress::Egress;
pub use secret::Secret;
