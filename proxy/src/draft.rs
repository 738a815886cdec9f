//! The record of an exchange while it is being made.

use crate::endpoint::Endpoint;
use crate::error::Refusal;
use crate::identity::Identity;
use crate::policy::{Decision, Policy};
use crate::trace;
use crate::wire::Route;
use http::HeaderMap;
use jiff::Timestamp;
use std::cell::RefCell;
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use tollgate_analytics::price::{PriceBook, Question};
use tollgate_analytics::record::{
    self, Attempt, Cost, DecisionRecord, Effect, Outcome, Record, Timing, Usage,
};
use tollgate_redaction::Inspection;
use uuid::Uuid;

/// A record that starts out as a refused request of nobody and is filled as more is known.
pub(crate) struct Draft {
    record: Record,
    begun: Instant,
}

impl Draft {
    /// Begins with the request's head read.
    #[allow(
        clippy::disallowed_methods,
        reason = "the gateway's one reading of the wall clock"
    )]
    pub(crate) fn new(policy: &Policy) -> Self {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let record = Record {
            exchange: exchange_id(now.as_millis() as u64),
            started_us: i64::try_from(now.as_micros()).unwrap_or(i64::MAX),
            caller: "anonymous".into(),
            team: String::new(),
            project: String::new(),
            trace: String::new(),
            wire: "unknown".into(),
            operation: "unknown".into(),
            stream: false,
            model: String::new(),
            route: None,
            tried: Vec::new(),
            decision: DecisionRecord {
                effect: Effect::Block,
                rule: String::new(),
                reason: String::new(),
                policy: policy.version().into(),
            },
            findings: Default::default(),
            replaced: 0,
            restored: 0,
            outcome: Outcome::Refused,
            error: String::new(),
            status: 0,
            request_bytes: 0,
            upstream_bytes: 0,
            response_bytes: 0,
            usage: None,
            cost: Cost::Free,
            timing: Timing::default(),
        };
        Draft {
            record,
            begun: Instant::now(),
        }
    }

    pub(crate) fn exchange(&self) -> Uuid {
        self.record.exchange
    }

    /// This instant.
    pub(crate) fn now(&self) -> Timestamp {
        let elapsed_us = i64::try_from(self.elapsed_us()).unwrap_or(i64::MAX);
        let now = self.record.started_us.saturating_add(elapsed_us);
        Timestamp::from_microsecond(now).unwrap_or_default()
    }

    pub(crate) fn route(&mut self, route: &Route) {
        self.record.wire = route.wire.as_str().into();
        self.record.operation = route.operation.as_str().into();
    }

    /// Which trace it belongs to, if its caller says so.
    pub(crate) fn trace(&mut self, headers: &HeaderMap) {
        if let Some(parent) = trace::parent(headers) {
            self.record.trace = trace::id(parent).into();
        }
    }

    pub(crate) fn caller(&mut self, caller: &Identity) {
        self.record.caller.clone_from(&caller.name);
        self.record.team.clone_from(&caller.team);
        self.record.project.clone_from(&caller.project);
    }

    pub(crate) fn received(&mut self, bytes: usize) {
        self.record.request_bytes = bytes as u64;
    }

    pub(crate) fn request(&mut self, stream: bool, model: String) {
        self.record.stream = stream;
        self.record.model = model;
    }

    pub(crate) fn inspected(&mut self, inspection: &Inspection) {
        for finding in inspection.findings.iter().flatten() {
            *self
                .record
                .findings
                .entry(finding.entity.as_str().into())
                .or_default() += 1;
        }
        self.record.timing.inspect_cpu_us = inspection.cpu.as_micros() as u64;
    }

    pub(crate) fn decided(&mut self, decision: &Decision, policy: &Policy) {
        let rule = decision.judgement.rule.map(|index| &policy.rules()[index]);
        self.record.decision.effect = decision.effect;
        self.record.decision.rule = rule.map_or(String::new(), |r| r.id.clone());
        self.record.decision.reason = rule.map_or(String::new(), |r| r.reason.clone());
    }

    /// A request is about to leave with a body of so many bytes.
    pub(crate) fn leaves(&mut self, endpoint: &Endpoint, replaced: u32, bytes: u64) {
        self.record.upstream_bytes = bytes;
        let config = endpoint.config();
        self.record.route = Some(record::Route {
            endpoint: config.name.clone(),
            jurisdiction: config.jurisdiction.clone(),
            transfer_basis: config.transfer_basis.as_str().into(),
            on_prem: config.on_prem,
            simulated: config.simulated,
        });
        self.record.replaced = replaced;
        // What the gate adds is told at the first endpoint; the waits of later ones are theirs.
        if self.record.tried.is_empty() {
            self.record.timing.gate_us = self.elapsed_us();
        }
    }

    /// An attempt got no answer. To an endpoint that could not be reached, nothing has left.
    pub(crate) fn unanswered(&mut self, refusal: &Refusal) {
        if refusal.code == "upstream_unreachable" {
            self.record.upstream_bytes = 0;
        }
    }

    /// The attempt just made is not the last.
    pub(crate) fn goes_on(&mut self, error: &str, status: u16) {
        if let Some(route) = self.record.route.take() {
            self.record.tried.push(Attempt {
                route,
                error: error.into(),
                status,
                upstream_bytes: std::mem::take(&mut self.record.upstream_bytes),
                replaced: std::mem::take(&mut self.record.replaced),
            });
        }
    }

    pub(crate) fn forwarded(
        &mut self,
        first_byte: std::time::Duration,
        upstream_bytes: u64,
        status: u16,
    ) {
        self.record.timing.upstream_first_byte_us = first_byte.as_micros() as u64;
        self.record.upstream_bytes = upstream_bytes;
        self.record.status = status;
    }

    pub(crate) fn answered(&mut self, usage: Option<Usage>, restored: u32, response_bytes: u64) {
        self.record.outcome = Outcome::Answered;
        self.record.usage = usage;
        self.record.restored = restored;
        self.record.response_bytes = response_bytes;
    }

    /// Prices what was consumed. An error answer consumes nothing; an on-prem model costs
    /// hardware, not tokens; a model that we do not know by name cannot be priced.
    pub(crate) fn price(&mut self, book: &PriceBook, provider: &str, model: &str) {
        let record = &mut self.record;
        let free = record.route.as_ref().is_none_or(|r| r.on_prem)
            // OpenAI: "The moderation endpoint is free to use."
            || matches!(record.operation.as_str(), "models" | "count_tokens")
            || provider == "openai" && record.operation == "moderations"
            || record.status >= 400;
        let at = Timestamp::from_microsecond(record.started_us);
        record.cost = match (free, &record.usage, at) {
            (true, ..) => Cost::Free,
            (_, Some(usage), Ok(at)) => book.cost(&Question {
                provider,
                model,
                jurisdiction: record.route.as_ref().map_or("", |r| &r.jurisdiction),
                at,
                known_at: None,
                context: &[],
                used: usage.into(),
            }),
            (_, None, _) => Cost::Unpriced {
                missing: "usage".into(),
            },
            (_, _, Err(_)) => Cost::Unpriced {
                missing: "price".into(),
            },
        };
    }

    /// Ends in a refusal. `sent` is the status that the caller has already got, 0 for none: then
    /// the refusal's own is on its way.
    pub(crate) fn refused(&mut self, refusal: &Refusal, sent: u16, response_bytes: u64) {
        let elapsed_us = self.elapsed_us();
        let record = &mut self.record;
        record.outcome = refusal.outcome;
        record.error = refusal.code.into();
        record.response_bytes = response_bytes;
        record.status = if sent == 0 { refusal.status } else { sent };
        if record.route.is_none() {
            record.timing.gate_us = elapsed_us;
        }
    }

    /// The finished record.
    pub(crate) fn finish(&mut self) -> &Record {
        self.record.timing.total_us = self.elapsed_us();
        &self.record
    }

    fn elapsed_us(&self) -> u64 {
        self.begun.elapsed().as_micros() as u64
    }
}

/// A UUID v7 (RFC 9562, section 5.7). Its random bits are drawn from the operating system for
/// many at once: one call for each is a measurable part of an exchange.
fn exchange_id(unix_ms: u64) -> Uuid {
    const BITS: usize = 10;
    thread_local! {
        static DRAWN: RefCell<([u8; 32 * BITS], usize)> = const { RefCell::new(([0; 32 * BITS], 0)) };
    }
    let random = DRAWN.with_borrow_mut(|(drawn, left)| {
        if *left == 0 {
            getrandom::fill(drawn).expect("the operating system has random bytes");
            *left = drawn.len() / BITS;
        }
        *left -= 1;
        let mut random = [0; BITS];
        random.copy_from_slice(&drawn[*left * BITS..][..BITS]);
        random
    });
    uuid::Builder::from_unix_timestamp_millis(unix_ms, &random).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn exchange_ids_differ_and_tell_their_time() {
        let ids: HashSet<Uuid> = (0..1_000).map(|_| exchange_id(1_700_000_000_123)).collect();
        assert_eq!(ids.len(), 1_000);
        for id in ids {
            assert_eq!(id.get_version_num(), 7);
            let (seconds, nanos) = id.get_timestamp().expect("a time").to_unix();
            assert_eq!((seconds, nanos), (1_700_000_000, 123_000_000));
        }
    }
}
