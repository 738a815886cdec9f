use crate::report::data::Data;
use crate::report::section::waterfall as picture;
use crate::report::{format, parts, waterfall};
use crate::tax::{Amount, Standing};
use maud::{Markup, html};

/// The measured and derived part of the compliance tax.
pub(in crate::report) fn render(data: &Data) -> Markup {
    html! {
        section #tax {
            h2 { "Compliance tax" (parts::simulated_of(data.overview.simulated_exchanges, data.overview.exchanges)) }
            p {
                "What using global models lawfully cost beyond their tokens, as far as the records can tell. "
                "Audits, legal review and staff time are not in it: nobody measured them here, and the business case below tells what others assume."
            }
            div.wide { table.stack {
                thead { tr { th { "Amount" } th.number { "Value" } th { "Standing" } th { "How it came about" } } }
                tbody { @for amount in &data.tax.amounts { (row(amount)) } }
                tfoot { tr {
                    th scope="row" { "Total of the amounts in USD" }
                    td.number { (data.tax.money_total.map_or_else(|| "not known".to_owned(), format::usd)) }
                    td { (parts::standing(Standing::Derived)) }
                    td.reason { "Inspection cost and record-keeping cost; they do not overlap." }
                } }
            } }
            h3 { "From tokens to known cost" }
            (picture::table(&waterfall::of_records(data)))
            p.source {
                a href="#query-overview" { "Query: overview" } " "
                a href="#query-routes" { "Query: routes" } " "
                a href="#query-compliance-tax" { "Query: compliance-tax" } " "
                a href="#query-footprint" { "Query: footprint" }
            }
        }
    }
}

fn row(amount: &Amount) -> Markup {
    html! {
        tr {
            th scope="row" { (amount.label) }
            td.number {
                @match amount.quantity {
                    Some(quantity) => (format::quantity(quantity)),
                    None => em { "nothing to measure" },
                }
            }
            td { (parts::standing(amount.standing)) }
            td.reason { (amount.basis) }
        }
    }
}
