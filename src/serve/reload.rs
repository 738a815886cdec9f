//! Takes up what changed on the disk while the gate runs.
//!
//! Files are looked at once a second, and at once on SIGHUP. A configuration with all that it names
//! (policy, rules, prices, credentials) is taken whole or not at all: what is wrong is said, and
//! what was in force stays. The callers' keys are a part of their own, so that a revocation does
//! not wait for a mistake elsewhere to be corrected.

use super::build::{Builder, Built};
use super::files::Stamps;
use crate::config::{self, Config};
use crate::exit::Failure;
use std::fmt::{Display, Write as _};
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::signal::unix::Signal;
use tokio::time::MissedTickBehavior;
use tollgate_analytics::ledger::Act;
use tollgate_proxy::gate::{Current, Gate};
use tollgate_proxy::{health, keys};

/// Between two looks at the files.
const POLL: Duration = Duration::from_secs(1);
/// Files that change are read once they have been still for so long.
const SETTLE: Duration = Duration::from_millis(100);
/// Who keeps writing is not waited for longer.
const SETTLE_TRIES: u32 = 20;

/// Keeps the gate in force in step with the disk.
pub(super) struct Reloader {
    file: Option<PathBuf>,
    builder: Builder,
    /// What is read at start only holds as it was then.
    started: Config,
    /// Read last, in force or not: its files are the ones to look at.
    read: Config,
    built: Built,
    current: Arc<Current>,
    reloads: Arc<Reloads>,
    seen: Stamps,
    keys_seen: Stamps,
}

impl Reloader {
    /// Makes the first gate.
    ///
    /// # Errors
    /// When the configuration or a file that it names is wrong.
    pub(super) fn start(
        config: &Config,
        file: Option<&Path>,
        builder: Builder,
    ) -> Result<Reloader, Failure> {
        // Stamped before they are read.
        let seen = Stamps::of(&sources(config, file));
        let keys_seen = Stamps::of(&[builder.data_dir.join(keys::FILE)]);
        let built = builder.first(config)?;
        watch_health(&built.gate, None);
        Ok(Reloader {
            file: file.map(Path::to_owned),
            started: config.clone(),
            read: config.clone(),
            current: Arc::new(Current::new(Arc::clone(&built.gate))),
            reloads: Arc::new(Reloads::new(config.version.clone())),
            builder,
            built,
            seen,
            keys_seen,
        })
    }

    /// The gate in force, always.
    pub(super) fn current(&self) -> Arc<Current> {
        Arc::clone(&self.current)
    }

    /// What became of the reloads, always.
    pub(super) fn reloads(&self) -> Arc<Reloads> {
        Arc::clone(&self.reloads)
    }

    /// Looks at the files until `stop` resolves.
    pub(super) async fn run(self, mut hangup: Signal, stop: impl Future<Output = ()>) {
        let mut ticks = tokio::time::interval(POLL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let this = Arc::new(Mutex::new(self));
        tokio::pin!(stop);
        loop {
            let asked = tokio::select! {
                () = &mut stop => return,
                _ = ticks.tick() => false,
                Some(()) = hangup.recv() => true,
            };
            let this = Arc::clone(&this);
            // Rules and models take a while to load.
            let looked = tokio::task::spawn_blocking(move || {
                let mut this = this.lock().unwrap_or_else(PoisonError::into_inner);
                this.look(asked);
            });
            if let Err(error) = looked.await {
                tracing::error!(%error, "a reload ended unexpectedly; what was in force stays");
            }
        }
    }

    /// Reloads what has changed, or all when `asked`.
    fn look(&mut self, asked: bool) {
        let keys = [self.builder.data_dir.join(keys::FILE)];
        let now = Stamps::of(&keys);
        if asked || now != self.keys_seen {
            self.keys_seen = now;
            self.reload_keys();
        }
        let places = sources(&self.read, self.file.as_deref());
        let mut now = Stamps::of(&places);
        if asked || now != self.seen {
            for _ in 0..SETTLE_TRIES {
                std::thread::sleep(SETTLE);
                let later = Stamps::of(&places);
                if later == now {
                    break;
                }
                now = later;
            }
            self.seen = now;
            self.reload();
        }
    }

    fn reload_keys(&mut self) {
        let ring = self.built.gate.keys.renewed(&self.builder.data_dir);
        match ring.map_err(Failure::new) {
            Ok(ring) => {
                self.built.with_keys(ring);
                self.current.store(Arc::clone(&self.built.gate));
                self.reloads.update(|state| state.keys.applied());
                tracing::info!("the callers' keys were read anew");
            }
            Err(error) => {
                let problem = without_excerpt(&error);
                tracing::error!(
                    problem,
                    "the callers' keys were not taken; those before stay"
                );
                self.reloads.update(|state| state.keys.refused(problem));
            }
        }
    }

    fn reload(&mut self) {
        match self.next() {
            Ok(needs_restart) => {
                let (config, policy) = (&self.read.version, self.built.gate.policy.version());
                tracing::info!(config, policy, "the configuration was taken up");
                if !needs_restart.is_empty() {
                    let sections = needs_restart.join(", ");
                    tracing::warn!(sections, "changes to these take effect after a restart");
                }
                self.reloads.update(|state| {
                    state.configuration.applied();
                    state.version.clone_from(config);
                    state.needs_restart = needs_restart;
                });
            }
            Err(error) => {
                let problem = without_excerpt(&error);
                tracing::error!(
                    problem,
                    "the configuration was refused; what was in force stays"
                );
                self.reloads
                    .update(|state| state.configuration.refused(problem));
            }
        }
    }

    /// Puts the configuration on the disk in force; which of its sections need a restart.
    fn next(&mut self) -> Result<Vec<&'static str>, Failure> {
        let config = Config::load(self.file.as_deref()).map_err(Failure::usage)?;
        let in_force = self.reloads.version();
        let needs_restart = config.needs_restart(&self.started);
        self.read = config;
        // It may name other files; a change to those is a change from here on.
        self.seen = Stamps::of(&sources(&self.read, self.file.as_deref()));
        let built = self.builder.next(&self.read, &self.built)?;
        let (policy, before) = (&built.gate.policy, &self.built.gate.policy);
        let same = self.read.version == in_force
            && policy.version() == before.version()
            && built.has_same_rules(&self.built);
        if !same {
            // On record first: what cannot be noted is not done.
            let act = Act::Reloaded {
                config: self.read.version.clone(),
                policy: policy.version().to_owned(),
                policy_before: before.version().to_owned(),
            };
            crate::ledger::note(&self.started, act)?;
        }
        watch_health(&built.gate, Some(&self.built.gate));
        self.built = built;
        self.current.store(Arc::clone(&self.built.gate));
        Ok(needs_restart)
    }
}

/// Asks endpoints that were not there before whether they are up.
fn watch_health(gate: &Gate, before: Option<&Gate>) {
    let held = before.map_or(&[][..], |before| &before.endpoints);
    for endpoint in &gate.endpoints {
        if !held.iter().any(|held| Arc::ptr_eq(held, endpoint)) {
            let endpoint = Arc::downgrade(endpoint);
            tokio::spawn(health::watch(endpoint, Arc::clone(&gate.egress)));
        }
    }
}

/// All that a configuration is read from, itself included.
fn sources(config: &Config, file: Option<&Path>) -> Vec<PathBuf> {
    let mut places = vec![
        file.unwrap_or(Path::new(config::FILE)).to_owned(),
        config.policy.file.clone(),
        config.rules.dir.clone(),
    ];
    places.extend(config.prices.terms.clone());
    places.extend(config.inspection.packs.clone());
    for endpoint in &config.endpoint {
        places.extend(endpoint.ca.clone());
        let key = endpoint.key.as_deref();
        places.extend(
            key.and_then(|key| key.strip_prefix("file:"))
                .map(PathBuf::from),
        );
    }
    places
}

/// An error's text without the lines that quote a file: they may hold what must not be logged.
fn without_excerpt(error: &impl Display) -> String {
    let text = error.to_string();
    let kept = text.lines().filter(|line| {
        let rest = line
            .trim_start()
            .trim_start_matches(|c: char| c.is_ascii_digit());
        !rest.trim_start().starts_with('|')
    });
    kept.collect::<Vec<_>>().join("\n")
}

/// What became of the reloads, for the admin listener.
pub(super) struct Reloads(Mutex<State>);

struct State {
    /// Of the configuration in force.
    version: String,
    configuration: Part,
    keys: Part,
    needs_restart: Vec<&'static str>,
}

#[derive(Default)]
struct Part {
    applied: u64,
    refused: u64,
    /// Why what is on the disk is not in force.
    problem: Option<String>,
}

impl Part {
    fn applied(&mut self) {
        self.applied += 1;
        self.problem = None;
    }

    fn refused(&mut self, problem: String) {
        self.refused += 1;
        self.problem = Some(problem);
    }

    fn json(&self) -> serde_json::Value {
        serde_json::json!({
            "applied": self.applied,
            "refused": self.refused,
            "problem": self.problem,
        })
    }
}

impl Reloads {
    fn new(version: String) -> Reloads {
        Reloads(Mutex::new(State {
            version,
            configuration: Part::default(),
            keys: Part::default(),
            needs_restart: Vec::new(),
        }))
    }

    fn update(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn look<T>(&self, at: impl FnOnce(&State) -> T) -> T {
        at(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn version(&self) -> String {
        self.look(|state| state.version.clone())
    }

    /// What is not as the disk says, for `/readyz`.
    pub(super) fn degraded(&self) -> Vec<(String, String)> {
        self.look(|state| {
            let parts = [
                ("configuration", &state.configuration),
                ("keys", &state.keys),
            ];
            let wrong = parts.into_iter().filter_map(|(name, part)| {
                let problem = part.problem.as_deref()?.replace('\n', " ");
                Some((
                    name.to_owned(),
                    format!("refused, what was in force stays: {problem}"),
                ))
            });
            let mut told: Vec<_> = wrong.collect();
            if !state.needs_restart.is_empty() {
                let sections = state.needs_restart.join(", ");
                told.push(("needs a restart".to_owned(), sections));
            }
            told
        })
    }

    /// For `/reload`.
    pub(super) fn json(&self, gate: &Gate) -> String {
        let value = self.look(|state| {
            serde_json::json!({
                "config": state.version,
                "policy": gate.policy.version(),
                "configuration": state.configuration.json(),
                "keys": state.keys.json(),
                "needs_restart": state.needs_restart,
            })
        });
        format!("{value}\n")
    }

    /// In the text format of Prometheus.
    pub(super) fn render(&self, text: &mut String) {
        self.look(|state| {
            let parts = [("configuration", &state.configuration), ("keys", &state.keys)];
            text.push_str("# HELP tollgate_reloads_total Changes on the disk, taken up or refused.\n# TYPE tollgate_reloads_total counter\n");
            for (name, part) in parts {
                for (result, n) in [("applied", part.applied), ("refused", part.refused)] {
                    _ = writeln!(text, "tollgate_reloads_total{{part=\"{name}\",result=\"{result}\"}} {n}");
                }
            }
            text.push_str("# HELP tollgate_reload_refused Whether what is on the disk is wrong and not in force.\n# TYPE tollgate_reload_refused gauge\n");
            for (name, part) in parts {
                let refused = u8::from(part.problem.is_some());
                _ = writeln!(text, "tollgate_reload_refused{{part=\"{name}\"}} {refused}");
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_file_says_is_not_in_the_reason() {
        let error = Config::parse(Path::new("t.toml"), "[limits]\nbody = \"sk-secret\"\n");
        let error = error.expect_err("an unknown key");
        assert!(error.to_string().contains("sk-secret"));
        let told = without_excerpt(&error);
        assert!(
            told.starts_with("t.toml: ") && told.contains("line 2"),
            "{told}"
        );
        assert!(
            told.contains("unknown field `body`") && !told.contains("sk-secret"),
            "{told}"
        );
    }

    #[test]
    fn all_files_that_a_configuration_names_are_looked_at() {
        let text = "[policy]\nfile = \"p.toml\"\n[rules]\ndir = \"r\"\n[prices]\nterms = \"t.toml\"\n\
                    [inspection]\npacks = [\"own\"]\n[[endpoint]]\nname = \"a\"\nwire = \"openai\"\n\
                    key = \"file:secret\"\nca = \"ca.pem\"\n";
        let config = Config::parse(Path::new("c.toml"), text).expect("valid");
        let places = sources(&config, Some(Path::new("c.toml")));
        for name in ["c.toml", "p.toml", "r", "t.toml", "own", "secret", "ca.pem"] {
            assert!(places.contains(&PathBuf::from(name)), "{name}");
        }
        assert_eq!(sources(&config, None)[0], Path::new("tollgate.toml"));
    }
}
