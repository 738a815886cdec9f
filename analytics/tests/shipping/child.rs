//! A store in a process of its own: this test binary, run again for one test.

use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use tollgate_analytics::client::{Credentials, client};
use tollgate_analytics::store::{Config, serve_store};

const DIR: &str = "TOLLGATE_TEST_STORE_DIR";
const LISTEN: &str = "TOLLGATE_TEST_STORE_LISTEN";
const READY: &str = "store listens on ";
const BODY_BYTES_MAX: usize = 16 << 20;

pub const TOKEN: &str = "made-up-token";

/// A running store; killed when dropped.
pub struct Store {
    child: Child,
    pub address: SocketAddr,
}

impl Store {
    /// On a free port.
    pub fn start(dir: &Path) -> Store {
        Store::start_on(dir, "127.0.0.1:0".parse().unwrap())
    }

    pub fn start_on(dir: &Path, listen: SocketAddr) -> Store {
        let mut child = Store::spawn(dir, listen);
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut said = String::new();
        let address = loop {
            let mut line = String::new();
            assert!(
                stderr.read_line(&mut line).unwrap() > 0,
                "the store ended: {said}"
            );
            if let Some(address) = line.strip_prefix(READY) {
                break address.trim().parse().unwrap();
            }
            said.push_str(&line);
        };
        // Whatever else it says belongs into this test's output.
        std::thread::spawn(move || std::io::copy(&mut stderr, &mut std::io::stderr()));
        Store { child, address }
    }

    /// For a store that is to fail: what it says, and how it ends.
    pub fn start_in_vain(dir: &Path) -> (String, ExitStatus) {
        let mut child = Store::spawn(dir, "127.0.0.1:0".parse().unwrap());
        let mut said = String::new();
        child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut said)
            .unwrap();
        (said, child.wait().unwrap())
    }

    fn spawn(dir: &Path, listen: SocketAddr) -> Child {
        Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "--nocapture", "child::is_a_store"])
            .env(DIR, dir)
            .env(LISTEN, listen.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A client of its database `tollgate`.
    pub fn client(&self) -> clickhouse::Client {
        client(&self.url(), "tollgate", &Credentials::Token(TOKEN.into()))
    }

    /// `kill -9`.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to end, and says how it did.
    pub fn stop(mut self) -> ExitStatus {
        drop(self.child.stdin.take());
        self.child.wait().unwrap()
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // Errors mean that it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
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

#[test]
#[ignore = "the child process of the other tests"]
fn is_a_store() {
    let dir = std::env::var_os(DIR).expect("run by the other tests");
    let listener = TcpListener::bind(std::env::var(LISTEN).unwrap()).unwrap();
    eprintln!("{READY}{}", listener.local_addr().unwrap());
    let mut config = Config::new(library(), dir);
    config.token = Some(TOKEN.into());
    config.body_bytes_max = BODY_BYTES_MAX;
    config.result_bytes_max = 64 << 20;
    let stop = async {
        // Its standard input ends when it is to end, or when its parent has.
        let ended = || std::io::stdin().read_to_end(&mut Vec::new());
        tokio::task::spawn_blocking(ended).await.unwrap().unwrap();
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let served = runtime.block_on(serve_store(config, listener, stop));
    served.unwrap_or_else(|error| panic!("{error}"));
}
