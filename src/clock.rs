//! The wall clock of the binary: the one place of `src/` that reads it.

use jiff::Timestamp;

/// Seconds since the Unix epoch.
pub fn now_s() -> i64 {
    Timestamp::now().as_second()
}
