use crate::traffic::{END, Row, START};
use clickhouse::Client;
use std::collections::BTreeMap;
use tollgate_analytics::money::NanoUsd;
use tollgate_analytics::query::{self, Cursor, Percentiles, Period, SpendBy, Step};

pub fn all_days() -> Period {
    Period::new(START.parse().unwrap(), END.parse().unwrap()).unwrap()
}

/// The rows that satisfy a condition.
fn count(rows: &[Row], condition: impl Fn(&Row) -> bool) -> u64 {
    rows.iter().filter(|row| condition(row)).count() as u64
}

fn sum(rows: &[Row], of: impl Fn(&Row) -> u64) -> u64 {
    rows.iter().map(of).sum()
}

fn cost<'a>(rows: impl IntoIterator<Item = &'a Row>) -> NanoUsd {
    NanoUsd(rows.into_iter().map(Row::cost).sum())
}

/// The value at rank `floor(level * n)` of the sorted values, the last at most.
fn percentiles(mut values: Vec<u64>) -> Percentiles {
    values.sort_unstable();
    let at = |hundredths: usize| values[(values.len() * hundredths / 100).min(values.len() - 1)];
    Percentiles {
        p50: at(50),
        p95: at(95),
        p99: at(99),
    }
}

pub async fn check(client: &Client, rows: &[Row]) {
    overview(client, rows).await;
    groups(client, rows).await;
    series(client, rows).await;
    tax_base(client, rows).await;
    lists(client, rows).await;
    an_empty_period_is_zeros(client).await;
}

async fn overview(client: &Client, rows: &[Row]) {
    let seen = query::overview(client, all_days()).await.unwrap();
    assert_eq!(seen.exchanges, rows.len() as u64);
    assert_eq!(seen.simulated_exchanges, count(rows, |r| r.simulated));
    assert_eq!(seen.external_exchanges, count(rows, Row::is_external));
    assert_eq!(seen.on_prem_exchanges, count(rows, |r| r.on_prem));
    let by_outcome = seen.answered + seen.blocked + seen.refused + seen.upstream_error;
    assert_eq!(by_outcome + seen.cancelled + seen.failed, seen.exchanges);
    assert_eq!(seen.blocked, count(rows, |r| r.outcome == "blocked"));
    let by_effect = seen.effect_permit + seen.effect_redact + seen.effect_local + seen.effect_block;
    assert_eq!(by_effect, seen.exchanges);
    assert_eq!(seen.findings_total, sum(rows, Row::found));
    assert_eq!(seen.replaced_total, sum(rows, |r| r.replaced.into()));
    let clear = sum(rows, |r| if r.is_external() { r.clear() } else { 0 });
    assert_eq!(seen.findings_left_in_clear, clear);
    assert!(clear > 0, "the traffic must try this");
    assert_eq!(seen.input_tokens_total, sum(rows, |r| r.input_tokens));
    assert_eq!(seen.output_tokens_total, sum(rows, |r| r.output_tokens));
    assert_eq!(seen.spend, cost(rows));
    assert_eq!(
        seen.simulated_spend,
        cost(rows.iter().filter(|r| r.simulated))
    );
    assert_eq!(seen.priced + seen.unpriced + seen.free, seen.exchanges);
    assert_eq!(
        seen.unpriced,
        count(rows, |r| r.cost_standing == "unpriced")
    );
    assert!(seen.unpriced > 0, "the traffic must try this");
    let routed = || rows.iter().filter(|r| !r.endpoint.is_empty());
    assert_eq!(
        seen.gate_us_percentiles,
        percentiles(routed().map(|r| r.gate_us).collect())
    );
    let answered = routed()
        .filter(|r| r.outcome == "answered")
        .map(|r| r.total_us);
    assert_eq!(seen.total_us_percentiles, percentiles(answered.collect()));
    assert_eq!(seen.inspect_cpu_us_total, sum(rows, |r| r.inspect_cpu_us));
}

async fn groups(client: &Client, rows: &[Row]) {
    for by in [SpendBy::Team, SpendBy::Model, SpendBy::Endpoint] {
        let key = |r: &Row| match by {
            SpendBy::Team => r.team,
            SpendBy::Model => r.model,
            SpendBy::Endpoint => r.endpoint,
        };
        let seen = query::spend(client, all_days(), by).await.unwrap();
        assert_eq!(
            seen.iter().map(|r| r.exchanges).sum::<u64>(),
            rows.len() as u64
        );
        assert!(seen.is_sorted_by(|a, b| a.spend >= b.spend));
        for group in seen {
            let members: Vec<Row> = rows
                .iter()
                .filter(|r| key(r) == group.name)
                .cloned()
                .collect();
            assert_eq!(group.exchanges, members.len() as u64, "{}", group.name);
            assert_eq!(group.spend, cost(&members));
            assert_eq!(group.simulated_exchanges, count(&members, |r| r.simulated));
            assert_eq!(
                group.cache_read_tokens_total,
                sum(&members, |r| r.cache_read_tokens)
            );
            assert_eq!(group.priced + group.unpriced + group.free, group.exchanges);
        }
    }

    let unpriced = query::unpriced(client, all_days()).await.unwrap();
    let expected = count(rows, |r| r.cost_standing == "unpriced");
    assert_eq!(unpriced.iter().map(|r| r.exchanges).sum::<u64>(), expected);
    assert!(unpriced.iter().all(|r| r.missing == "usage"));

    let mut found: BTreeMap<&str, u64> = BTreeMap::new();
    for row in rows {
        for (label, n) in &row.findings {
            *found.entry(label).or_default() += u64::from(*n);
        }
    }
    let findings = query::findings(client, all_days()).await.unwrap();
    assert_eq!(findings.len(), found.len());
    for row in &findings {
        assert_eq!(row.found, found[row.label.as_str()], "{}", row.label);
        let by_effect = row.in_permitted + row.in_redacted + row.in_local + row.in_blocked;
        assert_eq!(by_effect, row.found);
        assert_eq!(
            row.exchanges,
            count(rows, |r| r.findings.contains_key(row.label.as_str()))
        );
    }

    let routes = query::routes(client, all_days()).await.unwrap();
    assert_eq!(routes.len(), 4);
    for route in &routes {
        let members: Vec<Row> = rows
            .iter()
            .filter(|r| r.endpoint == route.endpoint)
            .cloned()
            .collect();
        assert_eq!(route.exchanges, members.len() as u64);
        assert_eq!(route.simulated, route.endpoint == "simulated");
        assert_eq!(route.on_prem, route.endpoint == "local");
        assert_eq!(route.spend, cost(&members));
        assert_eq!(route.findings_in_clear, sum(&members, Row::clear));
        let answered = members
            .iter()
            .filter(|r| r.outcome == "answered")
            .map(|r| r.total_us);
        assert_eq!(route.total_us_p95, percentiles(answered.collect()).p95);
    }

    let decisions = query::decisions(client, all_days()).await.unwrap();
    assert_eq!(
        decisions.iter().map(|r| r.exchanges).sum::<u64>(),
        rows.len() as u64
    );
    let secrets = decisions.iter().find(|r| r.rule == "secrets").unwrap();
    assert_eq!(secrets.exchanges, count(rows, |r| r.rule == "secrets"));
    assert_eq!(
        (secrets.effect.as_str(), secrets.policies.len()),
        ("block", 1)
    );
}

async fn series(client: &Client, rows: &[Row]) {
    for (step, points) in [(Step::Hour, 240), (Step::Day, 10)] {
        let seen = query::series(client, all_days(), step).await.unwrap();
        assert_eq!(seen.len(), points);
        for point in &seen {
            let from = point.at_second * 1_000_000;
            let to = from + step.seconds() * 1_000_000;
            let within: Vec<Row> = rows
                .iter()
                .filter(|r| (from..to).contains(&r.started_us))
                .cloned()
                .collect();
            assert_eq!(point.exchanges, within.len() as u64);
            assert_eq!(point.blocked, count(&within, |r| r.outcome == "blocked"));
            assert_eq!(point.findings_total, sum(&within, Row::found));
            assert_eq!(point.spend, cost(&within));
        }
    }
    let error = query::series(client, all_days(), Step::Minute)
        .await
        .unwrap_err();
    assert!(matches!(
        error,
        query::Error::TooManyPoints { points: 14_400 }
    ));
}

async fn tax_base(client: &Client, rows: &[Row]) {
    let seen = query::tax_base(client, all_days()).await.unwrap();
    assert_eq!(seen.routed, count(rows, |r| !r.endpoint.is_empty()));
    assert_eq!(seen.billed, count(rows, |r| r.cost_standing != "free"));
    let redacted = |r: &Row| r.is_external() && r.replaced > 0;
    assert_eq!(seen.redacted_sent, count(rows, redacted));
    let grown = sum(rows, |r| {
        if redacted(r) {
            r.upstream_bytes - r.request_bytes
        } else {
            0
        }
    });
    assert_eq!(
        seen.redacted_upstream_bytes - seen.redacted_request_bytes,
        grown
    );
    let told = |r: &Row| r.is_external() && r.usage_known && !r.usage_estimated;
    assert_eq!(
        seen.told_input_tokens,
        sum(rows, |r| if told(r) { r.input_tokens } else { 0 })
    );
    assert_eq!(
        seen.told_upstream_bytes,
        sum(rows, |r| if told(r) { r.upstream_bytes } else { 0 })
    );
    let answered = |r: &Row| !r.endpoint.is_empty() && r.outcome == "answered";
    let gate = sum(rows, |r| if answered(r) { r.gate_us } else { 0 });
    assert_eq!(seen.answered_gate_us_total, gate);

    let footprint = query::footprint(client).await.unwrap();
    assert_eq!(footprint.records, rows.len() as u64);
    assert!(footprint.bytes_on_disk_total > 0);
}

async fn lists(client: &Client, rows: &[Row]) {
    let seqs = async |cursor, limit| -> Vec<u64> {
        let list = query::latest(client, cursor, limit).await.unwrap();
        list.iter().map(|exchange| exchange.seq).collect()
    };
    assert_eq!(seqs(Cursor::Newest, 3).await, [2_999, 2_998, 2_997]);
    assert_eq!(seqs(Cursor::Before(2_997), 2).await, [2_996, 2_995]);
    assert_eq!(seqs(Cursor::After(2_997), 10).await, [2_999, 2_998]);
    assert_eq!(seqs(Cursor::Before(0), 10).await, [0; 0]);
    assert_eq!(seqs(Cursor::After(u64::MAX), 10).await, [0; 0]);

    let put = rows.iter().find(|r| r.replaced > 2 && r.stream).unwrap();
    let got = query::exchange(client, put.exchange)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (got.seq, got.exchange, got.started_us),
        (put.seq, put.exchange, put.started_us)
    );
    assert_eq!(got.findings_total(), put.found());
    assert_eq!(
        got.cost(),
        Some(NanoUsd(put.cost_nano_usd)).filter(|_| put.cost_standing == "priced")
    );
    assert_eq!(
        (got.replaced, got.status, got.stream),
        (put.replaced, put.status, true)
    );
    assert_eq!((got.team.as_str(), got.gate_us), (put.team, put.gate_us));
    assert_eq!(got.upstream_first_byte_us, put.upstream_first_byte_us);
    let nobody = query::exchange(client, uuid::Uuid::nil()).await.unwrap();
    assert_eq!(nobody, None);

    let freshness = query::freshness(client).await.unwrap();
    assert_eq!(
        (freshness.records, freshness.last_seq),
        (3_000, Some(2_999))
    );
    assert_eq!(
        freshness.last_started_us,
        rows.iter().map(|r| r.started_us).max()
    );
}

async fn an_empty_period_is_zeros(client: &Client) {
    let before = Period::new(
        "2025-01-01T00:00:00Z".parse().unwrap(),
        "2025-01-02T00:00:00Z".parse().unwrap(),
    );
    let before = before.unwrap();
    let overview = query::overview(client, before).await.unwrap();
    assert_eq!(overview, query::Overview::default());
    assert_eq!(
        query::tax_base(client, before).await.unwrap(),
        query::TaxBase::default()
    );
    assert!(query::routes(client, before).await.unwrap().is_empty());
    let hours = query::series(client, before, Step::Hour).await.unwrap();
    assert_eq!(
        (hours.len(), hours.iter().map(|p| p.exchanges).sum::<u64>()),
        (24, 0)
    );
}

#[tokio::test]
async fn an_unreachable_store_is_an_error_with_its_question() {
    let nobody = clickhouse::Client::default().with_url("http://127.0.0.1:1");
    let error = query::freshness(&nobody).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the store did not answer the freshness query"
    );
    assert!(std::error::Error::source(&error).is_some());
}
