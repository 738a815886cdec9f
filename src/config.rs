//! `tollgate.toml`: every key has a default, so that an empty file is valid; an unknown key or a
//! bad value is an error that names file, line and expectation.

use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::path::{Path, PathBuf};
use tollgate_proxy::callers::{Allowance, Allowances};
use tollgate_proxy::config::{Endpoint, Failover, Inspection, Limits, Listen};
use tollgate_redaction::NerConfig;

/// The file that is read when none is named, if it is there.
pub const FILE: &str = "tollgate.toml";

/// The whole configuration.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Addresses of the gate.
    pub listen: Listen,
    /// Where ledger, store, keys and run-time state lie.
    pub data: Data,
    /// Where prompts may be answered, in order of preference.
    pub endpoint: Vec<Endpoint>,
    /// What happens when one does not answer.
    pub failover: Failover,
    /// What each caller may use, by the name of its key; `anonymous` is all without one.
    pub caller: BTreeMap<String, Allowance>,
    /// What the keys of a team may use together.
    pub team: BTreeMap<String, Allowance>,
    /// What the keys of a project may use together.
    pub project: BTreeMap<String, Allowance>,
    /// Who hears of budgets that are being spent.
    pub budget: crate::serve::BudgetSettings,
    /// The ledger.
    pub ledger: crate::ledger::Settings,
    /// Tools that security events go to.
    pub siem: Vec<crate::siem::Siem>,
    /// What the organization says of itself in the papers.
    pub organization: tollgate_analytics::paper::Organization,
    /// What may go where.
    pub policy: PolicySection,
    /// Recognizers, jurisdictions, prices.
    pub rules: Rules,
    /// The organization's own terms over list prices.
    pub prices: Prices,
    /// The model that finds names and addresses.
    pub ner: NerConfig,
    /// Whether prompts are inspected at all.
    pub inspection: Inspection,
    /// The analytics store.
    pub analytics: Analytics,
    /// The embedded on-prem model.
    pub local_llm: LocalLlm,
    /// Bounds of everything.
    pub limits: Limits,
    /// The first 16 hex digits of the file's SHA-256.
    #[serde(skip)]
    pub version: String,
}

/// `[data]`
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Data {
    /// The directory, made at start with mode 0700.
    pub dir: PathBuf,
}

impl Default for Data {
    fn default() -> Self {
        Data { dir: "data".into() }
    }
}

/// `[policy]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PolicySection {
    /// The policy file.
    pub file: PathBuf,
}

impl Default for PolicySection {
    fn default() -> Self {
        PolicySection {
            file: "rules/policies/default.toml".into(),
        }
    }
}

/// `[rules]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rules {
    /// The directory of rule files (`recognizers/`, `terms/`, `prices/`, `tco/`).
    pub dir: PathBuf,
}

impl Default for Rules {
    fn default() -> Self {
        Rules {
            dir: "rules".into(),
        }
    }
}

/// `[prices]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Prices {
    /// A file of discounts, surcharges and rates of currencies; see `docs/prices.md`.
    pub terms: Option<PathBuf>,
}

/// `[analytics]`
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Analytics {
    /// A ClickHouse server's HTTP address; empty: the embedded store.
    pub url: String,
    /// Its database; `default` if empty.
    pub database: String,
    /// Its user.
    pub user: String,
    /// Its password: `env:NAME` or `file:PATH`.
    pub password: Option<String>,
}

/// `[local_llm]`
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct LocalLlm {
    /// A GGUF file; empty: SmolLM2-135M-Instruct from the runtime directory.
    pub model: PathBuf,
    /// What the model is called in answers and records.
    pub name: String,
    /// Tokens of context for each request in work.
    pub context_tokens: u32,
    /// Requests answered at the same time.
    pub slots: u32,
    /// Requests that may wait beyond those; more get 429.
    pub queue_max: u32,
    /// Threads; 0: one per core.
    pub threads: u32,
}

impl Default for LocalLlm {
    fn default() -> Self {
        LocalLlm {
            model: PathBuf::new(),
            name: "smollm2-135m-instruct".into(),
            context_tokens: 4096,
            slots: 4,
            queue_max: 64,
            threads: 0,
        }
    }
}

/// A configuration that cannot be used.
#[derive(Debug)]
pub struct ConfigError {
    file: PathBuf,
    problem: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.file.display(), self.problem.trim_end())
    }
}

impl std::error::Error for ConfigError {}

impl Config {
    /// Reads the file named, or the default `tollgate.toml` if there is one. Without either, the
    /// defaults hold.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        let path = file.unwrap_or(Path::new(FILE));
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(path, &text),
            Err(e) if file.is_none() && e.kind() == std::io::ErrorKind::NotFound => {
                Self::parse(path, "")
            }
            Err(e) => Err(ConfigError {
                file: path.into(),
                problem: format!("cannot be read: {e}"),
            }),
        }
    }

    /// Parses and checks a configuration's text.
    pub fn parse(file: &Path, text: &str) -> Result<Self, ConfigError> {
        let fail = |problem: String| ConfigError {
            file: file.into(),
            problem,
        };
        let mut config: Config = toml::from_str(text).map_err(|e| fail(e.to_string()))?;
        let digest = Sha256::digest(text.as_bytes());
        config.version = digest[..8].iter().map(|b| format!("{b:02x}")).collect();
        let mut names = HashSet::new();
        for endpoint in &config.endpoint {
            if !names.insert(&endpoint.name) {
                return Err(fail(format!(
                    "endpoint {:?} stands twice; expected unique names",
                    endpoint.name
                )));
            }
        }
        let embedded = config
            .endpoint
            .iter()
            .filter(|e| e.on_prem && e.url.is_none())
            .count();
        if embedded > 1 {
            return Err(fail(
                "expected at most one endpoint without url: there is one embedded model".into(),
            ));
        }
        for (key, address) in [
            ("listen.reverse", &config.listen.reverse),
            ("listen.admin", &config.listen.admin),
        ] {
            if address.parse::<std::net::SocketAddr>().is_err() {
                return Err(fail(format!(
                    "{key}: expected an address such as 127.0.0.1:8080, found {address:?}"
                )));
            }
        }
        config.allowances().map_err(fail)?;
        if let Some(fault) = config.failover.fault() {
            return Err(fail(fault));
        }
        if let Some(fault) = config.ledger.fault().or_else(|| config.budget.fault()) {
            return Err(fail(fault));
        }
        let limits = &config.limits;
        for (key, value) in [
            ("body_bytes_max", limits.body_bytes_max),
            ("answer_bytes_max", limits.answer_bytes_max),
            ("event_bytes_max", limits.event_bytes_max),
            ("json_depth_max", limits.json_depth_max),
            ("segments_max", limits.segments_max),
            ("exchanges_max", limits.exchanges_max),
        ] {
            if value == 0 {
                return Err(fail(format!("limits.{key}: expected at least 1")));
            }
        }
        Ok(config)
    }

    /// What callers, teams and projects may use.
    ///
    /// # Errors
    /// A name that nobody can have, an endpoint that is not there.
    pub fn allowances(&self) -> Result<Allowances, String> {
        let endpoints: Vec<&str> = self.endpoint.iter().map(|e| e.name.as_str()).collect();
        Allowances::new([&self.caller, &self.team, &self.project], &endpoints)
    }

    /// The sections in which it differs from another in what is read at start only.
    pub fn needs_restart(&self, other: &Config) -> Vec<&'static str> {
        let differs = [
            ("listen", self.listen != other.listen),
            ("data", self.data != other.data),
            ("ledger", !self.ledger.is_same_at_start(&other.ledger)),
            ("budget", self.budget != other.budget),
            ("analytics", self.analytics != other.analytics),
            ("siem", self.siem != other.siem),
            (
                "local_llm",
                self.local_llm != other.local_llm
                    || self.embedded_model() != other.embedded_model(),
            ),
        ];
        let differs = differs.into_iter().filter(|(_, differs)| *differs);
        differs.map(|(section, _)| section).collect()
    }

    /// Whether the embedded on-prem model is wanted.
    pub fn embedded_model(&self) -> bool {
        self.endpoint.iter().any(|e| e.on_prem && e.url.is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        Config::parse(Path::new("tollgate.toml"), text)
            .expect_err(text)
            .to_string()
    }

    #[test]
    fn an_empty_file_is_valid() {
        let config = Config::parse(Path::new("tollgate.toml"), "").expect("valid");
        assert_eq!(config.listen.reverse, "127.0.0.1:8080");
        assert!(!config.embedded_model());
    }

    #[test]
    fn what_is_read_at_start_only_is_named() {
        let parse = |text: &str| Config::parse(Path::new("tollgate.toml"), text).expect(text);
        let before = parse("");
        let same = parse("[limits]\nexchanges_max = 5\n[ledger]\non_full = \"degrade\"\n");
        assert_eq!(same.needs_restart(&before), [""; 0]);
        assert_ne!(same.version, before.version);
        let other = parse(
            "[listen]\nreverse = \"127.0.0.1:1\"\n[data]\ndir = \"x\"\n\
             [ledger]\nmode = \"strict\"\n[budget]\nwebhook = \"http://x\"\n[analytics]\nurl = \"http://x\"\n\
             [[endpoint]]\nname = \"local\"\nwire = \"openai\"\non_prem = true\n",
        );
        let all = [
            "listen",
            "data",
            "ledger",
            "budget",
            "analytics",
            "local_llm",
        ];
        assert_eq!(other.needs_restart(&before), all);
    }

    #[test]
    fn mistakes_are_named_with_file_and_line() {
        let typo = error("[listen]\nrevers = \"127.0.0.1:1\"\n");
        assert!(
            typo.starts_with("tollgate.toml: ") && typo.contains("line 2"),
            "{typo}"
        );
        assert!(
            typo.contains("unknown field `revers`, expected one of `reverse`"),
            "{typo}"
        );
        let unit = error("[limits]\nbody_bytes_max = \"32 MiB\"\n");
        assert!(
            unit.contains("line 2") && unit.contains("expected usize"),
            "{unit}"
        );
        assert!(error("[listen]\nreverse = \"localhost\"").contains("expected an address"));
        assert!(error("[ledger]\ncheckpoint_interval_s = 0").contains("at least 1"));
        assert!(error("[ledger]\norigin = \"a b\"").contains("without spaces"));
        assert!(error("[ledger]\nmode = \"loose\"").contains("`relaxed`"));
        assert!(error("[team.a]\nrequests_per_minute = 0").contains("line 2"));
        assert!(error("[team.a]\nbudget = { usd = 0 }").contains("US dollars above 0"));
        assert!(error("[budget]\nwebhook = \"x\"").contains("an HTTP URL"));
        assert!(error("[team.a]\nendpoints = [\"x\"]").contains("team.\"a\": expected names"));
        assert!(error("[failover]\nopen_ms = 0").contains("at least 1"));
        assert!(error("[failover]\nbackoff_ms = 9000").contains("at least failover.backoff_ms"));
        assert!(error("[limits]\njson_depth_max = 0").contains("at least 1"));
        let twice =
            "[[endpoint]]\nname='a'\nwire='openai'\n[[endpoint]]\nname='a'\nwire='openai'\n";
        assert!(error(twice).contains("stands twice"));
    }
}
