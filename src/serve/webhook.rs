//! Tells an HTTP endpoint of the organization's of budgets that are being spent.
//!
//! One event is one POST of JSON. One that fails is tried again a few times and then given up:
//! the log and the metrics have it all the same, and exchanges never wait for it.

use crate::exit::Failure;
use serde::Deserialize;
use std::time::Duration;
use tokio::sync::mpsc;
use tollgate_proxy::callers::BudgetEvent;
use tollgate_proxy::{Secret, credential};

/// Events that may wait; more are in the log only.
pub(super) const WAITING_MAX: usize = 256;
/// For one try.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Tries of one event, and the pause before the second, doubled with each.
const TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_secs(1);

/// `[budget]`: who hears of budgets of which 50, 80 or 100 % were spent, besides log and metrics.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// An HTTP URL; empty: nobody.
    pub webhook: String,
    /// What it wants to be shown as a bearer token: `env:NAME` or `file:PATH`.
    pub token: Option<String>,
}

impl Settings {
    /// What is wrong with a value, if something is.
    pub fn fault(&self) -> Option<String> {
        let url = reqwest::Url::parse(&self.webhook);
        let sound = url.is_ok_and(|url| {
            let plain = url.username().is_empty() && url.password().is_none();
            plain && matches!(url.scheme(), "http" | "https")
        });
        (!self.webhook.is_empty() && !sound).then(|| {
            "budget.webhook: expected an HTTP URL without credentials; a token goes into `token`"
                .into()
        })
    }
}

/// An endpoint that hears of events.
pub(super) struct Webhook {
    client: reqwest::Client,
    url: String,
    token: Option<Secret>,
}

impl Webhook {
    /// The one configured, if there is one.
    ///
    /// # Errors
    /// When its token cannot be read.
    pub(super) fn new(settings: &Settings) -> Result<Option<Webhook>, Failure> {
        if settings.webhook.is_empty() {
            return Ok(None);
        }
        let token = settings.token.as_deref().map(credential::read).transpose();
        let token = token.map_err(|e| Failure::usage(format!("budget.token: {e}")))?;
        let client = reqwest::Client::builder().timeout(TIMEOUT).build();
        Ok(Some(Webhook {
            client: client.map_err(Failure::new)?,
            url: settings.webhook.clone(),
            token,
        }))
    }

    /// Delivers events one after the other until there will be no more.
    pub(super) async fn run(self, events: mpsc::Receiver<BudgetEvent>) {
        self.run_with(events, PAUSE).await;
    }

    async fn run_with(self, mut events: mpsc::Receiver<BudgetEvent>, first_pause: Duration) {
        while let Some(event) = events.recv().await {
            let mut pause = first_pause;
            for attempt in 1..=TRIES {
                let Err(error) = self.deliver(&event).await else {
                    break;
                };
                // Neither URL nor token is in what this says.
                let error = error.without_url();
                if attempt == TRIES {
                    tracing::error!(%error, "an event of a budget was not delivered and is given up");
                } else {
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                }
            }
        }
    }

    async fn deliver(&self, event: &BudgetEvent) -> Result<(), reqwest::Error> {
        let mut body = serde_json::json!(event);
        body["event"] = "budget".into();
        let mut request = self.client.post(&self.url).json(&body);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token.expose());
        }
        request.send().await?.error_for_status().map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::StatusCode;
    use axum::routing::post;
    use std::sync::{Arc, Mutex};

    #[test]
    fn a_url_is_checked() {
        for (webhook, sound) in [
            ("", true),
            ("https://hooks.example.org/x", true),
            ("ftp://example.org", false),
            ("https://me:x@example.org", false),
            ("example.org", false),
        ] {
            let settings = Settings {
                webhook: webhook.into(),
                token: None,
            };
            assert_eq!(settings.fault().is_none(), sound, "{webhook}");
        }
    }

    #[tokio::test]
    async fn an_event_is_tried_again_and_given_up_after_a_few_times() {
        let got = Arc::new(Mutex::new(Vec::<serde_json::Value>::new()));
        let seen = Arc::clone(&got);
        let app = axum::Router::new().route(
            "/",
            post(async move |body: axum::Json<serde_json::Value>| {
                let mut seen = seen.lock().unwrap();
                seen.push(body.0);
                // All tries of the first, two of the second.
                match seen.len() {
                    1..=7 => StatusCode::BAD_GATEWAY,
                    _ => StatusCode::NO_CONTENT,
                }
            }),
        );
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let settings = Settings {
            webhook: format!("http://{}/", listener.local_addr().unwrap()),
            token: None,
        };
        tokio::spawn(async move { axum::serve(listener, app).await });
        let event = |percent| BudgetEvent {
            level: "team",
            name: "a".into(),
            month: "2026-11".into(),
            percent,
            spent_usd: "5".into(),
            budget_usd: "10".into(),
            hard: true,
        };
        let (sender, events) = mpsc::channel(4);
        for percent in [50, 80] {
            sender.send(event(percent)).await.unwrap();
        }
        drop(sender);
        let webhook = Webhook::new(&settings).unwrap().unwrap();
        webhook.run_with(events, Duration::from_millis(2)).await;
        let got = got.lock().unwrap();
        let percents: Vec<_> = got.iter().map(|e| e["percent"].as_u64().unwrap()).collect();
        assert_eq!(percents, [50, 50, 50, 50, 50, 80, 80, 80]);
        assert_eq!(got[0]["event"], "budget");
    }
}
