//! `tollgate store`: ClickHouse's own engine in one process, behind ClickHouse's HTTP protocol.
//!
//! The engine is `libchdb.so`, loaded at run time. It allows one process per data directory and
//! may abort like any C++ program, so the store is a child process that its parent watches; all
//! other parts reach it as they would reach a ClickHouse server, by the one `clickhouse` client.
//!
//! ```text
//! HTTP request -> request (auth, query, data, settings) -> engine thread -> reply
//! ```
//!
//! Statements run one after the other on one thread, each on a connection of its own, so that
//! settings and the current database never leak from one request into another. What the protocol
//! offers here:
//!
//! - `GET /ping`; `GET` (read-only) and `POST /` with `query` as parameter, body or both;
//! - `database`, `default_format`, `param_*`, `query_id`, and harmless settings ([`settings`]);
//! - user and password as parameters, `X-ClickHouse-*` headers, Basic or Bearer authorization;
//! - ClickHouse's error codes, texts and statuses, `X-ClickHouse-Summary`, `-Format`, `-Query-Id`.
//!
//! Not offered: compression (a request that insists on ClickHouse's own is refused, one that
//! merely accepts HTTP compression is answered without), sessions, several statements in one
//! request, results beyond [`Config::result_bytes_max`].
//!
//! Whoever holds the token can do what the engine can, reading the process's files by SQL
//! included: listen on loopback only and set a token.

mod auth;
mod engine;
mod ffi;
mod http;
mod reply;
mod request;
mod settings;
mod statement;

use std::future::Future;
use std::path::PathBuf;
use std::time::Duration;

/// How the store runs.
#[derive(Clone)]
pub struct Config {
    /// Where `libchdb.so` is.
    pub library: PathBuf,
    /// The engine's data directory; made if absent, held by one process at a time.
    pub data_dir: PathBuf,
    /// What callers must present as password or bearer token; `None` lets everybody in.
    pub token: Option<String>,
    /// Threads that one query may use.
    pub threads: u32,
    /// Memory that the engine may use; a query over it fails with code 241.
    pub memory_bytes_max: u64,
    /// The longest request body.
    pub body_bytes_max: usize,
    /// The largest result, uncompressed.
    pub result_bytes_max: u64,
    /// The longest time that one query may take, in seconds.
    pub query_seconds_max: u32,
    /// Requests in work or waiting at most; more are answered with status 503.
    pub requests_max: usize,
}

impl Config {
    /// The defaults: two threads, 2 GiB, bodies of 64 MiB, results of 256 MiB, queries of 60 s,
    /// 32 requests; no token.
    pub fn new(library: impl Into<PathBuf>, data_dir: impl Into<PathBuf>) -> Config {
        Config {
            library: library.into(),
            data_dir: data_dir.into(),
            token: None,
            threads: 2,
            memory_bytes_max: 2 << 30,
            body_bytes_max: 64 << 20,
            result_bytes_max: 256 << 20,
            query_seconds_max: 60,
            requests_max: 32,
        }
    }
}

impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config")
            .field("library", &self.library)
            .field("data_dir", &self.data_dir)
            .field("token", &self.token.as_ref().map(|_| "…"))
            .finish_non_exhaustive()
    }
}

/// Why the store could not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The library is absent or not what it should be.
    #[error("could not load the analytics engine from {}", path.display())]
    Library {
        /// Where it was looked for.
        path: PathBuf,
        /// What the loader says.
        source: libloading::Error,
    },
    /// The data directory is another process's.
    #[error("the store in {} is held by another process", dir.display())]
    Locked {
        /// The data directory.
        dir: PathBuf,
    },
    /// The engine did not start; it gives no reason. Unreadable data or a wrong path.
    #[error("the analytics engine could not open {}", dir.display())]
    Connect {
        /// The data directory.
        dir: PathBuf,
    },
    /// The operating system refused.
    #[error("could not {action}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// Why it failed.
        source: std::io::Error,
    },
}

/// After the shutdown was asked for, requests in work get this long.
const GRACE: Duration = Duration::from_secs(10);

/// Serves the store on `listener` until `shutdown` completes, then closes the engine.
///
/// Loading the engine takes up to some seconds; connections made meanwhile wait.
pub async fn serve_store(
    config: Config,
    listener: std::net::TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Error> {
    let io = |action| move |source| Error::Io { action, source };
    listener
        .set_nonblocking(true)
        .map_err(io("prepare the store's listener"))?;
    let listener =
        tokio::net::TcpListener::from_std(listener).map_err(io("use the store's listener"))?;
    let engine = engine::Engine::start(&config).await?;
    let served = http::serve(&config, engine.handle(), listener, shutdown, GRACE).await;
    // Even if serving failed: an engine that is not closed crashes at exit.
    engine.close().await;
    served.map_err(io("serve the store"))
}
