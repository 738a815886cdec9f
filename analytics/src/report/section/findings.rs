use crate::report::chart::{Part, bar, legend};
use crate::report::data::Data;
use crate::report::{format, parts};
use crate::tax::Standing;
use maud::{Markup, html};

/// What was found, by entity, and what became of the exchanges that held it.
pub(in crate::report) fn render(data: &Data) -> Markup {
    let max = data.findings.iter().map(|row| row.found).max().unwrap_or(0);
    html! {
        section #findings {
            h2 { "Findings by entity" }
            @if data.findings.is_empty() {
                p { "Nothing personal or secret was found in this period." }
            } @else {
                p { "Each finding counts under the effect of the exchange that held it." }
                (legend(&[("redact", "redacted"), ("local", "kept on-prem"), ("block", "blocked"), ("permit", "permitted as it came")]))
                div.wide { table {
                    thead { tr {
                        th { "Entity" } th.chart { "By effect" } th.number { "Found" } th.number { "Exchanges" }
                        th.number { "Redacted" } th.number { "On-prem" } th.number { "Blocked" } th.number { "Permitted" }
                    } }
                    tbody { @for row in &data.findings { tr {
                        th scope="row" { (row.label) (parts::simulated_of(row.simulated_found, row.found)) }
                        td.chart { (bar(&[
                            part("redact", row.in_redacted, "redacted"),
                            part("local", row.in_local, "kept on-prem"),
                            part("block", row.in_blocked, "blocked"),
                            part("permit", row.in_permitted, "permitted"),
                        ], max)) }
                        td.number { (format::count(row.found)) }
                        td.number { (format::count(row.exchanges)) }
                        td.number { (format::count(row.in_redacted)) }
                        td.number { (format::count(row.in_local)) }
                        td.number { (format::count(row.in_blocked)) }
                        td.number { (format::count(row.in_permitted)) }
                    } } }
                    tfoot { tr {
                        th scope="row" { "Total" } td.chart {}
                        td.number { (format::count(data.findings.iter().map(|row| row.found).sum())) }
                        td.number { span.note { "overlap" } }
                        td.number { (format::count(data.findings.iter().map(|row| row.in_redacted).sum())) }
                        td.number { (format::count(data.findings.iter().map(|row| row.in_local).sum())) }
                        td.number { (format::count(data.findings.iter().map(|row| row.in_blocked).sum())) }
                        td.number { (format::count(data.findings.iter().map(|row| row.in_permitted).sum())) }
                    } }
                } }
            }
            (parts::source(Standing::Measured, "Findings of the recognizers; an exchange with two kinds of entity counts in both rows.", "findings"))
        }
    }
}

fn part(class: &'static str, amount: u64, word: &str) -> Part {
    Part {
        class,
        label: format!("{} {word}", format::count(amount)),
        amount,
    }
}
