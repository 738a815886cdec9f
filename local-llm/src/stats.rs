//! Counters of the engine, and how Prometheus reads them. Labels are fixed; nothing of a request
//! can appear.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Counters of the engine since it started.
#[derive(Debug, Default)]
pub struct Stats {
    pub(crate) slots: AtomicU64,
    pub(crate) slots_busy: AtomicU64,
    pub(crate) queue_waiting: AtomicU64,
    pub(crate) completed: AtomicU64,
    pub(crate) cancelled: AtomicU64,
    pub(crate) failed: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) prompt_tokens: AtomicU64,
    pub(crate) completion_tokens: AtomicU64,
    pub(crate) compute_us: AtomicU64,
    pub(crate) steps: AtomicU64,
}

impl Stats {
    /// Requests being worked on.
    pub fn slots_busy(&self) -> u64 {
        self.slots_busy.load(Relaxed)
    }

    /// Requests waiting for a slot.
    pub fn queue_waiting(&self) -> u64 {
        self.queue_waiting.load(Relaxed)
    }

    /// Requests answered to their end.
    pub fn completed(&self) -> u64 {
        self.completed.load(Relaxed)
    }

    /// Requests whose caller left.
    pub fn cancelled(&self) -> u64 {
        self.cancelled.load(Relaxed)
    }

    /// Prompt tokens computed.
    pub fn prompt_tokens(&self) -> u64 {
        self.prompt_tokens.load(Relaxed)
    }

    /// Tokens generated.
    pub fn completion_tokens(&self) -> u64 {
        self.completion_tokens.load(Relaxed)
    }

    pub(crate) fn step(&self, elapsed: Duration) {
        self.steps.fetch_add(1, Relaxed);
        self.compute_us
            .fetch_add(elapsed.as_micros() as u64, Relaxed);
    }

    /// The counters in Prometheus' text format, version 0.0.4.
    pub fn prometheus(&self) -> String {
        let mut out = String::new();
        let mut metric = |name: &str, kind: &str, help: &str, series: &[(&str, f64)]| {
            // Writing to a String cannot fail.
            let _ = writeln!(out, "# HELP tollgate_local_llm_{name} {help}");
            let _ = writeln!(out, "# TYPE tollgate_local_llm_{name} {kind}");
            for (labels, value) in series {
                let _ = writeln!(out, "tollgate_local_llm_{name}{labels} {value}");
            }
        };
        let read = |counter: &AtomicU64| counter.load(Relaxed) as f64;
        metric(
            "slots",
            "gauge",
            "Requests that can be worked on together.",
            &[("", read(&self.slots))],
        );
        metric(
            "slots_busy",
            "gauge",
            "Requests being worked on.",
            &[("", read(&self.slots_busy))],
        );
        metric(
            "queue_waiting",
            "gauge",
            "Requests waiting.",
            &[("", read(&self.queue_waiting))],
        );
        metric(
            "requests_total",
            "counter",
            "Requests by how they ended.",
            &[
                ("{outcome=\"completed\"}", read(&self.completed)),
                ("{outcome=\"cancelled\"}", read(&self.cancelled)),
                ("{outcome=\"failed\"}", read(&self.failed)),
                ("{outcome=\"refused\"}", read(&self.refused)),
            ],
        );
        metric(
            "tokens_total",
            "counter",
            "Tokens computed.",
            &[
                ("{kind=\"prompt\"}", read(&self.prompt_tokens)),
                ("{kind=\"completion\"}", read(&self.completion_tokens)),
            ],
        );
        metric(
            "steps_total",
            "counter",
            "Batches computed.",
            &[("", read(&self.steps))],
        );
        let seconds = read(&self.compute_us) / 1e6;
        metric(
            "compute_seconds_total",
            "counter",
            "Time spent computing.",
            &[("", seconds)],
        );
        out
    }
}
