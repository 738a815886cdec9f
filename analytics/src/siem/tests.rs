use super::*;
use crate::ledger::Hash;
use crate::ledger::tests::sample;
use crate::record::{Cost, Effect, Outcome, Record, Route};
use serde_json::Value;

fn entry(change: impl FnOnce(&mut Record)) -> Entry {
    let mut record = sample(3);
    record.findings = [("PERSON".into(), 2), ("IBAN".into(), 1)].into();
    record.replaced = 3;
    record.upstream_bytes = 900;
    record.route = Some(Route {
        endpoint: "openai".into(),
        jurisdiction: "US".into(),
        transfer_basis: "scc".into(),
        on_prem: false,
        simulated: false,
    });
    change(&mut record);
    Entry {
        seq: 7,
        hash: Hash::of(b"a line"),
        record,
    }
}

fn events(entry: &Entry) -> Vec<Value> {
    let lines = Format::Ocsf.events(entry);
    lines
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn an_exchange_is_an_activity_and_what_was_found_a_finding() {
    let entry = entry(|_| ());
    let events = events(&entry);
    let classes: Vec<_> = events
        .iter()
        .map(|event| event["class_uid"].as_u64().unwrap())
        .collect();
    assert_eq!(classes, [6003, 2006]);
    for event in &events {
        // What the schema requires of both classes.
        for key in [
            "activity_id",
            "category_uid",
            "class_uid",
            "metadata",
            "severity_id",
            "time",
            "type_uid",
        ] {
            assert!(!event[key].is_null(), "{key}");
        }
        assert_eq!(event["metadata"]["version"], "1.8.0");
        assert_eq!(event["metadata"]["sequence"], 7);
        let type_uid =
            event["class_uid"].as_u64().unwrap() * 100 + event["activity_id"].as_u64().unwrap();
        assert_eq!(event["type_uid"], type_uid);
        assert_eq!(
            event["category_uid"].as_u64().unwrap(),
            event["class_uid"].as_u64().unwrap() / 1000
        );
    }
    let [activity, finding] = &events[..] else {
        panic!()
    };
    assert_ne!(activity["metadata"]["uid"], finding["metadata"]["uid"]);
    assert!(
        activity["api"]["operation"].is_string() && activity["src_endpoint"]["name"].is_string()
    );
    assert_eq!(activity["dst_endpoint"]["location"]["country"], "US");
    assert_eq!(
        finding["finding_info"]["types"],
        serde_json::json!(["IBAN", "PERSON"])
    );
    assert_eq!(finding["data_security"]["category_id"], 99);
    assert_eq!(
        (&finding["is_alert"], &finding["status_id"]),
        (&false.into(), &4.into())
    );
}

#[test]
fn what_left_as_it_was_is_an_alert() {
    let left = entry(|record| record.replaced = 1);
    let finding = &events(&left)[1];
    assert_eq!(finding["is_alert"], true);
    assert_eq!(finding["unmapped"]["left_in_clear"], 2);
    let kept = entry(|record| {
        record.replaced = 0;
        record.route.as_mut().unwrap().on_prem = true;
    });
    assert_eq!(events(&kept)[1]["is_alert"], false);
    let nothing = entry(|record| record.findings.clear());
    assert_eq!(events(&nothing).len(), 1);
}

#[test]
fn a_blocked_exchange_is_a_failure_and_goes_nowhere() {
    let blocked = entry(|record| {
        record.route = None;
        record.upstream_bytes = 0;
        record.outcome = Outcome::Blocked;
        record.decision.effect = Effect::Block;
        record.error = "policy_blocked".into();
        record.status = 403;
    });
    let activity = &events(&blocked)[0];
    assert_eq!(
        (&activity["status_id"], &activity["severity_id"]),
        (&2.into(), &2.into())
    );
    assert_eq!(activity["status_code"], "policy_blocked");
    assert!(activity["dst_endpoint"].is_null());
}

#[test]
fn a_line_of_cef_is_escaped_and_complete() {
    let entry = entry(|record| {
        record.caller = r"a=b\c".into();
        record.team = "two\nlines".into();
        record.cost = Cost::Unpriced {
            missing: "price".into(),
        };
    });
    let lines = Format::Cef.events(&entry);
    assert_eq!(lines.len(), 1);
    let line = &lines[0];
    assert!(line.starts_with("CEF:0|Tollgate|Tollgate|"), "{line}");
    assert_eq!(line.split('|').count(), 8, "{line}");
    for piece in [
        r"suser=a\=b\\c ",
        r"cs3Label=team cs3=two\nlines ",
        "cs1Label=findings cs1=IBAN:1,PERSON:2 ",
        "cs6Label=jurisdiction cs6=US",
        "destinationServiceName=openai",
        "cn2Label=sequence cn2=7",
    ] {
        assert!(line.contains(piece), "{piece} is not in {line}");
    }
    assert!(!line.contains('\n') && !line.contains("cn3"), "{line}");
}

#[test]
fn a_format_is_named() {
    assert_eq!("ocsf".parse(), Ok(Format::Ocsf));
    assert_eq!(
        "leef".parse::<Format>(),
        Err("expected ocsf or cef, found `leef`".into())
    );
}
