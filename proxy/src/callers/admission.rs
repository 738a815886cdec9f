//! One exchange's share of what its caller may use.
//!
//! ```text
//!  enter                     read                                            settle, spent
//!  requests, at once ──────► model, endpoints, budget, tokens by estimate ──► tokens, money
//! ```
//!
//! What is taken is given back where it was not used: a request that another level refuses, tokens
//! of an exchange that never left. Whatever way the exchange ends, its place is free again when
//! this is dropped.

use super::{Allowance, Allowances, Callers, Level, Meter, Month, headers};
use crate::error::Refusal;
use crate::gate::{Candidates, Gate};
use crate::identity::Identity;
use crate::prompt::Prompt;
use crate::wire::{Operation, Route, WireKind};
use http::{HeaderName, HeaderValue};
use jiff::Timestamp;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use tollgate_analytics::record::Record;

/// What an exchange holds of its caller's, its team's and its project's allowance.
pub(crate) struct Admission<'g> {
    callers: &'g Callers,
    held: Vec<Held>,
    /// Tokens taken and not settled.
    reserved: u64,
    /// Something has left for an endpoint: what was reserved counts as used.
    sent: bool,
}

struct Held {
    level: Level,
    name: String,
    allowance: Arc<Allowance>,
    meter: Arc<Meter>,
    /// Whether it has a place among those at once.
    active: bool,
}

impl<'g> Admission<'g> {
    /// Of a caller that has used nothing yet.
    pub(crate) fn new(callers: &'g Callers, allowances: &Allowances, caller: &Identity) -> Self {
        let names = [&caller.name, &caller.team, &caller.project];
        let held = Level::ALL
            .into_iter()
            .zip(names)
            .filter_map(|(level, name)| {
                if name.is_empty() {
                    return None;
                }
                let own = caller.allowance.as_ref();
                let own = own.filter(|_| level == Level::Caller);
                Some(Held {
                    name: name.clone(),
                    level,
                    allowance: allowances.of(level, name, own)?,
                    meter: callers.meter(level, name),
                    active: false,
                })
            });
        Admission {
            callers,
            held: held.collect(),
            reserved: 0,
            sent: false,
        }
    }

    /// Takes one request and a place on every level.
    ///
    /// # Errors
    /// 429 when one of them has none.
    pub(crate) fn enter(&mut self) -> Result<(), Refusal> {
        for index in 0..self.held.len() {
            let held = &mut self.held[index];
            if let Some(max) = held.allowance.requests_max {
                let more = |n: u32| (n < max.get()).then_some(n + 1);
                let taken = held.meter.active.fetch_update(Relaxed, Relaxed, more);
                held.active = taken.is_ok();
                if taken.is_err() {
                    let refusal = Refusal::requests_at_once(held.level.as_str(), max.get());
                    return Err(self.refuse(index, refusal));
                }
            }
        }
        let now = self.callers.now();
        for (index, held) in self.held.iter().enumerate() {
            let Some(limit) = held.allowance.requests_per_minute else {
                continue;
            };
            if let Err(wait) = held.meter.requests.take(limit.get(), 1, now) {
                for held in &self.held[..index] {
                    if let Some(limit) = held.allowance.requests_per_minute {
                        held.meter.requests.refund(limit.get(), 1);
                    }
                }
                let level = held.level.as_str();
                let refusal = Refusal::requests_per_minute(level, limit.get(), wait);
                return Err(self.refuse(index, refusal));
            }
        }
        Ok(())
    }

    /// Checks the model asked for, leaves only endpoints that may answer, and takes the request's
    /// tokens as estimated.
    ///
    /// # Errors
    /// 403 for a model or for endpoints that are not allowed; 429 when a budget is spent and no
    /// on-prem endpoint was asked, or there are too few tokens now; 413 when there never are enough.
    pub(crate) fn read(
        &mut self,
        gate: &Gate,
        route: &Route,
        prompt: &Prompt,
        tokens: u64,
        at: Timestamp,
        candidates: &mut Candidates,
    ) -> Result<(), Refusal> {
        for index in 0..self.held.len() {
            let held = &self.held[index];
            let level = held.level.as_str();
            let asks = route.operation != Operation::Models;
            if asks && !held.allowance.allows_model(prompt.model()) {
                return Err(self.refuse(index, Refusal::model_not_allowed(level)));
            }
            let may = |i: usize| held.allowance.allows_endpoint(gate.endpoints[i].name());
            candidates.retain(may);
            if candidates.targets.is_empty() {
                return Err(self.refuse(index, Refusal::endpoint_not_allowed(level)));
            }
            let Some(budget) = held.allowance.budget.filter(|_| asks) else {
                continue;
            };
            let spending = &self.callers.spending;
            if spending.is_spent(held.level, &held.name, budget, at) {
                // What is ours costs no tokens.
                candidates.retain(|i| gate.endpoints[i].config().on_prem);
                if candidates.targets.is_empty() {
                    let refusal = Refusal::budget_spent(level, budget.usd, Month::of(at));
                    return Err(self.refuse(index, refusal));
                }
            }
        }
        self.reserve(tokens)
    }

    fn reserve(&mut self, tokens: u64) -> Result<(), Refusal> {
        let now = self.callers.now();
        for (index, held) in self.held.iter().enumerate() {
            let Some(limit) = held.allowance.tokens_per_minute else {
                continue;
            };
            let level = held.level.as_str();
            let refusal = match held.meter.tokens.take(limit.get(), tokens, now) {
                Ok(()) => continue,
                Err(_) if tokens > limit.get() => Refusal::tokens_over_limit(level, limit.get()),
                Err(wait) => Refusal::tokens_per_minute(level, limit.get(), wait),
            };
            self.give_back(index, tokens);
            return Err(self.refuse(index, refusal));
        }
        self.reserved = tokens;
        Ok(())
    }

    /// Gives tokens back to the first so many levels.
    fn give_back(&self, levels: usize, tokens: u64) {
        for held in &self.held[..levels] {
            if let Some(limit) = held.allowance.tokens_per_minute {
                held.meter.tokens.refund(limit.get(), tokens);
            }
        }
    }

    /// An endpoint has answered: from here on the tokens count, whether they are told or not.
    pub(crate) fn sent(&mut self) {
        self.sent = true;
    }

    /// The tokens that the exchange used after all.
    pub(crate) fn settle(&mut self, tokens: u64) {
        let now = self.callers.now();
        let reserved = std::mem::take(&mut self.reserved);
        for held in &self.held {
            let Some(limit) = held.allowance.tokens_per_minute else {
                continue;
            };
            match tokens.checked_sub(reserved) {
                Some(more) => held.meter.tokens.charge(limit.get(), more, now),
                None => held.meter.tokens.refund(limit.get(), reserved - tokens),
            }
        }
    }

    /// The exchange is on record with what it cost.
    pub(crate) fn spent(&self, record: &Record) {
        let budget = |level| {
            let held = self.held.iter().find(|held| held.level == level);
            held.and_then(|held| held.allowance.budget)
        };
        for event in self.callers.spending.add(record, budget) {
            self.callers.tell(event);
        }
    }

    /// What is left, for the answer's head, in the words of the caller's wire. On each kind of
    /// limit the level with the least left is told.
    pub(crate) fn headers(&self, wire: WireKind, at: Timestamp) -> Vec<(HeaderName, HeaderValue)> {
        let now = self.callers.now();
        let requests = self.held.iter().filter_map(|held| {
            let limit = held.allowance.requests_per_minute?.get();
            let (left, reset) = held.meter.requests.left(limit, now);
            Some(headers::Left { limit, left, reset })
        });
        let tokens = self.held.iter().filter_map(|held| {
            let limit = held.allowance.tokens_per_minute?.get();
            let (left, reset) = held.meter.tokens.left(limit, now);
            Some(headers::Left { limit, left, reset })
        });
        let requests = requests.min_by_key(|told| told.left);
        let tokens = tokens.min_by_key(|told| told.left);
        headers::of(wire, at, requests, tokens)
    }

    fn refuse(&self, index: usize, refusal: Refusal) -> Refusal {
        self.callers
            .count_refusal(self.held[index].level, refusal.code);
        refusal
    }
}

impl Drop for Admission<'_> {
    fn drop(&mut self) {
        if !self.sent {
            self.give_back(self.held.len(), self.reserved);
        }
        for held in self.held.iter().filter(|held| held.active) {
            held.meter.active.fetch_sub(1, Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::callers::Spending;
    use std::collections::BTreeMap;

    fn allowances(text: &str) -> Allowances {
        let all: BTreeMap<String, BTreeMap<String, Allowance>> =
            toml::from_str(text).expect("valid");
        let none = BTreeMap::new();
        let tables = Level::ALL.map(|level| all.get(level.as_str()).unwrap_or(&none));
        Allowances::new(tables, &[]).expect("valid")
    }

    fn caller(name: &str, team: &str) -> Identity {
        Identity {
            name: name.into(),
            team: team.into(),
            project: String::new(),
            allowance: None,
            scope: String::new(),
            credential: None,
        }
    }

    #[test]
    fn a_team_shares_what_it_has_and_a_refusal_costs_nothing() {
        let callers = Callers::new(Spending::default(), None);
        let all =
            allowances("[caller.a]\nrequests_per_minute = 10\n[team.t]\nrequests_per_minute = 3\n");
        let enter = |name| Admission::new(&callers, &all, &caller(name, "t")).enter();
        for name in ["a", "b", "a"] {
            assert!(enter(name).is_ok());
        }
        let refused = enter("a").expect_err("the team has used its three");
        assert_eq!((refused.status, refused.code), (429, "requests_per_minute"));
        assert_eq!(refused.retry_after_s, Some(20));
        assert!(refused.message.contains("team") && refused.message.contains('3'));
        let (left, _) = callers
            .meter(Level::Caller, "a")
            .requests
            .left(10, callers.now());
        assert_eq!(left, 8, "what the team refused is not the caller's");
        let mut text = String::new();
        callers.render(&mut text);
        let line = "tollgate_limited_total{level=\"team\",limit=\"requests_per_minute\"} 1";
        assert!(text.contains(line), "{text}");
    }

    #[test]
    fn a_place_is_free_again_however_an_exchange_ends() {
        let callers = Callers::new(Spending::default(), None);
        let all = allowances("[caller.\"*\"]\nrequests_max = 2\n[team.t]\nrequests_max = 2\n");
        let new = |name| Admission::new(&callers, &all, &caller(name, "t"));
        let (mut one, mut two, mut three) = (new("a"), new("b"), new("a"));
        assert!(one.enter().is_ok() && two.enter().is_ok());
        let refused = three.enter().expect_err("the team has two");
        assert_eq!((refused.status, refused.code), (429, "requests_at_once"));
        drop(three);
        drop(one);
        assert!(new("a").enter().is_ok());
        drop(two);
        let active = |level, name| callers.meter(level, name).active.load(Relaxed);
        assert_eq!(
            (active(Level::Team, "t"), active(Level::Caller, "a")),
            (0, 0)
        );
    }

    #[test]
    fn tokens_are_taken_by_estimate_and_settled_by_usage() {
        let callers = Callers::new(Spending::default(), None);
        let all = allowances("[team.t]\ntokens_per_minute = 1000\n");
        let new = || Admission::new(&callers, &all, &caller("a", "t"));
        let left = || {
            callers
                .meter(Level::Team, "t")
                .tokens
                .left(1000, callers.now())
                .0
        };
        let roughly = |expected: u64| {
            let left = left();
            assert!((expected..expected + 20).contains(&left), "{left}");
        };
        let mut answered = new();
        answered.reserve(400).expect("room");
        answered.sent();
        answered.settle(100);
        drop(answered);
        roughly(900);

        let mut blocked = new();
        blocked.reserve(400).expect("room");
        drop(blocked);
        roughly(900);

        // A caller that leaves early is not cheaper for it.
        let mut left_early = new();
        left_early.reserve(300).expect("room");
        left_early.sent();
        drop(left_early);
        roughly(600);

        let mut long = new();
        long.reserve(200).expect("room");
        long.sent();
        long.settle(1_200);
        drop(long);
        let refused = new().reserve(100).expect_err("in debt");
        assert_eq!((refused.status, refused.code), (429, "tokens_per_minute"));
        assert!(
            refused
                .retry_after_s
                .is_some_and(|s| (41..=42).contains(&s))
        );
        let never = new().reserve(1_001).expect_err("more than there is");
        assert_eq!((never.status, never.retry_after_s), (413, None));
    }
}
