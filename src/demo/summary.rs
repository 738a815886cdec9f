//! What the demo showed, in figures from the store's rows.

use super::leak_checker::Leak;
use super::line::Style;
use super::play::Fault;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tollgate_analytics::money::NanoUsd;
use tollgate_analytics::query::Exchange;

/// One prompt's outcome.
#[derive(Debug)]
pub struct Played {
    /// The prompt.
    pub id: String,
    /// Its row, if the store has one.
    pub row: Option<Exchange>,
    /// What is wrong with it.
    pub faults: Vec<Fault>,
}

/// Everything the demo found out.
#[derive(Debug)]
pub struct Summary<'a> {
    /// All prompts.
    pub played: &'a [Played],
    /// Planted values found in what the provider received, in the log, or in the data directory.
    pub leaks: &'a [Leak],
    /// How many values were planted.
    pub planted: usize,
    /// Requests that the provider received.
    pub received: usize,
}

impl Summary<'_> {
    /// Whether everything went as it must.
    pub fn is_sound(&self) -> bool {
        self.leaks.is_empty() && self.played.iter().all(|played| played.faults.is_empty())
    }

    fn rows(&self) -> impl Iterator<Item = &Exchange> {
        self.played.iter().filter_map(|played| played.row.as_ref())
    }

    fn by_effect(&self) -> BTreeMap<&str, usize> {
        let mut counts = BTreeMap::new();
        self.rows()
            .for_each(|row| *counts.entry(row.effect.as_str()).or_default() += 1);
        counts
    }

    fn by_entity(&self) -> BTreeMap<&str, u64> {
        let mut counts = BTreeMap::new();
        for (label, count) in self.rows().flat_map(|row| &row.findings) {
            *counts.entry(label.as_str()).or_default() += u64::from(*count);
        }
        counts
    }

    /// What the priced exchanges would have cost, and how many could not be priced.
    fn spend(&self) -> (Option<NanoUsd>, usize) {
        let unpriced = self
            .rows()
            .filter(|row| row.cost_standing == "unpriced")
            .count();
        (
            NanoUsd::checked_sum(self.rows().filter_map(Exchange::cost)),
            unpriced,
        )
    }

    /// Of the exchanges that went anywhere, those that stayed on-prem.
    fn on_prem(&self) -> (usize, usize) {
        let routed = || self.rows().filter(|row| !row.endpoint.is_empty());
        (routed().filter(|row| row.on_prem).count(), routed().count())
    }

    /// Latency that the gate added, p50 and p95 over all routed exchanges, ms.
    fn added_ms(&self) -> Option<(f64, f64)> {
        let mut gate: Vec<u64> = self
            .rows()
            .filter(|row| !row.endpoint.is_empty())
            .map(|row| row.gate_us)
            .collect();
        gate.sort_unstable();
        Some((
            percentile(&gate, 50)? as f64 / 1e3,
            percentile(&gate, 95)? as f64 / 1e3,
        ))
    }

    fn faulty(&self) -> usize {
        self.played
            .iter()
            .filter(|played| !played.faults.is_empty())
            .count()
    }

    /// For people.
    pub fn text(&self, style: Style) -> String {
        let list = |counts: Vec<String>| {
            if counts.is_empty() {
                "none".into()
            } else {
                counts.join(", ")
            }
        };
        let effects = list(
            self.by_effect()
                .iter()
                .map(|(effect, n)| format!("{n} {effect}"))
                .collect(),
        );
        let entities = list(
            self.by_entity()
                .iter()
                .map(|(label, n)| format!("{label} {n}"))
                .collect(),
        );
        let (spend, unpriced) = self.spend();
        let spend = spend.map_or("too large to add".into(), |spend| format!("{spend:.6}"));
        let unpriced = if unpriced > 0 {
            format!(", {unpriced} unpriced and not in it")
        } else {
            String::new()
        };
        let (on_prem, routed) = self.on_prem();
        let share = 100.0 * on_prem as f64 / routed.max(1) as f64;
        let added = self.added_ms().map_or("-".into(), |(p50, p95)| {
            format!("p50 {p50:.1} ms, p95 {p95:.1} ms")
        });
        let leaks = if self.leaks.is_empty() {
            format!(
                "none of {} planted values in {} requests received, nor in logs and data",
                self.planted, self.received
            )
        } else {
            style.bad(&format!("{} LEAKED", self.leaks.len()))
        };
        let checks = match self.faulty() {
            0 => "every decision as expected, every answer restored".to_string(),
            faulty => style.bad(&format!("{faulty} exchanges not as expected")),
        };
        let mut text =
            style.strong("Summary (the global provider is simulated: nothing was billed)");
        for (name, value) in [
            ("exchanges", format!("{} ({effects})", self.played.len())),
            ("findings", entities),
            ("spend at list", format!("{spend} (simulated{unpriced})")),
            (
                "stayed on-prem",
                format!("{on_prem} of {routed} answered ({share:.0} %)"),
            ),
            ("added latency", added),
            ("leak check", leaks),
            ("checks", checks),
        ] {
            text += &format!("\n  {name:<15} {value}");
        }
        for leak in self.leaks {
            text += &format!("\n  {}", style.bad(&leak.to_string()));
        }
        for played in self
            .played
            .iter()
            .filter(|played| !played.faults.is_empty())
        {
            for fault in &played.faults {
                text += &format!("\n  {}", style.bad(&format!("{}: {fault}", played.id)));
            }
        }
        text
    }

    /// For programs.
    pub fn json(&self) -> Value {
        let (spend, unpriced) = self.spend();
        let (on_prem, routed) = self.on_prem();
        let faults: Vec<Value> = self
            .played
            .iter()
            .flat_map(|played| {
                played
                    .faults
                    .iter()
                    .map(|fault| json!({"prompt": played.id, "fault": fault.to_string()}))
            })
            .collect();
        json!({
            "simulated": true,
            "exchanges": self.played.len(),
            "effects": self.by_effect(),
            "findings": self.by_entity(),
            "spend_nano_usd": spend.map(|spend| spend.0),
            "unpriced": unpriced,
            "on_prem": on_prem,
            "routed": routed,
            "added_ms": self.added_ms().map(|(p50, p95)| json!({"p50": p50, "p95": p95})),
            "planted": self.planted,
            "received": self.received,
            "leaks": self.leaks.iter().map(Leak::to_string).collect::<Vec<_>>(),
            "faults": faults,
            "sound": self.is_sound(),
        })
    }
}

/// The nearest-rank percentile of sorted values.
fn percentile(sorted: &[u64], percent: usize) -> Option<u64> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.max(1) - 1).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_occurred() {
        assert_eq!(percentile(&[], 50), None);
        assert_eq!(percentile(&[7], 95), Some(7));
        let hundred: Vec<u64> = (1..=100).collect();
        assert_eq!(
            (percentile(&hundred, 50), percentile(&hundred, 95)),
            (Some(50), Some(95))
        );
    }

    #[test]
    fn a_fault_or_a_leak_makes_the_demo_unsound() {
        let good = Played {
            id: "a".into(),
            row: None,
            faults: vec![],
        };
        let bad = Played {
            id: "b".into(),
            row: None,
            faults: vec![Fault::Unrecorded],
        };
        let of = |played: &[Played]| {
            Summary {
                played,
                leaks: &[],
                planted: 1,
                received: 0,
            }
            .is_sound()
        };
        assert!(of(&[good]));
        assert!(!of(&[bad]));
        let leak = Leak {
            planter: "a".into(),
            entity: "PERSON".into(),
            form: "plain",
            place: "x".into(),
            offset: 0,
        };
        let summary = Summary {
            played: &[],
            leaks: &[leak],
            planted: 1,
            received: 1,
        };
        assert!(!summary.is_sound());
        assert!(summary.text(Style { colour: false }).contains("1 LEAKED"));
    }
}
