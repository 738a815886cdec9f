use crate::report::data::Data;
use crate::report::{format, parts};
use crate::tax::Standing;
use maud::{Markup, html};

/// Which rule decided how often, and why.
pub(in crate::report) fn render(data: &Data) -> Markup {
    let total = data.overview.exchanges;
    html! {
        section #decisions {
            h2 { "Decisions by rule" }
            div.wide { table {
                thead { tr {
                    th { "Rule" } th { "Effect" } th { "Reason" } th.number { "Exchanges" } th.number { "Share" }
                    th.number { "Findings" } th { "Policy" }
                } }
                tbody { @for row in &data.decisions { tr {
                    th scope="row" { (parts::name_or(&row.rule, "no rule reached")) (parts::simulated_of(row.simulated_exchanges, row.exchanges)) }
                    td { span.effect.(effect_class(&row.effect)) { (row.effect) } }
                    td.reason { (row.reason) }
                    td.number { (format::count(row.exchanges)) }
                    td.number { (format::percent(row.exchanges, total)) }
                    td.number { (format::count(row.findings_total)) }
                    td { @for policy in &row.policies { code { (policy) } " " } }
                } } }
                tfoot { tr {
                    th scope="row" { "Total" } td {} td {}
                    td.number { (format::count(data.decisions.iter().map(|row| row.exchanges).sum())) }
                    td {}
                    td.number { (format::count(data.decisions.iter().map(|row| row.findings_total).sum())) }
                    td {}
                } }
            } }
            (parts::source(Standing::Measured, "The policy is told by the first 16 digits of its file's SHA-256.", "decisions"))
        }
    }
}

/// Only the known effects become class names.
fn effect_class(effect: &str) -> &'static str {
    match effect {
        "permit" => "permit",
        "redact" => "redact",
        "local" => "local",
        "block" => "block",
        _ => "other",
    }
}
