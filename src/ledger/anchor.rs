//! Checkpoints written elsewhere, where whoever can write to this machine cannot: a file (on
//! another machine's disk), syslog, an HTTP endpoint.
//!
//! Each place has a task of its own and gets the newest checkpoint, which covers all before it.
//! One that fails is loud in the log and in the metrics and is tried again; exchanges never wait
//! for it.

use crate::exit::Failure;
use serde::Deserialize;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::sync::watch;
use tollgate_proxy::{Secret, credential};

/// The first and the longest pause between tries.
const BACKOFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
/// For one try.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Facility "log audit", severity "informational" (RFC 5424, 6.2.1).
const SYSLOG_PRIORITY: u8 = 13 * 8 + 6;

/// `[[ledger.anchor]]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Anchor {
    /// `file:PATH`, `syslog:` (this machine's), `syslog:HOST:PORT` (by UDP), or an HTTP URL.
    pub to: Place,
    /// What an HTTP endpoint wants to be shown as a bearer token: `env:NAME` or `file:PATH`.
    pub token: Option<String>,
}

/// Where checkpoints go.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(try_from = "String")]
pub enum Place {
    /// Appended, with a blank line after each.
    File(PathBuf),
    /// As one message each, the note as a JSON string; by UDP to an address, or to `/dev/log`.
    Syslog(Option<String>),
    /// As the body of a POST.
    Http(String),
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Place, String> {
        if let Some(path) = text.strip_prefix("file:").filter(|path| !path.is_empty()) {
            return Ok(Place::File(path.into()));
        }
        if let Some(address) = text.strip_prefix("syslog:") {
            let address = (!address.is_empty()).then(|| address.to_owned());
            return match address.as_deref().map(|address| address.rsplit_once(':')) {
                None | Some(Some(_)) => Ok(Place::Syslog(address)),
                Some(None) => Err(format!("expected syslog:HOST:PORT, found {text:?}")),
            };
        }
        match reqwest::Url::parse(text) {
            Ok(url) if matches!(url.scheme(), "http" | "https") => {
                if !url.username().is_empty() || url.password().is_some() {
                    return Err("expected no credentials in a URL: put them in `token`".into());
                }
                Ok(Place::Http(text.to_owned()))
            }
            _ => Err(format!(
                "expected file:PATH, syslog:, syslog:HOST:PORT or an HTTP URL, found {text:?}"
            )),
        }
    }
}

impl TryFrom<String> for Place {
    type Error = String;

    fn try_from(text: String) -> Result<Place, String> {
        text.parse()
    }
}

/// One place, and how it is doing.
#[derive(Debug)]
pub struct Anchored {
    place: Place,
    token: Option<Secret>,
    client: reqwest::Client,
    delivered: AtomicU64,
    failures: AtomicU64,
    failing: AtomicBool,
}

/// A checkpoint to deliver.
#[derive(Clone, Debug)]
pub struct News {
    /// How many records it is of.
    pub size: u64,
    /// The signed note.
    pub note: Arc<str>,
}

impl Anchored {
    /// Makes ready, reading what the place needs.
    ///
    /// # Errors
    /// When the token cannot be read.
    pub fn new(anchor: &Anchor) -> Result<Anchored, Failure> {
        let token = anchor.token.as_deref().map(credential::read).transpose();
        let token = token.map_err(|e| Failure::usage(format!("ledger.anchor.token: {e}")))?;
        let client = reqwest::Client::builder().timeout(TIMEOUT).build();
        Ok(Anchored {
            place: anchor.to.clone(),
            token,
            client: client.map_err(Failure::new)?,
            delivered: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            failing: AtomicBool::new(false),
        })
    }

    /// Delivers the newest checkpoint each time there is one, until there will be none.
    pub async fn run(self: Arc<Self>, news: watch::Receiver<Option<News>>) {
        self.run_with(news, BACKOFF).await;
    }

    async fn run_with(
        self: Arc<Self>,
        mut news: watch::Receiver<Option<News>>,
        (shortest, longest): (Duration, Duration),
    ) {
        let mut pause = shortest;
        loop {
            let newest = news.borrow_and_update().clone();
            let newest = newest.filter(|newest| newest.size > self.delivered.load(Relaxed));
            let delivered = match &newest {
                Some(newest) => self.try_once(newest).await,
                None => true,
            };
            let changed = if delivered {
                pause = shortest;
                news.changed().await
            } else {
                let wait = pause;
                pause = longest.min(pause * 2);
                tokio::time::timeout(wait, news.changed())
                    .await
                    .unwrap_or(Ok(()))
            };
            if changed.is_err() {
                // The gate ends, and this is the last word.
                let last = news.borrow().clone();
                if let Some(last) = last.filter(|last| last.size > self.delivered.load(Relaxed)) {
                    self.try_once(&last).await;
                }
                return;
            }
        }
    }

    async fn try_once(&self, news: &News) -> bool {
        match self.deliver(news).await {
            Ok(()) => {
                self.delivered.store(news.size, Relaxed);
                if self.failing.swap(false, Relaxed) {
                    tracing::info!(to = self.name(), "checkpoints are written there again");
                }
                true
            }
            Err(error) => {
                self.failures.fetch_add(1, Relaxed);
                self.failing.store(true, Relaxed);
                tracing::error!(to = self.name(), %error, "a checkpoint was not written elsewhere");
                false
            }
        }
    }

    async fn deliver(&self, news: &News) -> io::Result<()> {
        let (place, note) = (self.place.clone(), Arc::clone(&news.note));
        let Place::Http(url) = place else {
            return tokio::task::spawn_blocking(move || match place {
                Place::File(path) => append(&path, &note),
                Place::Syslog(address) => syslog(address.as_deref(), &note),
                Place::Http(_) => unreachable!("taken above"),
            })
            .await
            .map_err(io::Error::other)?;
        };
        let mut request = self
            .client
            .post(url)
            .header("content-type", "text/plain; charset=utf-8")
            .body(note.to_string());
        if let Some(token) = &self.token {
            request = request.bearer_auth(token.expose());
        }
        // Neither URL nor token is in what these errors say.
        let answer = request
            .send()
            .await
            .map_err(|e| io::Error::other(e.without_url()))?;
        answer
            .error_for_status()
            .map(drop)
            .map_err(|e| io::Error::other(e.without_url()))
    }

    fn name(&self) -> String {
        match &self.place {
            Place::File(path) => format!("file:{}", path.display()),
            Place::Syslog(address) => format!("syslog:{}", address.as_deref().unwrap_or("")),
            Place::Http(url) => url.split(['?', '#']).next().unwrap_or_default().to_owned(),
        }
    }

    /// For the metrics: the label of this place, of how many records the checkpoint delivered last
    /// is, and how many tries failed.
    pub fn figures(&self) -> (String, u64, u64) {
        let name = self.name().replace('\\', "\\\\").replace('"', "\\\"");
        let (delivered, failures) = (&self.delivered, &self.failures);
        (name, delivered.load(Relaxed), failures.load(Relaxed))
    }
}

fn append(path: &std::path::Path, note: &str) -> io::Result<()> {
    let mut file = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)?;
    file.write_all(format!("{note}\n").as_bytes())?;
    file.sync_all()
}

fn syslog(address: Option<&str>, note: &str) -> io::Result<()> {
    let note = serde_json::Value::from(note);
    let message = format!("<{SYSLOG_PRIORITY}>1 - - tollgate - checkpoint - {note}");
    let sent = match address {
        Some(address) => {
            let socket = std::net::UdpSocket::bind("0.0.0.0:0")?;
            socket.send_to(message.as_bytes(), address)?
        }
        None => {
            let socket = std::os::unix::net::UnixDatagram::unbound()?;
            socket.send_to(message.as_bytes(), "/dev/log")?
        }
    };
    if sent == message.len() {
        return Ok(());
    }
    Err(io::ErrorKind::WriteZero.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{HeaderMap, StatusCode};
    use axum::routing::post;
    use std::sync::Mutex;

    const QUICK: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(20));

    fn news(size: u64) -> Option<News> {
        let note = format!("log\n{size}\nroot\n\n— log c2ln\n").into();
        Some(News { size, note })
    }

    fn anchored(to: &str, token: Option<String>) -> Arc<Anchored> {
        let to = to.parse().unwrap();
        Arc::new(Anchored::new(&Anchor { to, token }).unwrap())
    }

    #[test]
    fn places_are_read_and_mistakes_told() {
        for (text, place) in [
            ("file:/mnt/x", Place::File("/mnt/x".into())),
            ("syslog:", Place::Syslog(None)),
            ("syslog:log:514", Place::Syslog(Some("log:514".into()))),
            ("https://a/b", Place::Http("https://a/b".into())),
        ] {
            assert_eq!(text.parse(), Ok(place));
        }
        for text in [
            "",
            "file:",
            "/mnt/x",
            "syslog:log",
            "ftp://a",
            "https://me:x@a",
        ] {
            assert!(text.parse::<Place>().is_err(), "{text}");
        }
    }

    #[tokio::test]
    async fn an_endpoint_that_is_down_gets_the_newest_once_it_is_up() {
        let got = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&got);
        let app = axum::Router::new().route(
            "/anchor",
            post(async move |headers: HeaderMap, body: String| {
                let mut seen = seen.lock().unwrap();
                seen.push((headers["authorization"].clone(), body));
                match seen.len() {
                    1 | 2 => StatusCode::SERVICE_UNAVAILABLE,
                    _ => StatusCode::CREATED,
                }
            }),
        );
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/anchor", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });

        let token = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(token.path(), "letmein").unwrap();
        let token = format!("file:{}", token.path().display());
        let anchored = anchored(&url, Some(token));
        let (sender, receiver) = watch::channel(news(1));
        let task = tokio::spawn(Arc::clone(&anchored).run_with(receiver, QUICK));
        while anchored.delivered.load(Relaxed) < 1 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        sender.send_replace(news(5));
        // The last one is delivered before the task ends.
        sender.send_replace(news(9));
        drop(sender);
        task.await.unwrap();
        assert_eq!(anchored.delivered.load(Relaxed), 9);
        assert_eq!(anchored.failures.load(Relaxed), 2);
        let got = got.lock().unwrap();
        assert_eq!(got[0].0, "Bearer letmein");
        assert!(got.last().unwrap().1.starts_with("log\n9\n"));
        assert_eq!(anchored.figures(), (url, 9, 2));
        assert!(!format!("{anchored:?}").contains("letmein"));
    }

    #[tokio::test]
    async fn a_file_and_a_log_get_what_reads_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("kept");
        let file = anchored(&format!("file:{}", path.display()), None);
        for size in [1, 2] {
            assert!(file.try_once(&news(size).unwrap()).await);
        }
        let kept = std::fs::read_to_string(&path).unwrap();
        let [one, two] = [1, 2].map(|size| news(size).unwrap().note);
        assert_eq!(kept, format!("{one}\n{two}\n"));
        let missing = anchored(&format!("file:{}/no/such", dir.path().display()), None);
        assert!(!missing.try_once(&news(1).unwrap()).await);

        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let log = anchored(&format!("syslog:{}", socket.local_addr().unwrap()), None);
        assert!(log.try_once(&news(3).unwrap()).await);
        let mut message = [0; 2_000];
        let length = socket.recv(&mut message).unwrap();
        let message = std::str::from_utf8(&message[..length]).unwrap();
        let (head, note) = message.split_once("checkpoint - ").unwrap();
        assert_eq!(head, "<110>1 - - tollgate - ");
        let note: String = serde_json::from_str(note).unwrap();
        assert_eq!(note, &*news(3).unwrap().note);
    }
}
