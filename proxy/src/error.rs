//! Why an exchange did not go through. One type, mapped to one reply by [`crate::rescue`].
//!
//! What a caller is told (`message`) and what the log keeps (`internal`) are apart, and neither
//! ever quotes a body: a parser says where it stumbled, not over what.

use crate::callers::Month;
use std::time::Duration;
use tollgate_analytics::money::NanoUsd;
use tollgate_analytics::record::Outcome;

/// An exchange that ends without the upstream's answer, or in the middle of it.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Refusal {
    /// HTTP status; 0 when nobody is there to read one.
    pub status: u16,
    /// A stable, documented code.
    pub code: &'static str,
    /// Said to the caller.
    pub message: String,
    /// Recorded.
    pub outcome: Outcome,
    /// Seconds after which another try makes sense.
    pub retry_after_s: Option<u32>,
    /// For our own log only.
    pub internal: Option<String>,
}

impl Refusal {
    fn new(status: u16, code: &'static str, outcome: Outcome, message: impl Into<String>) -> Self {
        Refusal {
            status,
            code,
            message: message.into(),
            outcome,
            retry_after_s: None,
            internal: None,
        }
    }

    /// Adds what only our own log may say.
    pub fn because(mut self, internal: impl std::fmt::Display) -> Self {
        self.internal = Some(internal.to_string());
        self
    }

    /// No wire has this path.
    pub fn unknown_route() -> Self {
        Self::new(
            404,
            "unknown_route",
            Outcome::Refused,
            "This path is not an API that the gateway can inspect, so it is not passed on.",
        )
    }

    /// The path exists, the method does not.
    pub fn method(expected: &str) -> Self {
        Self::new(
            405,
            "method_not_allowed",
            Outcome::Refused,
            format!("Expected {expected}."),
        )
    }

    /// A query parameter that is not known to be structural.
    pub fn query() -> Self {
        Self::new(
            422,
            "query_not_inspectable",
            Outcome::Refused,
            "The query string has a parameter that the gateway does not know.",
        )
    }

    /// A stream in a form that is not restored.
    pub fn array_stream() -> Self {
        Self::new(
            422,
            "array_stream",
            Outcome::Refused,
            "Expected alt=sse in the query: a stream as one JSON array is not passed on.",
        )
    }

    /// Not `application/json`.
    pub fn content_type() -> Self {
        Self::new(
            415,
            "unsupported_content_type",
            Outcome::Refused,
            "Expected content-type application/json.",
        )
    }

    /// A compressed body.
    pub fn content_encoding() -> Self {
        Self::new(
            415,
            "unsupported_content_encoding",
            Outcome::Refused,
            "Expected an uncompressed body: a compressed one cannot be inspected.",
        )
    }

    /// A body over the limit.
    pub fn too_large(limit: usize) -> Self {
        Self::new(
            413,
            "body_too_large",
            Outcome::Refused,
            format!("Expected a body of at most {limit} bytes."),
        )
    }

    /// A sender that is too slow.
    pub fn body_timeout() -> Self {
        Self::new(
            408,
            "body_timeout",
            Outcome::Refused,
            "The request body did not arrive in time.",
        )
    }

    /// A body that broke off, or framing that is no HTTP.
    pub fn body_broken() -> Self {
        Self::new(
            400,
            "body_incomplete",
            Outcome::Refused,
            "The request body broke off before its end.",
        )
    }

    /// A body that is not what the wire says, so that it cannot be inspected.
    pub fn not_inspectable(problem: impl Into<String>) -> Self {
        Self::new(422, "not_inspectable", Outcome::Refused, problem)
    }

    /// A key that is not ours, or no longer.
    pub fn unauthenticated() -> Self {
        Self::new(
            401,
            "invalid_key",
            Outcome::Refused,
            "Expected a valid gateway key (tg-…) in the tollgate-key header or as the API key.",
        )
    }

    /// No endpoint serves the model.
    pub fn unknown_model() -> Self {
        Self::new(
            404,
            "model_not_found",
            Outcome::Refused,
            "No endpoint of this gateway serves the requested model.",
        )
    }

    /// Kept in by policy.
    pub fn blocked(rule: &str, reason: &str, no_on_prem: bool) -> Self {
        let why = match (rule, no_on_prem) {
            ("", _) => "No policy rule permits this request.".to_string(),
            (_, false) => format!("{reason} (rule {rule})"),
            (_, true) => {
                format!("{reason} No on-prem endpoint can answer this request. (rule {rule})")
            }
        };
        Self::new(403, "policy_blocked", Outcome::Blocked, why)
    }

    /// Too much in work already.
    pub fn busy() -> Self {
        Refusal {
            retry_after_s: Some(1),
            ..Self::new(
                429,
                "gateway_busy",
                Outcome::Refused,
                "The gateway has all the work it accepts.",
            )
        }
    }

    /// A caller, team or project (`level`) has all the requests in work that it may have.
    pub fn requests_at_once(level: &str, max: u32) -> Self {
        Refusal {
            retry_after_s: Some(1),
            ..Self::new(
                429,
                "requests_at_once",
                Outcome::Refused,
                format!("This {level} may have {max} requests in work at once, and has."),
            )
        }
    }

    /// A caller, team or project has used its requests for now.
    pub fn requests_per_minute(level: &str, limit: u64, wait: Duration) -> Self {
        Refusal {
            retry_after_s: Some(seconds(wait)),
            ..Self::new(
                429,
                "requests_per_minute",
                Outcome::Refused,
                format!("This {level} has used its {limit} requests per minute."),
            )
        }
    }

    /// A caller, team or project has used its tokens for now.
    pub fn tokens_per_minute(level: &str, limit: u64, wait: Duration) -> Self {
        Refusal {
            retry_after_s: Some(seconds(wait)),
            ..Self::new(
                429,
                "tokens_per_minute",
                Outcome::Refused,
                format!("This {level} has used its {limit} tokens per minute."),
            )
        }
    }

    /// The month's budget of a caller, team or project is spent. Without a time to try again, and
    /// said not to be worth it: it is not over in a minute.
    pub fn budget_spent(level: &str, budget: NanoUsd, month: Month) -> Self {
        let next = month.next();
        Self::new(
            429,
            "budget_spent",
            Outcome::Refused,
            format!(
                "The budget of this {level}, {budget} for {month}, is spent. It begins anew on {next} (UTC)."
            ),
        )
    }

    /// A request of more tokens than there ever are: waiting does not help.
    pub fn tokens_over_limit(level: &str, limit: u64) -> Self {
        Self::new(
            413,
            "tokens_over_limit",
            Outcome::Refused,
            format!(
                "This request alone has more than the {limit} tokens per minute of its {level}."
            ),
        )
    }

    /// A model that a caller, its team or its project may not ask for.
    pub fn model_not_allowed(level: &str) -> Self {
        Self::new(
            403,
            "model_not_allowed",
            Outcome::Refused,
            format!("This {level} may not ask for this model."),
        )
    }

    /// No endpoint that serves the model may answer a caller, its team or its project.
    pub fn endpoint_not_allowed(level: &str) -> Self {
        Self::new(
            403,
            "endpoint_not_allowed",
            Outcome::Refused,
            format!("No endpoint that this {level} may use serves this model."),
        )
    }

    /// The inspection could not be done: nothing was sent.
    pub fn inspection_failed() -> Self {
        Refusal {
            retry_after_s: Some(5),
            ..Self::new(
                503,
                "inspection_failed",
                Outcome::Failed,
                "The request could not be inspected, so it was not sent.",
            )
        }
    }

    /// The inspection took longer than it may: nothing was sent.
    pub fn inspection_timeout() -> Self {
        Self::new(
            503,
            "inspection_timeout",
            Outcome::Failed,
            "The request could not be inspected in time, so it was not sent. Send less text at once.",
        )
    }

    /// The record could not be written.
    pub fn ledger_failed() -> Self {
        Refusal {
            retry_after_s: Some(5),
            ..Self::new(
                503,
                "ledger_unavailable",
                Outcome::Failed,
                "The exchange could not be recorded, so it is not answered.",
            )
        }
    }

    /// The on-prem model is not up.
    pub fn local_unavailable() -> Self {
        Refusal {
            retry_after_s: Some(5),
            ..Self::new(
                503,
                "local_model_unavailable",
                Outcome::Failed,
                "The on-prem model is not available, and policy lets this request go nowhere else.",
            )
        }
    }

    /// The endpoint's credential could not be read.
    pub fn credential() -> Self {
        Self::new(
            503,
            "endpoint_key_unavailable",
            Outcome::Failed,
            "The gateway's key for this endpoint cannot be read.",
        )
    }

    /// The endpoint could not be reached.
    pub fn connect() -> Self {
        Self::new(
            502,
            "upstream_unreachable",
            Outcome::UpstreamError,
            "The endpoint could not be reached.",
        )
    }

    /// All endpoints that policy permits are left alone because they keep failing.
    pub fn endpoints_unavailable(wait: Duration) -> Self {
        Refusal {
            retry_after_s: Some(seconds(wait)),
            ..Self::new(
                503,
                "endpoints_unavailable",
                Outcome::UpstreamError,
                "No endpoint that policy permits is available at the moment.",
            )
        }
    }

    /// An endpoint has all the requests that it may have, and enough wait.
    pub fn endpoint_busy() -> Self {
        Refusal {
            retry_after_s: Some(1),
            ..Self::new(
                429,
                "endpoint_busy",
                Outcome::Refused,
                "The endpoint has all the requests that it may have at once.",
            )
        }
    }

    /// Whether another endpoint may still answer: this one could not, and nothing of an answer
    /// has left for the caller.
    pub fn is_endpoints(&self) -> bool {
        self.is_endpoints_fault()
            || matches!(
                self.code,
                "endpoint_busy" | "local_model_unavailable" | "endpoint_key_unavailable"
            )
    }

    /// Whether the endpoint failed, rather than having no place or no credential.
    pub fn is_endpoints_fault(&self) -> bool {
        matches!(
            self.code,
            "upstream_unreachable" | "upstream_reset" | "upstream_timeout"
        )
    }

    /// The endpoint broke off.
    pub fn upstream_reset() -> Self {
        Self::new(
            502,
            "upstream_reset",
            Outcome::UpstreamError,
            "The endpoint broke off its answer.",
        )
    }

    /// The endpoint is too slow.
    pub fn upstream_timeout() -> Self {
        Self::new(
            504,
            "upstream_timeout",
            Outcome::UpstreamError,
            "The endpoint did not answer in time.",
        )
    }

    /// The endpoint's answer is not what the wire says.
    pub fn upstream_malformed(problem: impl Into<String>) -> Self {
        Self::new(502, "upstream_malformed", Outcome::UpstreamError, problem)
    }

    /// The caller left.
    pub fn gone() -> Self {
        Self::new(
            0,
            "caller_gone",
            Outcome::Cancelled,
            "The caller closed the connection.",
        )
    }
}

/// Whole seconds for `Retry-After`, at least one.
fn seconds(wait: Duration) -> u32 {
    let seconds = wait.as_millis().div_ceil(1000).max(1);
    u32::try_from(seconds).unwrap_or(u32::MAX)
}
