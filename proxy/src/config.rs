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
#[derive(Clone, Debug, Deserialize)]
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
#[derive(Clone, Debug, Deserialize)]
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
    /// Base URL up to and including the version segment (`https://api.openai.com/v1`). Absent
    /// only for the embedded on-prem model.
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
    /// Our credential there: `env:NAME` or `file:PATH`. Absent: the caller's own is passed on.
    #[serde(default)]
    pub key: Option<String>,
    /// A PEM file of certificate authorities to trust instead of the system's.
    #[serde(default)]
    pub ca: Option<PathBuf>,
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
