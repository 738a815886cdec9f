//! The real binary: `tollgate serve` on a configuration of its own, in a directory of its own.

use crate::leak_checker::LeakChecker;
pub use crate::provider::placeholders;
use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};
use tollgate_analytics::ledger::Reader;
use tollgate_analytics::record::Record;
use tollgate_proxy::eventstream::Parser;
use uuid::Uuid;

/// For the gate to be ready, the embedded store included, on a busy machine.
const READY_TIMEOUT: Duration = Duration::from_secs(120);
/// For one answer in a test.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);
/// For the gate to end by itself.
const STOP_TIMEOUT: Duration = Duration::from_secs(60);

/// What a test needs of its gate.
#[derive(Clone, Default)]
pub struct Setup {
    /// `[[endpoint]]` tables, in the order of their preference.
    pub endpoints: String,
    /// The name-recognition model: slow to load, so only where names matter.
    pub ner: bool,
    /// The embedded store: slow to load, so only where the store matters.
    pub store: bool,
    /// Lines of `[limits]`.
    pub limits: &'static str,
    /// Lines of `[ledger]`.
    pub ledger: &'static str,
    /// No file of the gate's may grow beyond so many KiB, its log included, which is kept short.
    pub file_kib_max: Option<u32>,
}

impl Setup {
    /// Adds an endpoint named like the script of its URL, under the law of the United States with
    /// standard contractual clauses. `models` is a TOML array's inside.
    pub fn endpoint(mut self, name: &str, wire: &str, url: &str, models: &str) -> Setup {
        self.endpoints += &format!(
            "[[endpoint]]\nname = \"{name}\"\nwire = \"{wire}\"\nurl = \"{url}\"\njurisdiction = \"US\"\n\
             transfer_basis = \"scc\"\nsimulated = true\nmodels = [{models}]\n\n"
        );
        self
    }

    /// Adds lines to the endpoint added last, or tables behind it.
    pub fn with(mut self, lines: &str) -> Setup {
        self.endpoints = format!("{}\n{lines}\n\n", self.endpoints.trim_end());
        self
    }

    /// Adds an on-prem endpoint.
    pub fn on_prem(mut self, name: &str, wire: &str, url: &str) -> Setup {
        self.endpoints += &format!(
            "[[endpoint]]\nname = \"{name}\"\nwire = \"{wire}\"\nurl = \"{url}\"\non_prem = true\nmodel = \"on-prem-model\"\n\n"
        );
        self
    }

    fn text(&self, reverse: &str, admin: &str, data: &Path) -> String {
        // Nobody listens on the discard port: the gate goes on without a store.
        let analytics = if self.store {
            ""
        } else {
            "[analytics]\nurl = \"http://127.0.0.1:9\"\n"
        };
        let ner = if self.ner { "auto" } else { "off" };
        format!(
            "{}[listen]\nreverse = \"{reverse}\"\nadmin = \"{admin}\"\nthreads = 2\n\n[data]\ndir = {:?}\n\n\
             [ner]\ndevice = \"{ner}\"\n\n{analytics}\n[limits]\n{}\n\n[ledger]\n{}\n",
            self.endpoints,
            data.display().to_string(),
            self.limits,
            self.ledger
        )
    }
}

/// A running gate. It is killed when this is dropped.
pub struct Gate {
    child: Child,
    client: reqwest::Client,
    /// Where callers send their requests: `http://host:port`.
    pub url: String,
    admin: String,
    dir: TempDir,
    setup: Setup,
}

/// A whole reply.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub body: String,
}

impl Reply {
    /// The id of the exchange; every reply must have one.
    pub fn exchange(&self) -> Uuid {
        let header = self
            .headers
            .get("tollgate-exchange")
            .expect("every reply names its exchange");
        header.to_str().expect("ASCII").parse().expect("a UUID")
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body)
            .unwrap_or_else(|error| panic!("{error} in a reply of status {}", self.status))
    }

    /// The text of an answer or of a stream, tool arguments included.
    pub fn text(&self) -> String {
        const PLACES: [&str; 25] = [
            "/choices/0/message/content",
            "/choices/0/message/tool_calls/0/function/arguments",
            "/choices/0/delta/content",
            "/choices/0/delta/tool_calls/0/function/arguments",
            "/content/0/text",
            "/content/0/input",
            "/delta/text",
            "/delta/partial_json",
            "/output/0/content/0/text",
            "/output/0/arguments",
            "/delta",
            "/choices/0/text",
            "/candidates/0/content/parts/0/text",
            "/candidates/0/content/parts/0/functionCall/args",
            "/message/content",
            "/message/content/0/text",
            "/message/tool_calls/0/function/arguments",
            "/response",
            "/delta/message/content/text",
            "/delta/message/tool_calls/function/arguments",
            "/delta/message/tool_plan",
            "/message/tool_plan",
            "/output/message/content/0/text",
            "/output/message/content/0/toolUse/input",
            "/delta/toolUse/input",
        ];
        let data = self
            .body
            .lines()
            .filter_map(|line| line.strip_prefix("data:"));
        let data: Vec<&str> = data.collect();
        let parts = match data.is_empty() {
            // Lines of JSON, or one answer.
            true if self.body.ends_with("}\n") => self.body.lines().collect(),
            true => vec![self.body.as_str()],
            false => data,
        };
        let values = parts
            .iter()
            .filter_map(|part| serde_json::from_str::<serde_json::Value>(part).ok());
        let texts = values.map(|value| {
            let found = PLACES.iter().filter_map(|place| value.pointer(place));
            found
                .map(|value| match value {
                    serde_json::Value::String(text) => text.clone(),
                    // A text's piece or its parts stand in it, at a place of their own.
                    _ if value.is_array() => String::new(),
                    _ if ["type", "message", "finish_reason", "text", "toolUse"]
                        .iter()
                        .any(|key| value.get(key).is_some()) =>
                    {
                        String::new()
                    }
                    // A tool's input.
                    _ => value.to_string(),
                })
                .collect::<String>()
        });
        texts.collect()
    }
}

impl Gate {
    /// Starts a gate and waits until it is ready.
    pub async fn start(setup: Setup) -> Gate {
        Gate::start_in(tempfile::tempdir().expect("a temporary directory"), setup).await
    }

    async fn start_in(dir: TempDir, setup: Setup) -> Gate {
        let (reverse, admin) = free_addresses();
        let config = dir.path().join("tollgate.toml");
        std::fs::write(
            &config,
            setup.text(&reverse, &admin, &dir.path().join("data")),
        )
        .expect("written");
        let log = File::options()
            .create(true)
            .append(true)
            .open(dir.path().join("gate.log"))
            .expect("a log");
        let mut command = match setup.file_kib_max {
            None => Command::new(env!("CARGO_BIN_EXE_tollgate")),
            Some(kib) => {
                // The signal ignored, a write beyond the limit is an error.
                let mut bash = Command::new("bash");
                let limit = format!("trap '' XFSZ; ulimit -f {kib}; exec \"$@\"");
                bash.args(["-c", &limit, "bash", env!("CARGO_BIN_EXE_tollgate")]);
                bash
            }
        };
        let log_level = setup.file_kib_max.map_or("debug", |_| "off");
        let child = command
            .arg("serve")
            .arg("--config")
            .arg(&config)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .env("RUST_LOG", log_level)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a second handle"))
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .expect("the binary starts");
        let client = reqwest::Client::builder()
            .timeout(ANSWER_TIMEOUT)
            .build()
            .expect("a client");
        let (url, admin) = (format!("http://{reverse}"), format!("http://{admin}"));
        let mut gate = Gate {
            child,
            client,
            url,
            admin,
            dir,
            setup,
        };
        gate.ready().await;
        gate
    }

    async fn ready(&mut self) {
        let started = Instant::now();
        loop {
            let answer = self
                .client
                .get(format!("{}/readyz", self.admin))
                .send()
                .await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                return;
            }
            if let Some(status) = self.child.try_wait().expect("a child") {
                panic!(
                    "the gate ended while it started ({status}):\n{}",
                    self.log()
                );
            }
            assert!(
                started.elapsed() < READY_TIMEOUT,
                "the gate is not ready:\n{}",
                self.log()
            );
            sleep(Duration::from_millis(25)).await;
        }
    }

    /// Kills it as `kill -9` would, and starts it again on the same data.
    pub async fn kill_and_restart(mut self) -> Gate {
        self.child.kill().await.expect("killed");
        Gate::start_in(self.dir, self.setup).await
    }

    /// Asks it to end and waits until it has. Its directory stays until the value is dropped.
    pub async fn stop(&mut self) {
        self.signal(rustix::process::Signal::TERM);
        let status = tokio::time::timeout(STOP_TIMEOUT, self.child.wait())
            .await
            .expect("it ends in time");
        assert!(
            status.expect("a status").success(),
            "the gate ended badly:\n{}",
            self.log()
        );
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: rustix::process::Signal) {
        let pid = self.child.id().expect("it runs") as i32;
        let pid = rustix::process::Pid::from_raw(pid).expect("a process");
        rustix::process::kill_process(pid, signal).expect("signalled");
    }

    /// What the admin listener says of reloads.
    pub async fn reloads(&self) -> serde_json::Value {
        let url = format!("{}/reload", self.admin);
        let reply = self.client.get(url).send().await.expect("a reply");
        reply.json().await.expect("JSON")
    }

    /// Waits until a part (`configuration`, `keys`) was reloaded, or refused, so many times.
    pub async fn reloaded(&self, part: &str, result: &str, times: u64) -> serde_json::Value {
        let started = Instant::now();
        loop {
            let all = self.reloads().await;
            if all[part][result].as_u64() >= Some(times) {
                return all;
            }
            assert!(
                started.elapsed() < Duration::from_secs(30),
                "{all}\n{}",
                self.log()
            );
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Its configuration file.
    pub fn config(&self) -> PathBuf {
        self.dir.path().join("tollgate.toml")
    }

    /// Runs a command of the binary on its configuration; what it prints.
    pub fn command(&self, arguments: &[&str]) -> String {
        let ran = std::process::Command::new(env!("CARGO_BIN_EXE_tollgate"))
            .args(arguments)
            .arg("--config")
            .arg(self.config())
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .expect("the binary runs");
        let said = String::from_utf8_lossy(&ran.stderr);
        assert!(ran.status.success(), "{arguments:?}: {said}");
        String::from_utf8(ran.stdout).expect("UTF-8")
    }

    pub fn client(&self) -> &reqwest::Client {
        &self.client
    }

    pub fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("gate.log")).unwrap_or_default()
    }

    /// Sends a JSON body with a caller's own credential and reads the whole reply.
    pub async fn post(&self, path: &str, body: impl Into<reqwest::Body>) -> Reply {
        self.post_as("sk-caller-a", path, body).await
    }

    /// As [`post`](Self::post), for another caller.
    pub async fn post_as(
        &self,
        credential: &str,
        path: &str,
        body: impl Into<reqwest::Body>,
    ) -> Reply {
        let request = self
            .client
            .post(format!("{}{path}", self.url))
            .header("content-type", "application/json");
        let request = if path.ends_with("/messages") {
            request
                .header("x-api-key", credential)
                .header("anthropic-version", "2023-06-01")
        } else {
            request.bearer_auth(credential)
        };
        read(request.body(body).send().await.expect("a reply")).await
    }

    /// All records, straight from the ledger's files.
    pub fn records(&self) -> Vec<Record> {
        let mut reader = Reader::new(&self.data().join("ledger"), 0);
        let entries = reader.next_block(usize::MAX).expect("a sound ledger");
        entries.into_iter().map(|entry| entry.record).collect()
    }

    /// The record of an exchange. A refusal is recorded before its reply, an answer before its
    /// last byte; what is cancelled is recorded a moment later.
    pub async fn record(&self, exchange: Uuid) -> Record {
        self.record_where(|record| record.exchange == exchange)
            .await
    }

    /// The first record that fits, as soon as there is one.
    pub async fn record_where(&self, fits: impl Fn(&Record) -> bool) -> Record {
        let started = Instant::now();
        loop {
            let records = self.records();
            if let Some(record) = records.into_iter().find(&fits) {
                return record;
            }
            assert!(
                started.elapsed() < Duration::from_secs(20),
                "no such record:\n{}",
                self.log()
            );
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// What the admin listener says of the gate.
    pub async fn metrics(&self) -> String {
        let url = format!("{}/metrics", self.admin);
        let metrics = self.client.get(url).send().await.expect("metrics");
        metrics.text().await.expect("text")
    }

    /// What the admin listener says of readiness.
    pub async fn readiness(&self) -> String {
        let url = format!("{}/readyz", self.admin);
        let reply = self.client.get(url).send().await.expect("a reply");
        reply.text().await.expect("text")
    }

    /// Fails if a planted value stands in the log, in the metrics, or in any file of the data
    /// directory.
    pub async fn assert_clean(&self, checker: &LeakChecker) {
        let metrics = self.metrics().await;
        assert!(metrics.contains("tollgate_"), "no metrics");
        let mut leaks = checker.search("metrics", metrics.as_bytes());
        leaks.extend(checker.search("log", self.log().as_bytes()));
        leaks.extend(checker.search_dir(&self.data()).expect("readable"));
        assert_no_leaks(&leaks);
    }
}

/// Fails with the list of leaks, if there are any.
pub fn assert_no_leaks(leaks: &[crate::leak_checker::Leak]) {
    let list: Vec<String> = leaks.iter().map(ToString::to_string).collect();
    assert!(leaks.is_empty(), "leaked:\n{}", list.join("\n"));
}

/// Reads a whole reply.
pub async fn read(response: reqwest::Response) -> Reply {
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    // A stream that breaks off is a reply as well: what came counts.
    let mut response = response;
    let mut body = Vec::new();
    while let Ok(Some(piece)) = response.chunk().await {
        body.extend_from_slice(&piece);
    }
    let kind = headers.get("content-type").map(|kind| kind.as_bytes());
    if kind == Some(b"application/vnd.amazon.eventstream") {
        body = payloads(&body);
    }
    Reply {
        status,
        headers,
        body: String::from_utf8_lossy(&body).into_owned(),
    }
}

/// The payloads of binary messages, a line each.
fn payloads(stream: &[u8]) -> Vec<u8> {
    let mut parser = Parser::new(1 << 20);
    parser.push(stream);
    let mut lines = Vec::new();
    while let Some(message) = parser.next_message().expect("sound messages") {
        lines.extend_from_slice(message.data());
        lines.push(b'\n');
    }
    lines
}

fn free_addresses() -> (String, String) {
    let bind = || TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let (one, two) = (bind(), bind());
    let address = |listener: &TcpListener| listener.local_addr().expect("an address").to_string();
    (address(&one), address(&two))
}
