//! Makes a gate from a configuration: the first one, and each that follows it while it runs.

use super::files::Stamps;
use super::make_private;
use crate::config::Config;
use crate::exit::Failure;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::Semaphore;
use tollgate_analytics::ledger::Ledger;
use tollgate_proxy::Egress;
use tollgate_proxy::callers::{Allowances, Callers};
use tollgate_proxy::endpoint::{Endpoint, LocalModelWatch};
use tollgate_proxy::gate::Gate;
use tollgate_proxy::keys::KeyRing;
use tollgate_proxy::metrics::Metrics;
use tollgate_proxy::policy::Policy;
use tollgate_redaction::placeholder::MasterKey;
use tollgate_redaction::{Adjustments, Device, Redactor, RedactorConfig};

/// What outlives every configuration.
pub(super) struct Builder {
    /// Libraries and models.
    pub(super) runtime_dir: PathBuf,
    /// Keys lie there, whatever a later configuration says.
    pub(super) data_dir: PathBuf,
    pub(super) local: LocalModelWatch,
    pub(super) callers: Arc<Callers>,
    pub(super) ledger: Ledger,
    pub(super) metrics: Arc<Metrics>,
}

/// A gate, and what its redactor was made from.
pub(super) struct Built {
    pub(super) gate: Arc<Gate>,
    redactor: Inputs,
}

/// While these are the same, so is the redactor.
#[derive(PartialEq)]
struct Inputs {
    settings: RedactorConfig,
    adjustments: Adjustments,
    files: Stamps,
}

impl Builder {
    /// The first gate.
    ///
    /// # Errors
    /// When the configuration or a file that it names is wrong.
    pub(super) fn first(&self, config: &Config) -> Result<Built, Failure> {
        let inputs = self.inputs(config);
        let redactor = Redactor::adjusted(&inputs.settings, &inputs.adjustments)?;
        let gate = Gate {
            endpoints: self.endpoints(config)?,
            failover: config.failover.clone(),
            policy: Arc::new(load_policy(&config.policy.file)?),
            redactor: Arc::new(redactor),
            inspection: config.inspection.clone(),
            master_key: Arc::new(master_key(&self.data_dir)?),
            keys: Arc::new(KeyRing::load(&self.data_dir).map_err(Failure::new)?),
            allowances: allowances(config)?,
            callers: Arc::clone(&self.callers),
            ledger: self.ledger.clone(),
            on_full: config.ledger.on_full,
            prices: Arc::new(crate::prices::book(config)?),
            egress: Arc::new(Egress::new()),
            places: Arc::new(Semaphore::new(config.limits.exchanges_max)),
            limits: config.limits.clone(),
            metrics: Arc::clone(&self.metrics),
        };
        Ok(Built {
            gate: Arc::new(gate),
            redactor: inputs,
        })
    }

    /// The gate that follows another. What did not change goes on: endpoints with their
    /// connections and what they know, the redactor, the keys.
    ///
    /// # Errors
    /// When the configuration or a file that it names is wrong.
    pub(super) fn next(&self, config: &Config, before: &Built) -> Result<Built, Failure> {
        let inputs = self.inputs(config);
        let old = &before.gate;
        let redactor = match inputs == before.redactor {
            true => Arc::clone(&old.redactor),
            false => Arc::new(Redactor::adjusted(&inputs.settings, &inputs.adjustments)?),
        };
        let mut endpoints = self.endpoints(config)?;
        for endpoint in &mut endpoints {
            let same = old.endpoints.iter().find(|held| held.is_same(endpoint));
            if let (Some(held), true) = (same, old.failover == config.failover) {
                *endpoint = Arc::clone(held);
            }
        }
        let places = match old.limits.exchanges_max == config.limits.exchanges_max {
            true => Arc::clone(&old.places),
            false => Arc::new(Semaphore::new(config.limits.exchanges_max)),
        };
        let gate = Gate {
            endpoints,
            failover: config.failover.clone(),
            policy: Arc::new(load_policy(&config.policy.file)?),
            redactor,
            inspection: config.inspection.clone(),
            allowances: allowances(config)?,
            on_full: config.ledger.on_full,
            prices: Arc::new(crate::prices::book(config)?),
            places,
            limits: config.limits.clone(),
            ..Gate::clone(old)
        };
        Ok(Built {
            gate: Arc::new(gate),
            redactor: inputs,
        })
    }

    fn endpoints(&self, config: &Config) -> Result<Vec<Arc<Endpoint>>, Failure> {
        let endpoints = config.endpoint.iter().map(|e| {
            let endpoint = Endpoint::new(e.clone(), &self.local, &config.limits, &config.failover);
            endpoint.map(Arc::new)
        });
        endpoints.collect::<Result<_, _>>().map_err(Failure::usage)
    }

    fn inputs(&self, config: &Config) -> Inputs {
        let mut ner = config.ner.clone();
        ner.runtime_dir.clone_from(&self.runtime_dir);
        if !config.inspection.enabled {
            tracing::warn!("inspection is off: prompts leave as they are");
            ner.device = Device::Off;
        }
        let adjustments = config.inspection.adjustments();
        let mut places = adjustments.packs.clone();
        let own = ["recognizers", "terms", "names", "normalise"];
        places.extend(own.map(|name| config.rules.dir.join(name)));
        Inputs {
            settings: RedactorConfig {
                rules_dir: config.rules.dir.clone(),
                jurisdictions: config.inspection.jurisdictions.clone(),
                ner,
            },
            adjustments,
            // Stamped before they are read: a change in between is read once more, never missed.
            files: Stamps::of(&places),
        }
    }
}

fn allowances(config: &Config) -> Result<Arc<Allowances>, Failure> {
    config.allowances().map(Arc::new).map_err(Failure::usage)
}

impl Built {
    /// The same gate with other keys.
    pub(super) fn with_keys(&mut self, keys: KeyRing) {
        let keys = Arc::new(keys);
        self.gate = Arc::new(Gate {
            keys,
            ..Gate::clone(&self.gate)
        });
    }

    /// Whether both find the same.
    pub(super) fn has_same_rules(&self, other: &Built) -> bool {
        Arc::ptr_eq(&self.gate.redactor, &other.gate.redactor)
    }
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
