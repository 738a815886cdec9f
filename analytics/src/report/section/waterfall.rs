use crate::report::parts;
use crate::report::waterfall::{Kind, SIDE, Step};
use maud::{Markup, html};

/// A waterfall as a table with a bar in each row; a column of how each amount came about where any
/// row has that.
pub(in crate::report) fn table(steps: &[Step]) -> Markup {
    let explained = steps.iter().any(|step| !step.basis.is_empty());
    html! {
        @if steps.is_empty() { p { "The amounts are too large to add up." } }
        @else { div.wide { table.waterfall {
            thead { tr {
                th { "Step" } th.chart { "From nothing to the highest" } th.number { "USD" } th { "Standing" }
                @if explained { th { "How it came about" } }
            } }
            tbody { @for step in steps { tr.total[step.kind == Kind::Total] {
                th scope="row" { (step.what) }
                td.chart { (bar(step)) }
                td.number { @if step.kind == Kind::Rise { "+" } (step.words) }
                td { (parts::standing(step.standing)) }
                @if explained { td.reason { (step.basis) } }
            } } }
        } } }
    }
}

fn bar(step: &Step) -> Markup {
    let label = format!("{} {}", step.what, step.words);
    let class = match step.kind {
        Kind::Total => "money",
        Kind::Rise => "block",
        Kind::Fall => "redact",
    };
    html! {
        svg.bar viewBox={ "0 0 " (SIDE) " 10" } preserveAspectRatio="none" role="img" aria-label=(label) {
            rect.(class) x=(step.from) y="0" width=(step.width) height="10" { title { (label) } }
        }
    }
}
