//! The made-up office of the example, as the tests look at it: always at the same moment.

use crate::model::Snapshot;
use jiff::Timestamp;

#[path = "../examples/top/made_up.rs"]
mod office;

/// The moment.
pub fn noon() -> Timestamp {
    "2026-03-04T12:04:05Z".parse().expect("a moment")
}

/// Enough exchanges to scroll.
pub fn day() -> Snapshot {
    office::office(640, noon())
}

/// A handful of exchanges.
pub fn few() -> Snapshot {
    office::office(40, noon())
}

/// A period in which nobody came.
pub fn nothing() -> Snapshot {
    Snapshot {
        exchanges_complete: true,
        ..Snapshot::default()
    }
}
