use crate::traffic::Row;
use clickhouse::{Client, Compression};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tollgate_analytics::store;

/// The real engine in this process, on a free port and in a directory of its own.
pub struct TestStore {
    pub client: Client,
    shutdown: oneshot::Sender<()>,
    served: JoinHandle<Result<(), store::Error>>,
    _dir: tempfile::TempDir,
}

impl TestStore {
    /// A store that holds these rows and nothing else.
    pub async fn with(rows: &[Row]) -> TestStore {
        let dir = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let config = store::Config::new(library(), dir.path().join("store"));
        let (shutdown, asked) = oneshot::channel::<()>();
        let served = tokio::spawn(store::serve_store(config, listener, async {
            // A dropped sender means that the test has failed: stop then, too.
            asked.await.ok();
        }));
        let client = Client::default()
            .with_url(url)
            .with_compression(Compression::None);
        let schema = include_str!("../../migrations/0001_exchanges.sql");
        client.query_raw(schema).execute().await.unwrap();
        insert(&client, rows).await;
        TestStore {
            client,
            shutdown,
            served,
            _dir: dir,
        }
    }

    /// Closes the engine: it crashes at exit otherwise.
    pub async fn stop(self) {
        self.shutdown.send(()).unwrap();
        self.served.await.unwrap().unwrap();
    }
}

async fn insert(client: &Client, rows: &[Row]) {
    let lines: Vec<String> = rows
        .iter()
        .map(|row| serde_json::to_string(row).unwrap())
        .collect();
    let sql = format!(
        "INSERT INTO exchanges FORMAT JSONEachRow\n{}",
        lines.join("\n")
    );
    client.query_raw(&sql).execute().await.unwrap();
}

/// The engine's library: `TOLLGATE_RUNTIME` or `.runtime` of the workspace.
fn library() -> PathBuf {
    let runtime = std::env::var_os("TOLLGATE_RUNTIME").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../.runtime"),
        PathBuf::from,
    );
    let library = runtime.join("chdb/libchdb.so");
    assert!(
        library.exists(),
        "{} is absent: run the set-up first",
        library.display()
    );
    library
}
