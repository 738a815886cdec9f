//! `tollgate serve`: the gate with everything around it, from one configuration.
//!
//! ```text
//!  main thread        pingora: the gateway
//!  tokio runtime      supervisors of the store and the local model, shipper, admin listener,
//!                     reloads of what changed on the disk
//! ```

mod build;
mod children;
mod files;
mod reload;
mod status;
mod webhook;

pub use build::load_policy;
pub use webhook::Settings as BudgetSettings;

use crate::clock;
use crate::config::Config;
use crate::exit::{Failure, Outcome};
use crate::ledger::Signing;
use crate::runtime::Runtime;
use crate::supervise::child;
use build::Builder;
use children::Children;
use reload::Reloader;
use status::Status;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tollgate_analytics::ledger::{self, Act, Ledger};
use tollgate_analytics::ship::{ShipStatus, Shipper};
use tollgate_proxy::callers::{Callers, Month, Spending};
use tollgate_proxy::metrics::Metrics;
use tollgate_proxy::{admin, gateway};
use tollgate_redaction::Device;
use webhook::Webhook;

/// Runs the gate until SIGTERM or SIGINT.
///
/// # Errors
/// When something it cannot work without is missing or wrong; what and what to do is said.
pub fn run(config: &Config, config_file: Option<&Path>) -> Outcome {
    let runtime = Runtime::locate();
    crate::setup::ready(&runtime, &needed(config))?;
    make_private(&config.data.dir)?;
    let tokio = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .worker_threads(2)
        .build()
        .map_err(Failure::new)?;
    let (stop, stopped) = watch::channel(false);
    let result = serve(config, config_file, &runtime, &tokio, &stop, stopped);
    stop.send_replace(true);
    result
}

/// The components of the runtime directory that this configuration needs.
fn needed(config: &Config) -> Vec<&'static str> {
    let ner = config.inspection.enabled && config.ner.device != Device::Off;
    let model = config.embedded_model() && config.local_llm.model.as_os_str().is_empty();
    let wanted = [
        ("onnxruntime", ner),
        ("rampart", ner),
        ("chdb", config.analytics.url.is_empty()),
        ("smollm2", model),
    ];
    wanted
        .into_iter()
        .filter(|(_, wanted)| *wanted)
        .map(|(id, _)| id)
        .collect()
}

fn serve(
    config: &Config,
    config_file: Option<&Path>,
    runtime: &Runtime,
    tokio: &tokio::runtime::Runtime,
    stop: &watch::Sender<bool>,
    stopped: watch::Receiver<bool>,
) -> Outcome {
    // Children first: they load while we do.
    let in_runtime = tokio.enter();
    let children = Children::start(config, config_file)?;
    let metrics = Arc::new(Metrics::default());
    let ledger = Ledger::open(&crate::ledger::directory(config), config.ledger.options())?;
    if let Some(torn) = ledger.recovered() {
        tracing::warn!(
            ?torn,
            "an unfinished record was set aside; its exchange was never completed"
        );
    }
    // From here on a hang-up is a wish to reload and ends nothing.
    let hangup = signal(SignalKind::hangup()).map_err(Failure::new)?;
    let (hears, events) = mpsc::channel(webhook::WAITING_MAX);
    let listener = Webhook::new(&config.budget)?.map(|webhook| {
        tokio.spawn(webhook.run(events));
        hears
    });
    let builder = Builder {
        runtime_dir: runtime.dir().to_path_buf(),
        data_dir: config.data.dir.clone(),
        local: children.local_model(config),
        callers: Arc::new(Callers::new(spent_this_month(ledger.dir())?, listener)),
        ledger: ledger.clone(),
        metrics: Arc::clone(&metrics),
    };
    let reloader = Reloader::start(config, config_file, builder)?;
    let gate = reloader.current();

    let (stop_signing, signing_stopped) = watch::channel(false);
    let (signing, signed) = Signing::start(config, &ledger, signing_stopped)?;
    let policy = gate.load().policy.version().to_string();
    crate::ledger::note(config, Act::GateStarted { policy })?;
    let (shipper, ship_status) = shipper(config, &children, &ledger)?;
    let shipping = tokio.spawn(ship(shipper, stopped.clone()));

    let status = Arc::new(Status {
        reverse: config.listen.reverse.clone(),
        complete: AtomicBool::new(false),
        children: children.watched(),
        gate: Arc::clone(&gate),
        reloads: reloader.reloads(),
        ship: ship_status,
        signing,
        siem: crate::siem::start(config, &ledger, &stopped)?,
        metrics,
    });
    let admin = tokio.block_on(tokio::net::TcpListener::bind(&config.listen.admin));
    let admin = admin.map_err(|e| listen_failure("listen.admin", &config.listen.admin, &e))?;
    tokio.spawn(admin::serve(
        admin,
        Arc::clone(&status) as Arc<dyn admin::Status>,
        ended(stopped.clone()),
    ));

    tokio.spawn(reloader.run(hangup, ended(stopped.clone())));

    tracing::info!(
        reverse = config.listen.reverse,
        admin = config.listen.admin,
        endpoints = config.endpoint.len(),
        "the gate is open"
    );
    let (signalled, signal) = tokio::sync::oneshot::channel();
    tokio.spawn(async move {
        // A failure to listen for signals ends the gate too: it could not be stopped otherwise.
        child::shutdown().await.ok();
        signalled.send(()).ok();
    });
    let until = async move { signal.await.unwrap_or(()) };
    drop(in_runtime);
    gateway::serve(gate, &config.listen, until)
        .map_err(|e| listen_failure("listen.reverse", &config.listen.reverse, &e))?;

    tracing::info!("the gate is closed; shipping what is left");
    stop.send_replace(true);
    stop_signing.send_replace(true);
    tokio.block_on(async {
        // The last checkpoint is for all that was recorded.
        signed.await.ok();
        tokio::time::timeout(Duration::from_secs(20), shipping)
            .await
            .ok();
        children.stop().await;
    });
    Ok(())
}

/// Makes a directory that only we can look into.
pub fn make_private(dir: &Path) -> Result<(), Failure> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(|e| Failure::new(format!("{}: cannot be made: {e}", dir.display())))
}

fn listen_failure(key: &str, address: &str, error: &std::io::Error) -> Failure {
    Failure::new(format!("{key}: cannot listen on {address}: {error}"))
}

async fn ended(mut stopped: watch::Receiver<bool>) {
    stopped.wait_for(|stopped| *stopped).await.ok();
}

/// What callers have spent this month, from the ledger's records.
fn spent_this_month(ledger: &Path) -> Result<Spending, Failure> {
    const BLOCK: usize = 4096;
    let since = Month::of(clock::now()).start().as_microsecond();
    let spending = Spending::default();
    let mut reader = ledger::read_since(ledger, since)?;
    loop {
        let block = reader.next_block(BLOCK)?;
        if block.is_empty() {
            return Ok(spending);
        }
        for entry in block {
            spending.resume(&entry.record);
        }
    }
}

/// Ships until it is told to stop. What stops it for good (a store that holds another ledger, say)
/// leaves the gate at work and the records in the ledger.
async fn ship(shipper: Shipper, stopped: watch::Receiver<bool>) {
    if let Err(error) = shipper.run(stopped).await {
        tracing::error!(%error, "records are not shipped to the store any more; they wait in the ledger");
    }
}

fn shipper(
    config: &Config,
    children: &Children,
    ledger: &Ledger,
) -> Result<(Shipper, watch::Receiver<ShipStatus>), Failure> {
    let client = match &children.store {
        Some(store) => crate::analytics::embedded(store.address(), store.token().expose()),
        None => crate::analytics::server(&config.analytics)?,
    };
    Ok(Shipper::new(ledger, client))
}
