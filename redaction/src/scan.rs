//! Findings for people and tools that count in characters.

use crate::{Entity, Error, Finding, Hints, Redactor, finding::Jurisdiction};
use serde::Serialize;
use std::{sync::Arc, time::Instant};

/// A finding with offsets in Unicode code points, half-open.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ScanSpan {
    /// First code point.
    pub start: usize,
    /// One past the last code point.
    pub end: usize,
    /// What kind.
    pub label: Entity,
    /// How sure, 0 to 1.
    pub score: f32,
    /// Who found it.
    #[serde(serialize_with = "crate::finding::text")]
    pub recognizer: Arc<str>,
    /// Whose identifier it is.
    pub jurisdiction: Option<Jurisdiction>,
}

/// Inspects one text.
pub fn scan_line(
    redactor: &Redactor,
    text: &str,
    hints: &Hints,
    deadline: Instant,
) -> Result<Vec<ScanSpan>, Error> {
    let mut inspection = redactor.inspect(&[text], hints, deadline)?;
    Ok(in_code_points(text, inspection.findings.swap_remove(0)))
}

/// Counts in code points what is ordered by byte offsets.
fn in_code_points(text: &str, findings: Vec<Finding>) -> Vec<ScanSpan> {
    let (mut byte, mut point) = (0, 0);
    let mut count = |to: usize| {
        point += text[byte..to].chars().count();
        byte = to;
        point
    };
    findings
        .into_iter()
        .map(|finding| ScanSpan {
            start: count(finding.span.start),
            end: count(finding.span.end),
            label: finding.entity,
            score: finding.score,
            recognizer: finding.recognizer,
            jurisdiction: finding.jurisdiction,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Span;

    #[test]
    fn offsets_count_code_points() {
        let text = "é🙂 ab ü cd";
        let finding = |word: &str| Finding {
            span: Span::new(
                text.find(word).unwrap(),
                text.find(word).unwrap() + word.len(),
            ),
            entity: Entity::Custom,
            score: 1.0,
            recognizer: "test".into(),
            jurisdiction: None,
        };
        let spans = in_code_points(text, vec![finding("ab"), finding("cd")]);
        assert_eq!(
            spans.iter().map(|s| (s.start, s.end)).collect::<Vec<_>>(),
            [(3, 5), (8, 10)]
        );
    }
}
