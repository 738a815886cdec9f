//! Child processes of this executable: the embedded store and the local model.
//!
//! ```text
//!            start          /ping answers            exits, or stops answering
//!  Starting ───────▶ (port) ─────────────▶ Healthy ───────────────────────────▶ Down
//!     ▲                                                                          │
//!     └──────────────── after 0.2 s, 0.4 s, … 30 s ◀─────────────────────────────┘
//! ```
//!
//! They are C and C++ inside: a crash there must not take the gate along, and what they load must
//! not see its credentials. A child gets a private loopback port, a random token and the end of a
//! pipe as its standard input. The pipe's end of file is the one signal to stop: the parent closes
//! it to stop the child, and the kernel closes it when the parent dies, however it dies.

mod backoff;
pub mod child;
pub mod runfile;

use backoff::Backoff;
use runfile::RunFile;
use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time;

/// Between two looks at a child that starts.
const START_POLL: Duration = Duration::from_millis(50);
/// Between two looks at a healthy child.
const HEALTH_INTERVAL: Duration = Duration::from_secs(5);
/// For one answer to a look.
const HEALTH_TIMEOUT: Duration = Duration::from_secs(10);
/// So many looks in a row without an answer, and the child counts as hung.
const HEALTH_MISSES_MAX: u32 = 3;
/// For a child to end by itself before it is killed.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);
/// What a child may know of our environment: enough to find libraries, devices and its log level,
/// and no provider's credential.
const ENVIRONMENT: &[&str] = &[
    "PATH",
    "HOME",
    "TMPDIR",
    "TZ",
    "LANG",
    "LC_ALL",
    "LD_LIBRARY_PATH",
    "CUDA_VISIBLE_DEVICES",
    "RUST_LOG",
    "RUST_BACKTRACE",
    crate::runtime::VARIABLE,
];

/// A child to run: which, how it is asked for its health, where it leaves traces.
#[derive(Clone, Debug)]
pub struct Spec {
    /// Its name in states, logs and the run file: `store`, `local-llm`.
    pub name: &'static str,
    /// Normally this executable.
    pub program: PathBuf,
    /// Its arguments; `--listen ADDRESS` is added.
    pub arguments: Vec<OsString>,
    /// The path that answers 200 once it can work: `/ping`, `/healthz`.
    pub health: &'static str,
    /// For the first such answer after a start.
    pub start_timeout: Duration,
    /// Where its run file lies: `run` in the data directory.
    pub run_dir: PathBuf,
    /// Where its standard error goes: to ours, or appended to this file.
    pub log: Option<PathBuf>,
}

/// Where a child is in its life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Started, not yet answering.
    Starting,
    /// Answering.
    Healthy,
    /// Not there; a new start follows.
    Down {
        /// Why.
        reason: String,
        /// When it is started again, counted from now.
        retry: Duration,
    },
    /// Stopped by us, for good.
    Stopped {
        /// Whether it had to be killed.
        killed: bool,
    },
}

/// A child's state and where it is reached. The address stays the same over restarts unless
/// something else has taken the port in between.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Loopback, a private port.
    pub address: SocketAddr,
    /// Where it is in its life.
    pub state: State,
}

/// What a client must show to the child, as `Authorization: Bearer` or whatever its protocol has.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// 256 random bits in hex.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    fn random() -> io::Result<Token> {
        let mut bits = [0_u8; 32];
        getrandom::fill(&mut bits).map_err(io::Error::other)?;
        Ok(Token(
            bits.iter().map(|byte| format!("{byte:02x}")).collect(),
        ))
    }

    /// The token itself, for the request that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Token(hidden)")
    }
}

/// A child that is kept alive until this is stopped or dropped.
#[derive(Debug)]
pub struct Supervised {
    status: watch::Receiver<Status>,
    token: Token,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Supervised {
    /// Starts the child and the task that watches it. Returns at once: [`Supervised::status`] says
    /// when the child answers.
    ///
    /// # Errors
    /// When there is no free port or no randomness. That the child cannot be started is a state,
    /// not an error: it is tried again.
    pub fn start(spec: Spec) -> io::Result<Supervised> {
        let token = Token::random()?;
        let client = reqwest::Client::builder()
            .no_proxy()
            .timeout(HEALTH_TIMEOUT)
            .build()
            .map_err(io::Error::other)?;
        let first = Status {
            address: free_address()?,
            state: State::Starting,
        };
        let (sender, status) = watch::channel(first);
        let (stop, stopped) = oneshot::channel();
        let keeper = Keeper {
            spec,
            token: token.clone(),
            client,
            status: sender,
        };
        let task = tokio::spawn(keeper.keep(stopped));
        Ok(Supervised {
            status,
            token,
            stop,
            task,
        })
    }

    /// The child's state and address, now and whenever they change.
    pub fn status(&self) -> watch::Receiver<Status> {
        self.status.clone()
    }

    /// Where the child is reached now.
    pub fn address(&self) -> SocketAddr {
        self.status.borrow().address
    }

    /// What a client must show.
    pub fn token(&self) -> &Token {
        &self.token
    }

    /// Stops the child: asks it to end, waits ten seconds, kills it. Returns its last status.
    pub async fn stop(self) -> Status {
        let _ = self.stop.send(());
        let _ = self.task.await;
        self.status.borrow().clone()
    }
}

/// How one run of the child ended.
enum End {
    Stopped {
        killed: bool,
    },
    Down {
        reason: String,
        healthy_for: Duration,
    },
}

struct Keeper {
    spec: Spec,
    token: Token,
    client: reqwest::Client,
    status: watch::Sender<Status>,
}

impl Keeper {
    /// The child's whole life: one run after the other until `stop` (or its sender's drop).
    async fn keep(self, mut stop: oneshot::Receiver<()>) {
        let mut backoff = Backoff::default();
        let killed = loop {
            match self.run(&mut stop).await {
                End::Stopped { killed } => break killed,
                End::Down {
                    reason,
                    healthy_for,
                } => {
                    let retry = backoff.after(healthy_for);
                    let name = self.spec.name;
                    tracing::warn!(
                        child = name,
                        reason,
                        retry_ms = retry.as_millis(),
                        "child down"
                    );
                    self.set(State::Down { reason, retry });
                    tokio::select! {
                        () = time::sleep(retry) => {}
                        _ = &mut stop => break false,
                    }
                }
            }
        };
        runfile::remove(&self.spec.run_dir, self.spec.name);
        self.set(State::Stopped { killed });
    }

    async fn run(&self, stop: &mut oneshot::Receiver<()>) -> End {
        let down = |reason: String| End::Down {
            reason,
            healthy_for: Duration::ZERO,
        };
        let address = match self.usable_address() {
            Ok(address) => address,
            Err(error) => return down(format!("no free port: {error}")),
        };
        self.status.send_replace(Status {
            address,
            state: State::Starting,
        });
        let mut child = match self.spawn(address) {
            Ok(child) => child,
            Err(error) => return down(format!("could not be started: {error}")),
        };
        let run_file = RunFile {
            pid: child.id(),
            address,
            token: self.token.expose().to_owned(),
        };
        if let Err(error) = runfile::write(&self.spec.run_dir, self.spec.name, &run_file) {
            child.terminate().await;
            return down(format!("its run file could not be written: {error}"));
        }

        let health = format!("http://{address}{}", self.spec.health);
        let first = time::timeout(self.spec.start_timeout, async {
            while !self.answers(&health).await {
                time::sleep(START_POLL).await;
            }
        });
        tokio::select! {
            _ = &mut *stop => return End::Stopped { killed: child.terminate().await },
            reason = child.end() => return down(reason),
            answered = first => if answered.is_err() {
                child.terminate().await;
                let waited = self.spec.start_timeout.as_secs();
                return down(format!("did not answer within {waited} s of its start"));
            },
        }

        self.set(State::Healthy);
        let since = Instant::now();
        let down = |reason| End::Down {
            reason,
            healthy_for: since.elapsed(),
        };
        tokio::select! {
            _ = stop => End::Stopped { killed: child.terminate().await },
            reason = child.end() => down(reason),
            () = self.hangs(&health) => {
                child.terminate().await;
                down("stopped answering".to_owned())
            }
        }
    }

    /// The address used before, unless something else listens there now.
    fn usable_address(&self) -> io::Result<SocketAddr> {
        let before = self.status.borrow().address;
        match TcpListener::bind(before) {
            Ok(_) => Ok(before),
            Err(_) => free_address(),
        }
    }

    fn spawn(&self, address: SocketAddr) -> io::Result<Running> {
        let stderr = match &self.spec.log {
            Some(path) => File::options().append(true).create(true).open(path)?.into(),
            None => Stdio::inherit(),
        };
        let known = ENVIRONMENT
            .iter()
            .filter_map(|name| Some((*name, std::env::var_os(name)?)));
        let mut child = Command::new(&self.spec.program)
            .args(&self.spec.arguments)
            .arg("--listen")
            .arg(address.to_string())
            .env_clear()
            .envs(known)
            .env(child::TOKEN_VARIABLE, self.token.expose())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(stderr)
            // Ctrl-C goes to us alone; we stop the child when we no longer need it.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let lifeline = child.stdin.take();
        Ok(Running { child, lifeline })
    }

    async fn answers(&self, health: &str) -> bool {
        self.client
            .get(health)
            .send()
            .await
            .is_ok_and(|answer| answer.status().is_success())
    }

    /// Returns when the child has missed several looks in a row.
    async fn hangs(&self, health: &str) {
        let mut misses = 0;
        while misses < HEALTH_MISSES_MAX {
            time::sleep(HEALTH_INTERVAL).await;
            misses = if self.answers(health).await {
                0
            } else {
                misses + 1
            };
        }
    }

    fn set(&self, state: State) {
        self.status.send_modify(|status| status.state = state);
    }
}

/// A running child and our end of its standard input.
struct Running {
    child: Child,
    /// Kept apart from the child: waiting for a child closes the input that it holds.
    lifeline: Option<ChildStdin>,
}

impl Running {
    fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Returns how the child ended, when it ends by itself.
    async fn end(&mut self) -> String {
        match self.child.wait().await {
            Ok(status) => format!("ended: {status}"),
            Err(error) => format!("could not be watched: {error}"),
        }
    }

    /// Lets go of the child, waits, and kills it if that was not enough: then true.
    async fn terminate(&mut self) -> bool {
        drop(self.lifeline.take());
        if time::timeout(STOP_TIMEOUT, self.child.wait()).await.is_ok() {
            return false;
        }
        let _ = self.child.kill().await;
        true
    }
}

fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

#[cfg(test)]
mod tests;
