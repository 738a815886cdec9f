//! Typed rows through the `clickhouse` crate, there and back.

use crate::child::Store;
use crate::records::record;
use clickhouse::Row;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tollgate_analytics::migrate::{self, migrate};
use tollgate_analytics::schema::ExchangeRow;
use uuid::Uuid;

#[tokio::test]
async fn rows_come_back_as_they_were_inserted() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::start(dir.path());
    let client = store.client();
    assert_eq!(migrate(&client).await.unwrap(), [1, 2]);
    assert_eq!(migrate(&client).await.unwrap(), [] as [u32; 0]);

    // 2570 is 0x0a0a: two line ends in a row among the bytes of the rows.
    let records: Vec<_> = (2_500..2_700).map(record).collect();
    let rows: Vec<_> = (2_500..)
        .zip(&records)
        .map(|(n, r)| ExchangeRow::new(n, r))
        .collect();
    let mut insert = client.insert::<ExchangeRow<'_>>("exchanges").await.unwrap();
    for row in &rows {
        insert.write(row).await.unwrap();
    }
    insert.end().await.unwrap();

    let mut cursor = client
        .query("SELECT ?fields FROM exchanges ORDER BY seq")
        .fetch::<ExchangeRow<'_>>()
        .unwrap();
    let mut expected = rows.iter();
    while let Some(row) = cursor.next().await.unwrap() {
        assert_eq!(Some(&row), expected.next());
    }
    assert_eq!(expected.len(), 0);

    // What a person would see, so that both directions are not wrong in the same way.
    let sql = "SELECT started, toTypeName(started), exchange, findings['EMAIL'], stream, cost_nano_usd \
               FROM exchanges WHERE seq = 2572 FORMAT TSV";
    let seen = client
        .query_raw(sql)
        .fetch_bytes("TSV")
        .unwrap()
        .collect()
        .await
        .unwrap();
    let expected = format!(
        "2026-11-30 23:59:02.572000\tDateTime64(6, \\'UTC\\')\t{}\t2\ttrue\t-2572\n",
        records[72].exchange
    );
    assert_eq!(String::from_utf8_lossy(&seen), expected);
}

#[derive(Clone, Debug, PartialEq, Row, Serialize, Deserialize)]
struct Everything {
    id: u64,
    #[serde(with = "clickhouse::serde::uuid")]
    uuid: Uuid,
    at: i64,
    yes: bool,
    word: String,
    maybe: Option<i32>,
    list: Vec<String>,
    map: BTreeMap<String, u32>,
    share: f64,
}

#[tokio::test]
async fn the_crates_types_work_in_a_large_insert() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::start(dir.path());
    let client = store.client().with_database("default");
    let create = "CREATE TABLE everything (id UInt64, uuid UUID, at DateTime64(6), yes Bool, \
        word LowCardinality(String), maybe Nullable(Int32), list Array(String), \
        map Map(LowCardinality(String), UInt32), share Float64) ENGINE = MergeTree ORDER BY id";
    client.query_raw(create).execute().await.unwrap();
    let row = |id: u64| Everything {
        id,
        uuid: Uuid::from_u128(u128::from(id) << 100 | 3),
        at: -1 - id as i64,
        yes: id.is_multiple_of(2),
        word: "\n\n;--'\u{0}é".into(),
        maybe: (!id.is_multiple_of(3)).then_some(-(id as i32)),
        list: vec![String::new(); id as usize % 3],
        map: [("A".to_owned(), u32::MAX)].into(),
        share: 1.5,
    };
    let mut insert = client.insert::<Everything>("everything").await.unwrap();
    for id in 0..20_000 {
        insert.write(&row(id)).await.unwrap();
    }
    insert.end().await.unwrap();
    let parts = "SELECT count(), sum(rows) FROM system.parts WHERE active AND table = 'everything'";
    assert_eq!(
        client
            .query_raw(parts)
            .fetch_one::<(u64, u64)>()
            .await
            .unwrap(),
        (1, 20_000)
    );
    let all = client.query("SELECT ?fields FROM everything ORDER BY id");
    let all = all.fetch_all::<Everything>().await.unwrap();
    assert!(all.into_iter().eq((0..20_000).map(row)));
}

#[tokio::test]
async fn a_store_of_other_migrations_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::start(dir.path());
    let client = store.client();
    migrate(&client).await.unwrap();

    let newer = "INSERT INTO schema_migrations (version, name, checksum) VALUES (999, 'later', '')";
    client.query_raw(newer).execute().await.unwrap();
    match migrate(&client).await {
        Err(migrate::Error::Newer {
            found: 999,
            known: 2,
            ..
        }) => {}
        other => panic!("{other:?}"),
    }
    let sqls = [
        "DELETE FROM schema_migrations WHERE version IN (1, 999)",
        "INSERT INTO schema_migrations (version, name, checksum) VALUES (1, '0001_exchanges', 'abc')",
    ];
    for sql in sqls {
        client.query_raw(sql).execute().await.unwrap();
    }
    match migrate(&client).await {
        Err(migrate::Error::Changed {
            version: 1, found, ..
        }) => assert_eq!(found, "abc"),
        other => panic!("{other:?}"),
    }
}
