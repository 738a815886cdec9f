//! Finds personal data and secrets in text.

pub mod operator;
pub mod placeholder;
pub mod restore;
pub mod vault;
