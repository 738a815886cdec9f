//! What the admin listener is asked of.

use super::reload::Reloads;
use crate::ledger::Signing;
use crate::siem::Forwarder;
use crate::supervise::{self, State};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;
use tokio::sync::watch;
use tollgate_analytics::ship::ShipStatus;
use tollgate_proxy::metrics::Metrics;
use tollgate_proxy::{admin, gate, health};

/// Everything that can be asked.
pub(super) struct Status {
    pub(super) reverse: String,
    /// Everything has been up once. From then on a child that is down degrades the gate (what
    /// must stay on-prem is refused, records wait in the ledger) but does not unready it.
    pub(super) complete: AtomicBool,
    pub(super) children: Vec<(&'static str, watch::Receiver<supervise::Status>)>,
    pub(super) gate: Arc<gate::Current>,
    pub(super) reloads: Arc<Reloads>,
    pub(super) ship: watch::Receiver<ShipStatus>,
    pub(super) signing: Arc<Signing>,
    pub(super) siem: Vec<Arc<Forwarder>>,
    pub(super) metrics: Arc<Metrics>,
}

impl admin::Status for Status {
    fn not_ready(&self) -> Vec<(String, String)> {
        if self.complete.load(Relaxed) {
            return Vec::new();
        }
        // pingora does not say when it listens; a connection does.
        let listens = self.reverse.parse().is_ok_and(|address| {
            TcpStream::connect_timeout(&address, Duration::from_millis(500)).is_ok()
        });
        if !listens {
            return vec![("gateway".into(), "starting".into())];
        }
        let down = self
            .children
            .iter()
            .filter_map(|(name, status)| match &status.borrow().state {
                State::Healthy => None,
                State::Starting => Some(((*name).to_string(), "starting".to_string())),
                State::Down { reason, .. } => Some(((*name).to_string(), reason.clone())),
                State::Stopped { .. } => Some(((*name).to_string(), "stopped".to_string())),
            });
        let down: Vec<_> = down.collect();
        self.complete.store(down.is_empty(), Relaxed);
        down
    }

    fn degraded(&self) -> Vec<(String, String)> {
        let mut parts = health::left_alone(&self.gate.load().endpoints);
        parts.extend(self.reloads.degraded());
        parts
    }

    fn reloads(&self) -> String {
        self.reloads.json(&self.gate.load())
    }

    fn metrics(&self) -> String {
        use std::fmt::Write as _;
        let mut text = self.metrics.render();
        text.push_str("# HELP tollgate_child_up Whether a child process is healthy.\n# TYPE tollgate_child_up gauge\n");
        for (name, status) in &self.children {
            let up = u8::from(status.borrow().state == State::Healthy);
            _ = writeln!(text, "tollgate_child_up{{child=\"{name}\"}} {up}");
        }
        health::render(&self.gate.load().endpoints, &mut text);
        self.gate.load().callers.render(&mut text);
        self.reloads.render(&mut text);
        self.signing.render(&mut text);
        Forwarder::render(&self.siem, &mut text);
        let ship = self.ship.borrow().clone();
        _ = writeln!(
            text,
            "# HELP tollgate_ship_lag_records Records in the ledger that the store has not got.\n# TYPE tollgate_ship_lag_records gauge\ntollgate_ship_lag_records {}",
            ship.lag()
        );
        text
    }
}
