//! A paper as one page.

use super::document::{Cell, Column, Document, Part, Table};
use super::template::Law;
use crate::report::{STYLE, format, parts};
use maud::{DOCTYPE, Markup, PreEscaped, html};

/// What the papers need beyond the report's style.
const OWN_STYLE: &str = include_str!("style.css");
/// So many rows of a table are on the page; its file has all.
const ROWS_MAX: usize = 200;

pub(super) fn render(document: &Document) -> String {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'";
                title { (document.title) ", " (format::period(document.period)) }
                style { (PreEscaped(STYLE)) (PreEscaped(OWN_STYLE)) }
            }
            body.paper {
                (head(document))
                main {
                    (notices(document))
                    (laws(&document.laws))
                    @for part in &document.parts { (section(document, part)) }
                }
                footer {
                    p { (prose(&document.basis)) }
                    p { "Made by Tollgate " (document.version) " on " (format::instant(document.made_at)) ". All times are UTC. It is a record of what was counted and configured, not legal advice." }
                }
            }
        }
    }
    .into_string()
}

fn head(document: &Document) -> Markup {
    html! {
        header {
            p.brand { "Tollgate · papers" }
            h1 { (document.title) }
            p.period {
                @match &document.organization {
                    Some(name) => strong { (name) },
                    None => (gap("organization.name")),
                }
                " · " (format::period(document.period))
            }
            p { (prose(&document.about)) }
        }
    }
}

fn notices(document: &Document) -> Markup {
    let (simulated, all) = document.simulated;
    let gaps = document.gaps().len();
    html! {
        @if simulated > 0 {
            p.notice {
                (parts::simulated()) " "
                (format::count(simulated)) " of " (format::counted(all, "exchange")) " went to simulated endpoints: no such transfer took place."
            }
        }
        @if all == 0 { p.notice { "No exchange reached the gate in this period." } }
        @if gaps > 0 {
            p.notice { "To be filled in: " (format::counted(gaps as u64, "statement")) " that only the organization can make, marked " (gap("key")) " with the key of the configuration where it belongs." }
        }
    }
}

fn laws(laws: &[Law]) -> Markup {
    html! {
        section {
            h2 { "Legal source" }
            div.wide { table {
                thead { tr { th { "Source" } th { "Asks for" } th { "Applies from" } th { "Read in, and how sure" } } }
                tbody { @for law in laws { tr {
                    th scope="row" { (law.cite) }
                    td { (prose(&law.says)) }
                    td { @if let Some(day) = law.applies_from { span.at { (day) } } @if let Some(dates) = &law.dates { @if law.applies_from.is_some() { br; } span.note { (dates) } } }
                    td.reason { (law.source) br; span.confidence { (law.confidence) } }
                } } }
            } }
        }
    }
}

fn section(document: &Document, part: &Part) -> Markup {
    html! {
        section {
            h2 { (part.title) }
            @if !part.text.is_empty() { p { (prose(&part.text)) } }
            @if !part.statements.is_empty() {
                dl.terms { @for (label, said) in &part.statements { dt { (label) } dd { (cell(said)) } } }
            }
            @for table in &part.tables { (rows(document, table)) }
        }
    }
}

fn rows(document: &Document, table: &Table) -> Markup {
    // What says nothing in any row only makes the page wide; the file has it.
    let shown: Vec<(usize, &Column)> = table
        .columns
        .iter()
        .enumerate()
        .filter(|(i, _)| table.rows.iter().any(|row| row[*i] != Cell::None))
        .collect();
    let beyond = (table.rows.len().saturating_sub(ROWS_MAX)) as u64;
    html! {
        @if !table.about.is_empty() { p { (prose(&table.about)) } }
        @if table.rows.is_empty() { p { em { "None in this period." } } }
        @else {
            div.wide { table {
                thead { tr { @for (i, column) in &shown { th.number[is_number(table, *i)] { (column.label) } } } }
                tbody { @for row in table.rows.iter().take(ROWS_MAX) { tr {
                    @for (i, _) in &shown { td.number[is_number(table, *i)] { (cell(&row[*i])) } }
                } } }
            } }
        }
        @if beyond > 0 { p.source { (format::count(beyond)) " more rows are in " (document.id) "-" (table.id) ".csv." } }
        @if table.left_out > 0 { p.source { (format::counted(table.left_out, "exchange")) " of the period came after the last that was looked at for this list." } }
    }
}

fn is_number(table: &Table, column: usize) -> bool {
    table
        .rows
        .iter()
        .all(|row| matches!(row[column], Cell::Count(_) | Cell::None))
}

fn cell(cell: &Cell) -> Markup {
    match cell {
        Cell::Text(text) => prose(text),
        Cell::Count(n) => html! { (format::count(*n)) },
        Cell::At(at) => html! { span.at { (format::instant(*at)) } },
        Cell::Gap(key) => gap(key),
        Cell::None => html! {},
    }
}

/// Text in which what stands between backticks is code.
fn prose(text: &str) -> Markup {
    html! {
        @for (number, piece) in text.split('`').enumerate() {
            @if number % 2 == 1 { code { (piece) } } @else { (piece) }
        }
    }
}

fn gap(key: &str) -> Markup {
    html! { span.gap { "to be filled in: " code { (key) } } }
}
