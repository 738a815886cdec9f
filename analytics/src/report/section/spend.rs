use crate::money::NanoUsd;
use crate::query::{SpendBy, SpendRow};
use crate::report::chart::{Part, bar, legend};
use crate::report::data::Data;
use crate::report::section::months;
use crate::report::{format, parts};
use crate::tax::Standing;
use maud::{Markup, html};

/// What was spent, by team, model and endpoint, and what could not be priced.
pub(in crate::report) fn render(data: &Data) -> Markup {
    html! {
        section #spend {
            h2 { "Spend" }
            p { "List prices of the price book times the tokens that providers told. Blocked and on-prem exchanges are not billed by the token." }
            (legend(&[("money", "billed"), ("money-simulated", "simulated, never billed")]))
            (table(SpendBy::Team, &data.by_team, "no team"))
            (table(SpendBy::Model, &data.by_model, "no model"))
            (table(SpendBy::Endpoint, &data.by_endpoint, "sent nowhere"))
            (months::render(data))
            (unpriced(data))
        }
    }
}

fn table(by: SpendBy, rows: &[SpendRow], nameless: &str) -> Markup {
    let max = rows
        .iter()
        .map(|row| row.spend.0.unsigned_abs())
        .max()
        .unwrap_or(0);
    let sum = |of: fn(&SpendRow) -> u64| rows.iter().map(of).sum::<u64>();
    let spend = NanoUsd::checked_sum(rows.iter().map(|row| row.spend));
    html! {
        h3 { "By " (by.name()) }
        div.wide { table {
            thead { tr {
                th { (by.name()) } th.chart { "Spend" } th.number { "USD" } th.number { "Exchanges" }
                th.number { "Input tokens" } th.number { "of which cached" } th.number { "Output tokens" } th.number { "Unpriced" }
            } }
            tbody { @for row in rows { tr {
                th scope="row" { (parts::name_or(&row.name, nameless)) (parts::simulated_of(row.simulated_exchanges, row.exchanges)) }
                td.chart { (spend_bar(row, max)) }
                td.number { (cost(row)) }
                td.number { (format::count(row.exchanges)) }
                td.number { (format::count(row.input_tokens_total)) }
                td.number { (format::count(row.cache_read_tokens_total)) }
                td.number { (format::count(row.output_tokens_total)) }
                td.number { @if row.unpriced > 0 { strong { (format::count(row.unpriced)) } } @else { "0" } }
            } } }
            tfoot { tr {
                th scope="row" { "Total" } td.chart {}
                td.number { (spend.map_or_else(|| "too large".to_owned(), format::usd)) }
                td.number { (format::count(sum(|row| row.exchanges))) }
                td.number { (format::count(sum(|row| row.input_tokens_total))) }
                td.number { (format::count(sum(|row| row.cache_read_tokens_total))) }
                td.number { (format::count(sum(|row| row.output_tokens_total))) }
                td.number { (format::count(sum(|row| row.unpriced))) }
            } }
        } }
        (parts::source(Standing::Derived, "Measured tokens at list prices.", &format!("spend-by-{}", by.name())))
    }
}

/// The spend of a row, or that it has none to tell.
fn cost(row: &SpendRow) -> Markup {
    html! {
        @if row.priced > 0 { (format::usd(row.spend)) }
        @else if row.unpriced > 0 { em { "unpriced" } }
        @else { em { "not billed" } }
    }
}

/// Billed and simulated spend, in proportion to the dearest row's.
fn spend_bar(row: &SpendRow, max: u64) -> Markup {
    let part = |class, nano: i64, word: &str| Part {
        class,
        label: format!("{} {word}", format::usd(NanoUsd(nano))),
        amount: nano.unsigned_abs(),
    };
    let billed = row.spend.0.saturating_sub(row.simulated_spend.0);
    bar(
        &[
            part("money", billed, "billed"),
            part("money-simulated", row.simulated_spend.0, "simulated"),
        ],
        max,
    )
}

fn unpriced(data: &Data) -> Markup {
    html! {
        h3 { "Not priced" }
        @if data.unpriced.is_empty() {
            p { "Every exchange that is billed by the token was priced." }
        } @else {
            p { "These exchanges consumed tokens whose cost is in no figure of this report: it is unknown, not zero." }
            div.wide { table {
                thead { tr { th { "Model" } th { "What was missing" } th.number { "Exchanges" } } }
                tbody { @for row in &data.unpriced { tr {
                    th scope="row" { (parts::name_or(&row.model_name, "no model")) (parts::simulated_of(row.simulated_exchanges, row.exchanges)) }
                    td { (row.missing) }
                    td.number { (format::count(row.exchanges)) }
                } } }
            } }
        }
        (parts::source(Standing::Measured, "Exchanges without a price.", "unpriced"))
    }
}
