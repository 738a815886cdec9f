//! What is kept of one exchange: labels, counts, sizes, times and money. No field can hold text
//! of a prompt or of an answer; every string comes from our own configuration, rules or price
//! book, or is an identifier that the gate made.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use uuid::Uuid;

/// One exchange between a caller and a model, as the ledger keeps it.
///
/// Times are microseconds; money is nano-USD (1 USD = 1,000,000,000).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// UUID v7, also sent to the caller as the `tollgate-exchange` header.
    pub exchange: Uuid,
    /// When the request's head had been read; microseconds since the Unix epoch.
    pub started_us: i64,
    /// Who called: the name of the caller's key, or `anonymous`.
    pub caller: String,
    /// The team that the caller's key belongs to, or empty.
    pub team: String,
    /// The project that it is for, or empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub project: String,
    /// The W3C trace that the caller's request belongs to, 32 hex digits; empty if it named none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub trace: String,
    /// The wire that the caller spoke: `openai`, `anthropic`, or `unknown`.
    pub wire: String,
    /// GenAI operation name: `chat`, `embeddings`, `models`, or `unknown`.
    pub operation: String,
    /// Whether the caller asked for a stream.
    pub stream: bool,
    /// The model asked for: a name of the price book or the endpoint pattern that it matched,
    /// never the caller's free text.
    pub model: String,
    /// Where the exchange went; absent when it was refused or blocked.
    pub route: Option<Route>,
    /// Where it went before `route`, in order, without an answer that was passed on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tried: Vec<Attempt>,
    /// The decision taken.
    pub decision: DecisionRecord,
    /// How many findings of each entity label the request held.
    pub findings: BTreeMap<String, u32>,
    /// How many findings were replaced before the request left.
    pub replaced: u32,
    /// How many placeholders were restored in the answer.
    pub restored: u32,
    /// How it ended.
    pub outcome: Outcome,
    /// A stable error code (`policy_blocked`, `upstream_reset`, …); empty when answered.
    pub error: String,
    /// HTTP status sent to the caller; 0 if the caller left before one was sent.
    pub status: u16,
    /// Bytes of the request body as received.
    pub request_bytes: u64,
    /// Bytes of the request body as sent upstream; 0 if nothing was sent.
    pub upstream_bytes: u64,
    /// Bytes of the answer's body as sent to the caller.
    pub response_bytes: u64,
    /// Tokens, when the answer told them or they were counted.
    pub usage: Option<Usage>,
    /// What the tokens cost.
    pub cost: Cost,
    /// Where the time went.
    pub timing: Timing,
}

/// The endpoint that answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// The endpoint's configured name.
    pub endpoint: String,
    /// ISO 3166-1 alpha-2 code or `EU`; empty for an on-prem endpoint.
    pub jurisdiction: String,
    /// The transfer basis configured (`adequacy`, `scc`, `bcr`, `derogation`, `none`) or empty.
    pub transfer_basis: String,
    /// Whether the endpoint is under our own control.
    pub on_prem: bool,
    /// Whether the endpoint is a simulation (demo, tests): shown as such wherever it is shown.
    pub simulated: bool,
}

/// An attempt at an endpoint that another attempt followed. What was sent there has left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attempt {
    /// Where it went.
    pub route: Route,
    /// Why it was not the last: an error code, or `status` with the answer's own.
    pub error: String,
    /// The answer's HTTP status; 0 for none.
    pub status: u16,
    /// Bytes of the request body that left, at most.
    pub upstream_bytes: u64,
    /// How many findings had been replaced in it.
    pub replaced: u32,
}

/// The judgement: what was decided, by which rule of which policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecisionRecord {
    /// The effect.
    pub effect: Effect,
    /// The id of the rule that decided; empty when no rule was reached.
    pub rule: String,
    /// The rule's own reason.
    pub reason: String,
    /// First 16 hex digits of the policy file's SHA-256.
    pub policy: String,
}

/// What a policy decides, from the mildest to the strictest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// Sent as it came.
    Permit,
    /// Sent with placeholders.
    Redact,
    /// Sent to an on-prem endpoint only.
    Local,
    /// Sent nowhere.
    Block,
}

impl Effect {
    /// The lower-case name, as in policies and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Effect::Permit => "permit",
            Effect::Redact => "redact",
            Effect::Local => "local",
            Effect::Block => "block",
        }
    }
}

/// How an exchange ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The upstream's answer reached the caller whole (whatever its status).
    Answered,
    /// Policy kept it in.
    Blocked,
    /// The request could not be inspected or was malformed, too large, unauthenticated.
    Refused,
    /// The upstream failed, before or during its answer.
    UpstreamError,
    /// The caller left first.
    Cancelled,
    /// The gate itself could not do its work and failed closed.
    Failed,
}

impl Outcome {
    /// The snake-case name, as in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Answered => "answered",
            Outcome::Blocked => "blocked",
            Outcome::Refused => "refused",
            Outcome::UpstreamError => "upstream_error",
            Outcome::Cancelled => "cancelled",
            Outcome::Failed => "failed",
        }
    }
}

/// Token counts of one exchange. `input` is the total: cache reads and writes are parts of it;
/// `reasoning` is part of `output`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Usage {
    /// All input tokens.
    pub input: u64,
    /// Input tokens read from the provider's prompt cache.
    pub cache_read: u64,
    /// Input tokens written to the provider's prompt cache.
    pub cache_write: u64,
    /// All output tokens.
    pub output: u64,
    /// Output tokens spent on reasoning.
    pub reasoning: u64,
    /// True when we counted and the provider did not tell.
    pub estimated: bool,
}

/// What the tokens of an exchange cost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "standing", rename_all = "lowercase", deny_unknown_fields)]
pub enum Cost {
    /// Priced from the book.
    Priced {
        /// Nano-USD.
        nano_usd: i64,
        /// The price book entry, `provider/model@effective-date`.
        price: String,
    },
    /// Could not be priced; never counted as 0.
    Unpriced {
        /// What was missing: `model`, `usage`, `price`.
        missing: String,
    },
    /// Nothing was consumed (blocked, refused, or an on-prem model, whose cost is not per token).
    Free,
}

/// Where the time of an exchange went; microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Timing {
    /// From the request's head read to the answer's last byte sent.
    pub total_us: u64,
    /// What the gate itself added before the request went upstream: parse, inspect, decide, edit.
    pub gate_us: u64,
    /// CPU time of the inspection, all threads.
    pub inspect_cpu_us: u64,
    /// From the request sent upstream to its first answer byte.
    pub upstream_first_byte_us: u64,
}
