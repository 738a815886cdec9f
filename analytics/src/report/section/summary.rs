use crate::query::{SeriesPoint, Step};
use crate::report::data::Data;
use crate::report::{Facts, card, chart, format, message, parts};
use crate::tax::Standing;
use maud::{Markup, html};

/// The key message, the chief figures, and the traffic over time.
pub(in crate::report) fn render(data: &Data, facts: &Facts) -> Markup {
    html! {
        section #summary {
            h2 { "Summary" }
            @if data.is_empty() { (nothing(data)) } @else {
                dl.message {
                    @for statement in message::statements(data, facts) {
                        dt { (statement.title) " " (parts::standing(statement.standing)) }
                        dd { (statement.text) }
                    }
                }
                (card::html(&card::of_records(data)))
                (over_time(data))
            }
        }
    }
}

fn nothing(data: &Data) -> Markup {
    html! {
        p.empty { "No exchange reached the gate in this period, so there is nothing to report on." }
        p.note {
            @match data.freshness.last_started() {
                Some(at) => { "The store holds " (format::counted(data.freshness.records, "record")) "; the newest is of " (format::instant(at)) "." },
                None => { "The store holds no record at all." },
            }
        }
    }
}

/// When a step of the chart began, as precisely as the step needs.
pub(in crate::report) fn label(step: Step, point: &SeriesPoint) -> String {
    let pattern = match step {
        Step::Minute | Step::Hour => "%-d %b %H:%M",
        Step::Day => "%-d %b %Y",
    };
    point.at().strftime(pattern).to_string()
}

fn over_time(data: &Data) -> Markup {
    let step = data.step.name();
    let label = |point: &SeriesPoint| label(data.step, point);
    let columns: Vec<chart::Column> = data
        .series
        .iter()
        .map(|point| {
            let passed = point.exchanges.saturating_sub(point.blocked);
            chart::Column {
                title: format!(
                    "{}: {}, {} blocked, {} simulated",
                    label(point),
                    format::counted(point.exchanges, "exchange"),
                    point.blocked,
                    point.simulated_exchanges
                ),
                parts: vec![("passed", passed), ("block", point.blocked)],
            }
        })
        .collect();
    let at = |i: usize| data.series.get(i).map(label).unwrap_or_default();
    let last = data.series.len().saturating_sub(1);
    html! {
        h3 { "Exchanges by " (step) (parts::simulated_of(data.overview.simulated_exchanges, data.overview.exchanges)) }
        (chart::legend(&[("passed", "not blocked"), ("block", "blocked by policy")]))
        (chart::columns(&columns, "exchanges", [&at(0), &at(last / 2), &at(last)]))
        (parts::source(Standing::Measured, "Exchanges that reached the gate.", "series"))
    }
}
