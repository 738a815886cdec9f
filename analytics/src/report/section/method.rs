use crate::query::{
    DECISIONS_SQL, DEMAND_SQL, FINDINGS_SQL, FOOTPRINT_SQL, MONTHS_SQL, OVERVIEW_SQL, ROUTES_SQL,
    SpendBy, TAX_BASE_SQL, UNPRICED_SQL, drill_down,
};
use crate::report::data::Data;
use crate::report::{Facts, format, parts};
use crate::tax::Standing;
use maud::{Markup, html};

/// How the figures came about: standings, assumptions, and each query.
pub(in crate::report) fn render(data: &Data, facts: &Facts) -> Markup {
    html! {
        section #method {
            h2 { "Method and assumptions" }
            dl.terms {
                @for standing in [Standing::Measured, Standing::Derived, Standing::Assumed] {
                    dt { (parts::standing(standing)) }
                    dd { (parts::explain(standing)) }
                }
                dt { (parts::simulated()) }
                dd { "sent to a simulated endpoint for a demonstration or a test; its cost is what list prices would come to" }
            }
            ul { @for point in points(data, facts) { li { (point) } } }
            h3 { "Queries" }
            p { "Each figure is the answer to one of these, and can be asked again of the store." }
            @for (name, sql) in queries(data) {
                details id={ "query-" (name) } { summary { (name) } pre { code { (sql) } } }
            }
        }
    }
}

/// What must be known to read the figures.
pub(in crate::report) fn points(data: &Data, facts: &Facts) -> Vec<String> {
    let rates = &facts.rates;
    vec![
        "An exchange belongs to the period in which its request's head was read. The period's end is not in it.".to_owned(),
        "An exchange is external when its endpoint is not under our own control, whatever its jurisdiction.".to_owned(),
        "Percentiles are exact. Sums of money are integers of a billionth of a dollar, rounded once for each exchange.".to_owned(),
        "Prices are list prices of the standard tier. Discounts, batch and priority tiers, regional surcharges, taxes on sales and one-hour cache writes are not in them.".to_owned(),
        format!("CPU time is priced at {} per core-hour ({}).", rates.cpu_core_hour.amount, rates.cpu_core_hour.source),
        format!(
            "Storage is priced at {} per GB-month ({}), for {} days ({}).",
            rates.storage_gb_month.amount, rates.storage_gb_month.source, rates.retention_days, rates.retention_source
        ),
        "Findings are what the recognizers found. What they missed is in no figure.".to_owned(),
        freshness(data),
    ]
}

fn freshness(data: &Data) -> String {
    match (data.freshness.last_started(), data.freshness.last_seq) {
        (Some(at), Some(seq)) => format!(
            "The store held {} when this was made, up to ledger number {seq}; the newest exchange began on {}.",
            format::counted(data.freshness.records, "record"),
            format::instant(at)
        ),
        _ => "The store held no record when this was made.".to_owned(),
    }
}

/// The queries behind the figures, by the names that the figures' sources link to.
pub(in crate::report) fn queries(data: &Data) -> Vec<(String, String)> {
    let spend = [SpendBy::Team, SpendBy::Model, SpendBy::Endpoint]
        .map(|by| (format!("spend-by-{}", by.name()), by.sql()));
    [("overview", OVERVIEW_SQL), ("series", data.step.sql())]
        .map(|(name, sql)| (name.to_owned(), sql))
        .into_iter()
        .chain(spend)
        .chain(
            [
                ("months", MONTHS_SQL),
                ("unpriced", UNPRICED_SQL),
                ("findings", FINDINGS_SQL),
                ("routes", ROUTES_SQL),
                ("decisions", DECISIONS_SQL),
                ("compliance-tax", TAX_BASE_SQL),
                ("demand", DEMAND_SQL),
                ("footprint", FOOTPRINT_SQL),
            ]
            .map(|(name, sql)| (name.to_owned(), sql)),
        )
        .map(|(name, sql)| (name, drill_down(sql, data.period)))
        .collect()
}
