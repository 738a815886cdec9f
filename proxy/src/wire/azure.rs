//! Azure OpenAI: OpenAI's bodies under paths of Azure's own, with the key in the header `api-key`.
//!
//! Source of the paths: Azure OpenAI REST API reference, data plane. An endpoint's URL ends with
//! `/openai`; below it stand `/deployments/{deployment}/chat/completions?api-version=…`, where the
//! deployment is the model, or `/v1/chat/completions`, where the body names it.

use super::openai;
use super::route::{Found, is_name};
use super::{Operation, WireKind};

/// What a path below `/openai/` asks for.
pub(super) fn find(below: &str) -> Option<Found> {
    if let Some(rest) = below.strip_prefix("deployments/") {
        let (deployment, rest) = rest.split_once('/')?;
        let found = openai::find(rest).filter(|found| found.operation != Operation::Models)?;
        let at = "deployments/".len();
        let whole = Found::new(WireKind::Azure, found.operation, below);
        return is_name(deployment).then(|| whole.with_model(at..at + deployment.len()));
    }
    let found = openai::find(below.strip_prefix("v1/").unwrap_or(below))?;
    let shift = below.len() - found.below.len();
    let whole = Found::new(WireKind::Azure, found.operation, below);
    Some(match found.model {
        Some((_, range)) => whole.with_model(range.start + shift..range.end + shift),
        None => whole,
    })
}
