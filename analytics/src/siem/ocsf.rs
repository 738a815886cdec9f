//! Records as OCSF events.
//!
//! Source of classes, attributes and numbers: schema.ocsf.io, version 1.8.0, API Activity (6003) and
//! Data Security Finding (2006). What the schema has no attribute for is in `unmapped`.

use super::{PRODUCT, VERSION, message};
use crate::ledger::Entry;
use crate::record::{Cost, Effect, Outcome, Record, Route};
use serde_json::{Map, Value, json};

/// The schema's version.
const SCHEMA: &str = "1.8.0";

pub(super) fn events(entry: &Entry) -> Vec<Value> {
    let mut events = vec![activity(entry)];
    if !entry.record.findings.is_empty() {
        events.push(finding(entry));
    }
    events
}

/// API Activity: the exchange.
fn activity(entry: &Entry) -> Value {
    let record = &entry.record;
    // Read: nothing is made from what was sent. Everything else makes an answer.
    let (activity, name) = match record.operation.as_str() {
        "models" | "count_tokens" => (2, "Read"),
        _ => (1, "Create"),
    };
    let mut event = common(
        entry,
        6,
        "Application Activity",
        6003,
        "API Activity",
        activity,
        name,
    );
    let service = record
        .route
        .as_ref()
        .map_or(&record.wire, |route| &route.endpoint);
    event.insert("severity_id".into(), severity(record).into());
    event.insert("duration".into(), (record.timing.total_us / 1000).into());
    event.insert(
        "api".into(),
        json!({
            "operation": record.operation,
            "service": {"name": service},
            "request": {"uid": record.exchange},
            "response": {"code": record.status, "error": nonempty(&record.error)},
        }),
    );
    event.insert(
        "http_response".into(),
        json!({"code": record.status, "length": record.response_bytes}),
    );
    event.insert(
        "resources".into(),
        json!([{"name": record.model, "type": "model"}]),
    );
    let success = record.outcome == Outcome::Answered && record.status < 400;
    event.insert("status_id".into(), if success { 1 } else { 2 }.into());
    event.insert(
        "status".into(),
        if success { "Success" } else { "Failure" }.into(),
    );
    if let Some(code) = nonempty(&record.error) {
        event.insert("status_code".into(), code.into());
    }
    if let Some(reason) = nonempty(&record.decision.reason) {
        event.insert("status_detail".into(), reason.into());
    }
    event.insert("unmapped".into(), unmapped(entry));
    Value::Object(event)
}

/// Data Security Finding: what was found in it.
fn finding(entry: &Entry) -> Value {
    let record = &entry.record;
    let mut event = common(
        entry,
        2,
        "Findings",
        2006,
        "Data Security Finding",
        1,
        "Create",
    );
    let left =
        record.route.as_ref().is_some_and(|route| !route.on_prem) && record.upstream_bytes > 0;
    let all: u32 = record.findings.values().sum();
    event.insert("severity_id".into(), severity(record).into());
    // What was handled by policy needs nobody; what left as it was may.
    let clear = left && record.replaced < all;
    event.insert("is_alert".into(), clear.into());
    event.insert("status_id".into(), if clear { 1 } else { 4 }.into());
    let counts = record
        .findings
        .iter()
        .map(|(label, count)| format!("{label}: {count}"));
    event.insert(
        "finding_info".into(),
        json!({
            "uid": format!("{}/findings", record.exchange),
            "title": "Personal data or secrets in a prompt",
            "desc": counts.collect::<Vec<_>>().join(", "),
            "types": record.findings.keys().collect::<Vec<_>>(),
            "created_time": ended_ms(record),
            "related_events_count": 1,
            "related_events": [{"uid": record.exchange, "type_uid": 600_301}],
        }),
    );
    let (category, name) = category(record);
    event.insert("data_security".into(), json!({
        "category_id": category,
        "category": name,
        // Data in transit, seen by a secure web gateway.
        "data_lifecycle_state_id": 2,
        "detection_system_id": 5,
        "detection_system": PRODUCT,
        "policy": {"name": record.decision.rule, "uid": record.decision.policy, "desc": record.decision.reason},
    }));
    event.insert(
        "unmapped".into(),
        json!({
            "findings": record.findings,
            "replaced": record.replaced,
            "left_in_clear": if left { all.saturating_sub(record.replaced) } else { 0 },
        }),
    );
    Value::Object(event)
}

/// What the events of a record have in common.
fn common(
    entry: &Entry,
    category: u32,
    category_name: &str,
    class: u32,
    class_name: &str,
    activity: u32,
    activity_name: &str,
) -> Map<String, Value> {
    let record = &entry.record;
    let mut event = Map::new();
    let mut set = |key: &str, value: Value| {
        event.insert(key.into(), value);
    };
    set("category_uid", category.into());
    set("category_name", category_name.into());
    set("class_uid", class.into());
    set("class_name", class_name.into());
    set("activity_id", activity.into());
    set("activity_name", activity_name.into());
    set("type_uid", (class * 100 + activity).into());
    set("type_name", format!("{class_name}: {activity_name}").into());
    set("time", ended_ms(record).into());
    set("start_time", (record.started_us / 1000).into());
    set("message", message(entry).into());
    set(
        "metadata",
        json!({
            "version": SCHEMA,
            "product": {"name": PRODUCT, "vendor_name": PRODUCT, "version": VERSION},
            // One for each event: the record's place in the ledger and the class.
            "uid": format!("{}-{class}", entry.seq),
            "sequence": entry.seq,
            "correlation_uid": record.exchange,
            "log_name": "exchanges",
        }),
    );
    let groups: Vec<_> = nonempty(&record.team)
        .map(|team| json!({"name": team}))
        .into_iter()
        .collect();
    set(
        "actor",
        json!({
            "user": {"name": record.caller, "type_id": 3, "type": "System", "groups": groups},
            "app_name": nonempty(&record.project),
        }),
    );
    set("src_endpoint", json!({"name": record.caller}));
    if let Some(route) = &record.route {
        set("dst_endpoint", destination(route));
    }
    event
}

fn destination(route: &Route) -> Value {
    let mut place = json!({"svc_name": route.endpoint});
    match route.jurisdiction.as_str() {
        "" => {}
        // No country, which `location.country` must be.
        "EU" => place["location"] = json!({"continent": "Europe", "desc": "European Union"}),
        country => place["location"] = json!({"country": country}),
    }
    place
}

fn unmapped(entry: &Entry) -> Value {
    let record = &entry.record;
    let (cost, standing) = match &record.cost {
        Cost::Priced { nano_usd, .. } => (Some(*nano_usd), "priced"),
        Cost::Unpriced { .. } => (None, "unpriced"),
        Cost::Free => (Some(0), "free"),
    };
    let route = record.route.as_ref();
    json!({
        "decision": record.decision,
        "outcome": record.outcome,
        "wire": record.wire,
        "stream": record.stream,
        "findings": record.findings,
        "replaced": record.replaced,
        "restored": record.restored,
        "request_bytes": record.request_bytes,
        "upstream_bytes": record.upstream_bytes,
        "usage": record.usage,
        "cost_nano_usd": cost,
        "cost_standing": standing,
        "transfer_basis": route.map(|route| &route.transfer_basis),
        "on_prem": route.map(|route| route.on_prem),
        "simulated": route.map(|route| route.simulated),
        "attempts_before": record.tried.len(),
        "ledger_hash": entry.hash.to_string(),
    })
}

/// 1 informational, 2 low, 3 medium: what policy stopped is low, what the gate could not do medium.
fn severity(record: &Record) -> u32 {
    match (record.outcome, record.decision.effect) {
        (Outcome::Failed | Outcome::UpstreamError, _) => 3,
        (Outcome::Blocked | Outcome::Refused, _) | (_, Effect::Block) => 2,
        _ => 1,
    }
}

/// The schema's category of what was found, if all of it is of one.
fn category(record: &Record) -> (u32, &'static str) {
    let of = |label: &String| match label.as_str() {
        "SECRET" | "PASSWORD" | "IP" | "MAC" => (6, "Security"),
        "CARD" | "IBAN" | "BANK_ACCOUNT" | "ROUTING_NUMBER" | "CRYPTO_WALLET" => (3, "Financial"),
        "NATIONAL_ID" | "TAX_ID" | "VAT_ID" | "PASSPORT" | "DRIVERS_LICENSE" | "COMPANY_ID" => {
            (2, "Governmental")
        }
        "CUSTOM" | "ORG" => (4, "Business"),
        _ => (1, "Personal"),
    };
    let mut categories = record.findings.keys().map(of);
    let first = categories.next().unwrap_or((0, "Unknown"));
    match categories.all(|other| other == first) {
        true => first,
        false => (99, "Other"),
    }
}

fn ended_ms(record: &Record) -> i64 {
    record
        .started_us
        .saturating_add_unsigned(record.timing.total_us)
        / 1000
}

fn nonempty(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}
