//! The queries and the report against a store with known content: every total is computed a second
//! time from the rows that were put in.

mod demand;
mod files;
mod queries;
mod report;
mod store;
mod traffic;

/// One test, because the engine runs once in a process.
#[tokio::test(flavor = "multi_thread")]
async fn the_store_is_read_as_it_was_filled() {
    let rows = traffic::exchanges(3_000, 7);
    let store = store::TestStore::with(&rows).await;
    queries::check(&store.client, &rows).await;
    demand::check(&store.client, &rows).await;
    report::check(&store.client, &rows).await;
    store.stop().await;
}
