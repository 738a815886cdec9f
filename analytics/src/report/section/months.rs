use crate::report::by_month::{Month, Months};
use crate::report::chart::{Part, bar, legend};
use crate::report::data::Data;
use crate::report::{format, parts};
use crate::tax::Standing;
use maud::{Markup, html};

/// The colours of the teams, dearest first, and of the others.
const COLOURS: [&str; 6] = [
    "team-1",
    "team-2",
    "team-3",
    "team-4",
    "team-5",
    "team-other",
];

/// What each month cost, by team.
pub(in crate::report) fn render(data: &Data) -> Markup {
    html! {
        h3 { "By month and team" }
        @match Months::of(&data.by_month) {
            Some(months) => (table(&months)),
            None => p { "The amounts are too large to add up." },
        }
        (parts::source(Standing::Derived, "Measured tokens at list prices. Months of UTC; the first and the last hold only what is within the period.", "months"))
    }
}

fn table(months: &Months) -> Markup {
    let titles = months.titles();
    let colours = colours(months);
    let entries: Vec<_> = colours
        .iter()
        .copied()
        .zip(titles.iter().copied())
        .collect();
    html! {
        (legend(&entries))
        div.wide { table {
            thead { tr {
                th { "month" } th.chart { "Spend by team" }
                @for title in &titles { th.number { (title) } }
                th.number { "All" }
            } }
            tbody { @for month in &months.months { tr {
                th scope="row" { (month.month) (parts::simulated_of(month.simulated_of[0], month.simulated_of[1])) }
                td.chart { (stacked(month, &titles, &colours, months.greatest())) }
                @for spend in &month.spend { td.number { (format::usd(*spend)) } }
                td.number { (format::usd(month.total)) }
            } } }
        } }
    }
}

/// One colour for each column.
fn colours(months: &Months) -> Vec<&'static str> {
    let named = COLOURS.iter().take(months.teams.len());
    let others = months.others.then_some(&COLOURS[5]);
    named.chain(others).copied().collect()
}

fn stacked(month: &Month, titles: &[&str], colours: &[&'static str], max: u64) -> Markup {
    let columns = month.spend.iter().zip(titles).zip(colours);
    let parts: Vec<Part> = columns
        .map(|((spend, title), class)| Part {
            class,
            label: format!("{title} {}", format::usd(*spend)),
            amount: spend.0.unsigned_abs(),
        })
        .collect();
    bar(&parts, max)
}
