//! The dashboard's reading of the real store: the embedded engine, filled by SQL with exchanges
//! that never were, so that every figure is known beforehand.

use clickhouse::{Client, Compression};
use jiff::{Timestamp, ToSpan};
use std::{net::TcpListener, path::PathBuf};
use tollgate_analytics::store::{Config, serve_store};
use tollgate_tui::{
    Format, Options, headless,
    model::Snapshot,
    period::Period,
    source::{Request, Source},
    store::{HISTORY_MAX, Store},
};
use uuid::Uuid;

/// Exchanges `from` to `to` (exclusive), ten seconds apart, the last one ten seconds before
/// `end`. Of ten in a row four are redacted, three permitted, two local and one blocked; every
/// twentieth went to a model without a price.
fn insert(from: u64, to: u64, end: Timestamp) -> String {
    let end_us = end.as_microsecond();
    format!(
        "INSERT INTO exchanges SELECT
            number AS seq,
            toUUID(concat('00000000-0000-7000-8000-', leftPad(toString(number), 12, '0'))),
            fromUnixTimestamp64Micro({end_us} - toInt64({to} - number) * 10000000, 'UTC'),
            'bot', ['hr', 'payments', '研究開発'][number % 3 + 1], 'openai', 'chat', true,
            if(number % 20 = 0, 'unheard-of', 'gpt-4o'),
            multiIf(d = 9, '', d >= 7, 'local', 'openai'),
            if(d < 7, 'US', ''), if(d < 7, 'scc', ''), d IN (7, 8), d < 7,
            multiIf(d = 9, 'block', d >= 7, 'local', d >= 3, 'redact', 'permit') AS e,
            concat('rule-', e), 'A reason.', '0123456789abcdef',
            if(d >= 3, map('PERSON', 2, 'IBAN', 1), map()) AS f,
            if(e = 'redact', 3, 0), 0, if(d = 9, 'blocked', 'answered'),
            if(d = 9, 'policy_blocked', ''), if(d = 9, 403, 200), 100, 110, 500,
            d != 9, false, 1000, 0, 0, 100, 0,
            multiIf(d >= 7, 'free', number % 20 = 0, 'unpriced', 'priced'), 3500000,
            'openai/gpt-4o@2024-08-06', if(number % 20 = 0 AND d < 7, 'price', ''),
            900000, 4000, 3000, 500000
        FROM (SELECT number, number % 10 AS d FROM numbers({from}, {to} - {from}))"
    )
}

fn id(number: u64) -> Uuid {
    format!("00000000-0000-7000-8000-{number:012}")
        .parse()
        .unwrap()
}

async fn load(store: &mut Store, request: Request, now: Timestamp) -> Snapshot {
    store.load(&request, now).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_real_store_is_read_and_followed() {
    let runtime = std::env::var_os("TOLLGATE_RUNTIME").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../.runtime"),
        PathBuf::from,
    );
    let library = runtime.join("chdb/libchdb.so");
    assert!(
        library.is_file(),
        "this test needs the analytics engine: run `tollgate setup`, or set TOLLGATE_RUNTIME"
    );
    let data = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let config = Config::new(library, data.path());
    let served = tokio::spawn(serve_store(config, listener, async {
        let _ = stopped.await;
    }));
    let client = Client::default()
        .with_url(url)
        .with_compression(Compression::None);
    let schema = include_str!("../../analytics/migrations/0001_exchanges.sql");

    // Before the schema is there: a reason, not a panic.
    let mut store = Store::new(client.clone());
    let now = Timestamp::now() - 2.minutes();
    let error = store.load(&Request::default(), now).await.unwrap_err();
    assert!(error.reason().contains("exchanges"), "{}", error.reason());

    client.query_raw(schema).execute().await.unwrap();
    let empty = load(&mut store, Request::default(), now).await;
    assert_eq!(empty.totals.exchanges, 0);
    assert!(empty.exchanges.is_empty() && empty.exchanges_complete);
    let all = Request {
        period: Period::All,
        ..Request::default()
    };
    assert_eq!(load(&mut store, all.clone(), now).await.totals.exchanges, 0);

    // The figures.
    client
        .query_raw(&insert(0, 3_500, now))
        .execute()
        .await
        .unwrap();
    let day = load(&mut store, Request::default(), now).await;
    let totals = &day.totals;
    assert_eq!(totals.exchanges, 3_500);
    let effects = &totals.effects;
    assert_eq!(
        [effects.permit, effects.redact, effects.local, effects.block],
        [1_050, 1_400, 700, 350]
    );
    assert_eq!((totals.on_prem, totals.simulated), (700, 2_450));
    assert_eq!((totals.findings, totals.replaced), (3 * 2_450, 3 * 1_400));
    assert_eq!(totals.outcomes["blocked"], 350);
    assert_eq!(totals.spend.unpriced, 175);
    assert_eq!(totals.spend.nano_usd.0, (2_450 - 175) * 3_500_000);
    assert_eq!(totals.gate.unwrap().p95_us, 4_000);
    assert_eq!(
        day.series.iter().map(|step| step.exchanges).sum::<u64>(),
        3_500
    );
    assert_eq!(day.series.iter().map(|step| step.blocked).sum::<u64>(), 350);
    assert_eq!(day.entities[0].entity, "PERSON");
    assert_eq!(day.entities[0].findings.block, 700);
    assert_eq!(day.routes.len(), 2);
    assert_eq!(
        (day.routes[0].endpoint.as_str(), day.routes[0].simulated),
        ("openai", true)
    );
    assert_eq!(
        day.teams.iter().map(|row| row.spend.exchanges).sum::<u64>(),
        3_500
    );
    assert_eq!(day.unpriced[0].exchanges, 175);
    assert_eq!(day.rules[0].rule, "rule-redact");
    let hour = Request {
        period: Period::Hour,
        ..Request::default()
    };
    let hour = load(&mut store, hour, now).await;
    assert_eq!(hour.totals.exchanges, 360);
    assert_eq!(hour.exchanges.len(), 360);
    assert!(hour.exchanges_complete);

    // The latest exchanges: a page at a time, then followed.
    let mut read = day;
    for _ in 0..2 {
        assert!(!read.exchanges_complete);
        read = load(&mut store, Request::default(), now).await;
    }
    assert!(read.exchanges_complete);
    let seqs: Vec<u64> = read.exchanges.iter().map(|exchange| exchange.seq).collect();
    assert_eq!(seqs, (0..3_500).rev().collect::<Vec<_>>());
    let later = now + 1.minute();
    client
        .query_raw(&insert(3_500, 3_507, later))
        .execute()
        .await
        .unwrap();
    let grown = load(&mut store, Request::default(), later).await;
    assert_eq!(
        (grown.exchanges[0].seq, grown.exchanges.len()),
        (3_506, 3_507)
    );

    // More at once than a page holds: read anew, without a gap.
    client
        .query_raw(&insert(3_507, 9_000, later))
        .execute()
        .await
        .unwrap();
    for _ in 0..6 {
        read = load(&mut store, all.clone(), later).await;
    }
    let seqs: Vec<u64> = read.exchanges.iter().map(|exchange| exchange.seq).collect();
    assert_eq!(
        seqs,
        (9_000 - HISTORY_MAX as u64..9_000)
            .rev()
            .collect::<Vec<_>>()
    );
    assert!(!read.exchanges_complete);
    assert_eq!(read.totals.exchanges, 9_000);

    // One that is no longer at hand, by its id.
    let lookup = Request {
        lookup: Some(id(17)),
        ..all
    };
    let found = load(&mut store, lookup.clone(), later)
        .await
        .looked_up
        .unwrap();
    assert_eq!((found.seq, found.record.route.is_some()), (17, true));
    let missing = Request {
        lookup: Some(id(99_999)),
        ..lookup
    };
    assert_eq!(load(&mut store, missing, later).await.looked_up, None);

    // Without a terminal.
    let options = Options {
        period: Period::All,
        ..Options::default()
    };
    let json = tollgate_tui::snapshot(client.clone(), &options, Format::Json)
        .await
        .unwrap();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["totals"]["exchanges"], 9_000);
    let text = headless::write(store, &options, Format::Text)
        .await
        .unwrap();
    assert!(
        text.contains("9,000") && text.contains("研究開発"),
        "{text}"
    );

    let _ = stop.send(());
    served.await.unwrap().unwrap();
    let gone = tollgate_tui::snapshot(client, &options, Format::Json).await;
    assert!(gone.is_err(), "a store that is down is not read");
}
