//! The gateway.
pub mod keys;
pub mod edit;
pub mod json;
pub mod sse;
