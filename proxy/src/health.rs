//! Active health checks, for endpoints that have one configured: what exchanges would find out,
//! found out before them.

use crate::config::Health;
use crate::egress::Egress;
use crate::endpoint::{Endpoint, State};
use crate::error::Refusal;
use crate::permit::Permit;
use std::fmt::Write as _;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

/// Asks an endpoint at its interval whether it is up, for as long as somebody holds it. An endpoint
/// without a health check is not asked.
pub async fn watch(endpoint: Weak<Endpoint>, egress: Arc<Egress>) {
    let health = endpoint.upgrade().and_then(|e| e.config().health.clone());
    let Some(health) = health else { return };
    let interval = Duration::from_millis(health.interval_ms);
    let mut failures = 0;
    loop {
        // A tenth is left to chance: gates that start together do not ask together.
        let jitter = fastrand::u64(..=health.interval_ms / 10);
        tokio::time::sleep(interval + Duration::from_millis(jitter)).await;
        let Some(endpoint) = endpoint.upgrade() else {
            return;
        };
        let asked = ask(&endpoint, &egress, &health).await;
        tell(&endpoint, &health, &mut failures, asked);
    }
}

async fn ask(endpoint: &Arc<Endpoint>, egress: &Egress, health: &Health) -> Result<(), String> {
    let told = |refusal: Refusal| refusal.code.to_string();
    let permit = Permit::probe(endpoint, &health.path).map_err(told)?;
    let limit = Duration::from_millis(health.timeout_ms);
    let forwarded = tokio::time::timeout(limit, egress.send(permit)).await;
    let forwarded = forwarded
        .map_err(|_| "no answer in time".to_string())?
        .map_err(told)?;
    let status = forwarded.status();
    forwarded.discard().await;
    match status {
        ..500 => Ok(()),
        status => Err(format!("status {status}")),
    }
}

fn tell(endpoint: &Endpoint, health: &Health, failures: &mut u32, asked: Result<(), String>) {
    let now = Instant::now();
    let Err(reason) = asked else {
        *failures = 0;
        if endpoint.breaker().readmit(now) {
            tracing::info!(endpoint = endpoint.name(), "healthy: used again");
        }
        return;
    };
    *failures = failures.saturating_add(1);
    if *failures >= health.failures_max && endpoint.breaker().eject(now).is_some() {
        tracing::warn!(endpoint = endpoint.name(), reason, "unhealthy: left alone");
    }
}

/// Endpoints that are left alone, each with the reason, for `/readyz`.
pub fn left_alone(endpoints: &[Arc<Endpoint>]) -> Vec<(String, String)> {
    let now = Instant::now();
    let told = endpoints.iter().filter_map(|endpoint| {
        let reason = match endpoint.breaker().state(now) {
            (State::Closed, _) => return None,
            (State::HalfOpen, _) => "keeps failing; the next request is a trial".to_string(),
            (State::Open, wait) => {
                format!("keeps failing; left alone for {} ms", wait.as_millis())
            }
        };
        Some((format!("endpoint {}", endpoint.name()), reason))
    });
    told.collect()
}

/// The endpoints' gauges in Prometheus' text format.
pub fn render(endpoints: &[Arc<Endpoint>], out: &mut String) {
    let now = Instant::now();
    out.push_str("# HELP tollgate_endpoint_open Whether an endpoint is left alone: 0 used, 0.5 on trial, 1 left alone.\n# TYPE tollgate_endpoint_open gauge\n");
    for endpoint in endpoints {
        let open = match endpoint.breaker().state(now).0 {
            State::Closed => "0",
            State::HalfOpen => "0.5",
            State::Open => "1",
        };
        let name = endpoint.name();
        _ = writeln!(out, "tollgate_endpoint_open{{endpoint=\"{name}\"}} {open}");
    }
    out.push_str("# HELP tollgate_endpoint_requests Requests at an endpoint whose number is bounded, and requests that wait.\n# TYPE tollgate_endpoint_requests gauge\n");
    for endpoint in endpoints {
        let Some(slots) = endpoint.slots() else {
            continue;
        };
        let (name, (taken, queued)) = (endpoint.name(), slots.used());
        for (state, n) in [("active", taken), ("queued", queued)] {
            _ = writeln!(
                out,
                "tollgate_endpoint_requests{{endpoint=\"{name}\",state=\"{state}\"}} {n}"
            );
        }
    }
}
