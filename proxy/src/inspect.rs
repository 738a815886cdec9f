//! Runs the inspection of a request where it hurts nobody else: small texts that only rules look
//! at on the spot, everything else on the blocking pool, within a time limit.

use crate::error::Refusal;
use crate::gate::Gate;
use crate::prompt::Prompt;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tollgate_redaction::{Error, Hints, Inspection};

/// Text that rules inspect in well under a millisecond.
const INLINE_BYTES_MAX: usize = 64 << 10;

/// Inspects a prompt. Whatever goes wrong, the prompt counts as not inspected.
pub(crate) async fn inspect(gate: &Gate, prompt: Prompt) -> Result<(Prompt, Inspection), Refusal> {
    if !gate.inspection.enabled {
        let inspection = Inspection {
            findings: vec![Vec::new(); prompt.segments().len()],
            ..Inspection::default()
        };
        return Ok((prompt, inspection));
    }
    let limit = Duration::from_millis(gate.limits.inspect_timeout_ms);
    let deadline = Instant::now() + limit;
    if prompt.body().len() <= INLINE_BYTES_MAX
        && let Some(inspection) = gate
            .redactor
            .inspect_without_reading(&prompt.texts(), &Hints::default(), deadline)
            .map_err(failed)?
    {
        return Ok((prompt, inspection));
    }
    let redactor = Arc::clone(&gate.redactor);
    let work = tokio::task::spawn_blocking(move || {
        let inspection = redactor.inspect(&prompt.texts(), &Hints::default(), deadline);
        Ok((prompt, inspection.map_err(failed)?))
    });
    match tokio::time::timeout(limit, work).await {
        Ok(Ok(inspected)) => inspected,
        Ok(Err(panicked)) => Err(Refusal::inspection_failed().because(panicked)),
        Err(_) => Err(Refusal::inspection_timeout()),
    }
}

fn failed(error: Error) -> Refusal {
    match error {
        Error::Deadline => Refusal::inspection_timeout(),
        other => Refusal::inspection_failed().because(other),
    }
}
