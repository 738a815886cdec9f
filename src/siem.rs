//! Events for security tools (SIEM): the ledger's records, from the first on, each at least once.
//!
//! Each `[[siem]]` has a task of its own that follows the ledger and remembers how far it got. What a
//! place does not take is sent again, and again after a restart, so that a tool may see an event twice;
//! events have ids of their own to tell. Exchanges never wait for it.

use crate::config::Config;
use crate::destination::{Destination, Kind, Place};
use crate::exit::Failure;
use serde::Deserialize;
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::sync::watch;
use tollgate_analytics::ledger::{Ledger, Tail};
use tollgate_analytics::siem::Format;

/// Records sent at once, at most.
const BLOCK: usize = 500;
/// The first and the longest pause between tries.
const BACKOFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
const OCSF: Kind = Kind {
    message: "ocsf",
    content_type: "application/x-ndjson",
};
const CEF: Kind = Kind {
    message: "cef",
    content_type: "text/plain; charset=utf-8",
};

/// `[[siem]]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Siem {
    /// What it is called; how far it got is kept under this name.
    pub name: String,
    /// `file:PATH`, `syslog:` (this machine's), `syslog:HOST:PORT` (by UDP), or an HTTP URL.
    pub to: Place,
    /// `ocsf` or `cef`.
    pub format: Format,
    /// What an HTTP endpoint wants to be shown as a bearer token: `env:NAME` or `file:PATH`.
    pub token: Option<String>,
}

/// One tool, and how it is doing.
#[derive(Debug)]
pub struct Forwarder {
    name: String,
    format: Format,
    destination: Destination,
    position: PathBuf,
    /// The sequence number of the next record.
    next: AtomicU64,
    failures: AtomicU64,
}

/// Starts forwarding to every tool that is configured.
///
/// # Errors
/// When a name is wrong or taken, a token or a position cannot be read, or a position lies beyond the
/// ledger.
pub fn start(
    config: &Config,
    ledger: &Ledger,
    stopped: &watch::Receiver<bool>,
) -> Result<Vec<Arc<Forwarder>>, Failure> {
    let mut forwarders: Vec<Arc<Forwarder>> = Vec::new();
    for siem in &config.siem {
        let simple = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let taken = forwarders.iter().any(|other| other.name == siem.name);
        if siem.name.is_empty() || !siem.name.chars().all(simple) || taken {
            return Err(Failure::usage(format!(
                "siem.name: expected letters, digits, `-` and `_`, each name once; found `{}`",
                siem.name
            )));
        }
        let dir = config.data.dir.join("siem");
        crate::serve::make_private(&dir)?;
        let position = dir.join(&siem.name);
        let next = read(&position)?;
        let tail = ledger.tail(next).map_err(|error| {
            Failure::from(error).help(format!(
                "{} was kept for another ledger; remove it to send all records again",
                position.display()
            ))
        })?;
        let forwarder = Arc::new(Forwarder {
            name: siem.name.clone(),
            format: siem.format,
            destination: Destination::new(&siem.to, siem.token.as_deref(), "siem")?,
            position,
            next: AtomicU64::new(next),
            failures: AtomicU64::new(0),
        });
        tokio::spawn(Arc::clone(&forwarder).run(tail, stopped.clone(), BACKOFF));
        forwarders.push(forwarder);
    }
    Ok(forwarders)
}

impl Forwarder {
    /// Sends until it is told to stop, and then what is left if it is taken at once.
    async fn run(
        self: Arc<Self>,
        mut tail: Tail,
        mut stopped: watch::Receiver<bool>,
        (shortest, longest): (Duration, Duration),
    ) {
        let mut pause = shortest;
        loop {
            tokio::select! {
                more = tail.ready() => if !more { return },
                _ = stopped.wait_for(|stopped| *stopped) => if tail.lag() == 0 { return },
            }
            let (followed, block) = match tokio::task::spawn_blocking(move || {
                let block = tail.next_block(BLOCK);
                (tail, block)
            })
            .await
            {
                Ok(read) => read,
                Err(error) => {
                    return tracing::error!(%error, to = self.name, "events are not sent any more");
                }
            };
            tail = followed;
            let block = match block {
                Ok(block) => block,
                Err(error) => {
                    return tracing::error!(%error, to = self.name, "events are not sent any more");
                }
            };
            let events: Vec<String> = block
                .iter()
                .flat_map(|entry| self.format.events(entry))
                .collect();
            while let Err(error) = self.deliver(&events, tail.next_seq()).await {
                self.failures.fetch_add(1, Relaxed);
                tracing::error!(to = self.name, %error, "events were not taken; they are sent again");
                if tokio::time::timeout(pause, stopped.wait_for(|stopped| *stopped))
                    .await
                    .is_ok()
                {
                    return;
                }
                pause = longest.min(pause * 2);
            }
            pause = shortest;
        }
    }

    async fn deliver(&self, events: &[String], next: u64) -> io::Result<()> {
        let kind = match self.format {
            Format::Ocsf => &OCSF,
            Format::Cef => &CEF,
        };
        if !events.is_empty() {
            self.destination.send(kind, events.to_vec()).await?;
        }
        // Only what was taken is behind us.
        let new = self.position.with_extension("new");
        std::fs::write(&new, format!("{next}\n"))?;
        std::fs::rename(&new, &self.position)?;
        self.next.store(next, Relaxed);
        Ok(())
    }

    /// In the text format of Prometheus.
    pub fn render(forwarders: &[Arc<Forwarder>], text: &mut String) {
        if forwarders.is_empty() {
            return;
        }
        for (metric, kind, help, figure) in [
            (
                "tollgate_siem_records",
                "gauge",
                "Records whose events the tool has taken.",
                0,
            ),
            (
                "tollgate_siem_failures_total",
                "counter",
                "Tries to send events that failed.",
                1,
            ),
        ] {
            _ = writeln!(text, "# HELP {metric} {help}\n# TYPE {metric} {kind}");
            for forwarder in forwarders {
                let (name, next, failures) = forwarder.figures();
                let value = [next, failures][figure];
                _ = writeln!(text, "{metric}{{siem=\"{name}\"}} {value}");
            }
        }
    }

    /// For the metrics: its name, how many records it is past, and how many tries failed.
    pub fn figures(&self) -> (&str, u64, u64) {
        (
            &self.name,
            self.next.load(Relaxed),
            self.failures.load(Relaxed),
        )
    }
}

/// How far a tool is: the sequence number of its next record.
fn read(position: &Path) -> Result<u64, Failure> {
    match std::fs::read_to_string(position) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(Failure::new(format!("{}: {error}", position.display()))),
        Ok(text) => text.trim().parse().map_err(|_| {
            Failure::new(format!(
                "{}: expected a sequence number",
                position.display()
            ))
        }),
    }
}
