//! Counters for `/metrics`, in Prometheus' text format. Labels are our own words only.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use tollgate_analytics::record::{Cost, Record};

/// Upper bounds of the gate's own time, microseconds.
const BUCKETS_US: [u64; 14] = [
    50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000,
    10_000_000,
];

type Labels = (String, &'static str, &'static str, u16);

/// The gateway's counters.
#[derive(Default)]
pub struct Metrics {
    /// Exchanges in work.
    pub in_flight: AtomicI64,
    /// Exchanges answered without a record because the disk is full.
    pub unrecorded: AtomicU64,
    /// By endpoint, effect, outcome and status.
    exchanges: Mutex<BTreeMap<Labels, u64>>,
    findings: Mutex<BTreeMap<String, u64>>,
    tokens: Mutex<BTreeMap<(String, &'static str), u64>>,
    spend_nano_usd: AtomicI64,
    /// By what was missing.
    unpriced: Mutex<BTreeMap<String, u64>>,
    /// Attempts by endpoint and how they ended.
    attempts: Mutex<BTreeMap<(String, &'static str), u64>>,
    gate_us: [AtomicU64; BUCKETS_US.len()],
    gate_us_sum: AtomicU64,
    gate_us_count: AtomicU64,
    inspect_cpu_us: AtomicU64,
}

impl Metrics {
    /// Counts a recorded exchange.
    pub fn count(&self, record: &Record) {
        let endpoint = record
            .route
            .as_ref()
            .map_or(String::new(), |r| r.endpoint.clone());
        let key = (
            endpoint.clone(),
            record.decision.effect.as_str(),
            record.outcome.as_str(),
            record.status,
        );
        *self
            .exchanges
            .lock()
            .expect("no panic while held")
            .entry(key)
            .or_default() += 1;
        let mut findings = self.findings.lock().expect("no panic while held");
        for (entity, count) in &record.findings {
            *findings.entry(entity.clone()).or_default() += u64::from(*count);
        }
        drop(findings);
        if let Some(usage) = &record.usage {
            let mut tokens = self.tokens.lock().expect("no panic while held");
            *tokens.entry((endpoint.clone(), "input")).or_default() += usage.input;
            *tokens.entry((endpoint, "output")).or_default() += usage.output;
        }
        match &record.cost {
            Cost::Priced { nano_usd, .. } => _ = self.spend_nano_usd.fetch_add(*nano_usd, Relaxed),
            Cost::Unpriced { missing } => {
                let mut unpriced = self.unpriced.lock().expect("no panic while held");
                *unpriced.entry(missing.clone()).or_default() += 1;
            }
            Cost::Free => {}
        }
        let gate_us = record.timing.gate_us;
        for (bucket, bound) in self.gate_us.iter().zip(BUCKETS_US) {
            if gate_us <= bound {
                bucket.fetch_add(1, Relaxed);
            }
        }
        self.gate_us_sum.fetch_add(gate_us, Relaxed);
        self.gate_us_count.fetch_add(1, Relaxed);
        self.inspect_cpu_us
            .fetch_add(record.timing.inspect_cpu_us, Relaxed);
    }

    /// Counts an attempt at an endpoint by how it ended.
    pub fn attempt(&self, endpoint: &str, result: &'static str) {
        let mut attempts = self.attempts.lock().expect("no panic while held");
        // Most attempts are of a kind that was counted before: no name is copied then.
        let counted = attempts
            .iter_mut()
            .find(|((name, kind), _)| name == endpoint && *kind == result);
        match counted {
            Some((_, n)) => *n += 1,
            None => _ = attempts.insert((endpoint.to_owned(), result), 1),
        }
    }

    /// The text that `/metrics` answers.
    pub fn render(&self) -> String {
        let mut out = String::new();
        let mut family = |name: &str, kind: &str, help: &str, lines: Vec<(String, String)>| {
            _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
            for (labels, value) in lines {
                _ = writeln!(out, "{name}{labels} {value}");
            }
        };
        let exchanges = self.exchanges.lock().expect("no panic while held").iter().map(|((endpoint, effect, outcome, status), n)| {
            (format!("{{endpoint=\"{endpoint}\",effect=\"{effect}\",outcome=\"{outcome}\",status=\"{status}\"}}"), n.to_string())
        }).collect();
        family(
            "tollgate_exchanges_total",
            "counter",
            "Exchanges recorded.",
            exchanges,
        );
        let findings = self
            .findings
            .lock()
            .expect("no panic while held")
            .iter()
            .map(|(entity, n)| (format!("{{entity=\"{entity}\"}}"), n.to_string()))
            .collect();
        family(
            "tollgate_findings_total",
            "counter",
            "Findings in requests.",
            findings,
        );
        let tokens = self
            .tokens
            .lock()
            .expect("no panic while held")
            .iter()
            .map(|((endpoint, kind), n)| {
                (
                    format!("{{endpoint=\"{endpoint}\",type=\"{kind}\"}}"),
                    n.to_string(),
                )
            })
            .collect();
        family(
            "tollgate_tokens_total",
            "counter",
            "Tokens, as endpoints told them.",
            tokens,
        );
        let unpriced = self.unpriced.lock().expect("no panic while held");
        // One series is there from the start, so that an alarm finds the name.
        let mut unpriced: Vec<_> = unpriced
            .iter()
            .map(|(missing, n)| (format!("{{missing=\"{missing}\"}}"), n.to_string()))
            .collect();
        if unpriced.is_empty() {
            unpriced.push(("{missing=\"model\"}".to_owned(), "0".to_owned()));
        }
        let attempts = self.attempts.lock().expect("no panic while held");
        let attempts = attempts.iter().map(|((endpoint, result), n)| {
            let labels = format!("{{endpoint=\"{endpoint}\",result=\"{result}\"}}");
            (labels, n.to_string())
        });
        family(
            "tollgate_attempts_total",
            "counter",
            "Attempts at endpoints by how they ended; an exchange has one or more.",
            attempts.collect(),
        );
        let one = |value: String| vec![(String::new(), value)];
        family(
            "tollgate_unrecorded_total",
            "counter",
            "Exchanges answered without a record: the ledger's disk is full.",
            one(self.unrecorded.load(Relaxed).to_string()),
        );
        family(
            "tollgate_spend_nanousd_total",
            "counter",
            "Spend on tokens, nano-USD.",
            one(self.spend_nano_usd.load(Relaxed).to_string()),
        );
        family(
            "tollgate_unpriced_total",
            "counter",
            "Exchanges that could not be priced, by what was missing.",
            unpriced,
        );
        family(
            "tollgate_inspect_cpu_microseconds_total",
            "counter",
            "CPU time of inspections.",
            one(self.inspect_cpu_us.load(Relaxed).to_string()),
        );
        family(
            "tollgate_in_flight",
            "gauge",
            "Exchanges in work.",
            one(self.in_flight.load(Relaxed).to_string()),
        );
        _ = writeln!(
            out,
            "# HELP tollgate_gate_seconds Time that the gate added before the request left.\n# TYPE tollgate_gate_seconds histogram"
        );
        for (bucket, bound) in self.gate_us.iter().zip(BUCKETS_US) {
            _ = writeln!(
                out,
                "tollgate_gate_seconds_bucket{{le=\"{}\"}} {}",
                bound as f64 / 1e6,
                bucket.load(Relaxed)
            );
        }
        let count = self.gate_us_count.load(Relaxed);
        _ = writeln!(out, "tollgate_gate_seconds_bucket{{le=\"+Inf\"}} {count}");
        _ = writeln!(
            out,
            "tollgate_gate_seconds_sum {}",
            self.gate_us_sum.load(Relaxed) as f64 / 1e6
        );
        _ = writeln!(out, "tollgate_gate_seconds_count {count}");
        out
    }
}
