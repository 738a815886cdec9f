//! The real gate of the demo: `tollgate serve` in a child process, on a configuration of its own.

use super::provider::Provider;
use crate::exit::Failure;
use crate::supervise::child;
use std::fs::File;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

/// For store, local model and gate to come up on a slow machine.
const READY_TIMEOUT: Duration = Duration::from_secs(120);
/// Between two looks.
const READY_POLL: Duration = Duration::from_millis(50);
/// For exchanges under way to end and records to be shipped.
const STOP_TIMEOUT: Duration = Duration::from_secs(45);

/// A running gate. It is killed if this is dropped before [`Gate::stop`].
pub struct Gate {
    process: Child,
    reverse: SocketAddr,
    /// Its configuration.
    pub config: PathBuf,
    /// Its data directory.
    pub data: PathBuf,
    /// What it says on standard output and standard error.
    pub log: PathBuf,
}

impl Gate {
    /// Writes a configuration with the simulated endpoints into `dir`, starts the gate on it and
    /// waits until it is ready.
    ///
    /// # Errors
    /// When it cannot be started, ends early, or is not ready in time; says where its log lies.
    pub async fn start(
        dir: &Path,
        provider: &Provider,
        client: &reqwest::Client,
    ) -> Result<Gate, Failure> {
        let (reverse, admin) = free_addresses()?;
        let (config, data, log) = (
            dir.join("tollgate.toml"),
            dir.join("data"),
            dir.join("gate.log"),
        );
        std::fs::write(&config, config_text(reverse, admin, &data, provider))?;
        let out = File::create(&log)?;
        let mut process = Command::new(std::env::current_exe()?)
            .arg("serve")
            .arg("--config")
            .arg(&config)
            // The end of this pipe tells the gate when we have died, however we did.
            .env(child::TOKEN_VARIABLE, "demo")
            .stdin(Stdio::piped())
            .stderr(out.try_clone()?)
            .stdout(out)
            .kill_on_drop(true)
            // A Ctrl-C at the terminal is for the demo, which then ends the gate in good order.
            .process_group(0)
            .spawn()?;
        let started = Instant::now();
        let url = format!("http://{admin}/readyz");
        loop {
            let answer = timeout(Duration::from_secs(5), client.get(&url).send()).await;
            if matches!(answer, Ok(Ok(response)) if response.status().is_success()) {
                return Ok(Gate {
                    process,
                    reverse,
                    config,
                    data,
                    log,
                });
            }
            let problem = match process.try_wait()? {
                Some(status) => format!("the gate ended while it started ({status})"),
                None if started.elapsed() > READY_TIMEOUT => {
                    format!(
                        "the gate was not ready within {} s",
                        READY_TIMEOUT.as_secs()
                    )
                }
                None => {
                    sleep(READY_POLL).await;
                    continue;
                }
            };
            let help = format!(
                "its log is {}; `tollgate doctor` says what is missing",
                log.display()
            );
            return Err(Failure::new(format!("{problem}{}", last_lines(&log))).help(help));
        }
    }

    /// Where callers send their requests.
    pub fn url(&self) -> String {
        format!("http://{}", self.reverse)
    }

    /// Ends it in good order: what is under way ends, what is recorded is shipped.
    ///
    /// # Errors
    /// When it had to be killed, or ended with an error of its own.
    pub async fn stop(mut self) -> Result<(), Failure> {
        // `wait` would close it, and the gate would think that we have died.
        let _held = self.process.stdin.take();
        if let Some(pid) = self
            .process
            .id()
            .and_then(|id| rustix::process::Pid::from_raw(id as i32))
        {
            rustix::process::kill_process(pid, rustix::process::Signal::TERM)
                .map_err(io::Error::from)?;
        }
        match timeout(STOP_TIMEOUT, self.process.wait()).await {
            Ok(status) if status.as_ref().is_ok_and(|status| status.success()) => Ok(()),
            Ok(status) => Err(Failure::new(format!("the gate ended with {}", status?))),
            Err(_) => {
                self.process.kill().await?;
                Err(Failure::new("the gate did not end in time and was killed"))
            }
        }
    }
}

/// Two free loopback addresses. Both are held until both are known, so that they differ; between
/// here and the gate's own start another process could take one, and the gate would say so.
fn free_addresses() -> io::Result<(SocketAddr, SocketAddr)> {
    let (one, two) = (
        TcpListener::bind(("127.0.0.1", 0))?,
        TcpListener::bind(("127.0.0.1", 0))?,
    );
    Ok((one.local_addr()?, two.local_addr()?))
}

fn config_text(reverse: SocketAddr, admin: SocketAddr, data: &Path, provider: &Provider) -> String {
    let data = toml::Value::from(data.display().to_string());
    let (openai, anthropic) = (provider.url("openai"), provider.url("anthropic"));
    format!(
        r#"# Written by `tollgate demo`. The two global endpoints are simulations on loopback.
[listen]
reverse = "{reverse}"
admin = "{admin}"

[data]
dir = {data}

[[endpoint]]
name = "openai"
wire = "openai"
url = "{openai}"
jurisdiction = "US"
transfer_basis = "scc"
simulated = true
models = ["gpt-*", "o*", "text-embedding-*"]

[[endpoint]]
name = "anthropic"
wire = "anthropic"
url = "{anthropic}"
jurisdiction = "US"
transfer_basis = "scc"
simulated = true
models = ["claude-*"]

[[endpoint]]
name = "local"
wire = "openai"
on_prem = true
"#
    )
}

/// The end of a log, for an error message: the gate never logs text of a prompt.
fn last_lines(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(5)..]
        .iter()
        .map(|line| format!("\n    {line}"))
        .collect()
}
