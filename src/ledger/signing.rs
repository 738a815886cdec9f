//! Signs checkpoints while the gate runs: at an interval, and when it ends.

use super::anchor::{Anchored, News};
use crate::config::Config;
use crate::exit::Failure;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::sync::watch;
use tollgate_analytics::ledger::checkpoint::{Checkpointer, Signed};
use tollgate_analytics::ledger::{Ledger, Signer, key};
use tollgate_proxy::credential;

/// For the last checkpoint to be written elsewhere when the gate ends.
const LAST_DELIVERY: Duration = Duration::from_secs(5);

/// The signing key's file.
pub fn key_file(config: &Config) -> PathBuf {
    config.data.dir.join("keys").join("ledger.key")
}

/// The signing key, made if there is none.
///
/// # Errors
/// When it or its passphrase cannot be read.
pub fn signer(config: &Config) -> Result<Signer, Failure> {
    let file = key_file(config);
    if let Some(dir) = file.parent() {
        crate::serve::make_private(dir)?;
    }
    let passphrase = config.ledger.key_passphrase.as_deref();
    let passphrase = passphrase.map(credential::read).transpose();
    let passphrase =
        passphrase.map_err(|error| Failure::usage(format!("ledger.key_passphrase: {error}")))?;
    let passphrase = passphrase.as_ref().map(|secret| secret.expose());
    Ok(key::load_or_create(
        &file,
        passphrase,
        &config.ledger.origin,
    )?)
}

fn news_of(signed: &Signed) -> News {
    News {
        size: signed.checkpoint.size,
        note: signed.note.to_string().into(),
    }
}

/// What is signed while the gate runs, as its metrics tell it.
#[derive(Debug)]
pub struct Signing {
    signed: AtomicU64,
    failures: AtomicU64,
    anchors: Vec<Arc<Anchored>>,
}

impl Signing {
    /// Begins to sign. The task ends after a last checkpoint once `stop` says so.
    ///
    /// # Errors
    /// When the key cannot be read, or the ledger is not the one that was signed for before.
    pub fn start(
        config: &Config,
        ledger: &Ledger,
        stop: watch::Receiver<bool>,
    ) -> Result<(Arc<Signing>, tokio::task::JoinHandle<()>), Failure> {
        let checkpointer = Checkpointer::open(ledger, signer(config)?).map_err(|error| {
            Failure::new(error).help(
                "run `tollgate ledger verify`; keep this ledger as it is, and begin another one in \
                 a new data directory",
            )
        })?;
        let anchors = config.ledger.anchor.iter();
        let anchors = anchors.map(|anchor| Anchored::new(anchor).map(Arc::new));
        let newest = checkpointer.newest();
        let signing = Arc::new(Signing {
            signed: AtomicU64::new(newest.map_or(0, |newest| newest.checkpoint.size)),
            failures: AtomicU64::new(0),
            anchors: anchors.collect::<Result<_, _>>()?,
        });
        let (news, heard) = watch::channel(newest.map(news_of));
        let deliveries: Vec<_> = signing
            .anchors
            .iter()
            .map(|anchored| tokio::spawn(Arc::clone(anchored).run(heard.clone())))
            .collect();
        let interval = config.ledger.checkpoint_interval();
        let signs = Arc::clone(&signing).run(checkpointer, interval, stop, news);
        let task = tokio::spawn(async move {
            signs.await;
            // What is not delivered by then is with the next start.
            let ended = futures::future::join_all(deliveries);
            tokio::time::timeout(LAST_DELIVERY, ended).await.ok();
        });
        Ok((signing, task))
    }

    async fn run(
        self: Arc<Self>,
        mut checkpointer: Checkpointer,
        interval: Duration,
        mut stop: watch::Receiver<bool>,
        news: watch::Sender<Option<News>>,
    ) {
        loop {
            let stopped = async { drop(stop.wait_for(|stop| *stop).await) };
            let last = tokio::time::timeout(interval, stopped).await.is_ok();
            let signing = Arc::clone(&self);
            // Signing waits for the disk.
            let taken = tokio::task::spawn_blocking(move || {
                let signed = signing.sign(&mut checkpointer);
                (checkpointer, signed)
            });
            let signed;
            (checkpointer, signed) = match taken.await {
                Ok(taken) => taken,
                Err(_) => return,
            };
            if signed.is_some() {
                news.send_replace(signed);
            }
            if last {
                return;
            }
        }
    }

    fn sign(&self, checkpointer: &mut Checkpointer) -> Option<News> {
        match checkpointer.take() {
            Ok(signed) => signed.map(|signed| {
                self.signed.store(signed.checkpoint.size, Relaxed);
                news_of(signed)
            }),
            Err(error) => {
                self.failures.fetch_add(1, Relaxed);
                tracing::error!(%error, "no checkpoint was signed; tried again at the next interval");
                None
            }
        }
    }

    /// In the text format of Prometheus.
    pub fn render(&self, text: &mut String) {
        let (signed, failures) = (self.signed.load(Relaxed), self.failures.load(Relaxed));
        _ = write!(
            text,
            "# HELP tollgate_ledger_signed_records Records that the newest checkpoint is signed for.\n\
             # TYPE tollgate_ledger_signed_records gauge\n\
             tollgate_ledger_signed_records {signed}\n\
             # HELP tollgate_ledger_checkpoint_failures_total Checkpoints that could not be signed.\n\
             # TYPE tollgate_ledger_checkpoint_failures_total counter\n\
             tollgate_ledger_checkpoint_failures_total {failures}\n"
        );
        let figures: Vec<_> = self
            .anchors
            .iter()
            .map(|anchored| anchored.figures())
            .collect();
        if figures.is_empty() {
            return;
        }
        text.push_str(
            "# HELP tollgate_ledger_anchored_records Records that the newest checkpoint written elsewhere is signed for.\n\
             # TYPE tollgate_ledger_anchored_records gauge\n",
        );
        for (name, delivered, _) in &figures {
            _ = writeln!(
                text,
                "tollgate_ledger_anchored_records{{anchor=\"{name}\"}} {delivered}"
            );
        }
        text.push_str(
            "# HELP tollgate_ledger_anchor_failures_total Checkpoints that could not be written elsewhere.\n\
             # TYPE tollgate_ledger_anchor_failures_total counter\n",
        );
        for (name, _, failures) in &figures {
            _ = writeln!(
                text,
                "tollgate_ledger_anchor_failures_total{{anchor=\"{name}\"}} {failures}"
            );
        }
    }
}
