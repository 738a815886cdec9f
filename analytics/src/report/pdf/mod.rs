//! The report as a typeset PDF: a template that is ours, and a view of the figures as JSON.

mod picture;
mod view;

use super::data::Data;
use super::{Facts, Meta};
use tollgate_typeset::{Document, Error, Paper};

const TEMPLATE: &str = include_str!("report.typ");

/// The paper.
pub(super) fn render(data: &Data, facts: &Facts, meta: &Meta) -> Result<Paper, Error> {
    Document::new(TEMPLATE)
        .dated(meta.generated_at)
        .fonts(facts.fonts.iter().cloned())?
        .data("data.json", &view::of(data, facts, meta))?
        .set()
}

#[cfg(test)]
mod tests;
