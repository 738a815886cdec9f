//! What the gateway is told: where it listens, which endpoints exist, what its limits are.
//!
//! Plain data, read from `tollgate.toml` by the binary. Every key has a default except an
//! endpoint's name and wire; unknown keys are errors.

use crate::wire::WireKind;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::PathBuf;
use tollgate_redaction::{Adjustments, Allow, Entity, Jurisdiction};

/// `[listen]`: the addresses of the gate.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Listen {
    /// Where callers send their requests. HTTP/1.1 and HTTP/2 with prior knowledge.
    pub reverse: String,
    /// Health, readiness and metrics. Keep it off the callers' network.
    pub admin: String,
    /// Worker threads of the gateway; 0 means one per core.
    pub threads: usize,
}

impl Default for Listen {
    fn default() -> Self {
        Listen {
            reverse: "127.0.0.1:8080".into(),
            admin: "127.0.0.1:9090".into(),
            threads: 0,
        }
    }
}

/// `[[endpoint]]`: a place that answers prompts, under the law of one jurisdiction.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// Its name in policies, records and as path prefix (`/<name>/v1/…`): letters, digits, `-`,
    /// `_`, `.`; at most 64.
    pub name: String,
    /// The wire it speaks.
    pub wire: WireKind,
    /// Whose prices apply: a provider of the price book; absent: the wire's own name.
    #[serde(default)]
    pub provider: Option<String>,
    /// Base URL up to and including what stands before the wire's own paths
    /// (`https://api.openai.com/v1`; [`docs/wires.md`] has each wire's). Absent only for the embedded on-prem model.
    #[serde(default)]
    pub url: Option<String>,
    /// ISO 3166-1 alpha-2 code, or `EU`, of the law that the endpoint's data is under. Required
    /// unless `on_prem`.
    #[serde(default)]
    pub jurisdiction: String,
    /// The legal basis of a transfer to it (GDPR chapter V).
    #[serde(default)]
    pub transfer_basis: TransferBasis,
    /// Whether it is under our own control: nothing sent there leaves the organization.
    #[serde(default)]
    pub on_prem: bool,
    /// Whether it is a simulation, so that every record and figure can say so.
    #[serde(default)]
    pub simulated: bool,
    /// Patterns of the model names that it serves; `*` stands for any run of characters.
    /// Empty: it serves only requests that name it by path prefix or that policy keeps on-prem.
    #[serde(default)]
    pub models: Vec<String>,
    /// What its model is called there. When present, the request's `model` is replaced by it.
    #[serde(default)]
    pub model: Option<String>,
    /// Whether a stream's token usage is asked for where its caller left it open. Off for
    /// providers that refuse the question and tell it unasked (Mistral). Only on OpenAI's wire.
    #[serde(default = "asks_usage")]
    pub asks_usage: bool,
    /// Our credential there: `env:NAME` or `file:PATH`. Absent: the caller's own is passed on. On
    /// Bedrock's wire an API key, or `ID:SECRET[:SESSION-TOKEN]`, with which requests are signed.
    #[serde(default)]
    pub key: Option<String>,
    /// The region that requests to Bedrock are signed for. Absent: the one in the URL's host
    /// (`bedrock-runtime.eu-central-1.amazonaws.com`).
    #[serde(default)]
    pub region: Option<String>,
    /// A PEM file of certificate authorities to trust instead of the system's.
    #[serde(default)]
    pub ca: Option<PathBuf>,
    /// Names that callers may use for a model, and what it is called there.
    #[serde(default)]
    pub aliases: BTreeMap<String, String>,
    /// Its share of the load among neighbours in the file that have one too. Absent: it is
    /// preferred to whatever stands below it.
    #[serde(default)]
    pub weight: Option<u32>,
    /// Requests at it at once; 0: no bound but `limits.exchanges_max`.
    #[serde(default)]
    pub requests_max: usize,
    /// Requests that may wait for one of those to end. Only with `requests_max`.
    #[serde(default)]
    pub queue_max: usize,
    /// For that wait, ms.
    #[serde(default = "queue_timeout_ms")]
    pub queue_timeout_ms: u64,
    /// In place of `limits.upstream_connect_timeout_ms`.
    #[serde(default)]
    pub connect_timeout_ms: Option<u64>,
    /// In place of `limits.upstream_first_byte_timeout_ms`.
    #[serde(default)]
    pub first_byte_timeout_ms: Option<u64>,
    /// In place of `limits.upstream_idle_timeout_ms`.
    #[serde(default)]
    pub idle_timeout_ms: Option<u64>,
    /// Asks it from time to time whether it is up. Absent: only exchanges tell.
    #[serde(default)]
    pub health: Option<Health>,
}

fn asks_usage() -> bool {
    true
}

fn queue_timeout_ms() -> u64 {
    1_000
}

/// `[endpoint.health]`: a GET that carries nothing of any caller.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Health {
    /// Below the version segment. Any answer with a status below 500 is one of an endpoint that
    /// is up.
    pub path: String,
    /// Between two questions, ms.
    pub interval_ms: u64,
    /// For the answer's head, ms.
    pub timeout_ms: u64,
    /// Failures in a row after which it is left alone until it answers again.
    pub failures_max: u32,
}

impl Default for Health {
    fn default() -> Self {
        Health {
            path: "/models".into(),
            interval_ms: 10_000,
            timeout_ms: 5_000,
            failures_max: 2,
        }
    }
}

/// `[failover]`: what happens when an endpoint does not answer. Until the first byte of an answer
/// has left for the caller, the other endpoints that policy permits are tried at once; after a
/// wait, all of them again.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Failover {
    /// Attempts of one exchange, all endpoints together.
    pub attempts_max: u32,
    /// How many times the same endpoint is tried again. After a timeout it never is.
    pub retries: u32,
    /// The wait before the first of those; doubled with each, half of it left to chance. ms.
    pub backoff_ms: u64,
    /// The longest such wait, ms.
    pub backoff_max_ms: u64,
    /// An endpoint that asks for a longer wait than this (`Retry-After`) is not tried again, ms.
    pub retry_after_max_ms: u64,
    /// Failures in a row after which an endpoint is left alone.
    pub failures_max: u32,
    /// Share of failures within a window after which it is, percent.
    pub failure_percent: u32,
    /// Requests of a window from which that share is told.
    pub failure_requests_min: u32,
    /// The window, ms.
    pub window_ms: u64,
    /// For how long it is left alone; doubled each time that a trial fails. ms.
    pub open_ms: u64,
    /// The longest such time, ms.
    pub open_max_ms: u64,
}

impl Default for Failover {
    fn default() -> Self {
        Failover {
            attempts_max: 4,
            retries: 1,
            backoff_ms: 250,
            backoff_max_ms: 2_000,
            retry_after_max_ms: 2_000,
            failures_max: 5,
            failure_percent: 50,
            failure_requests_min: 20,
            window_ms: 30_000,
            open_ms: 5_000,
            open_max_ms: 300_000,
        }
    }
}

impl Failover {
    /// What cannot be meant, if anything.
    pub fn fault(&self) -> Option<String> {
        let least = [
            ("attempts_max", u64::from(self.attempts_max)),
            ("failures_max", u64::from(self.failures_max)),
            ("failure_percent", u64::from(self.failure_percent)),
            ("failure_requests_min", u64::from(self.failure_requests_min)),
            ("window_ms", self.window_ms),
            ("open_ms", self.open_ms),
        ];
        if let Some((key, _)) = least.iter().find(|(_, value)| *value == 0) {
            return Some(format!("failover.{key}: expected at least 1"));
        }
        if self.failure_percent > 100 {
            return Some("failover.failure_percent: expected at most 100".into());
        }
        [
            (
                "backoff_max_ms",
                self.backoff_max_ms,
                "backoff_ms",
                self.backoff_ms,
            ),
            ("open_max_ms", self.open_max_ms, "open_ms", self.open_ms),
        ]
        .iter()
        .find(|(_, max, _, least)| max < least)
        .map(|(key, _, other, _)| format!("failover.{key}: expected at least failover.{other}"))
    }
}

/// The legal basis of a transfer to a third country (GDPR Art. 45, 46, 47, 49).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TransferBasis {
    /// Art. 45: an adequacy decision.
    Adequacy,
    /// Art. 46(2)(c): standard contractual clauses.
    Scc,
    /// Art. 47: binding corporate rules.
    Bcr,
    /// Art. 49: a derogation.
    Derogation,
    /// No basis stated.
    #[default]
    None,
}

impl TransferBasis {
    /// The name used in configuration, policies and records.
    pub fn as_str(self) -> &'static str {
        match self {
            TransferBasis::Adequacy => "adequacy",
            TransferBasis::Scc => "scc",
            TransferBasis::Bcr => "bcr",
            TransferBasis::Derogation => "derogation",
            TransferBasis::None => "none",
        }
    }
}

/// `[limits]`: a bound on everything that a caller or an upstream can make us hold or wait for.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Largest request body, bytes. Beyond it: 413.
    pub body_bytes_max: usize,
    /// Largest whole (not streamed) answer held for restoration, bytes. Beyond it: 502.
    pub answer_bytes_max: usize,
    /// Largest single server-sent event, bytes. Beyond it the stream ends with an error.
    pub event_bytes_max: usize,
    /// Deepest JSON nesting of a request or an answer.
    pub json_depth_max: usize,
    /// Pieces of text in one request.
    pub segments_max: usize,
    /// Requests in work at once. Beyond it: 429.
    pub exchanges_max: usize,
    /// For the request's head, once the connection has begun one, ms.
    pub header_timeout_ms: u64,
    /// For the whole request body, ms.
    pub body_timeout_ms: u64,
    /// For the inspection of one request, ms. Beyond it: 503, nothing is sent.
    pub inspect_timeout_ms: u64,
    /// For a connection (TLS included) to an endpoint, ms.
    pub upstream_connect_timeout_ms: u64,
    /// From the request sent to the answer's head, ms.
    pub upstream_first_byte_timeout_ms: u64,
    /// Between two pieces of an answer, ms.
    pub upstream_idle_timeout_ms: u64,
    /// For one write to a caller that does not read, ms.
    pub downstream_write_timeout_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            body_bytes_max: 32 << 20,
            answer_bytes_max: 32 << 20,
            event_bytes_max: 4 << 20,
            json_depth_max: 64,
            segments_max: 100_000,
            exchanges_max: 4096,
            header_timeout_ms: 75_000,
            body_timeout_ms: 60_000,
            inspect_timeout_ms: 30_000,
            upstream_connect_timeout_ms: 10_000,
            upstream_first_byte_timeout_ms: 300_000,
            upstream_idle_timeout_ms: 120_000,
            downstream_write_timeout_ms: 60_000,
        }
    }
}

/// `[inspection]`: whether prompts are inspected at all.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Inspection {
    /// Off means that no text is looked at, nothing is found and policy decides on the route
    /// alone. It exists to measure what inspection costs; `tollgate doctor` warns of it.
    pub enabled: bool,
    /// Where the organization is at home (ISO 3166-1 alpha-2): identifiers of these countries
    /// count with less evidence.
    pub jurisdictions: Vec<Jurisdiction>,
    /// The least score (0 to 1) at which findings of an entity count; others: 0.5.
    pub min_score: BTreeMap<Entity, f32>,
    /// Values that are no findings: the organization's own domains, public addresses.
    pub allow: Vec<Allow>,
    /// Directories with recognizers and terms of the organization's own.
    pub packs: Vec<PathBuf>,
}

impl Inspection {
    /// What the redactor is to do otherwise than by default.
    pub fn adjustments(&self) -> Adjustments {
        Adjustments {
            min_score: self.min_score.clone(),
            allow: self.allow.clone(),
            packs: self.packs.clone(),
        }
    }
}

impl Default for Inspection {
    fn default() -> Self {
        Inspection {
            enabled: true,
            jurisdictions: Vec::new(),
            min_score: BTreeMap::new(),
            allow: Vec::new(),
            packs: Vec::new(),
        }
    }
}
