//! Small pieces that the sections share.

use crate::tax::Standing;
use maud::{Markup, html};

/// The standing of a figure, beside it.
pub(super) fn standing(standing: Standing) -> Markup {
    let word = standing.as_str();
    html! { span.standing.(word) title=(explain(standing)) { (word) } }
}

/// What a standing means.
pub(super) fn explain(standing: Standing) -> &'static str {
    match standing {
        Standing::Measured => "counted or timed in the records of the exchanges",
        Standing::Derived => "a measured quantity times a stated rate or list price",
        Standing::Assumed => "from a scenario or a published figure; not measured here",
    }
}

/// The label of simulated traffic.
pub(crate) fn simulated() -> Markup {
    html! { span.simulated title="sent to a simulated endpoint: no provider was asked and nothing was billed" { "SIMULATED" } }
}

/// How many of a number of things are simulated: nothing, the label, or the label with how many.
pub(super) fn simulated_of(part: u64, whole: u64) -> Markup {
    html! {
        @if part > 0 {
            " " (simulated())
            @if part < whole { span.note { " " (super::format::count(part)) " of these" } }
        }
    }
}

/// The line under a table or chart: standing, what it is, and a link to the query behind it.
pub(super) fn source(of: Standing, words: &str, query: &str) -> Markup {
    html! {
        p.source {
            (standing(of)) " " (words) " "
            a href={ "#query-" (query) } { "Query: " (query) }
        }
    }
}

/// A name, or a word for the lack of one.
pub(super) fn name_or<'a>(name: &'a str, otherwise: &'a str) -> Markup {
    html! { @if name.is_empty() { em { (otherwise) } } @else { (name) } }
}
