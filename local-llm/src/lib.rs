//! The on-prem model.
