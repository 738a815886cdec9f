use super::Error;
use clickhouse::{Client, Row};
use serde::Deserialize;

/// How much room the records take in the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Row, Deserialize)]
pub struct Footprint {
    /// Records held.
    pub records: u64,
    /// Compressed bytes of this replica on disk, indexes included.
    pub bytes_on_disk_total: u64,
}

/// The SQL of [`footprint`].
pub const FOOTPRINT_SQL: &str = "SELECT
    sum(rows) AS records,
    sum(bytes_on_disk) AS bytes_on_disk_total
FROM system.parts
WHERE active AND database = currentDatabase() AND table = 'exchanges'";

/// How much room the records of all time take in the store; zeros when it is empty.
pub async fn footprint(client: &Client) -> Result<Footprint, Error> {
    client
        .query(FOOTPRINT_SQL)
        .fetch_one()
        .await
        .map_err(|source| Error::Store {
            question: "footprint",
            source,
        })
}
