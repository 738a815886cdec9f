use crate::query::{SeriesPoint, Step};
use crate::report::data::Data;
use crate::report::{Facts, chart, format, message, parts};
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
                (figures(data))
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

fn figures(data: &Data) -> Markup {
    let seen = &data.overview;
    let figure = |title: &str, value: String, note: Markup, standing| {
        html! {
            div.figure {
                p.title { (title) }
                p.value { (value) }
                p.note { (note) }
                p.foot { (parts::standing(standing)) }
            }
        }
    };
    let unsure = match seen.unpriced {
        0 => "all priced".to_owned(),
        n => format!("{} unpriced", format::count(n)),
    };
    html! {
        div.figures {
            (figure("Exchanges", format::count(seen.exchanges),
                html! { (format::count(seen.external_exchanges)) " external, " (format::count(seen.on_prem_exchanges)) " on-prem, " (format::count(data.sent_nowhere())) " nowhere" (parts::simulated_of(seen.simulated_exchanges, seen.exchanges)) },
                Standing::Measured))
            (figure("Findings", format::count(seen.findings_total),
                html! { (format::count(seen.replaced_total)) " replaced, " (format::count(seen.findings_left_in_clear)) " left in clear" },
                Standing::Measured))
            (figure("Token spend", format::usd(seen.spend),
                html! { (unsure) @if seen.simulated_spend.0 != 0 { ", " (format::usd(seen.simulated_spend)) " " (parts::simulated()) } },
                Standing::Derived))
            (figure("Compliance tax, so far", data.tax.money_total.map_or_else(|| "not known".to_owned(), format::usd),
                html! { "inspection and record keeping only" },
                Standing::Derived))
            (figure("Added latency, p95", format::microseconds(seen.gate_us_percentiles.p95),
                html! { "median " (format::microseconds(seen.gate_us_percentiles.p50)) ", p99 " (format::microseconds(seen.gate_us_percentiles.p99)) },
                Standing::Measured))
            (figure("Answer time, p95", format::microseconds(seen.total_us_percentiles.p95),
                html! { "median " (format::microseconds(seen.total_us_percentiles.p50)) },
                Standing::Measured))
        }
    }
}

fn over_time(data: &Data) -> Markup {
    let (step, pattern) = match data.step {
        Step::Minute => ("minute", "%-d %b %H:%M"),
        Step::Hour => ("hour", "%-d %b %H:%M"),
        Step::Day => ("day", "%-d %b %Y"),
    };
    let label = |point: &SeriesPoint| point.at().strftime(pattern).to_string();
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
