use super::*;
use crate::{Entity, Span};

fn normaliser() -> Normaliser {
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules/normalise");
    Normaliser::read(&rules).unwrap()
}

/// Finds every `needle` as it is written.
fn findings(needle: &str) -> impl FnMut(&str, &mut Vec<Finding>) -> Result<(), Error> {
    move |text, out| {
        out.extend(text.match_indices(needle).map(|(at, _)| Finding {
            span: Span::new(at, at + needle.len()),
            entity: Entity::Custom,
            score: 1.0,
            recognizer: "test".into(),
            jurisdiction: None,
        }));
        Ok(())
    }
}

fn found<'t>(needle: &str, text: &'t str) -> Vec<&'t str> {
    let mut out = Vec::new();
    normaliser()
        .find(text, &mut findings(needle), &mut out)
        .unwrap();
    out.into_iter()
        .map(|finding| &text[finding.span.range()])
        .collect()
}

#[test]
fn what_needs_no_other_reading_is_not_read_again() {
    let text =
        "Anna Berg wrote 4111 at 10:15, status=200, in Łódź: 12 % of it & more.\n".repeat(50);
    let mut never = |view: &str, _: &mut Vec<Finding>| panic!("read again: {view}");
    normaliser()
        .find(&text, &mut never, &mut Vec::new())
        .unwrap();
}

#[test]
fn layers_are_read_and_mapped_back() {
    assert_eq!(found("anna@x.org", "to anna%40x.org."), ["anna%40x.org"]);
    assert_eq!(
        found("anna@x.org", "to anna%2540x.org."),
        ["anna%2540x.org"]
    );
    assert_eq!(
        found("anna@x.org", "to anna%252540x.org."),
        ["anna%252540x.org"]
    );
    assert!(found("anna@x.org", "to anna%25252540x.org.").is_empty());
    assert_eq!(
        found("anna@x.org", "to %61nna&#64;x.org."),
        ["%61nna&#64;x.org"]
    );
    assert_eq!(found("4111", "x 4 1 1 1 2 2 y"), ["4 1 1 1"]);
}

#[test]
fn values_are_found_across_blocks() {
    for filler in ["word ", "é", "%41", "x\u{200b}"] {
        let pad = filler.repeat(BLOCK / filler.len() - 3);
        for shift in 0..12 {
            let text = format!("{}{pad} anna%40x.org end", "-".repeat(shift));
            // The windows of two blocks may both show it.
            let mut found = found("anna@x.org", &text);
            found.dedup();
            assert_eq!(found, ["anna%40x.org"], "{filler} {shift}");
        }
    }
}

#[test]
fn time_that_ran_out_is_an_error() {
    let mut late = |_: &str, _: &mut Vec<Finding>| Err(Error::Deadline);
    let result = normaliser().find("a%40b", &mut late, &mut Vec::new());
    assert!(result.unwrap_err().is_deadline());
}

#[test]
fn merged_edits_are_ordered_and_disjoint() {
    let edit = |from: usize, to: usize| Edit::new(from..to, view::Text::Nothing);
    let mut edits = vec![edit(2, 4), edit(8, 9)];
    merge(
        &mut edits,
        vec![edit(0, 2), edit(3, 5), edit(5, 8), edit(7, 9), edit(9, 12)],
    );
    let spans: Vec<_> = edits.iter().map(|edit| edit.span.range()).collect();
    assert_eq!(spans, [0..2, 2..4, 5..8, 8..9, 9..12]);
}

#[test]
fn hostile_text_is_read_a_few_times_at_most() {
    let words = "Dear Anna Berg, thank you for your letter of the third of May.";
    let packed =
        "RGVhciBBbm5hIEJlcmcsIHRoYW5rIHlvdSBmb3IgeW91ciBsZXR0ZXIgb2YgdGhlIHRoaXJkIG9mIE1heS4 ";
    for unit in [
        "%41",
        "%2525252541",
        "&#65;",
        "\\u0041",
        "=C3=A9",
        "a\u{200b}",
        "а1",
        "４",
        "4 ",
        "4  ",
        "1\n",
        "a1@x\n",
        " at a dot ",
        "anna at x dot org ",
        "%",
        "&",
        "\\",
        "=",
        "\u{200b}",
        "Я",
        "A",
        "-",
        "a@",
        packed,
        words,
        "12345678a\n> 12345678b\n",
    ] {
        let text = unit.repeat((1 << 20) / unit.len());
        let mut read = 0;
        let mut count = |view: &str, _: &mut Vec<Finding>| {
            read += view.len();
            Ok(())
        };
        normaliser()
            .find(&text, &mut count, &mut Vec::new())
            .unwrap();
        assert!(
            read <= 6 * text.len(),
            "{unit:?}: {} of {}",
            read,
            text.len()
        );
    }
}
