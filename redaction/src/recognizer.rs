//! The one interface of everything that finds.

use crate::Finding;

/// Finds entities of one family in a text.
///
/// Findings may overlap and come in any order; [`crate::resolve()`] makes them disjoint. Every span
/// lies on character boundaries of `text`.
pub trait Recognizer: Send + Sync {
    /// A short name for summaries and benchmarks.
    fn name(&self) -> &str;

    /// Appends what it finds in `text` to `out`.
    fn find(&self, text: &str, out: &mut Vec<Finding>);
}
