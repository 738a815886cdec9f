//! Records as CEF lines.
//!
//! Source of keys and escapes: "ArcSight Common Event Format (CEF) Implementation Standard", version 25:
//! in the header `|` and `\` are escaped, in values `=`, `\` and line ends.

use super::{PRODUCT, VERSION, message};
use crate::ledger::Entry;
use crate::record::{Cost, Outcome};

pub(super) fn event(entry: &Entry) -> String {
    let record = &entry.record;
    let severity = match record.outcome {
        Outcome::Answered | Outcome::Cancelled => 1,
        Outcome::Blocked | Outcome::Refused => 5,
        Outcome::UpstreamError | Outcome::Failed => 7,
    };
    let mut line = format!(
        "CEF:0|{PRODUCT}|{PRODUCT}|{VERSION}|{}|{}|{severity}|",
        header(record.outcome.as_str()),
        header(&format!("{} {}", record.operation, record.outcome.as_str())),
    );
    let mut first = true;
    let mut set = |key: &str, text: &str| {
        if text.is_empty() {
            return;
        }
        if !std::mem::take(&mut first) {
            line.push(' ');
        }
        line.push_str(key);
        line.push('=');
        line.push_str(&value(text));
    };
    let ended = record
        .started_us
        .saturating_add_unsigned(record.timing.total_us);
    set("start", &(record.started_us / 1000).to_string());
    set("end", &(ended / 1000).to_string());
    set("externalId", &record.exchange.to_string());
    set("suser", &record.caller);
    set("act", record.decision.effect.as_str());
    set("outcome", record.outcome.as_str());
    set("reason", &record.error);
    set("app", &record.wire);
    set("in", &record.response_bytes.to_string());
    set("out", &record.upstream_bytes.to_string());
    set("msg", &message(entry));
    if let Some(route) = &record.route {
        set("destinationServiceName", &route.endpoint);
    }
    let findings: Vec<String> = record
        .findings
        .iter()
        .map(|(label, n)| format!("{label}:{n}"))
        .collect();
    let jurisdiction = record
        .route
        .as_ref()
        .map_or("", |route| &route.jurisdiction);
    let texts = [
        ("findings", findings.join(",")),
        ("model", record.model.clone()),
        ("team", record.team.clone()),
        ("rule", record.decision.rule.clone()),
        ("policy", record.decision.policy.clone()),
        ("jurisdiction", jurisdiction.to_owned()),
    ];
    for (number, (label, text)) in texts
        .iter()
        .enumerate()
        .filter(|(_, (_, text))| !text.is_empty())
    {
        set(&format!("cs{}Label", number + 1), label);
        set(&format!("cs{}", number + 1), text);
    }
    let cost = match &record.cost {
        Cost::Priced { nano_usd, .. } => nano_usd.to_string(),
        Cost::Free => "0".into(),
        Cost::Unpriced { .. } => String::new(),
    };
    let numbers = [
        ("replaced", record.replaced.to_string()),
        ("sequence", entry.seq.to_string()),
        ("costNanoUsd", cost),
    ];
    for (number, (label, text)) in numbers
        .iter()
        .enumerate()
        .filter(|(_, (_, text))| !text.is_empty())
    {
        set(&format!("cn{}Label", number + 1), label);
        set(&format!("cn{}", number + 1), text);
    }
    line
}

fn header(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('|', "\\|")
        .replace(['\r', '\n'], " ")
}

fn value(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('=', "\\=")
        .replace('\r', "\\r")
        .replace('\n', "\\n")
}
