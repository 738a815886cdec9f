//! The attempts of one exchange: which endpoint is asked, and who is asked next when it does not
//! answer.
//!
//! A round tries each endpoint that policy permits once, at once. Before the next round is a wait,
//! and only those take part in it that may do better by then. Every attempt is decided on and
//! enforced for its own endpoint: other laws may demand other replacements. Once an answer's head
//! is passed on, there is no further attempt.

use crate::config::Failover;
use crate::downstream::Downstream;
use crate::draft::Draft;
use crate::egress::Forwarded;
use crate::endpoint::breaker::Pass;
use crate::endpoint::{Endpoint, Slot};
use crate::error::Refusal;
use crate::exchange::unless_gone;
use crate::gate::{Candidates, Gate};
use crate::identity::Identity;
use crate::permit::Permit;
use crate::policy::{Decision, Facts, Target};
use crate::prompt::Prompt;
use crate::retry;
use crate::trace;
use crate::wire::{self, Route};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tollgate_analytics::record::Outcome;
use tollgate_redaction::Inspection;
use tollgate_redaction::vault::Vault;

/// What is to be sent, and what is known of it.
pub(crate) struct Case<'a> {
    pub(crate) route: &'a Route,
    pub(crate) facts: &'a Facts,
    pub(crate) candidates: &'a Candidates,
    pub(crate) prompt: &'a Prompt,
    pub(crate) inspection: &'a Inspection,
    pub(crate) caller: &'a Identity,
}

/// An attempt whose answer is to be passed on.
pub(crate) struct Sent<'g> {
    pub(crate) endpoint: &'g Arc<Endpoint>,
    pub(crate) forwarded: Forwarded<'g>,
    /// The effect decided.
    pub(crate) effect: &'static str,
    /// The model asked of the endpoint.
    pub(crate) model: String,
    /// Whether the usage of the stream was asked for by us only.
    pub(crate) drop_usage: bool,
    /// Its place at the endpoint, for as long as the answer lasts.
    pub(crate) slot: Option<Slot>,
}

/// How an attempt ended that another may better.
enum Failed<'g> {
    /// With an answer, which is passed on if no other attempt follows.
    Answer(Box<Sent<'g>>),
    /// Without one.
    Refusal(Refusal),
}

/// An endpoint that may be asked again.
struct Again {
    index: usize,
    /// Not before so long.
    wait: Duration,
}

/// Sends a request to the first endpoint that policy permits and that answers.
///
/// # Errors
/// The refusal of policy, or that of the last attempt.
pub(crate) async fn send<'g>(
    gate: &'g Gate,
    down: &mut Downstream,
    draft: &mut Draft,
    case: &Case<'_>,
    vault: &mut Vault,
) -> Result<Box<Sent<'g>>, Refusal> {
    let all: Vec<Target<'_>> = gate.endpoints.iter().map(|e| e.policy_target()).collect();
    let settings = &gate.failover;
    let mut left = case.candidates.clone();
    let mut failed: Option<Failed<'g>> = None;
    let mut again: Vec<Again> = Vec::new();
    let (mut attempts, mut round) = (0, 0);
    loop {
        let (decision, index, pass) = match choose(gate, case, &all, &mut left) {
            Choice::Go(decision, index, pass) => (decision, index, pass),
            choice => {
                let Some(ended) = failed.take() else {
                    return Err(nowhere(gate, draft, case, vault, choice));
                };
                round += 1;
                if round > settings.retries || again.is_empty() {
                    return give_up(draft, ended);
                }
                let wait = next_wait(settings, round, &again);
                again.retain(|one| one.wait <= wait);
                let_go(draft, ended).await;
                unless_gone(down, async {
                    tokio::time::sleep(wait).await;
                    Ok(())
                })
                .await?;
                left = case.candidates.clone();
                left.retain(|index| again.iter().any(|one| one.index == index));
                again.clear();
                continue;
            }
        };
        if let Some(ended) = failed.take() {
            let_go(draft, ended).await;
        }
        draft.decided(&decision, &gate.policy);
        let endpoint = &gate.endpoints[index];
        let ended = attempt(gate, down, draft, case, vault, &decision, endpoint).await;
        attempts += 1;
        let ended = match verdict(gate, endpoint, pass, ended)? {
            Ok(sent) => return Ok(sent),
            Err(ended) => ended,
        };
        left.retain(|other| other != index);
        if let Some(wait) = may_again(settings, &ended) {
            again.push(Again { index, wait });
        }
        if attempts >= settings.attempts_max {
            return give_up(draft, ended);
        }
        failed = Some(ended);
    }
}

/// An answer cannot be passed on to its end: that counts against its endpoint.
pub(crate) fn broke_off(gate: &Gate, endpoint: &Endpoint, refusal: &Refusal) {
    if refusal.outcome == Outcome::UpstreamError {
        gate.metrics.attempt(endpoint.name(), refusal.code);
        note_open(endpoint, endpoint.breaker().failed(Instant::now()));
    }
}

/// Where the next attempt goes.
enum Choice<'g> {
    Go(Decision, usize, Pass<'g>),
    /// Policy permits none of those that are left.
    Denied(Decision),
    /// All that it permits are left alone: the decision, and for how long at least.
    Ejected(Decision, Duration),
}

/// The first endpoint that policy permits and that is not left alone. Those that are, are taken
/// out of `left`.
fn choose<'g>(
    gate: &'g Gate,
    case: &Case<'_>,
    all: &[Target<'_>],
    left: &mut Candidates,
) -> Choice<'g> {
    let mut ejected: Option<(Decision, Duration)> = None;
    loop {
        let decision = gate
            .policy
            .decide(case.facts, all, &left.targets, &left.on_prem);
        let Some(index) = decision.target else {
            return match ejected {
                Some((decision, wait)) => Choice::Ejected(decision, wait),
                None => Choice::Denied(decision),
            };
        };
        match gate.endpoints[index].breaker().admit(Instant::now()) {
            Ok(pass) => return Choice::Go(decision, index, pass),
            Err(wait) => {
                gate.metrics
                    .attempt(gate.endpoints[index].name(), "passed_over");
                left.retain(|other| other != index);
                let (decision, least) = ejected.unwrap_or((decision, wait));
                ejected = Some((decision, least.min(wait)));
            }
        }
    }
}

/// The refusal of an exchange that went nowhere.
fn nowhere(
    gate: &Gate,
    draft: &mut Draft,
    case: &Case<'_>,
    vault: &mut Vault,
    choice: Choice<'_>,
) -> Refusal {
    match choice {
        Choice::Ejected(decision, wait) => {
            draft.decided(&decision, &gate.policy);
            Refusal::endpoints_unavailable(wait)
        }
        Choice::Denied(decision) | Choice::Go(decision, ..) => {
            draft.decided(&decision, &gate.policy);
            let Case {
                prompt,
                inspection,
                caller,
                ..
            } = case;
            let enforced =
                Permit::enforce(&decision, gate, prompt, inspection, caller, vec![], vault);
            enforced.err().unwrap_or_else(Refusal::inspection_failed)
        }
    }
}

/// One attempt: a place, a permit, and out.
async fn attempt<'g>(
    gate: &'g Gate,
    down: &mut Downstream,
    draft: &mut Draft,
    case: &Case<'_>,
    vault: &mut Vault,
    decision: &Decision,
    endpoint: &'g Arc<Endpoint>,
) -> Result<Box<Sent<'g>>, Refusal> {
    let slot = match endpoint.slots() {
        Some(slots) => Some(unless_gone(down, slots.take()).await?),
        None => None,
    };
    let mut headers = wire::forwarded_headers(case.route.wire, down.headers());
    if let Some(parent) = trace::parent(down.headers()) {
        headers.push((trace::TRACEPARENT, parent.clone()));
    }
    let permit = Permit::enforce(
        decision,
        gate,
        case.prompt,
        case.inspection,
        case.caller,
        headers,
        vault,
    )?;
    let (model, drop_usage) = (permit.model().to_string(), permit.asks_usage());
    draft.leaves(permit.endpoint(), permit.replaced(), permit.bytes());
    let forwarded = unless_gone(down, gate.egress.send(permit)).await?;
    Ok(Box::new(Sent {
        endpoint,
        forwarded,
        effect: decision.effect.as_str(),
        model,
        drop_usage,
        slot,
    }))
}

/// What an attempt says of its endpoint, and whether another may follow. The outer error ends the
/// exchange whatever else could be tried.
fn verdict<'g>(
    gate: &Gate,
    endpoint: &Endpoint,
    pass: Pass<'_>,
    ended: Result<Box<Sent<'g>>, Refusal>,
) -> Result<Result<Box<Sent<'g>>, Failed<'g>>, Refusal> {
    let now = Instant::now();
    let (status, code) = match &ended {
        Ok(sent) => (sent.forwarded.status(), "answered"),
        Err(refusal) => (0, refusal.code),
    };
    match &ended {
        Ok(_) if !retry::is_endpoints_fault(status) => {
            if pass.succeeded(now) {
                tracing::info!(endpoint = endpoint.name(), "the endpoint is used again");
            }
        }
        Err(refusal) if !refusal.is_endpoints_fault() => drop(pass),
        _ => note_open(endpoint, pass.failed(now)),
    }
    match ended {
        Ok(sent) if !retry::is_worth_another(status) => {
            gate.metrics.attempt(endpoint.name(), code);
            Ok(Ok(sent))
        }
        Ok(sent) => {
            gate.metrics.attempt(endpoint.name(), "status");
            if let (429, Some(wait)) = (status, retry::retry_after(sent.forwarded.headers())) {
                endpoint.rest(wait);
            }
            Ok(Err(Failed::Answer(sent)))
        }
        Err(refusal) if refusal.is_endpoints() => {
            gate.metrics.attempt(endpoint.name(), code);
            Ok(Err(Failed::Refusal(refusal)))
        }
        Err(refusal) => Err(refusal),
    }
}

/// Whether the same endpoint may be asked again, and after how long at least.
fn may_again(settings: &Failover, ended: &Failed<'_>) -> Option<Duration> {
    match ended {
        Failed::Answer(sent) => {
            let wait = retry::retry_after(sent.forwarded.headers()).unwrap_or_default();
            (wait <= Duration::from_millis(settings.retry_after_max_ms)).then_some(wait)
        }
        // What took too long once would again; the other end may be at work still.
        Failed::Refusal(refusal) => matches!(
            refusal.code,
            "upstream_unreachable" | "upstream_reset" | "endpoint_busy"
        )
        .then_some(Duration::ZERO),
    }
}

/// As long as the first of them asks for, and no less than the backoff.
fn next_wait(settings: &Failover, round: u32, again: &[Again]) -> Duration {
    let least = again.iter().map(|one| one.wait).min().unwrap_or_default();
    retry::backoff(settings, round, |n| fastrand::u64(..n)).max(least)
}

/// The last attempt's end is the exchange's.
fn give_up<'g>(draft: &mut Draft, ended: Failed<'g>) -> Result<Box<Sent<'g>>, Refusal> {
    match ended {
        Failed::Answer(sent) => Ok(sent),
        Failed::Refusal(refusal) => {
            draft.unanswered(&refusal);
            Err(refusal)
        }
    }
}

/// Another attempt follows: puts this one on record and lets its answer go.
async fn let_go(draft: &mut Draft, ended: Failed<'_>) {
    match ended {
        Failed::Answer(sent) => {
            draft.goes_on("status", sent.forwarded.status());
            sent.forwarded.discard().await;
        }
        Failed::Refusal(refusal) => {
            draft.unanswered(&refusal);
            draft.goes_on(refusal.code, 0);
        }
    }
}

fn note_open(endpoint: &Endpoint, opened: Option<Duration>) {
    if let Some(time) = opened {
        tracing::warn!(
            endpoint = endpoint.name(),
            for_ms = time.as_millis() as u64,
            "the endpoint keeps failing and is left alone"
        );
    }
}
