//! The spine: the life of one exchange.
//!
//! ```text
//!  caller ──► route ──► identify ──► read body ──► parse ──► inspect ──► decide
//!                                                                          │
//!                     block ◄──────────────────────────────────────────────┤
//!                                                                          ▼
//!  caller ◄── last byte ◄── record ◄── relay (restore) ◄── send ◄── enforce: Permit
//! ```
//!
//! From "decide" to "send" is an attempt; while an endpoint does not answer, others follow, each
//! decided on anew ([`attempt`]).
//!
//! Whatever fails on the way is one [`Refusal`], answered by [`rescue`] in the caller's wire and
//! recorded all the same. The record is in the ledger before the answer's last byte leaves, so
//! every exchange that a caller saw completed is on record, whatever happens next.

use crate::attempt::{self, Case, Sent};
use crate::callers::Admission;
use crate::downstream::Downstream;
use crate::draft::Draft;
use crate::error::Refusal;
use crate::gate::{Gate, OnFull};
use crate::identity::identify;
use crate::inspect::inspect;
use crate::policy::Facts;
use crate::prompt::Prompt;
use crate::relay::{Context, relay};
use crate::rescue::rescue;
use crate::wire::{self, Api, Operation};
use bytes::Bytes;
use std::sync::atomic::Ordering::Relaxed;
use tollgate_analytics::record::Usage;

/// Serves one request. Returns whether the connection is in order and can have another.
pub async fn run(gate: &Gate, down: &mut Downstream) -> bool {
    let mut draft = Draft::new(&gate.policy);
    gate.metrics.in_flight.fetch_add(1, Relaxed);
    let wire_of = |name: &str| gate.wire_of(name);
    let mut api = wire::guess(down.uri(), down.headers(), wire_of);
    let result = exchange(gate, down, &mut draft, &mut api).await;
    gate.metrics.in_flight.fetch_sub(1, Relaxed);
    match result {
        Ok(()) => true,
        Err(refusal) => {
            let (sent, bytes) = down.sent();
            draft.refused(&refusal, sent, bytes);
            if let Err(unrecorded) = record(gate, &mut draft).await {
                // Not on record, but it happened: the counters are what is left to tell.
                gate.metrics.count(draft.finish());
                tracing::error!(exchange = %draft.exchange(), reason = unrecorded.internal, "exchange not recorded");
            }
            tracing::info!(
                exchange = %draft.exchange(), code = refusal.code, status = refusal.status,
                reason = refusal.internal, "exchange refused"
            );
            rescue(down, api, &refusal, &draft.exchange().to_string()).await
        }
    }
}

async fn exchange(
    gate: &Gate,
    down: &mut Downstream,
    draft: &mut Draft,
    api: &mut Api,
) -> Result<(), Refusal> {
    let route = wire::route(down.method(), down.uri(), down.headers(), |name| {
        gate.wire_of(name)
    })?;
    *api = route.api();
    draft.route(&route);
    draft.trace(down.headers());
    let caller = identify(&gate.keys, &route, down.headers())?;
    draft.caller(&caller);
    let _place = gate.places.try_acquire().map_err(|_| Refusal::busy())?;
    let mut admission = Admission::new(&gate.callers, &gate.allowances, &caller);
    let entered = admission.enter();
    down.set_headers(admission.headers(route.wire, draft.now()));
    entered?;

    let body = match route.operation {
        Operation::Models => Bytes::new(),
        _ => {
            wire::check_content(down.headers())?;
            down.read_body(&gate.limits).await?
        }
    };
    draft.received(body.len());
    let prompt = Prompt::parse(&route, body, &gate.limits)?;
    draft.request(prompt.stream(), gate.recordable_model(prompt.model()));
    let prompt_text_bytes: usize = prompt.texts().iter().map(|text| text.len()).sum();
    let tokens = estimated_usage(prompt_text_bytes as u64, 0).input;
    let mut candidates = gate.candidates(&route, &prompt)?;
    let now = draft.now();
    let admitted = admission.read(gate, &route, &prompt, tokens, now, &mut candidates);
    down.set_headers(admission.headers(route.wire, now));
    admitted?;

    let (prompt, inspection) = unless_gone(down, inspect(gate, prompt)).await?;
    draft.inspected(&inspection);
    let facts = Facts {
        findings: inspection
            .findings
            .iter()
            .flatten()
            .map(|f| (f.entity, f.score))
            .collect(),
        opaque: prompt.opaque(),
        model: prompt.model().to_string(),
        operation: route.operation.as_str(),
        team: caller.team.clone(),
    };
    let mut vault = gate.vault(&caller);
    let case = Case {
        route: &route,
        facts: &facts,
        candidates: &candidates,
        prompt: &prompt,
        inspection: &inspection,
        caller: &caller,
    };
    let sent = attempt::send(gate, down, draft, &case, &mut vault).await?;
    let Sent {
        endpoint,
        forwarded,
        effect,
        model,
        drop_usage,
        slot: _slot,
    } = *sent;
    admission.sent();
    let status = forwarded.status();
    draft.forwarded(forwarded.first_byte(), forwarded.upstream_bytes(), status);
    let context = Context {
        api: route.api(),
        limits: &gate.limits,
        vault: &vault,
        drop_usage,
        endpoint: endpoint.name(),
        effect,
    };
    let answer = relay(&context, forwarded, down, draft).await;
    let answer = answer.inspect_err(|refusal| attempt::broke_off(gate, endpoint, refusal))?;

    let usage = answer.usage.or_else(|| {
        let answered = answer.streamed_text_bytes.filter(|_| status < 400)?;
        Some(estimated_usage(prompt_text_bytes as u64, answered))
    });
    admission.settle(usage.map_or(0, |usage| usage.input + usage.output));
    draft.answered(
        usage,
        answer.restored,
        down.sent().1 + answer.last.len() as u64,
    );
    draft.price(&gate.prices, endpoint.provider(), &model);
    record(gate, draft).await?;
    admission.spent(draft.finish());
    // From here on the exchange is on record: a caller that leaves now has left afterwards.
    answer.finish(down).await.ok();
    Ok(())
}

/// The tokens of a stream that did not tell them: one for every four bytes of text, which is
/// OpenAI's rule of thumb for English (help.openai.com, "What are tokens and how to count them?").
/// The provider's own tokenizer is not at hand; the record says that it is an estimate.
fn estimated_usage(prompt_text_bytes: u64, answer_text_bytes: u64) -> Usage {
    const BYTES_PER_TOKEN: u64 = 4;
    Usage {
        input: prompt_text_bytes.div_ceil(BYTES_PER_TOKEN),
        output: answer_text_bytes.div_ceil(BYTES_PER_TOKEN),
        estimated: true,
        ..Usage::default()
    }
}

/// Writes the record; nobody is told of an exchange that is not on record, unless the configuration
/// wants answers rather than records when the disk is full.
async fn record(gate: &Gate, draft: &mut Draft) -> Result<(), Refusal> {
    let exchange = draft.exchange();
    let record = draft.finish();
    match gate.ledger.append(record).await {
        Ok(_) => {}
        Err(error) if error.is_full() && gate.on_full == OnFull::Degrade => {
            gate.metrics.unrecorded.fetch_add(1, Relaxed);
            tracing::error!(%exchange, %error, "the disk is full: answered without a record");
        }
        Err(error) => return Err(Refusal::ledger_failed().because(error)),
    }
    gate.metrics.count(record);
    Ok(())
}

/// Works for a caller as long as it is there.
pub(crate) async fn unless_gone<T>(
    down: &mut Downstream,
    work: impl Future<Output = Result<T, Refusal>>,
) -> Result<T, Refusal> {
    tokio::select! {
        biased;
        done = work => done,
        () = down.gone() => Err(Refusal::gone()),
    }
}
