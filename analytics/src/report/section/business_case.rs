use crate::report::parts;
use crate::tax::Standing;
use crate::tco::{APPROACHES, BusinessCase, Cell, Figure, TAX_ALTERNATIVES};
use maud::{Markup, html};

/// The business case's own figures: the comparison by approach, then what stood beside it.
pub(in crate::report) fn render(case: &BusinessCase) -> Markup {
    html! {
        section #business-case {
            h2 { "The business case's figures " (parts::standing(Standing::Assumed)) }
            p {
                "The published comparison that this project started from. None of these figures was measured here. "
                "The table alone does not show after how long owning a model pays; a range's ends are not equally likely."
            }
            h3 { "Cost by approach" }
            div.wide { table.case {
                thead { tr { th { "Factor" } @for approach in APPROACHES { th { (approach) } } } }
                tbody { @for row in case.table() { tr {
                    th scope="row" { (row.factor) }
                    @for cell in &row.cells { (table_cell(cell)) }
                } } }
            } }
            h3 { "Beside the table" }
            p {
                "Figures " (TAX_ALTERNATIVES.start()) " to " (TAX_ALTERNATIVES.end())
                " measure the compliance tax in four ways. They are alternatives: never add them up."
            }
            div.wide { table.case.stack {
                thead { tr { th.number { "No." } th { "Figure" } th { "Value" } th { "For" } th { "What must be known" } } }
                tbody { @for figure in case.beside_the_table() { (beside(figure)) } }
            } }
            p.source { (parts::standing(Standing::Assumed)) " rules/tco/business_case.csv" }
        }
    }
}

fn table_cell(cell: &Cell) -> Markup {
    html! { td { (cell.text) @for mark in &cell.marks { br; span.mark { (mark) } } } }
}

fn beside(figure: &Figure) -> Markup {
    html! {
        tr {
            td.number { (figure.n) }
            th scope="row" { (figure.factor()) @if TAX_ALTERNATIVES.contains(&figure.n) { br; span.mark { "alternative" } } }
            td { (figure.range()) @if figure.is_open_top() { br; span.mark { "open top" } } }
            td { (figure.approach) }
            td.reason {
                @match figure.correction_of_law() {
                    Some(correction) => { strong { "Correction of law: " } (correction) },
                    None => (figure.note),
                }
            }
        }
    }
}
