use crate::query::RouteRow;
use crate::report::data::Data;
use crate::report::jurisdiction::{Jurisdictions, transfer_basis};
use crate::report::{Facts, format, parts};
use crate::tax::Standing;
use maud::{Markup, html};
use serde::Serialize;

/// Where exchanges went, under whose law, on what basis.
pub(in crate::report) fn render(data: &Data, facts: &Facts) -> Markup {
    html! {
        section #routes {
            h2 { "Routes by jurisdiction" }
            @if data.routes.is_empty() {
                p { "No exchange was sent anywhere in this period." }
            } @else {
                (table(&data.routes, &facts.jurisdictions))
                (parts::source(Standing::Measured, "Endpoints as they were configured when the exchange took place.", "routes"))
                (law(&data.routes, &facts.jurisdictions))
            }
        }
    }
}

fn table(routes: &[RouteRow], jurisdictions: &Jurisdictions) -> Markup {
    html! {
        div.wide { table {
            thead { tr {
                th { "Endpoint" } th { "Jurisdiction" } th { "Transfer basis" } th.number { "Exchanges" }
                th.number { "Findings in clear" } th.number { "Tokens in" } th.number { "Tokens out" }
                th.number { "Spend" } th.number { "Answer time, p95" }
            } }
            tbody { @for row in routes { tr {
                th scope="row" { (row.endpoint) @if row.simulated { " " (parts::simulated()) } }
                td { @if row.on_prem { "on-prem" } @else { (parts::name_or(jurisdictions.name(&row.jurisdiction), "not configured")) } }
                td { @if row.on_prem { "no transfer" } @else { (transfer_basis(&row.transfer_basis)) } }
                td.number { (format::count(row.exchanges)) }
                td.number { @if row.on_prem { em { "within" } } @else { (format::count(row.findings_in_clear)) } }
                td.number { (format::count(row.input_tokens_total)) }
                td.number { (format::count(row.output_tokens_total)) }
                td.number {
                    @if row.on_prem { em { "not billed" } } @else { (format::usd(row.spend)) }
                    @if row.unpriced > 0 { br; span.note { (format::count(row.unpriced)) " unpriced" } }
                }
                td.number { (format::microseconds(row.total_us_p95)) }
            } } }
        } }
    }
}

/// What is known of the law of one jurisdiction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(in crate::report) struct Law {
    /// Its name and code.
    title: String,
    /// What is known, by term; empty when nothing is.
    lines: Vec<(&'static str, String)>,
}

/// What is known of the law of each jurisdiction that prompts went to, and how surely.
pub(in crate::report) fn laws(routes: &[RouteRow], jurisdictions: &Jurisdictions) -> Vec<Law> {
    let mut codes: Vec<&str> = Vec::new();
    for route in routes
        .iter()
        .filter(|route| !route.on_prem && !route.jurisdiction.is_empty())
    {
        if !codes.contains(&route.jurisdiction.as_str()) {
            codes.push(&route.jurisdiction);
        }
    }
    let law = |code: &str| one_law(code, jurisdictions);
    codes.into_iter().map(law).collect()
}

fn one_law(code: &str, jurisdictions: &Jurisdictions) -> Law {
    let Some(row) = jurisdictions.get(code) else {
        return Law {
            title: code.to_owned(),
            lines: Vec::new(),
        };
    };
    let lines = [
        ("Law", &row.law),
        ("Transfers from there", &row.transfer_note),
        ("Adequate to the EU", &row.eu_adequacy),
        ("Must stay there", &row.localisation),
        ("Highest fine", &row.max_fine),
        ("Regulator", &row.regulator),
        ("Confidence", &row.confidence),
        ("Source", &row.source),
    ];
    let known = lines.into_iter().filter(|(_, words)| !words.is_empty());
    Law {
        title: format!("{} ({})", row.jurisdiction, row.code),
        lines: known.map(|(term, words)| (term, words.clone())).collect(),
    }
}

/// Said of a jurisdiction without a row.
pub(in crate::report) const UNKNOWN_LAW: &str =
    "Not in the table of jurisdictions: nothing is known of its law here.";

/// Said under all of them.
pub(in crate::report) const LAW_SOURCE: &str = "From rules/jurisdictions.csv. It is a guide for finding the question to ask, not legal advice.";

fn law(routes: &[RouteRow], jurisdictions: &Jurisdictions) -> Markup {
    let laws = laws(routes, jurisdictions);
    html! {
        @if !laws.is_empty() {
            h3 { "The law at the other end " (parts::standing(Standing::Assumed)) }
            div.laws { @for law in &laws {
                div.law {
                    h4 { (law.title) }
                    @if law.lines.is_empty() { p { (UNKNOWN_LAW) } }
                    @else { dl { @for (term, words) in &law.lines { dt { (term) } dd { (words) } } } }
                }
            } }
            p.source { (LAW_SOURCE) }
        }
    }
}
