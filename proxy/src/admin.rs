//! The admin listener: health, readiness, metrics, what was reloaded. No request here ever shows content.

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use std::future::Future;
use std::sync::Arc;

/// What readiness and metrics are asked of.
pub trait Status: Send + Sync + 'static {
    /// Parts that are not ready, each with its reason; empty when all are.
    fn not_ready(&self) -> Vec<(String, String)>;
    /// Parts without which the gate works, each with what is the matter.
    fn degraded(&self) -> Vec<(String, String)>;
    /// Prometheus text.
    fn metrics(&self) -> String;
    /// What of the configuration is in force, and what was wrong with what is not: JSON.
    fn reloads(&self) -> String;
}

/// Serves the admin listener until `stop` resolves.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    listener: tokio::net::TcpListener,
    status: Arc<dyn Status>,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let (ready, reloads) = (Arc::clone(&status), Arc::clone(&status));
    let router = Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(move || async move { readiness(&*ready) }))
        .route(
            "/reload",
            get(move || async move {
                let json = [(header::CONTENT_TYPE, "application/json")];
                (json, reloads.reloads())
            }),
        )
        .route(
            "/metrics",
            get(move || async move {
                (
                    [(header::CONTENT_TYPE, "text/plain; version=0.0.4")],
                    status.metrics(),
                )
            }),
        );
    axum::serve(listener, router)
        .with_graceful_shutdown(stop)
        .await
}

fn readiness(status: &dyn Status) -> impl IntoResponse + use<> {
    let lines = |parts: Vec<(String, String)>| -> String {
        let line = |(part, reason): &(String, String)| format!("{part}: {reason}\n");
        parts.iter().map(line).collect()
    };
    let missing = status.not_ready();
    if missing.is_empty() {
        return (
            StatusCode::OK,
            format!("ready\n{}", lines(status.degraded())),
        );
    }
    (StatusCode::SERVICE_UNAVAILABLE, lines(missing))
}
