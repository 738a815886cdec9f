//! What callers may use: rates, requests at once, models, endpoints and budgets, on three levels.
//!
//! A key, its team and its project each may have an [`Allowance`], and all of them hold. What was
//! used is counted here and outlives reloads; what is allowed is told anew by the configuration in
//! force. An [`Admission`] is one exchange's share of all that.

mod admission;
mod allowance;
mod budget;
mod headers;
mod rate;

pub(crate) use admission::Admission;
pub use allowance::{Allowance, Allowances, Level};
pub use budget::{Budget, BudgetEvent, Month, Spending};

use rate::Rate;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// What callers have used.
pub struct Callers {
    /// What times are counted from.
    epoch: Instant,
    /// By level; one for each name that was bounded at some time, and names are those of keys.
    meters: [Mutex<HashMap<String, Arc<Meter>>>; 3],
    /// Refusals by level and code.
    refused: Mutex<BTreeMap<(Level, &'static str), u64>>,
    spending: Spending,
    /// Hears of budgets.
    listener: Option<mpsc::Sender<BudgetEvent>>,
}

/// What one caller, team or project has used.
#[derive(Debug, Default)]
struct Meter {
    requests: Rate,
    tokens: Rate,
    active: AtomicU32,
}

impl Callers {
    /// With what was spent before. Events of budgets go to the log and to `listener`; what it has
    /// no room for is lost there.
    pub fn new(spending: Spending, listener: Option<mpsc::Sender<BudgetEvent>>) -> Callers {
        Callers {
            epoch: Instant::now(),
            meters: Default::default(),
            refused: Mutex::default(),
            spending,
            listener,
        }
    }

    fn tell(&self, event: BudgetEvent) {
        let BudgetEvent {
            level,
            name,
            month,
            percent,
            spent_usd,
            budget_usd,
            ..
        } = &event;
        tracing::warn!(
            level,
            name,
            month,
            percent,
            spent_usd,
            budget_usd,
            "a budget was spent so far"
        );
        if let Some(listener) = &self.listener
            && listener.try_send(event).is_err()
        {
            tracing::error!("an event of a budget found no room and is in this log only");
        }
    }

    fn now(&self) -> Duration {
        self.epoch.elapsed()
    }

    fn meter(&self, level: Level, name: &str) -> Arc<Meter> {
        let mut meters = self.meters[level as usize]
            .lock()
            .expect("no panic while held");
        match meters.get(name) {
            Some(meter) => Arc::clone(meter),
            None => Arc::clone(meters.entry(name.to_owned()).or_default()),
        }
    }

    fn count_refusal(&self, level: Level, code: &'static str) {
        let mut refused = self.refused.lock().expect("no panic while held");
        *refused.entry((level, code)).or_default() += 1;
    }

    /// In Prometheus' text format.
    pub fn render(&self, out: &mut String) {
        out.push_str("# HELP tollgate_limited_total Requests refused because of what a caller, its team or its project may use.\n# TYPE tollgate_limited_total counter\n");
        for ((level, code), n) in &*self.refused.lock().expect("no panic while held") {
            let level = level.as_str();
            _ = writeln!(
                out,
                "tollgate_limited_total{{level=\"{level}\",limit=\"{code}\"}} {n}"
            );
        }
        self.spending.render(out);
    }
}
