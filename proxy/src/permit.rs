//! The proof that a request may leave: where to, and with what replaced.
//!
//! A [`Permit`] has private fields and is made only here: from a decision, or for a health check,
//! which carries nothing of any caller. It names the endpoint that it permits, and
//! [`crate::Egress`] takes nothing else, so there is no way out that was not decided on:
//!
//! ```compile_fail
//! # use tollgate_proxy::permit::Permit;
//! let forged = Permit { replaced: 0, ..unreachable!() };
//! ```

use crate::edit::Edits;
use crate::endpoint::Endpoint;
use crate::error::Refusal;
use crate::gate::Gate;
use crate::identity::Identity;
use crate::policy::Decision;
use crate::prompt::Prompt;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method};
use std::fmt;
use std::sync::Arc;
use tollgate_redaction::Inspection;
use tollgate_redaction::vault::Vault;

/// A request that may leave, as it may leave, to where it may go.
pub struct Permit {
    endpoint: Arc<Endpoint>,
    parts: Parts,
    body: Bytes,
    replaced: u32,
    model: String,
    asks_usage: bool,
}

/// A request's head.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) method: Method,
    /// Path and query below the version segment.
    pub(crate) path: String,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
}

impl Permit {
    /// Enforces a decision: refuses what it blocks, replaces what it wants replaced.
    ///
    /// # Errors
    /// 403 when the decision is to block; 422 when the values to replace exceed the vault; 503
    /// when the endpoint has no credential or the on-prem model is down.
    pub(crate) fn enforce(
        decision: &Decision,
        gate: &Gate,
        prompt: &Prompt,
        inspection: &Inspection,
        caller: &Identity,
        mut headers: Vec<(HeaderName, HeaderValue)>,
        vault: &mut Vault,
    ) -> Result<Permit, Refusal> {
        let Some(target) = decision.target else {
            let rule = decision
                .judgement
                .rule
                .map(|index| &gate.policy.rules()[index]);
            let (id, reason) = rule.map_or(("", ""), |r| (r.id.as_str(), r.reason.as_str()));
            return Err(Refusal::blocked(id, reason, decision.no_on_prem));
        };
        let endpoint = &gate.endpoints[target];
        headers.extend(endpoint.credential(prompt.wire(), caller.credential.clone())?);

        let mut edits = Edits::new();
        let replaced = replace(decision, prompt, inspection, vault, &mut edits)?;
        let mut model = prompt.model().to_string();
        let renamed = endpoint.model(&model).filter(|_| !model.is_empty());
        if let Some(wanted) = &renamed {
            for (range, with) in prompt.rename(wanted) {
                edits
                    .replace(range, with)
                    .map_err(|e| Refusal::inspection_failed().because(e))?;
            }
            model.clone_from(wanted);
        }
        let usage_request = prompt
            .usage_request()
            .filter(|_| endpoint.config().asks_usage);
        if let Some((at, member)) = usage_request {
            edits
                .replace(at..at, member)
                .map_err(|e| Refusal::inspection_failed().because(e))?;
        }
        let body = if edits.is_empty() {
            prompt.body().clone()
        } else {
            edits
                .apply(prompt.body())
                .map_err(|e| Refusal::inspection_failed().because(e))?
        };
        let (method, path) = (prompt.method(), prompt.below(renamed.as_deref()));
        headers.extend(endpoint.signature(&method, &path, &body)?);
        let parts = Parts {
            method,
            path,
            headers,
        };
        Ok(Permit {
            endpoint: Arc::clone(endpoint),
            parts,
            body,
            replaced,
            model,
            asks_usage: usage_request.is_some(),
        })
    }

    /// A question whether an endpoint is up: its configured path and its own credential, no body.
    ///
    /// # Errors
    /// 503 when its credential cannot be had.
    pub(crate) fn probe(endpoint: &Arc<Endpoint>, path: &str) -> Result<Permit, Refusal> {
        let mut headers = endpoint.signature(&Method::GET, path, b"")?;
        headers.extend(endpoint.credential(endpoint.config().wire, None)?);
        Ok(Permit {
            endpoint: Arc::clone(endpoint),
            parts: Parts {
                method: Method::GET,
                path: path.to_owned(),
                headers,
            },
            body: Bytes::new(),
            replaced: 0,
            model: String::new(),
            asks_usage: false,
        })
    }

    /// The endpoint that it permits.
    pub(crate) fn endpoint(&self) -> &Arc<Endpoint> {
        &self.endpoint
    }

    /// How many findings were replaced.
    pub(crate) fn replaced(&self) -> u32 {
        self.replaced
    }

    /// The model asked of the endpoint.
    pub(crate) fn model(&self) -> &str {
        &self.model
    }

    /// Whether the usage of the stream was asked for by us and not by the caller, who must not be
    /// sent it.
    pub(crate) fn asks_usage(&self) -> bool {
        self.asks_usage
    }

    /// Bytes of the body as it may leave.
    pub(crate) fn bytes(&self) -> u64 {
        self.body.len() as u64
    }

    /// Head and body, to be sent.
    pub(crate) fn into_parts(self) -> (Arc<Endpoint>, Parts, Bytes) {
        (self.endpoint, self.parts, self.body)
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit")
            .field("endpoint", &self.endpoint.name())
            .field("replaced", &self.replaced)
            .finish_non_exhaustive()
    }
}

/// Replaces what the decision wants replaced; returns how many findings that were.
fn replace(
    decision: &Decision,
    prompt: &Prompt,
    inspection: &Inspection,
    vault: &mut Vault,
    edits: &mut Edits,
) -> Result<u32, Refusal> {
    let judgement = &decision.judgement;
    let wanted = |f: &tollgate_redaction::Finding| {
        judgement
            .redact
            .get(&f.entity)
            .copied()
            .filter(|_| f.score >= judgement.score_min[&f.entity])
    };
    if !inspection
        .findings
        .iter()
        .flatten()
        .any(|f| wanted(f).is_some())
    {
        return Ok(0);
    }
    let texts = prompt.texts();
    for text in &texts {
        vault.reserve(text);
    }
    let mut replaced = 0;
    for ((segment, text), findings) in prompt
        .segments()
        .iter()
        .zip(&texts)
        .zip(&inspection.findings)
    {
        for finding in findings {
            let Some(operator) = wanted(finding) else {
                continue;
            };
            let atomic = segment.is_atomic();
            let span = if atomic {
                0..text.len()
            } else {
                finding.span.start..finding.span.end
            };
            let value = &text[span.clone()];
            let with = operator
                .apply(finding.entity.as_str(), value, vault)
                .map_err(|e| Refusal::not_inspectable(e.to_string()))?;
            let (range, with) = segment.edit(span, &with);
            edits
                .replace(range, with)
                .map_err(|e| Refusal::inspection_failed().because(e))?;
            replaced += 1;
            if atomic {
                break;
            }
        }
    }
    Ok(replaced)
}
