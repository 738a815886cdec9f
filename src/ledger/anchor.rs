//! Checkpoints written elsewhere, where whoever can write to this machine cannot: a file (on
//! another machine's disk), syslog, an HTTP endpoint.
//!
//! Each place has a task of its own and gets the newest checkpoint, which covers all before it.
//! One that fails is loud in the log and in the metrics and is tried again; exchanges never wait
//! for it.

use crate::destination::{Destination, Kind, Place};
use crate::exit::Failure;
use serde::Deserialize;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::sync::watch;

/// The first and the longest pause between tries.
const BACKOFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
const KIND: Kind = Kind {
    message: "checkpoint",
    content_type: "text/plain; charset=utf-8",
};

/// `[[ledger.anchor]]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Anchor {
    /// `file:PATH`, `syslog:` (this machine's), `syslog:HOST:PORT` (by UDP), or an HTTP URL.
    pub to: Place,
    /// What an HTTP endpoint wants to be shown as a bearer token: `env:NAME` or `file:PATH`.
    pub token: Option<String>,
}

/// One place, and how it is doing.
#[derive(Debug)]
pub struct Anchored {
    destination: Destination,
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
        Ok(Anchored {
            destination: Destination::new(&anchor.to, anchor.token.as_deref(), "ledger.anchor")?,
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
        self.destination
            .send(&KIND, vec![news.note.to_string()])
            .await
    }

    fn name(&self) -> String {
        self.destination.name()
    }

    /// For the metrics: the label of this place, of how many records the checkpoint delivered last
    /// is, and how many tries failed.
    pub fn figures(&self) -> (String, u64, u64) {
        let name = self.name().replace('\\', "\\\\").replace('"', "\\\"");
        let (delivered, failures) = (&self.delivered, &self.failures);
        (name, delivered.load(Relaxed), failures.load(Relaxed))
    }
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
