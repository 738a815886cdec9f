//! The key message: what the figures say, in plain words.

use super::Facts;
use super::data::Data;
use super::format::{count, counted, microseconds, percent, usd};
use crate::query::RouteRow;
use crate::tax::{Quantity, Standing};
use crate::tco::Tco;

/// One statement and how far it can be relied on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Statement {
    /// What it is about, in two or three words.
    pub(super) title: &'static str,
    pub(super) text: String,
    pub(super) standing: Standing,
}

/// What to do, what left, what stayed, what it cost, the tax. Empty when nothing happened.
pub(super) fn statements(data: &Data, facts: &Facts) -> Vec<Statement> {
    if data.is_empty() {
        return Vec::new();
    }
    let measured = |title, text| Statement {
        title,
        text,
        standing: Standing::Measured,
    };
    let derived = |title, text| Statement {
        title,
        text,
        standing: Standing::Derived,
    };
    let decision = data.tco.as_ref().map(the_decision);
    let told = vec![
        measured("What left", what_left(data, facts)),
        measured("What stayed", what_stayed(data)),
        derived("What it cost", what_it_cost(data)),
        derived("The compliance tax", the_tax(data)),
    ];
    decision.into_iter().chain(told).collect()
}

/// What the total cost of ownership says, and how much of it the records bear out.
fn the_decision(tco: &Tco) -> Statement {
    let says = format!(
        "{}. {} {} {}",
        tco.decision.headline(),
        tco.decision_reason(),
        tco.flip_sentence(),
        tco.known_sentence()
    );
    let text = if tco.traffic.can_decide() {
        says
    } else {
        format!(
            "None can rest on these records. {} As an example: {says}",
            tco.traffic.words()
        )
    };
    Statement {
        title: "Decision",
        text,
        standing: Standing::Assumed,
    }
}

fn what_left(data: &Data, facts: &Facts) -> String {
    let seen = &data.overview;
    let first = format!(
        "{} reached the gate; {} ({}) left for external endpoints{}.",
        counted(seen.exchanges, "exchange"),
        count(seen.external_exchanges),
        percent(seen.external_exchanges, seen.exchanges),
        destinations(&data.routes, facts)
    );
    let personal = match (seen.findings_total, seen.findings_left_in_clear) {
        (0, _) => "Nothing personal or secret was found in any of them.".to_owned(),
        (_, 0) => "No finding left in clear.".to_owned(),
        (_, n) => format!(
            "{} left in clear, where the policy allows it.",
            counted(n, "finding")
        ),
    };
    format!("{first} {personal}")
}

/// ` in A and B`, by jurisdiction of the external routes, busiest first.
fn destinations(routes: &[RouteRow], facts: &Facts) -> String {
    let mut names: Vec<&str> = Vec::new();
    for route in routes.iter().filter(|route| !route.on_prem) {
        let name = match route.jurisdiction.as_str() {
            "" => "an unstated jurisdiction",
            code => facts.jurisdictions.name(code),
        };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    match names.as_slice() {
        [] => String::new(),
        [one] => format!(" in {one}"),
        [head @ .., last] => format!(" in {} and {last}", head.join(", ")),
    }
}

fn what_stayed(data: &Data) -> String {
    let seen = &data.overview;
    let kept = format!(
        "On-prem endpoints answered {}; {} went nowhere ({} blocked by policy).",
        counted(seen.on_prem_exchanges, "exchange"),
        count(data.sent_nowhere()),
        count(seen.blocked)
    );
    if seen.findings_total == 0 {
        return kept;
    }
    format!(
        "{kept} Of {}, {} ({}) were replaced by placeholders before the request left, and {} stayed within.",
        counted(seen.findings_total, "finding"),
        count(seen.replaced_total),
        percent(
            seen.replaced_total.min(seen.findings_total),
            seen.findings_total
        ),
        count(data.findings_that_stayed())
    )
}

fn what_it_cost(data: &Data) -> String {
    let seen = &data.overview;
    let mut text = format!("Tokens came to {} at list price", usd(seen.spend));
    if seen.simulated_spend.0 != 0 {
        let share = usd(seen.simulated_spend);
        text += &format!(", of which {share} is SIMULATED and was never billed");
    }
    text += ".";
    text += &match seen.unpriced {
        0 => " Every exchange that is billed by the token was priced.".to_owned(),
        n => format!(
            " {} could not be priced; their cost is not in it.",
            counted(n, "exchange")
        ),
    };
    text
}

fn the_tax(data: &Data) -> String {
    let gate = data.overview.gate_us_percentiles;
    let share = data
        .tax
        .amounts
        .iter()
        .find(|amount| amount.key == "latency_share");
    let of_answer = match share.and_then(|amount| amount.quantity) {
        Some(Quantity::Share { part, whole }) => {
            format!(", {} of the time of an answer", percent(part, whole))
        }
        _ => String::new(),
    };
    let money = match data.tax.money_total {
        Some(total) => format!(
            " Inspection and record keeping come to {} at the stated rates.",
            usd(total)
        ),
        None => String::new(),
    };
    format!(
        "Inspection took {} of CPU time and added {} at the median and {} at the 95th percentile{of_answer}.{money}",
        microseconds(data.overview.inspect_cpu_us_total),
        microseconds(gate.p50),
        microseconds(gate.p95),
    )
}
