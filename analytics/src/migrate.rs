//! The store's schema, brought forward by numbered migrations.
//!
//! A migration is a file of SQL statements, each ending with `;` at the end of a line or at the
//! end of the file. What was applied stands in the table `schema_migrations` with a checksum, so
//! that a store of a newer program, or one made from another text, is refused rather than guessed
//! at. Migrations only go forward, and every statement must bear repetition (`IF NOT EXISTS`): a
//! crash between a migration and its entry in the table applies it again.

use clickhouse::{Client, Row};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

struct Migration {
    version: u32,
    name: &'static str,
    sql: &'static str,
}

macro_rules! migrations {
    ($($version:literal $name:literal,)*) => {
        &[$(Migration {
            version: $version,
            name: $name,
            sql: include_str!(concat!("../migrations/", $name, ".sql")),
        },)*]
    };
}

const MIGRATIONS: &[Migration] = migrations! {
    1 "0001_exchanges",
    2 "0002_ledger_identity",
};

const BOOKKEEPING: &str = "CREATE TABLE IF NOT EXISTS schema_migrations \
    (version UInt32, name String, checksum String, applied DateTime('UTC') DEFAULT now()) \
    ENGINE = MergeTree ORDER BY version";

/// Why the schema could not be brought forward.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The store was made by a newer program.
    #[error(
        "the store's schema has version {found} ({name}), and this program knows versions up to \
         {known}: use the newer program"
    )]
    Newer {
        /// The store's version.
        found: u32,
        /// That migration's name.
        name: String,
        /// The latest version known here.
        known: u32,
    },
    /// A migration was applied with another text than the one known here.
    #[error(
        "migration {version} was applied to the store with checksum {found}, expected {expected}: \
         the store was not made by this program's migrations"
    )]
    Changed {
        /// The migration.
        version: u32,
        /// The checksum of what was applied.
        found: String,
        /// The checksum of what is known here.
        expected: String,
    },
    /// The store refused or could not be reached.
    #[error("could not {action} in the analytics store")]
    Store {
        /// What was tried.
        action: String,
        /// Why it failed.
        source: clickhouse::error::Error,
    },
}

#[derive(Row, Serialize, Deserialize)]
struct Applied {
    version: u32,
    name: String,
    checksum: String,
}

/// Brings the schema of the client's database forward, making the database if it is absent, and
/// returns the versions that were applied now.
///
/// To be called by one process at a time: the shipper does.
pub async fn migrate(client: &Client) -> Result<Vec<u32>, Error> {
    bring_forward(client, MIGRATIONS).await
}

async fn bring_forward(client: &Client, known: &[Migration]) -> Result<Vec<u32>, Error> {
    if let Some(database) = client.database() {
        let name = database.replace('\\', "\\\\").replace('`', "\\`");
        let create = format!("CREATE DATABASE IF NOT EXISTS `{name}`");
        run(
            &client.clone().with_database("default"),
            "make the database",
            &create,
        )
        .await?;
    }
    run(client, "make the table of migrations", BOOKKEEPING).await?;
    let select = "SELECT version, name, checksum FROM schema_migrations ORDER BY version";
    let applied = client.query_raw(select).fetch_all::<Applied>().await;
    let applied = applied.map_err(failed("read the table of migrations"))?;

    let mut now = Vec::new();
    for found in &applied {
        let Some(migration) = known.iter().find(|m| m.version == found.version) else {
            let known = known.last().map_or(0, |m| m.version);
            return Err(Error::Newer {
                found: found.version,
                name: found.name.clone(),
                known,
            });
        };
        let expected = checksum(migration.sql);
        if found.checksum != expected {
            let (version, found) = (found.version, found.checksum.clone());
            return Err(Error::Changed {
                version,
                found,
                expected,
            });
        }
    }
    for migration in known {
        let Migration { version, name, sql } = migration;
        if applied.iter().any(|applied| applied.version == *version) {
            continue;
        }
        for statement in statements(sql) {
            run(client, &format!("apply migration {name}"), statement).await?;
        }
        let entry = format!(
            "INSERT INTO schema_migrations (version, name, checksum) VALUES ({version}, '{name}', '{}')",
            checksum(sql)
        );
        run(client, &format!("record migration {name}"), &entry).await?;
        now.push(*version);
    }
    Ok(now)
}

async fn run(client: &Client, action: &str, sql: &str) -> Result<(), Error> {
    client
        .query_raw(sql)
        .execute()
        .await
        .map_err(failed(action))
}

fn failed(action: &str) -> impl FnOnce(clickhouse::error::Error) -> Error {
    let action = action.to_owned();
    |source| Error::Store { action, source }
}

fn statements(sql: &str) -> impl Iterator<Item = &str> {
    sql.split_inclusive(";\n")
        .map(|statement| statement.trim().trim_end_matches(';'))
        .filter(|statement| {
            let mut lines = statement.lines().map(str::trim);
            lines.any(|line| !line.is_empty() && !line.starts_with("--"))
        })
}

fn checksum(sql: &str) -> String {
    Sha256::digest(sql)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_consecutive_and_named_by_their_files() {
        for (i, migration) in MIGRATIONS.iter().enumerate() {
            assert_eq!(migration.version as usize, i + 1);
            assert!(
                migration
                    .name
                    .starts_with(&format!("{:04}_", migration.version))
            );
            assert!(statements(migration.sql).count() > 0, "{}", migration.name);
        }
    }

    #[test]
    fn statements_are_parted_at_line_ends() {
        let sql = "-- a; b\nCREATE x ';';\n\n-- only this\n;\nALTER y\n";
        let parted: Vec<&str> = statements(sql).collect();
        assert_eq!(parted, ["-- a; b\nCREATE x ';'", "ALTER y"]);
    }
}
