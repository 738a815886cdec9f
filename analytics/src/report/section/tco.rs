use crate::report::section::waterfall as picture;
use crate::report::{card, format, parts, tco_chart, waterfall};
use crate::tax::Standing;
use crate::tco::words::{condition_words, flip_words, lower_first, number, percent, usd};
use crate::tco::{Assumption, BreakEven, Component, Plan, Tco};
use maud::{Markup, html};

/// How many bars the tornado has, and how many flips and conditions are told.
const BARS: usize = 12;
const TOLD: usize = 5;

/// What owning a model would cost against the global API and its tax.
pub(in crate::report) fn render(tco: &Tco) -> Markup {
    html! {
        section #tco {
            h2 { "Total cost of ownership " (parts::standing(Standing::Assumed)) @if is_simulated(tco) { " " (parts::simulated()) } }
            p {
                (tco.traffic.words()) " " a href="#query-demand" { "Query: demand" } ". Everything after today is assumed: growth, prices to come, salaries. "
                "Amounts are net present costs over " (tco.horizon_months) " months, from "
                (format::count(tco.trials.into())) " trials of the scenario “" (tco.scenario) "” (seed " (tco.seed) "). " (tco.about)
            }
            h3 { (tco.decision.headline()) }
            p { (tco.decision_reason()) " " (tco.flip_sentence()) " " (tco.known_sentence()) }
            (card::html(&card::of_tco(tco)))
            (options(tco))
            (made_of(tco))
            (course(tco))
            (tornado(tco))
            (flips(tco))
            (claim(tco))
            h3 { "Doing nothing, and the pessimistic case" }
            p { (tco.pessimistic_sentence()) " Exposure to fines is in none of these amounts." }
            (baseline(tco))
            (assumptions(tco))
        }
    }
}

pub(in crate::report) fn is_simulated(tco: &Tco) -> bool {
    use crate::tco::Traffic;
    matches!(&tco.traffic, Traffic::Records { simulated_exchanges, .. } if *simulated_exchanges > 0)
}

fn options(tco: &Tco) -> Markup {
    let greatest = tco_chart::greatest(&tco.plans);
    html! {
        h3 { "Five options" }
        div.wide { table.plans {
            thead { tr {
                th { "Option" } th.chart { "P10 to P90, and the median" } th.number { "P10" } th.number { "Median" } th.number { "P90" } th.number { "Mean" }
                th.number { "Cheapest" } th.number { "Beats API" } th { "Break-even with the API" }
            } }
            tbody { @for outcome in &tco.plans { tr {
                th scope="row" { (outcome.plan.name()) }
                td.chart { (tco_chart::range(outcome, greatest)) }
                td.number { (usd(outcome.cost_usd.p10)) }
                td.number { (usd(outcome.cost_usd.p50)) }
                td.number { (usd(outcome.cost_usd.p90)) }
                td.number { (usd(outcome.cost_usd.mean)) }
                td.number { (percent(outcome.cheapest)) }
                td.number { @if outcome.plan == Plan::Api { "–" } @else { (percent(outcome.beats[0])) } }
                td { @match &outcome.break_even { Some(of) => (break_even(of)), None => "–" } }
            } } }
        } }
        (source("P10: one trial in ten costs less; P90: one in ten costs more. Cheapest, beats API: share of trials."))
    }
}

pub(in crate::report) fn break_even(of: &BreakEven) -> String {
    match of.months {
        None => "never".to_owned(),
        _ if of.never > 0.99 => format!("never in {}", percent(of.never)),
        Some([early, middle, late]) => format!(
            "month {middle} ({early} to {late}); never in {}",
            percent(of.never)
        ),
    }
}

fn made_of(tco: &Tco) -> Markup {
    html! {
        h3 { "What they are made of" }
        div.wide { table {
            thead { tr { th { "Mean cost" } @for outcome in &tco.plans { th.number { (outcome.plan.name()) } } } }
            tbody { @for (at, component) in Component::ALL.iter().enumerate() { tr {
                th scope="row" { (component.name()) }
                @for outcome in &tco.plans { td.number { (usd(outcome.components_usd[at].usd)) } }
            } } }
            tfoot { tr { th scope="row" { "All" } @for outcome in &tco.plans { td.number { (usd(outcome.cost_usd.mean)) } } } }
        } }
        (source("Until an option answers, its traffic goes on to the global API and its tax, which are in its cost."))
    }
}

fn course(tco: &Tco) -> Markup {
    let plan = tco.decision.alternative;
    html! {
        h3 { "When the best alternative has paid: " (lower_first(plan.name())) }
        (tco_chart::fan(&tco.courses[plan.index() - 1]))
        (source("Saved over the global API up to each month, discounted: the band holds 8 of 10 trials, the line is the median; above the axis it has paid."))
    }
}

fn tornado(tco: &Tco) -> Markup {
    let bars = &tco.tornado[..tco.tornado.len().min(BARS)];
    html! {
        @if !bars.is_empty() {
            h3 { "What its saving hangs on" }
            (tco_chart::tornado(bars))
            (source("Mean saving of the best alternative over the tenth of trials in which an input is lowest, and highest, all others varying."))
        }
    }
}

fn flips(tco: &Tco) -> Markup {
    html! {
        h3 { "What changes which option costs least" }
        @if tco.flips.is_empty() { p { (tco.flip_sentence()) } }
        @else { ul { @for flip in tco.flips.iter().take(TOLD) { li { (flip_words(flip)) } } } }
    }
}

fn claim(tco: &Tco) -> Markup {
    html! {
        h3 { "The business case's 18 to 24 months" }
        p { (tco.claim_sentence()) " The business case says it of high volume only, without a volume; its own table does not yield it." }
        @if !tco.claim.conditions.is_empty() {
            p { "What is different in those trials (medians):" }
            ul { @for condition in tco.claim.conditions.iter().take(TOLD) { li { (condition_words(condition)) } } }
        }
    }
}

fn baseline(tco: &Tco) -> Markup {
    html! {
        (picture::table(&waterfall::of_year(tco)))
        (source("A year at today's rate, every input at its median."))
    }
}

fn assumptions(tco: &Tco) -> Markup {
    html! {
        h3 { "Assumptions" }
        details { summary { "All " (tco.assumptions.len()) " inputs with range, source and standing" }
            div.wide { table {
                thead { tr { th { "Input" } th.number { "P10" } th.number { "Median" } th.number { "P90" } th { "Unit" } th { "Standing" } th { "Source" } } }
                tbody { @for input in &tco.assumptions { (assumption(input)) } }
            } }
        }
        p.source { (parts::standing(Standing::Assumed)) " rules/tco/scenarios; the model is defined in docs/tco.md" }
    }
}

fn assumption(input: &Assumption) -> Markup {
    let [low, middle, high] = input.percentiles.map(number);
    html! {
        tr {
            th scope="row" { (input.what) br; code { (input.key) } }
            td.number { (low) } td.number { (middle) } td.number { (high) }
            td { (input.unit) @if input.distribution != "fixed" { br; span.note { (input.distribution) } } }
            td { (parts::standing(input.standing)) }
            td.reason { (input.source) }
        }
    }
}

fn source(words: &str) -> Markup {
    html! { p.source { (parts::standing(Standing::Assumed)) " " (words) } }
}
