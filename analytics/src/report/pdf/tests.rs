//! The paper against the JSON document of the same figures: what one tells, the other tells.

use super::*;
use crate::money::NanoUsd;
use crate::query::{
    DecisionRow, FindingRow, MonthRow, Overview, Percentiles, Period, RouteRow, SeriesPoint,
    SpendRow, TaxBase,
};
use crate::report::{format, json};
use crate::tax::Tax;
use crate::tco::words::usd;
use crate::tco::{Settings, Tco, Traffic};
use serde_json::Value;
use std::num::NonZeroUsize;
use std::path::Path;

fn facts() -> Facts {
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules");
    Facts::load(&rules).unwrap_or_else(|error| panic!("{error}"))
}

fn meta() -> Meta {
    Meta {
        organization: "Example <Bank> & *Sons*".to_owned(),
        generated_at: "2026-11-12T09:30:00Z".parse().unwrap(),
        version: "0.1.0".to_owned(),
        ledger: None,
    }
}

fn spent(name: &str, exchanges: u64, nano: i64) -> SpendRow {
    SpendRow {
        name: name.to_owned(),
        exchanges,
        spend: NanoUsd(nano),
        priced: exchanges,
        ..SpendRow::default()
    }
}

/// 40 exchanges of seven teams in two months, 8 of them on-prem.
fn data(facts: &Facts) -> Data {
    let mut data = Data::empty();
    let at = |text: &str| text.parse().unwrap();
    let period = Period::new(at("2026-10-01T00:00:00Z"), at("2026-12-01T00:00:00Z"));
    data.period = period.unwrap();
    let teams = [
        "=claims",
        "#let x = 1",
        "people",
        "retail",
        "",
        "*legal*",
        "中",
    ];
    let cost = |i: usize| 1_234_567_890 * (i as i64 + 1);
    for (i, team) in teams.into_iter().enumerate() {
        data.by_team.push(spent(team, 5, cost(i)));
        for month in ["2026-10", "2026-11"] {
            data.by_month.push(MonthRow {
                month: month.to_owned(),
                team: team.to_owned(),
                exchanges: 2,
                spend: NanoUsd(cost(i) / 2),
                ..MonthRow::default()
            });
        }
    }
    data.by_month.sort_by(|a, b| a.month.cmp(&b.month));
    let spend = NanoUsd::checked_sum(data.by_team.iter().map(|row| row.spend)).unwrap();
    data.by_model = vec![spent("gpt-5-mini", 32, spend.0)];
    data.by_endpoint = vec![spent("openai", 32, spend.0), spent("local", 8, 0)];
    data.overview = Overview {
        exchanges: 40,
        external_exchanges: 32,
        on_prem_exchanges: 8,
        findings_total: 1_717,
        replaced_total: 1_616,
        findings_left_in_clear: 3,
        spend,
        priced: 32,
        ..Overview::default()
    };
    data.series = vec![SeriesPoint {
        exchanges: 40,
        blocked: 1,
        ..SeriesPoint::default()
    }];
    data.findings = vec![FindingRow {
        label: "IBAN".to_owned(),
        found: 1_717,
        ..FindingRow::default()
    }];
    data.decisions = vec![DecisionRow {
        rule: "personal-data".to_owned(),
        effect: "redact".to_owned(),
        exchanges: 40,
        ..DecisionRow::default()
    }];
    let route = RouteRow {
        endpoint: "openai".to_owned(),
        jurisdiction: "US".to_owned(),
        exchanges: 32,
        priced_tokens_total: 3_000,
        spend,
        ..RouteRow::default()
    };
    let local = RouteRow {
        endpoint: "local".to_owned(),
        on_prem: true,
        exchanges: 8,
        input_tokens_total: 500,
        ..RouteRow::default()
    };
    data.routes = vec![route, local];
    let base = TaxBase {
        exchanges: 40,
        routed: 40,
        inspect_cpu_us_total: 9_000_000_000,
        gate_us_percentiles: Percentiles {
            p50: 1_000,
            p95: 2_000,
            p99: 3_000,
        },
        ..TaxBase::default()
    };
    data.tax = Tax::compute(&base, Default::default(), None, &facts.rates);
    let settings = Settings {
        trials: 1_000,
        seed: 1,
        threads: NonZeroUsize::MIN,
    };
    let traffic = Traffic::Scenario { why: None };
    data.tco = Some(Tco::simulate(&facts.scenario, traffic, settings));
    data
}

/// All words, each page's runs apart by one space.
fn words(paper: &Paper) -> String {
    let words: Vec<&str> = paper
        .pages
        .iter()
        .flat_map(|page| page.split_whitespace())
        .collect();
    words.join(" ").replace('\u{200b}', "")
}

fn texts(of: &Value, key: &str) -> Vec<NanoUsd> {
    let rows = of.as_array().unwrap().iter();
    rows.map(|row| row[key].as_str().unwrap().parse().unwrap())
        .collect()
}

#[test]
fn the_paper_tells_what_the_json_tells() {
    let (facts, meta) = (facts(), meta());
    let data = data(&facts);
    let paper = render(&data, &facts, &meta).unwrap();
    let text = words(&paper);
    let json: Value = serde_json::from_str(&json::render(&data, &meta)).unwrap();

    let total: NanoUsd = json["spend"]["usd"].as_str().unwrap().parse().unwrap();
    let by_team = texts(&json["spend"]["by_team"], "usd");
    assert_eq!(NanoUsd::checked_sum(by_team.iter().copied()), Some(total));
    let waterfall = texts(&json["tax"]["waterfall"], "usd");
    assert_eq!(waterfall.len(), 5);
    let money = [total]
        .into_iter()
        .chain(by_team)
        .chain(waterfall)
        .map(format::usd);
    let plans = json["tco"]["plans"].as_array().unwrap().iter();
    let plans = plans.map(|plan| usd(plan["cost_usd"]["mean"].as_i64().unwrap()));
    let counts = [&json["exchanges"]["all"], &json["findings"]["all"]];
    let counts = counts.map(|count| format::count(count.as_u64().unwrap()));
    let assumed = json["tco"]["assumptions"].as_array().unwrap().iter();
    let keys = assumed.map(|input| input["key"].as_str().unwrap().to_owned());
    for figure in money.chain(plans).chain(counts).chain(keys) {
        assert!(text.contains(&figure), "{figure} is not on the paper");
    }
}

#[test]
fn it_begins_with_the_decision_and_every_page_says_whose_and_when() {
    let (facts, meta) = (facts(), meta());
    let data = data(&facts);
    let paper = render(&data, &facts, &meta).unwrap();
    let first = &paper.pages[0];
    let order = [
        "Decision",
        "Doing nothing",
        "Net present saving",
        "Payback",
        "What left",
    ];
    let places: Vec<_> = order
        .iter()
        .map(|word| first.find(word).expect(word))
        .collect();
    assert!(places.is_sorted(), "{first}");
    assert!(
        !first.contains("Exchanges by day"),
        "the summary is one page"
    );
    for (at, page) in paper.pages.iter().enumerate() {
        let number = format!("page {} of {}", at + 1, paper.pages.len());
        for words in [
            &number,
            "Example <Bank> & *Sons*",
            &format::period(data.period),
        ] {
            assert!(page.contains(words), "page {} lacks {words}", at + 1);
        }
        assert!(page.contains("what left, what stayed, what it cost"));
    }
    let text = words(&paper);
    for section in [
        "Chargeback by team",
        "By month and team",
        "Findings by entity",
        "Decisions by rule",
        "Compliance tax",
        "From tokens to known cost",
        "Five options",
        "What its saving hangs on",
        "When the best alternative has paid",
        "Doing nothing, and the pessimistic case",
        "Assumptions",
        "Method",
        "Appendix: jurisdictions",
        "Appendix: queries",
    ] {
        assert!(text.contains(section), "{section} is missing");
    }
    // A name that is markup elsewhere, and one that no font has.
    for name in ["#let x = 1", "*legal*", "[U+4E2D]", "no team"] {
        assert!(text.contains(name), "{name} is missing");
    }
}

#[test]
fn every_figure_has_a_standing_and_a_query() {
    let (facts, meta) = (facts(), meta());
    let data = data(&facts);
    let view = view::of(&data, &facts, &meta);
    let stands = |rows: &Value| {
        let rows = rows.as_array().unwrap();
        assert!(!rows.is_empty());
        for row in rows {
            let standing = row["standing"].as_str().unwrap();
            assert!(
                ["measured", "derived", "assumed"].contains(&standing),
                "{row}"
            );
        }
    };
    stands(&view["statements"]);
    stands(&view["cards"]);
    stands(&view["tax"]["rows"]);
    stands(&view["tax"]["waterfall"]);
    stands(&view["tco"]["waterfall"]);
    stands(&view["tco"]["assumptions"]);
    for input in view["tco"]["assumptions"].as_array().unwrap() {
        assert_ne!(input["source"], "", "{input}");
    }
    // Each query that a note of the template names stands in the appendix.
    let named = TEMPLATE.split("#query(\"").skip(1);
    let named = named.map(|rest| rest.split('"').next().unwrap());
    let mut seen = 0;
    for name in named {
        let known = view["queries"].as_array().unwrap().iter();
        let known: Vec<&str> = known.map(|query| query[0].as_str().unwrap()).collect();
        let is_known = known.iter().any(|query| query.starts_with(name));
        assert!(is_known, "{name} is none of {known:?}");
        seen += 1;
    }
    assert!(seen > 8, "{seen} notes name a query");
}

#[test]
fn the_same_figures_give_the_same_bytes() {
    let (facts, meta) = (facts(), meta());
    let data = data(&facts);
    let [one, other] = [0, 1].map(|_| render(&data, &facts, &meta).unwrap().pdf);
    assert_eq!(one, other);
    let file = String::from_utf8_lossy(&one);
    assert!(file.contains("D:20261112093000Z"));
    assert!(!file.contains("/Subtype/Image") && !file.contains("/Subtype /Image"));
}

#[test]
fn an_empty_period_says_so() {
    let (facts, meta) = (facts(), meta());
    let text = words(&render(&Data::empty(), &facts, &meta).unwrap());
    assert!(text.contains("No exchange reached the gate in this period"));
    assert!(text.contains("The store held no record"));
    for section in ["Chargeback", "Compliance tax", "Total cost of ownership"] {
        assert!(!text.contains(section), "{section} of nothing");
    }
}
