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
                            Part { class: "redact", word: "redacted", amount: row.in_redacted },
                            Part { class: "local", word: "kept on-prem", amount: row.in_local },
                            Part { class: "block", word: "blocked", amount: row.in_blocked },
                            Part { class: "permit", word: "permitted", amount: row.in_permitted },
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
