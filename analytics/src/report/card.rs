//! The chief figures, which the page and the PDF show as cards.

use super::data::Data;
use super::{format, parts};
use crate::tax::Standing;
use crate::tco::words::{lower_first, percent, usd};
use crate::tco::{Plan, Tco};
use maud::{Markup, html};
use serde::Serialize;

/// One figure that is read at a glance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Card {
    title: &'static str,
    value: String,
    note: String,
    /// How many of how many exchanges behind it are simulated, where any are.
    simulated: Option<[u64; 2]>,
    standing: Standing,
}

/// What the records of the period say.
pub(super) fn of_records(data: &Data) -> Vec<Card> {
    let seen = &data.overview;
    let card = |title, value, note, standing| Card {
        title,
        value,
        note,
        simulated: None,
        standing,
    };
    let simulated = [seen.simulated_exchanges, seen.exchanges];
    let simulated = (simulated[0] > 0).then_some(simulated);
    let unsure = match seen.unpriced {
        0 => "all priced".to_owned(),
        n => format!("{} unpriced", format::count(n)),
    };
    let spend_note = match seen.simulated_spend.0 {
        0 => unsure,
        _ => format!("{unsure}, {} simulated", format::usd(seen.simulated_spend)),
    };
    let gate = seen.gate_us_percentiles;
    let total = seen.total_us_percentiles;
    let exchanges = card(
        "Exchanges",
        format::count(seen.exchanges),
        format!(
            "{} external, {} on-prem, {} nowhere",
            format::count(seen.external_exchanges),
            format::count(seen.on_prem_exchanges),
            format::count(data.sent_nowhere())
        ),
        Standing::Measured,
    );
    let spend = card(
        "Token spend",
        format::usd(seen.spend),
        spend_note,
        Standing::Derived,
    );
    vec![
        Card {
            simulated,
            ..exchanges
        },
        card(
            "Findings",
            format::count(seen.findings_total),
            format!(
                "{} replaced, {} left in clear",
                format::count(seen.replaced_total),
                format::count(seen.findings_left_in_clear)
            ),
            Standing::Measured,
        ),
        Card {
            simulated: simulated.filter(|_| seen.simulated_spend.0 != 0),
            ..spend
        },
        card(
            "Compliance tax, so far",
            data.tax
                .money_total
                .map_or_else(|| "not known".to_owned(), format::usd),
            "inspection and record keeping only".to_owned(),
            Standing::Derived,
        ),
        card(
            "Added latency, p95",
            format::microseconds(gate.p95),
            format!(
                "median {}, p99 {}",
                format::microseconds(gate.p50),
                format::microseconds(gate.p99)
            ),
            Standing::Measured,
        ),
        card(
            "Answer time, p95",
            format::microseconds(total.p95),
            format!("median {}", format::microseconds(total.p50)),
            Standing::Measured,
        ),
    ]
}

/// What the total cost of ownership comes to.
pub(super) fn of_tco(tco: &Tco) -> Vec<Card> {
    let card = |title, value, note| Card {
        title,
        value,
        note,
        simulated: None,
        standing: Standing::Assumed,
    };
    let alternative = tco.plan(tco.decision.alternative);
    let api = tco.plan(Plan::Api);
    let break_even = alternative.break_even.as_ref();
    let course = &tco.courses[alternative.plan.index() - 1].saved_usd;
    let third_year = course.get(35).map(|saved| {
        card(
            "Saved after 3 years",
            usd(saved.mean),
            format!("{} to {} in 8 of 10 trials", usd(saved.p10), usd(saved.p90)),
        )
    });
    let first = [
        card(
            "Doing nothing",
            usd(api.cost_usd.mean),
            "mean net present cost of the global API and its tax".to_owned(),
        ),
        card(
            "Best alternative",
            usd(alternative.cost_usd.mean),
            lower_first(alternative.plan.name()),
        ),
        card(
            "Net present saving",
            usd(api.cost_usd.mean - alternative.cost_usd.mean),
            format!(
                "mean; it costs less in {} of trials",
                percent(alternative.beats[0])
            ),
        ),
        card(
            "Payback",
            break_even.and_then(|of| of.months).map_or_else(
                || "never".to_owned(),
                |[_, middle, _]| format!("month {middle}"),
            ),
            break_even.map_or_else(String::new, |of| {
                format!("median where it does; never in {}", percent(of.never))
            }),
        ),
    ];
    let known = card(
        "Known from records",
        tco.baseline
            .share_from_records()
            .map_or_else(|| "nothing".to_owned(), percent),
        "share of today's cost of doing nothing that is measured or derived".to_owned(),
    );
    first.into_iter().chain(third_year).chain([known]).collect()
}

/// The cards of the page.
pub(super) fn html(cards: &[Card]) -> Markup {
    html! {
        div.figures { @for card in cards {
            div.figure {
                p.title { (card.title) }
                p.value { (card.value) }
                p.note { (card.note) @if let Some([part, whole]) = card.simulated { (parts::simulated_of(part, whole)) } }
                p.foot { (parts::standing(card.standing)) }
            }
        } }
    }
}
