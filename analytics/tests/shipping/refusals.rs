//! Stores that this ledger must not be shipped to.

use crate::child::Store;
use crate::records::fill;
use tokio::sync::watch;
use tollgate_analytics::ledger::Ledger;
use tollgate_analytics::ship::{Error, Shipper};

#[tokio::test]
async fn a_store_that_does_not_fit_the_ledger_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::start(&dir.path().join("store"));
    let client = store.client();
    let open = |name: &str| Ledger::open(&dir.path().join(name), Default::default()).unwrap();
    let ship = async |ledger: &Ledger| Shipper::new(ledger, client.clone()).0.catch_up_once().await;

    // An empty ledger begins with an empty store, and takes it with its first record.
    let ours = open("ours");
    assert_eq!(ship(&ours).await.unwrap(), 0);
    fill(&ours, 0, 5).await;
    assert_eq!(ship(&ours).await.unwrap(), 5);

    let theirs = open("theirs");
    match ship(&theirs).await {
        Err(Error::Ahead {
            stored: 4,
            recorded: 0,
        }) => {}
        other => panic!("a lost ledger: {other:?}"),
    }
    fill(&theirs, 1, 9).await;
    let (shipper, status) = Shipper::new(&theirs, client.clone());
    let (_stop, stopped) = watch::channel(false);
    let error = shipper.run(stopped).await.unwrap_err();
    assert!(matches!(error, Error::OtherLedger { .. }), "{error}");
    assert_eq!(status.borrow().failing, Some("other_ledger"));

    // The same ledger, put back from a backup of two records.
    let cut = dir.path().join("cut");
    std::fs::create_dir(&cut).unwrap();
    let segment = "00000000000000000000.log";
    let text = std::fs::read_to_string(dir.path().join("ours").join(segment)).unwrap();
    let two: String = text.split_inclusive('\n').take(2).collect();
    std::fs::write(cut.join(segment), two).unwrap();
    match ship(&open("cut")).await {
        Err(Error::Ahead {
            stored: 4,
            recorded: 2,
        }) => {}
        other => panic!("a ledger cut short: {other:?}"),
    }

    let tampered = [
        ("DELETE FROM exchanges WHERE seq = 2", 4),
        ("INSERT INTO exchanges (seq) VALUES (3), (3)", 6),
    ];
    for (sql, rows_now) in tampered {
        client.query_raw(sql).execute().await.unwrap();
        match ship(&ours).await {
            Err(Error::Inconsistent {
                rows,
                first: 0,
                last: 4,
            }) => assert_eq!(rows, rows_now),
            other => panic!("{sql}: {other:?}"),
        }
    }
    client
        .query_raw("TRUNCATE TABLE ledger_identity")
        .execute()
        .await
        .unwrap();
    match ship(&ours).await {
        Err(Error::UnknownRows { rows: 6 }) => {}
        other => panic!("{other:?}"),
    }
    assert!(store.stop().success());
}
