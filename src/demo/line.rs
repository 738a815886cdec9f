//! One line an exchange, from its row in the store.

use super::play::Fault;
use tollgate_analytics::query::Exchange;

/// How lines are written.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// Whether the output is a terminal that shows colours.
    pub colour: bool,
}

impl Style {
    fn paint(self, code: &str, text: &str) -> String {
        if self.colour {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_string()
        }
    }

    fn effect(self, effect: &str, text: &str) -> String {
        let code = match effect {
            "permit" => "32",
            "redact" => "33",
            "local" => "36",
            _ => "31",
        };
        self.paint(code, text)
    }

    /// Something that is wrong.
    pub fn bad(self, text: &str) -> String {
        self.paint("1;31", text)
    }

    /// A heading.
    pub fn strong(self, text: &str) -> String {
        self.paint("1", text)
    }
}

/// The heading above the lines.
pub fn heading(style: Style) -> String {
    let text = format!(
        "{:<8}  {:<14}  {:<32}  {:<6} {:<26}  {:<38}  {:>11}  {:>12}  {:>8}  {}",
        "time",
        "team",
        "wire/model",
        "effect",
        "rule",
        "went to",
        "tokens",
        "cost",
        "gate",
        "found"
    );
    style.strong(&text)
}

/// The line of an exchange; its faults follow on lines of their own.
pub fn line(style: Style, row: &Exchange, faults: &[Fault]) -> String {
    let time = row.started().strftime("%H:%M:%S").to_string();
    let asked = format!(
        "{}/{}{}",
        row.wire,
        row.model,
        if row.stream { " ~" } else { "" }
    );
    let effect = style.effect(&row.effect, &format!("{:<6}", row.effect));
    let tokens = if row.usage_known {
        format!("{}>{}", row.input_tokens, row.output_tokens)
    } else {
        "-".into()
    };
    let gate = format!("{:.1} ms", row.gate_us as f64 / 1e3);
    let mut line = format!(
        "{time:<8}  {:<14}  {asked:<32}  {effect} {:<26}  {:<38}  {tokens:>11}  {:>12}  {gate:>8}  {}",
        row.team,
        row.rule,
        went_to(row),
        cost(row),
        found(row)
    );
    for fault in faults {
        line += &format!("\n          {}", style.bad(&format!("! {fault}")));
    }
    line
}

fn went_to(row: &Exchange) -> String {
    if row.endpoint.is_empty() {
        return "nowhere".into();
    }
    let place = match (row.on_prem, row.transfer_basis.as_str()) {
        (true, _) => "on-prem".to_string(),
        (false, "" | "none") => row.jurisdiction.clone(),
        (false, basis) => format!("{} by {basis}", row.jurisdiction),
    };
    let simulated = if row.simulated { ", simulated" } else { "" };
    format!("{} ({place}{simulated})", row.endpoint)
}

fn cost(row: &Exchange) -> String {
    match (row.cost(), row.cost_standing.as_str()) {
        (Some(cost), _) => format!("{cost:.6}"),
        (None, "unpriced") => format!("unpriced: {}", row.cost_missing),
        (None, standing) => standing.to_string(),
    }
}

fn found(row: &Exchange) -> String {
    if row.findings.is_empty() {
        return "-".into();
    }
    let labels = row.findings.iter().map(|(label, count)| match count {
        1 => label.clone(),
        count => format!("{label} x{count}"),
    });
    labels.collect::<Vec<_>>().join(", ")
}
