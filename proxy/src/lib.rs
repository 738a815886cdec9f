//! The gateway.
pub mod keys;
