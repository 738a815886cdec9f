//! Replacements by byte range, with every other byte left as it is.

use bytes::Bytes;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

/// Replacements in one body: sorted, disjoint, in bytes of the body as it came.
#[derive(Clone, Default)]
pub struct Edits {
    /// By start: end, and what comes there.
    edits: BTreeMap<usize, (usize, Vec<u8>)>,
}

/// Why an edit cannot be. A fault of the caller, never of a prompt; nothing is applied then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// Its end is before its start.
    #[error("edit of bytes {0:?} ends before it starts")]
    Reversed(Range<usize>),
    /// Another edit touches the same bytes, or inserts at the same place.
    #[error("edit of bytes {0:?} overlaps another")]
    Overlap(Range<usize>),
    /// The body is shorter.
    #[error("edit up to byte {end} of a body of {len} bytes")]
    OutOfBounds {
        /// Where the last edit ends.
        end: usize,
        /// Bytes of the body.
        len: usize,
    },
}

impl Edits {
    /// No edits.
    pub fn new() -> Self {
        Self::default()
    }

    /// Replaces a range; an empty range inserts. In any order, but never twice the same bytes.
    pub fn replace(
        &mut self,
        range: Range<usize>,
        with: impl Into<Vec<u8>>,
    ) -> Result<(), EditError> {
        if range.start > range.end {
            return Err(EditError::Reversed(range));
        }
        let before = self.edits.range(..=range.start).next_back();
        let after = self.edits.range(range.start..).next();
        let free = before
            .is_none_or(|(&start, &(end, _))| end <= range.start && start < range.start)
            && after.is_none_or(|(&start, _)| start >= range.end && start > range.start);
        if !free {
            return Err(EditError::Overlap(range));
        }
        self.edits.insert(range.start, (range.end, with.into()));
        Ok(())
    }

    /// Whether the body stays as it is.
    pub fn is_empty(&self) -> bool {
        self.edits.is_empty()
    }

    /// How many edits there are.
    pub fn len(&self) -> usize {
        self.edits.len()
    }

    /// The body with all edits made.
    pub fn apply(&self, body: &[u8]) -> Result<Bytes, EditError> {
        let end = self.edits.last_key_value().map_or(0, |(_, &(end, _))| end);
        if end > body.len() {
            return Err(EditError::OutOfBounds {
                end,
                len: body.len(),
            });
        }
        let gone: usize = self.edits.iter().map(|(start, (end, _))| end - start).sum();
        let come: usize = self.edits.values().map(|(_, with)| with.len()).sum();
        let mut out = Vec::with_capacity(body.len() - gone + come);
        let mut from = 0;
        for (&start, (end, with)) in &self.edits {
            out.extend_from_slice(&body[from..start]);
            out.extend_from_slice(with);
            from = *end;
        }
        out.extend_from_slice(&body[from..]);
        Ok(out.into())
    }
}

impl fmt::Debug for Edits {
    /// Shows how many, for what they put in may be an original.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Edits")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn replaces_inserts_and_deletes_in_any_order() {
        let mut edits = Edits::new();
        edits.replace(6..11, "gate").unwrap();
        edits.replace(0..5, *b"bye").unwrap();
        edits.replace(11..11, "!").unwrap();
        edits.replace(5..6, "").unwrap();
        assert_eq!(edits.apply(b"hello world").unwrap(), "byegate!");
        assert_eq!(format!("{edits:?}"), "Edits { len: 4, .. }");
    }

    #[test]
    fn refuses_what_overlaps_or_is_out_of_bounds() {
        let mut edits = Edits::new();
        edits.replace(4..8, "x").unwrap();
        for range in [4..8, 0..5, 7..9, 5..6, 0..20, 4..4, 6..6] {
            assert_eq!(
                edits.replace(range.clone(), "y"),
                Err(EditError::Overlap(range))
            );
        }
        #[expect(clippy::reversed_empty_ranges, reason = "what is refused")]
        let reversed = 3..2;
        assert_eq!(
            edits.replace(reversed.clone(), ""),
            Err(EditError::Reversed(reversed))
        );
        edits.replace(8..8, "z").unwrap();
        assert_eq!(edits.replace(8..9, ""), Err(EditError::Overlap(8..9)));
        edits.replace(2..4, "w").unwrap();
        assert_eq!(edits.len(), 3);
        assert_eq!(
            edits.apply(b"0123456"),
            Err(EditError::OutOfBounds { end: 8, len: 7 })
        );
        assert_eq!(edits.apply(b"012345678").unwrap(), "01wxz8");
    }

    proptest! {
        #[test]
        fn every_other_byte_stays(
            body in prop::collection::vec(any::<u8>(), 0..200),
            wanted in prop::collection::vec((0usize..200, 0usize..20, "[a-z]{0,5}"), 0..20),
        ) {
            prop_assert_eq!(&Edits::new().apply(&body).unwrap()[..], &body[..]);
            let mut edits = Edits::new();
            let mut kept = Vec::new();
            for (start, len, with) in wanted {
                let range = start.min(body.len())..(start + len).min(body.len());
                if edits.replace(range.clone(), with.clone()).is_ok() {
                    kept.push((range, with));
                }
            }
            kept.sort_by_key(|(range, _)| range.start);
            // From the back, so that offsets stay true.
            let mut expected = body.clone();
            for (range, with) in kept.iter().rev() {
                expected.splice(range.clone(), with.bytes());
            }
            prop_assert_eq!(&edits.apply(&body).unwrap()[..], &expected[..]);
        }
    }
}
