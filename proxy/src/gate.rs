//! What every exchange needs: made at start, shared, and replaced as a whole when the
//! configuration changes. An exchange keeps to the end the gate that it began with.

use crate::callers::{Allowances, Callers};
use crate::config::{Failover, Inspection, Limits};
use crate::egress::Egress;
use crate::endpoint::{self, Endpoint};
use crate::error::Refusal;
use crate::identity::Identity;
use crate::keys::KeyRing;
use crate::metrics::Metrics;
use crate::policy::Policy;
use crate::prompt::Prompt;
use crate::wire::{Operation, Route, WireKind};
use arc_swap::ArcSwap;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tollgate_analytics::ledger::Ledger;
use tollgate_analytics::price::PriceBook;
use tollgate_redaction::Redactor;
use tollgate_redaction::placeholder::MasterKey;
use tollgate_redaction::vault::{Vault, VaultLimits};

/// What happens to an exchange when the ledger's disk is full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnFull {
    /// It is not answered.
    #[default]
    Refuse,
    /// It is answered without a record; the log and the metrics say so each time.
    Degrade,
}

/// The gate in force.
pub type Current = ArcSwap<Gate>;

/// The gate: configuration, rules and connections.
#[derive(Clone)]
pub struct Gate {
    /// In order of preference.
    pub endpoints: Vec<Arc<Endpoint>>,
    /// What happens when one does not answer.
    pub failover: Failover,
    /// What may go where.
    pub policy: Arc<Policy>,
    /// Finds personal data and secrets.
    pub redactor: Arc<Redactor>,
    /// Whether it is asked.
    pub inspection: Inspection,
    /// Makes placeholders unguessable; kept in the data directory.
    pub master_key: Arc<MasterKey>,
    /// The callers' keys.
    pub keys: Arc<KeyRing>,
    /// What callers, teams and projects may use.
    pub allowances: Arc<Allowances>,
    /// What they have used.
    pub callers: Arc<Callers>,
    /// Where every exchange is recorded.
    pub ledger: Ledger,
    /// What happens to exchanges that it has no room for.
    pub on_full: OnFull,
    /// What tokens cost.
    pub prices: Arc<PriceBook>,
    /// The way out.
    pub egress: Arc<Egress>,
    /// The bounds of everything.
    pub limits: Limits,
    /// A place for every exchange in work.
    pub places: Arc<Semaphore>,
    /// Counters.
    pub metrics: Arc<Metrics>,
}

/// The endpoints that could answer a request, in order of preference; indices into
/// [`Gate::endpoints`].
#[derive(Clone, Debug)]
pub(crate) struct Candidates {
    /// Those that the caller may have meant.
    pub(crate) targets: Vec<usize>,
    /// Those under our own control that could answer instead.
    pub(crate) on_prem: Vec<usize>,
}

impl Candidates {
    /// Keeps those that fit.
    pub(crate) fn retain(&mut self, fits: impl Fn(usize) -> bool) {
        self.targets.retain(|&index| fits(index));
        self.on_prem.retain(|&index| fits(index));
    }
}

impl Gate {
    /// The wire of the endpoint of that name.
    pub(crate) fn wire_of(&self, name: &str) -> Option<WireKind> {
        let endpoint = self.endpoints.iter().find(|e| e.name() == name)?;
        Some(endpoint.config().wire)
    }

    /// The endpoints for a request: the one that it names by prefix, else all that serve its model.
    pub(crate) fn candidates(&self, route: &Route, prompt: &Prompt) -> Result<Candidates, Refusal> {
        let serving = |e: &Endpoint| e.serves(route.wire, route.operation);
        let mut targets: Vec<usize> = self
            .endpoints
            .iter()
            .enumerate()
            .filter(|(_, e)| match (&route.prefix, route.operation) {
                (Some(prefix), _) => e.name() == prefix && serving(e),
                (None, Operation::Models) if route.model.is_none() => serving(e),
                (None, _) => serving(e) && e.pattern(prompt.model()).is_some(),
            })
            .map(|(index, _)| index)
            .collect();
        if targets.is_empty() {
            return Err(if route.prefix.is_some() {
                Refusal::unknown_route()
            } else {
                Refusal::unknown_model()
            });
        }
        let on_prem = self.endpoints.iter().enumerate();
        let mut on_prem: Vec<usize> = on_prem
            .filter(|(_, e)| e.config().on_prem && serving(e))
            .map(|(index, _)| index)
            .collect();
        for indices in [&mut targets, &mut on_prem] {
            endpoint::order(
                indices,
                |i| self.endpoints[i].config().weight,
                |i| self.endpoints[i].is_resting(),
                |n| fastrand::u64(..n),
            );
        }
        Ok(Candidates { targets, on_prem })
    }

    /// A fresh vault for one exchange of a caller.
    pub(crate) fn vault(&self, caller: &Identity) -> Vault {
        Vault::new(
            &self.master_key.scope(&caller.scope),
            VaultLimits::default(),
        )
    }

    /// What can be recorded of the model asked for: a name that we know, never a caller's text.
    pub(crate) fn recordable_model(&self, model: &str) -> String {
        if model.is_empty() {
            return String::new();
        }
        let literal = self
            .endpoints
            .iter()
            .flat_map(|e| &e.config().models)
            .find(|p| *p == model);
        let served = || {
            self.endpoints
                .iter()
                .filter_map(|e| e.model(model))
                .find(|m| m == model)
        };
        let pattern = || {
            self.endpoints
                .iter()
                .find_map(|e| e.pattern(model))
                .map(str::to_string)
        };
        let known = self.prices.canonical_model(model).map(str::to_string);
        known
            .or_else(|| literal.cloned())
            .or_else(served)
            .or_else(pattern)
            .unwrap_or_else(|| "(unknown)".into())
    }
}
