//! The wall clock of the binary: the one place of `src/` that reads it.

use jiff::Timestamp;

/// This instant.
pub fn now() -> Timestamp {
    Timestamp::now()
}

/// Seconds since the Unix epoch.
pub fn now_s() -> i64 {
    now().as_second()
}
