//! `tollgate serve`: the gate with everything around it, from one configuration.
//!
//! ```text
//!  main thread        pingora: the gateway
//!  tokio runtime      supervisors of the store and the local model, shipper, admin listener
//! ```

use crate::config::Config;
use crate::exit::{Failure, Outcome};
use crate::ledger::Signing;
use crate::runtime::Runtime;
use crate::supervise::{Spec, State, Supervised, child};
use crate::{local_llm, store};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;
use tokio::sync::watch;
use tollgate_analytics::ledger::{Act, Ledger};
use tollgate_analytics::ship::{ShipStatus, Shipper};
use tollgate_proxy::endpoint::{Endpoint, LocalModel};
use tollgate_proxy::gate::Gate;
use tollgate_proxy::keys::KeyRing;
use tollgate_proxy::metrics::Metrics;
use tollgate_proxy::policy::Policy;
use tollgate_proxy::{Egress, Secret, admin, gateway, health};
use tollgate_redaction::placeholder::MasterKey;
use tollgate_redaction::{Device, Redactor, RedactorConfig};

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
    let gate = gate(
        config,
        runtime,
        &children,
        ledger.clone(),
        Arc::clone(&metrics),
    )?;

    for endpoint in &gate.endpoints {
        tokio.spawn(health::watch(
            Arc::downgrade(endpoint),
            Arc::clone(&gate.egress),
        ));
    }
    let (stop_signing, signing_stopped) = watch::channel(false);
    let (signing, signed) = Signing::start(config, &ledger, signing_stopped)?;
    let policy = gate.policy.version().to_string();
    crate::ledger::note(config, Act::GateStarted { policy })?;
    let (shipper, ship_status) = shipper(config, &children, &ledger)?;
    let shipping = tokio.spawn(ship(shipper, stopped.clone()));

    let status = Arc::new(Status {
        reverse: config.listen.reverse.clone(),
        complete: AtomicBool::new(false),
        children: children.watched(),
        endpoints: gate.endpoints.clone(),
        ship: ship_status,
        signing,
        metrics,
    });
    let admin = tokio.block_on(tokio::net::TcpListener::bind(&config.listen.admin));
    let admin = admin.map_err(|e| listen_failure("listen.admin", &config.listen.admin, &e))?;
    tokio.spawn(admin::serve(
        admin,
        Arc::clone(&status) as Arc<dyn admin::Status>,
        ended(stopped.clone()),
    ));

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

fn gate(
    config: &Config,
    runtime: &Runtime,
    children: &Children,
    ledger: Ledger,
    metrics: Arc<Metrics>,
) -> Result<Arc<Gate>, Failure> {
    let mut ner = config.ner.clone();
    ner.runtime_dir = runtime.dir().to_path_buf();
    if !config.inspection.enabled {
        tracing::warn!("inspection is off: prompts leave as they are");
        ner.device = Device::Off;
    }
    let settings = RedactorConfig {
        rules_dir: config.rules.dir.clone(),
        jurisdictions: config.inspection.jurisdictions.clone(),
        ner,
    };
    let redactor = Redactor::adjusted(&settings, &config.inspection.adjustments())?;
    let local = children.local_model(config);
    let endpoints = config.endpoint.iter().map(|e| {
        let endpoint = Endpoint::new(e.clone(), &local, &config.limits, &config.failover);
        endpoint.map(Arc::new)
    });
    Ok(Arc::new(Gate {
        endpoints: endpoints
            .collect::<Result<_, _>>()
            .map_err(Failure::usage)?,
        failover: config.failover.clone(),
        policy: load_policy(&config.policy.file)?,
        redactor: Arc::new(redactor),
        inspection: config.inspection.clone(),
        master_key: master_key(&config.data.dir)?,
        keys: KeyRing::load(&config.data.dir).map_err(Failure::new)?,
        ledger,
        on_full: config.ledger.on_full,
        prices: crate::prices::book(config)?,
        egress: Arc::new(Egress::new()),
        places: tokio::sync::Semaphore::new(config.limits.exchanges_max),
        limits: config.limits.clone(),
        metrics,
    }))
}

/// Reads and checks a policy file.
///
/// # Errors
/// When it cannot be read or is not a policy; names the file.
pub fn load_policy(file: &Path) -> Result<Policy, Failure> {
    let text = std::fs::read_to_string(file)
        .map_err(|e| Failure::usage(format!("{}: cannot be read: {e}", file.display())))?;
    Policy::parse(&text).map_err(|e| Failure::usage(format!("{}: {e}", file.display())))
}

/// The key behind all placeholders: made at the first start, kept with mode 0600. Losing it
/// changes every placeholder once and loses nothing else.
fn master_key(data: &Path) -> Result<MasterKey, Failure> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let dir = data.join("keys");
    make_private(&dir)?;
    let file = dir.join("placeholder.key");
    let fail = |e: std::io::Error| Failure::new(format!("{}: {e}", file.display()));
    match std::fs::read(&file) {
        Ok(bytes) => match <[u8; 32]>::try_from(bytes) {
            Ok(bytes) => Ok(MasterKey::new(bytes)),
            Err(_) => Err(Failure::new(format!(
                "{}: expected 32 bytes; restore it from a backup, or remove it to have a new one made",
                file.display()
            ))),
        },
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            let mut bytes = [0_u8; 32];
            getrandom::fill(&mut bytes).map_err(|e| fail(std::io::Error::other(e)))?;
            let temporary = dir.join("placeholder.key.new");
            let mut out = std::fs::OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(&temporary)
                .map_err(fail)?;
            out.write_all(&bytes)
                .and_then(|()| out.sync_all())
                .map_err(fail)?;
            std::fs::rename(&temporary, &file).map_err(fail)?;
            Ok(MasterKey::new(bytes))
        }
        Err(e) => Err(fail(e)),
    }
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

/// The supervised children.
struct Children {
    store: Option<Supervised>,
    local_llm: Option<Supervised>,
}

impl Children {
    fn start(config: &Config, config_file: Option<&Path>) -> Result<Self, Failure> {
        let program = std::env::current_exe().map_err(Failure::new)?;
        let spec = |name: &'static str, health, start_timeout| {
            let mut arguments = Vec::new();
            if let Some(file) = config_file {
                arguments.extend(["--config".into(), PathBuf::from(file).into_os_string()]);
            }
            arguments.push(name.into());
            Spec {
                name,
                program: program.clone(),
                arguments,
                health,
                start_timeout,
                run_dir: config.data.dir.join("run"),
                log: None,
            }
        };
        let store = config
            .analytics
            .url
            .is_empty()
            .then(|| spec(store::NAME, "/ping", Duration::from_secs(120)));
        let local = config
            .embedded_model()
            .then(|| spec(local_llm::NAME, "/healthz", Duration::from_secs(120)));
        Ok(Children {
            store: store
                .map(Supervised::start)
                .transpose()
                .map_err(Failure::new)?,
            local_llm: local
                .map(Supervised::start)
                .transpose()
                .map_err(Failure::new)?,
        })
    }

    /// Follows the local model's state as the gateway wants to know it.
    fn local_model(&self, config: &Config) -> watch::Receiver<Option<LocalModel>> {
        let (sender, receiver) = watch::channel(None);
        let Some(child) = &self.local_llm else {
            return receiver;
        };
        let (mut status, token, model) = (
            child.status(),
            Secret::new(child.token().expose().to_owned()),
            config.local_llm.name.clone(),
        );
        tokio::spawn(async move {
            loop {
                let now = status.borrow_and_update().clone();
                let up = (now.state == State::Healthy).then(|| LocalModel {
                    address: now.address,
                    token: token.clone(),
                    model: model.clone(),
                });
                sender.send_replace(up);
                if status.changed().await.is_err() {
                    sender.send_replace(None);
                    return;
                }
            }
        });
        receiver
    }

    fn watched(&self) -> Vec<(&'static str, watch::Receiver<crate::supervise::Status>)> {
        let store = self.store.as_ref().map(|c| (store::NAME, c.status()));
        let local = self
            .local_llm
            .as_ref()
            .map(|c| (local_llm::NAME, c.status()));
        store.into_iter().chain(local).collect()
    }

    async fn stop(self) {
        for child in [self.store, self.local_llm].into_iter().flatten() {
            child.stop().await;
        }
    }
}

/// What the admin listener is asked of.
struct Status {
    reverse: String,
    /// Everything has been up once. From then on a child that is down degrades the gate (what
    /// must stay on-prem is refused, records wait in the ledger) but does not unready it.
    complete: AtomicBool,
    children: Vec<(&'static str, watch::Receiver<crate::supervise::Status>)>,
    endpoints: Vec<Arc<Endpoint>>,
    ship: watch::Receiver<ShipStatus>,
    signing: Arc<Signing>,
    metrics: Arc<Metrics>,
}

impl admin::Status for Status {
    fn not_ready(&self) -> Vec<(String, String)> {
        if self.complete.load(Relaxed) {
            return Vec::new();
        }
        // pingora does not say when it listens; a connection does.
        let listens = self.reverse.parse().is_ok_and(|address| {
            TcpStream::connect_timeout(&address, Duration::from_millis(500)).is_ok()
        });
        if !listens {
            return vec![("gateway".into(), "starting".into())];
        }
        let down = self
            .children
            .iter()
            .filter_map(|(name, status)| match &status.borrow().state {
                State::Healthy => None,
                State::Starting => Some(((*name).to_string(), "starting".to_string())),
                State::Down { reason, .. } => Some(((*name).to_string(), reason.clone())),
                State::Stopped { .. } => Some(((*name).to_string(), "stopped".to_string())),
            });
        let down: Vec<_> = down.collect();
        self.complete.store(down.is_empty(), Relaxed);
        down
    }

    fn degraded(&self) -> Vec<(String, String)> {
        health::left_alone(&self.endpoints)
    }

    fn metrics(&self) -> String {
        use std::fmt::Write as _;
        let mut text = self.metrics.render();
        text.push_str("# HELP tollgate_child_up Whether a child process is healthy.\n# TYPE tollgate_child_up gauge\n");
        for (name, status) in &self.children {
            let up = u8::from(status.borrow().state == State::Healthy);
            _ = writeln!(text, "tollgate_child_up{{child=\"{name}\"}} {up}");
        }
        health::render(&self.endpoints, &mut text);
        self.signing.render(&mut text);
        let ship = self.ship.borrow().clone();
        _ = writeln!(
            text,
            "# HELP tollgate_ship_lag_records Records in the ledger that the store has not got.\n# TYPE tollgate_ship_lag_records gauge\ntollgate_ship_lag_records {}",
            ship.lag()
        );
        text
    }
}
