//! Signs checkpoints while the gate runs: at an interval, and when it ends.

use crate::config::Config;
use crate::exit::Failure;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::sync::watch;
use tollgate_analytics::ledger::checkpoint::Checkpointer;
use tollgate_analytics::ledger::{Ledger, Signer, key};
use tollgate_proxy::credential;

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

/// What is signed while the gate runs, as its metrics tell it.
#[derive(Debug, Default)]
pub struct Signing {
    signed: AtomicU64,
    failures: AtomicU64,
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
        let signing = Arc::new(Signing::default());
        let held = checkpointer
            .newest()
            .map_or(0, |newest| newest.checkpoint.size);
        signing.signed.store(held, Relaxed);
        let interval = config.ledger.checkpoint_interval();
        let task = tokio::spawn(Arc::clone(&signing).run(checkpointer, interval, stop));
        Ok((signing, task))
    }

    async fn run(
        self: Arc<Self>,
        mut checkpointer: Checkpointer,
        interval: Duration,
        mut stop: watch::Receiver<bool>,
    ) {
        loop {
            let stopped = async { drop(stop.wait_for(|stop| *stop).await) };
            let last = tokio::time::timeout(interval, stopped).await.is_ok();
            let signing = Arc::clone(&self);
            // Signing waits for the disk.
            let taken = tokio::task::spawn_blocking(move || {
                signing.sign(&mut checkpointer);
                checkpointer
            });
            checkpointer = match taken.await {
                Ok(checkpointer) => checkpointer,
                Err(_) => return,
            };
            if last {
                return;
            }
        }
    }

    fn sign(&self, checkpointer: &mut Checkpointer) {
        match checkpointer.take() {
            Ok(Some(signed)) => self.signed.store(signed.checkpoint.size, Relaxed),
            Ok(None) => {}
            Err(error) => {
                self.failures.fetch_add(1, Relaxed);
                tracing::error!(%error, "no checkpoint was signed; tried again at the next interval");
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
    }
}
