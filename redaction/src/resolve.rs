//! From overlapping findings to ordered, disjoint ones.
//!
//! Nothing that any recognizer found stays uncovered: a finding that loses a part of its span to
//! a better one keeps the rest, as long as the rest holds a letter or a digit.

use crate::{Category, Entity, Finding, Span};
use std::cmp::Reverse;

/// A finding that encloses another keeps it unless the inner one is surer by more than this.
const ENCLOSING_BONUS: f32 = 0.15;

/// Orders `findings` by place and makes them disjoint.
///
/// Overlapping findings of one entity become one. Otherwise the graver [`Category`] wins, then the
/// enclosing one (unless it is a URL, which carries other data, or clearly less sure), then the
/// higher score, then the longer span.
pub fn resolve(text: &str, mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.retain(|finding| !finding.span.is_empty());
    if findings.len() < 2 {
        return findings;
    }
    findings.sort_by(|a, b| {
        (a.span.start, b.span.end, a.entity).cmp(&(b.span.start, a.span.end, b.entity))
    });
    let mut resolved: Vec<Finding> = Vec::with_capacity(findings.len());
    let mut cluster: Vec<Finding> = Vec::new();
    let mut reach = 0;
    for finding in findings {
        if !cluster.is_empty() && finding.span.start >= reach {
            settle(text, &mut cluster, &mut resolved);
        }
        reach = if cluster.is_empty() {
            finding.span.end
        } else {
            reach.max(finding.span.end)
        };
        cluster.push(finding);
    }
    settle(text, &mut cluster, &mut resolved);
    resolved
}

/// Settles one run of findings that hang together by overlaps.
fn settle(text: &str, cluster: &mut Vec<Finding>, resolved: &mut Vec<Finding>) {
    if cluster.len() == 1 {
        resolved.append(cluster);
        return;
    }
    unite(cluster);
    let spans: Vec<Span> = cluster.iter().map(|finding| finding.span).collect();
    cluster.sort_by_cached_key(|finding| rank(finding, &spans));
    let mut kept: Vec<Finding> = Vec::with_capacity(cluster.len());
    for finding in cluster.drain(..) {
        for span in remainders(finding.span, &kept) {
            let span = trim(text, span, finding.span);
            if !span.is_empty() {
                kept.push(Finding {
                    span,
                    ..finding.clone()
                });
            }
        }
    }
    kept.sort_by_key(|finding| finding.span);
    resolved.append(&mut kept);
}

/// Makes one of overlapping findings of the same entity. Findings arrive ordered by start.
fn unite(cluster: &mut Vec<Finding>) {
    let mut last_of: Vec<(Entity, usize)> = Vec::new();
    let mut united: Vec<Finding> = Vec::with_capacity(cluster.len());
    for finding in cluster.drain(..) {
        let seen = last_of
            .iter_mut()
            .find(|(entity, _)| *entity == finding.entity);
        match seen {
            Some((_, at)) if united[*at].span.overlaps(finding.span) => {
                let old = &mut united[*at];
                let span = old.span.union(finding.span);
                if finding.score > old.score {
                    *old = finding;
                }
                old.span = span;
            }
            Some((_, at)) => {
                *at = united.len();
                united.push(finding);
            }
            None => {
                last_of.push((finding.entity, united.len()));
                united.push(finding);
            }
        }
    }
    *cluster = united;
}

/// The order in which findings of a cluster take their place, best first: by gravity, by score
/// (with the bonus of those that enclose another), by length, by place.
type Rank = (
    Reverse<Category>,
    Reverse<u32>,
    Reverse<usize>,
    Span,
    Entity,
);

fn rank(finding: &Finding, cluster: &[Span]) -> Rank {
    let span = finding.span;
    let encloses = cluster
        .iter()
        .any(|&other| other != span && span.contains(other));
    let score = match finding.entity {
        _ if !encloses => finding.score,
        Entity::Url => 0.0,
        _ => finding.score + ENCLOSING_BONUS,
    };
    let score = (score.clamp(0.0, 2.0) * 1e6) as u32;
    let gravity = finding.entity.category();
    (
        Reverse(gravity),
        Reverse(score),
        Reverse(span.len()),
        span,
        finding.entity,
    )
}

/// What of `span` none of `kept` covers.
fn remainders(span: Span, kept: &[Finding]) -> Vec<Span> {
    let mut left = vec![span];
    for taken in kept
        .iter()
        .map(|finding| finding.span)
        .filter(|taken| taken.overlaps(span))
    {
        left = left
            .into_iter()
            .flat_map(|part| {
                let before = (part.start, taken.start.min(part.end));
                let after = (taken.end.max(part.start), part.end);
                [before, after]
            })
            .filter(|(start, end)| start < end)
            .map(|(start, end)| Span::new(start, end))
            .collect();
    }
    left
}

/// Takes separators off a part that was cut from `whole`; empty if nothing else is in it.
fn trim(text: &str, span: Span, whole: Span) -> Span {
    if span == whole {
        return span;
    }
    let part = &text[span.range()];
    let kept = part.trim_matches(|c: char| !c.is_alphanumeric());
    let start = span.start
        + (part.len()
            - part
                .trim_start_matches(|c: char| !c.is_alphanumeric())
                .len());
    if kept.is_empty() {
        Span::new(span.start, span.start)
    } else {
        Span::new(start, start + kept.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn finding(start: usize, end: usize, entity: Entity, score: f32) -> Finding {
        Finding {
            span: Span::new(start, end),
            entity,
            score,
            recognizer: "test".into(),
            jurisdiction: None,
        }
    }

    fn shape(findings: &[Finding]) -> Vec<(usize, usize, &'static str)> {
        findings
            .iter()
            .map(|f| (f.span.start, f.span.end, f.entity.as_str()))
            .collect()
    }

    #[test]
    fn an_enclosing_address_keeps_the_name_in_it() {
        let out = resolve(
            "12 Smith Street",
            vec![
                finding(0, 15, Entity::Address, 0.8),
                finding(3, 8, Entity::Person, 0.9),
            ],
        );
        assert_eq!(shape(&out), [(0, 15, "ADDRESS")]);
    }

    #[test]
    fn a_url_gives_way_to_what_it_carries() {
        let text = "https://x.org/?m=a@b.org&z=1";
        let out = resolve(
            text,
            vec![
                finding(0, text.len(), Entity::Url, 0.9),
                finding(17, 24, Entity::Email, 0.9),
            ],
        );
        assert_eq!(
            shape(&out),
            [(0, 16, "URL"), (17, 24, "EMAIL"), (25, 28, "URL")]
        );
    }

    #[test]
    fn a_secret_wins_and_the_rest_stays_covered() {
        let out = resolve(
            "user:pass@host.example",
            vec![
                finding(5, 22, Entity::Email, 0.99),
                finding(0, 9, Entity::Secret, 0.6),
            ],
        );
        assert_eq!(shape(&out), [(0, 9, "SECRET"), (10, 22, "EMAIL")]);
    }

    #[test]
    fn overlapping_findings_of_one_entity_are_one() {
        let out = resolve(
            "Anna Maria Berg",
            vec![
                finding(0, 10, Entity::Person, 0.7),
                finding(5, 15, Entity::Person, 0.9),
            ],
        );
        assert_eq!(shape(&out), [(0, 15, "PERSON")]);
        assert_eq!(out[0].score, 0.9);
    }

    proptest! {
        #[test]
        fn ordered_disjoint_and_covering(
            text in "[a-zA-Z0-9 .,éß日🙂]{0,60}",
            raw in prop::collection::vec((0usize..60, 0usize..20, 0usize..38, 0u8..100), 0..12),
        ) {
            let edges: Vec<usize> =
                text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
            let findings: Vec<Finding> = raw
                .into_iter()
                .map(|(from, len, entity, score)| {
                    let from = from.min(edges.len() - 1);
                    let to = (from + len).min(edges.len() - 1);
                    finding(edges[from], edges[to], Entity::ALL[entity], f32::from(score) / 100.0)
                })
                .collect();
            let out = resolve(&text, findings.clone());
            for pair in out.windows(2) {
                prop_assert!(pair[0].span.end <= pair[1].span.start);
            }
            for found in &out {
                prop_assert!(!found.span.is_empty() && text.get(found.span.range()).is_some());
            }
            for (at, c) in text.char_indices().filter(|(_, c)| c.is_alphanumeric()) {
                let here = Span::new(at, at + c.len_utf8());
                prop_assert_eq!(
                    findings.iter().any(|f| f.span.contains(here)),
                    out.iter().any(|f| f.span.contains(here))
                );
            }
        }
    }
}
