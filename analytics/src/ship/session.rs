//! One unbroken run of inserts, begun by asking the store where it stands.

use super::{Error, Options, ShipStatus, block};
use crate::ledger::{self, Entry, Ledger, Reader, Tail};
use crate::migrate::migrate;
use crate::schema::{ExchangeRow, TABLE};
use clickhouse::{Client, Row};
use serde::Deserialize;
use std::path::Path;
use std::time::Duration;
use tokio::sync::watch;
use uuid::Uuid;

const QUERY_ID_PREFIX: &str = "tollgate-ship-";

/// How often a store is asked whether an insert of ours still runs.
const SETTLE_PAUSE: Duration = Duration::from_millis(250);

/// Where records come from: a ledger at work or one at rest.
#[derive(Debug)]
enum Source {
    Live(Tail),
    Resting(Reader),
}

impl Source {
    fn next_block(&mut self, max: usize) -> Result<Vec<Entry>, ledger::Error> {
        match self {
            Source::Live(tail) => tail.next_block(max),
            Source::Resting(reader) => reader.next_block(max),
        }
    }

    /// Reads on another thread, since files block.
    async fn read(mut self, max: usize) -> Result<(Source, Vec<Entry>), Error> {
        let read = tokio::task::spawn_blocking(move || {
            let block = self.next_block(max)?;
            Ok((self, block))
        });
        match read.await {
            Ok(read) => read.map_err(Error::Ledger),
            Err(_) => Err(Error::Ledger(ledger::Error::Closed)),
        }
    }
}

/// What the store holds.
#[derive(Row, Deserialize)]
struct Extent {
    rows: u64,
    first: u64,
    last: u64,
}

/// An unbroken run of inserts. After an error it is over: begin another.
#[derive(Debug)]
pub(super) struct Session {
    client: Client,
    options: Options,
    /// Absent only while it is being read from.
    source: Option<Source>,
    /// The first record that the store lacks.
    next: u64,
}

impl Session {
    pub(super) async fn begin(
        client: &Client,
        ledger: &Ledger,
        options: Options,
    ) -> Result<Session, Error> {
        let next = resume(client, ledger.dir(), ledger.id(), ledger.next_seq()).await?;
        let source = Source::Live(ledger.tail(next).map_err(Error::Ledger)?);
        Ok(Session {
            client: client.clone(),
            options,
            source: Some(source),
            next,
        })
    }

    pub(super) fn next_seq(&self) -> u64 {
        self.next
    }

    /// Ships what can be read now, reading the next block while the store takes this one.
    pub(super) async fn ship_all(
        &mut self,
        status: &watch::Sender<ShipStatus>,
    ) -> Result<(), Error> {
        let mut entries = self.read().await?;
        while !entries.is_empty() {
            // Whoever returns early here leaves `source` empty: the session is over then.
            let source = self.source.take();
            let ahead = async {
                match source {
                    Some(source) => source.read(self.options.block_records_max).await,
                    None => Err(Error::Ledger(ledger::Error::Closed)),
                }
            };
            let sent = async {
                let mut rest = entries.as_slice();
                while !rest.is_empty() {
                    let (block, after) = rest.split_at(block::length(rest));
                    self.insert(block).await?;
                    rest = after;
                    let shipped = block[block.len() - 1].seq + 1;
                    status.send_modify(|status| {
                        status.shipped = shipped;
                        status.recorded = status.recorded.max(shipped);
                    });
                }
                Ok(())
            };
            let (ahead, sent) = tokio::join!(ahead, sent);
            sent?;
            self.next = entries[entries.len() - 1].seq + 1;
            let (source, following) = ahead?;
            self.source = Some(source);
            entries = following;
        }
        Ok(())
    }

    async fn read(&mut self) -> Result<Vec<Entry>, Error> {
        let source = self
            .source
            .take()
            .ok_or(Error::Ledger(ledger::Error::Closed))?;
        let (source, entries) = source.read(self.options.block_records_max).await?;
        if self.first_is_new(&entries) {
            // An empty store and, until now, an empty ledger: now there is an identity.
            identify(&self.client, &entries[0].hash.to_string(), 0).await?;
        }
        self.source = Some(source);
        Ok(entries)
    }

    fn first_is_new(&self, entries: &[Entry]) -> bool {
        entries.first().is_some_and(|entry| entry.seq == 0)
    }

    /// One block, one insert, one part.
    async fn insert(&self, block: &[Entry]) -> Result<(), Error> {
        let failed = |source| Error::Store {
            action: "take a block of records",
            source,
        };
        let (first, last) = (block[0].seq, block[block.len() - 1].seq);
        let mut insert = self
            .client
            .insert::<ExchangeRow<'_>>(TABLE)
            .await
            .map_err(failed)?
            .with_timeouts(
                Some(self.options.insert_timeout),
                Some(self.options.insert_timeout),
            )
            .with_setting("query_id", format!("{QUERY_ID_PREFIX}{}", Uuid::now_v7()))
            // One part, on disk when answered; where the table is replicated, a repetition of the
            // same block is dropped by the server too.
            .with_setting("async_insert", "0")
            .with_setting("max_insert_block_size", "1048576")
            .with_setting(
                "insert_deduplication_token",
                format!("{first}-{last}-{}", block[0].hash),
            );
        for entry in block {
            let row = ExchangeRow::new(entry.seq, &entry.record);
            insert.write(&row).await.map_err(failed)?;
        }
        insert.end().await.map_err(failed)
    }

    /// Waits for new records, and then for company for them.
    pub(super) async fn wait(&mut self, linger: Duration) {
        if let Some(Source::Live(tail)) = &mut self.source {
            tail.ready().await;
            if tail.lag() < self.options.block_records_max as u64 {
                tokio::time::sleep(linger).await;
            }
        }
    }
}

/// Fills an empty store, or completes a filled one, from the files of the ledger in `dir`, which no
/// process may hold; returns how many records were shipped.
///
/// # Errors
/// When the ledger is held (its shipper does the same) or does not hold together, and at the
/// first failure of the store; calling it again goes on from there.
pub async fn rebuild(dir: &Path, client: &Client) -> Result<u64, Error> {
    let id = ledger::identity(dir).map_err(Error::Ledger)?;
    let recorded = ledger::verify(dir).map_err(Error::Ledger)?;
    if recorded.live {
        let dir = dir.to_owned();
        return Err(Error::Ledger(ledger::Error::Locked { dir }));
    }
    if let Some(bad) = recorded.first_bad
        && bad.kind != ledger::BadKind::TruncatedTail
    {
        return Err(Error::Ledger(ledger::Error::Broken(bad)));
    }
    let first = resume(client, dir, id, recorded.next_seq).await?;
    let source = Source::Resting(Reader::new(dir, first));
    let (client, options) = (client.clone(), Options::default());
    let mut session = Session {
        client,
        options,
        source: Some(source),
        next: first,
    };
    Box::pin(session.ship_all(&watch::Sender::default())).await?;
    Ok(session.next - first)
}

/// Makes sure that the store is this ledger's and whole, and says which record it lacks first.
async fn resume(
    client: &Client,
    dir: &Path,
    id: Option<ledger::Hash>,
    recorded: u64,
) -> Result<u64, Error> {
    migrate(client).await.map_err(Error::Schema)?;
    settle(client).await?;
    let sql = "SELECT count() AS rows, min(seq) AS first, max(seq) AS last FROM exchanges";
    let extent = client.query_raw(sql).fetch_one::<Extent>().await;
    let Extent { rows, first, last } = extent.map_err(|source| Error::Store {
        action: "say which records it holds",
        source,
    })?;
    match id {
        Some(id) => identify(client, &id.to_string(), rows).await?,
        None if rows > 0 => {
            return Err(Error::Ahead {
                stored: last,
                recorded,
            });
        }
        None => return Ok(0),
    }
    if rows == 0 {
        return Ok(0);
    }
    // Retention may have dropped old months: counted from the first row that is left. Records
    // erased before they were shipped are no rows; the ledger is read for them only if need be.
    let span = last - first + 1;
    if rows != span {
        let dir = dir.to_owned();
        let erased = tokio::task::spawn_blocking(move || ledger::erased_between(&dir, first, last));
        let erased = erased
            .await
            .map_err(|_| Error::Ledger(ledger::Error::Closed))?;
        let erased = erased.map_err(Error::Ledger)?;
        // Those erased after they were shipped are rows still.
        if rows > span || rows + erased < span {
            return Err(Error::Inconsistent { rows, first, last });
        }
    }
    if last >= recorded {
        return Err(Error::Ahead {
            stored: last,
            recorded,
        });
    }
    Ok(last + 1)
}

/// Waits until no insert of an earlier try runs any more. The embedded store runs one statement
/// at a time, so there the question's own answer says that.
async fn settle(client: &Client) -> Result<(), Error> {
    loop {
        let sql = format!(
            "SELECT count() FROM system.processes WHERE startsWith(query_id, '{QUERY_ID_PREFIX}')"
        );
        let running = client.query_raw(&sql).fetch_one::<u64>().await;
        let running = running.map_err(|source| Error::Store {
            action: "say which inserts run",
            source,
        })?;
        if running == 0 {
            return Ok(());
        }
        tokio::time::sleep(SETTLE_PAUSE).await;
    }
}

/// Compares the store's ledger with this one's `id`; an empty store takes it.
async fn identify(client: &Client, id: &str, rows: u64) -> Result<(), Error> {
    let asked = |source| Error::Store {
        action: "say whose records it holds",
        source,
    };
    let sql = "SELECT id FROM ledger_identity";
    let found = client
        .query_raw(sql)
        .fetch_all::<String>()
        .await
        .map_err(asked)?;
    match found.as_slice() {
        [] if rows > 0 => Err(Error::UnknownRows { rows }),
        [] => {
            let sql = format!("INSERT INTO ledger_identity (id) VALUES ('{id}')");
            let noted = client.query_raw(&sql).execute().await;
            noted.map_err(|source| Error::Store {
                action: "note whose records it gets",
                source,
            })
        }
        // A crash while noting it may have left it twice.
        found => match found.iter().find(|found| *found != id) {
            None => Ok(()),
            Some(other) => Err(Error::OtherLedger {
                found: other.clone(),
                expected: id.into(),
            }),
        },
    }
}
