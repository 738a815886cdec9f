use crate::query::RouteRow;
use crate::report::data::Data;
use crate::report::jurisdiction::{Jurisdictions, transfer_basis};
use crate::report::{Facts, format, parts};
use crate::tax::Standing;
use maud::{Markup, html};

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

/// What is known of the law of each jurisdiction that prompts went to, and how surely.
fn law(routes: &[RouteRow], jurisdictions: &Jurisdictions) -> Markup {
    let mut codes: Vec<&str> = Vec::new();
    for route in routes
        .iter()
        .filter(|route| !route.on_prem && !route.jurisdiction.is_empty())
    {
        if !codes.contains(&route.jurisdiction.as_str()) {
            codes.push(&route.jurisdiction);
        }
    }
    html! {
        @if !codes.is_empty() {
            h3 { "The law at the other end " (parts::standing(Standing::Assumed)) }
            div.laws { @for code in codes { (one_law(code, jurisdictions)) } }
            p.source { "From rules/jurisdictions.csv. It is a guide for finding the question to ask, not legal advice." }
        }
    }
}

fn one_law(code: &str, jurisdictions: &Jurisdictions) -> Markup {
    let Some(row) = jurisdictions.get(code) else {
        return html! { div.law { h4 { (code) } p { "Not in the table of jurisdictions: nothing is known of its law here." } } };
    };
    let lines = [
        ("Law", row.law.as_str()),
        ("Transfers from there", row.transfer_note.as_str()),
        ("Adequate to the EU", row.eu_adequacy.as_str()),
        ("Must stay there", row.localisation.as_str()),
        ("Highest fine", row.max_fine.as_str()),
        ("Regulator", row.regulator.as_str()),
        ("Confidence", row.confidence.as_str()),
        ("Source", row.source.as_str()),
    ];
    html! {
        div.law {
            h4 { (row.jurisdiction) " (" (row.code) ")" }
            dl { @for (term, words) in lines { @if !words.is_empty() { dt { (term) } dd { (words) } } } }
        }
    }
}
