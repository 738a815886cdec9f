//! The engine's one thread: it loads the library, runs statements in order of arrival, closes.

use super::ffi::{Api, Connection, Output, Params};
use super::statement::{Statement, quote_identifier};
use super::{Config, Error};
use std::ffi::CString;
use std::fs::File;
use std::thread::JoinHandle;
use tokio::sync::{mpsc, oneshot};

/// A statement with all that it needs.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) statement: Statement,
    /// The result's format where the statement names none.
    pub(super) format: String,
    pub(super) database: Option<String>,
    /// Set before the statement runs, each already judged harmless.
    pub(super) settings: Vec<(String, String)>,
    pub(super) params: Params,
}

/// The answer: what came out, or the engine's error text.
pub(super) type Answer = Result<Output, String>;

/// A running engine.
pub(super) struct Engine {
    handle: Handle,
    thread: JoinHandle<()>,
}

/// Sends statements to the engine.
#[derive(Clone, Debug)]
pub(super) struct Handle {
    jobs: mpsc::Sender<(Job, oneshot::Sender<Answer>)>,
}

impl Engine {
    /// Locks the data directory, loads the library and opens the data.
    pub(super) async fn start(config: &Config) -> Result<Engine, Error> {
        let config = config.clone();
        let (jobs, queue) = mpsc::channel(config.requests_max.max(1));
        let (ready, started) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name("engine".into())
            .spawn(move || run(&config, queue, ready))
            .map_err(|source| Error::Io {
                action: "start the engine's thread",
                source,
            })?;
        match started.await {
            Ok(Ok(())) => Ok(Engine {
                handle: Handle { jobs },
                thread,
            }),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(Error::Io {
                action: "start the engine",
                source: std::io::Error::other("its thread panicked"),
            }),
        }
    }

    pub(super) fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Waits for the statement in work, drops those that wait, closes the data.
    pub(super) async fn close(self) {
        let Engine { handle, thread } = self;
        drop(handle);
        let _ = tokio::task::spawn_blocking(move || thread.join()).await;
    }
}

impl Handle {
    /// Runs a statement. `None`: the engine has been closed.
    ///
    /// Once queued, the statement runs even if nobody waits for it any more, and before any that
    /// is queued later.
    pub(super) async fn run(&self, job: Job) -> Option<Answer> {
        let (reply, answer) = oneshot::channel();
        self.jobs.send((job, reply)).await.ok()?;
        answer.await.ok()
    }
}

type Queue = mpsc::Receiver<(Job, oneshot::Sender<Answer>)>;

fn run(config: &Config, mut queue: Queue, ready: oneshot::Sender<Result<(), Error>>) {
    let (_lock, api) = match prepare(config) {
        Ok(prepared) => prepared,
        Err(error) => return drop(ready.send(Err(error))),
    };
    // The first connection starts the engine and keeps it running between statements.
    let Some(first) = api.connect(&arguments(config)) else {
        let dir = config.data_dir.clone();
        return drop(ready.send(Err(Error::Connect { dir })));
    };
    let _ = ready.send(Ok(()));
    let path = &arguments(config)[..2];
    while let Some((job, reply)) = queue.blocking_recv() {
        let answer = match api.connect(path) {
            Some(connection) => execute(&connection, &job),
            None => Err("Code: 210. DB::Exception: the engine refused a connection".into()),
        };
        let _ = reply.send(answer);
    }
    drop(first);
    api.shutdown();
}

fn prepare(config: &Config) -> Result<(File, Api), Error> {
    let io = |action| move |source| Error::Io { action, source };
    let dir = &config.data_dir;
    std::fs::create_dir_all(dir).map_err(io("make the store's data directory"))?;
    let lock =
        File::create(dir.join("tollgate-store.lock")).map_err(io("open the store's lock"))?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(std::fs::TryLockError::WouldBlock) => return Err(Error::Locked { dir: dir.clone() }),
        Err(std::fs::TryLockError::Error(source)) => {
            return Err(Error::Io {
                action: "lock the store's data directory",
                source,
            });
        }
    }
    let api = Api::load(&config.library)?;
    api.keep_our_signal_handlers();
    Ok((lock, api))
}

/// Program name and path first, then the server-wide bounds, which only the first connection
/// can set.
fn arguments(config: &Config) -> Vec<CString> {
    let mut path = b"--path=".to_vec();
    path.extend_from_slice(config.data_dir.as_os_str().as_encoded_bytes());
    let bounds = [
        ("max_server_memory_usage", config.memory_bytes_max),
        ("mark_cache_size", config.memory_bytes_max / 16),
        ("uncompressed_cache_size", config.memory_bytes_max / 32),
        ("max_thread_pool_size", 64),
        // One machine, a few inserts a second: two merges at a time are plenty.
        ("background_pool_size", 2),
        ("background_common_pool_size", 1),
        ("background_schedule_pool_size", 2),
    ];
    let bounds = bounds.map(|(name, value)| format!("--{name}={value}").into_bytes());
    [b"tollgate-store".to_vec(), path]
        .into_iter()
        .chain(bounds)
        // A path with a NUL byte cannot have been made above.
        .filter_map(|argument| CString::new(argument).ok())
        .collect()
}

fn execute(connection: &Connection<'_>, job: &Job) -> Answer {
    let no_params = Params::new();
    if let Some(database) = &job.database {
        let sql = format!("USE {}", quote_identifier(database));
        connection.query(&sql, "Null", &no_params)?;
    }
    // One by one, so that an error names its setting. `readonly` would forbid the others: last.
    let (readonly, others): (Vec<_>, Vec<_>) = job
        .settings
        .iter()
        .partition(|(name, _)| name == "readonly");
    for (name, value) in others.into_iter().chain(readonly) {
        let value = value.replace('\\', "\\\\").replace('\'', "\\'");
        connection.query(&format!("SET {name} = '{value}'"), "Null", &no_params)?;
    }
    match &job.statement {
        Statement::Query { sql, .. } => connection.query(sql, &job.format, &job.params),
        Statement::Insert { head, format, data } => {
            connection.insert(head, format, &job.params, data)
        }
    }
}
