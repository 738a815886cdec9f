//! The one server of this binary, and how cases speak to it.
//!
//! Cases take turns, because what else is in a batch can change the last digits of a logit and
//! with them, rarely, a token.

use serde_json::{Value, json};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use tokio::sync::{Mutex, MutexGuard};
use tollgate_local_llm::{Config, Secret, serve};

pub(crate) const MODEL: &str = "smollm2-test";
pub(crate) const TOKEN: &str = "a-token-of-the-tests";

pub(crate) fn config() -> Config {
    let runtime = std::env::var_os("TOLLGATE_RUNTIME").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.runtime")),
        PathBuf::from,
    );
    Config {
        model: runtime.join("smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"),
        name: MODEL.into(),
        context_tokens: 512,
        slots: 2,
        queue_max: 1,
        threads: 1,
        api_token: Some(Secret::new(TOKEN)),
        ..Config::default()
    }
}

/// The server, for as long as nobody else uses it.
pub(crate) struct Server {
    pub(crate) url: String,
    pub(crate) http: reqwest::Client,
    _turn: MutexGuard<'static, ()>,
}

impl Server {
    pub(crate) async fn get() -> Self {
        static TURN: Mutex<()> = Mutex::const_new(());
        static ADDRESS: OnceLock<SocketAddr> = OnceLock::new();
        let turn = TURN.lock().await;
        let address = *ADDRESS.get_or_init(|| {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap();
            std::thread::spawn(move || {
                // Its own runtime: each case's ends with the case.
                let runtime = tokio::runtime::Runtime::new().unwrap();
                let served = serve(config(), listener, |_, _| {}, std::future::pending());
                runtime
                    .block_on(served)
                    .expect("the server starts (is .runtime filled?)");
            });
            address
        });
        let http = reqwest::Client::builder()
            .timeout(Duration::from_secs(300))
            .build()
            .unwrap();
        Self {
            url: format!("http://{address}"),
            http,
            _turn: turn,
        }
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> reqwest::RequestBuilder {
        self.http
            .post(format!("{}{path}", self.url))
            .bearer_auth(TOKEN)
            .json(body)
    }

    pub(crate) async fn json(&self, path: &str, body: &Value) -> (u16, Value) {
        let response = self.post(path, body).send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    /// The events of a stream: name and data.
    pub(crate) async fn events(&self, path: &str, body: &Value) -> Vec<(String, String)> {
        let response = self.post(path, body).send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let text = response.text().await.unwrap();
        let field = |event: &str, name: &str| {
            let line = event.lines().find_map(|line| line.strip_prefix(name));
            line.map(|value| value.trim_start().to_owned())
                .unwrap_or_default()
        };
        text.split("\n\n")
            .filter(|event| event.contains("data:"))
            .map(|event| (field(event, "event:"), field(event, "data:")))
            .collect()
    }

    pub(crate) async fn metric(&self, name: &str) -> f64 {
        let text = self
            .http
            .get(format!("{}/metrics", self.url))
            .send()
            .await
            .unwrap();
        let text = text.text().await.unwrap();
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(&format!("tollgate_local_llm_{name} ")));
        line.unwrap_or_else(|| panic!("no {name} in:\n{text}"))
            .parse()
            .unwrap()
    }

    /// Waits until a metric has a value.
    pub(crate) async fn until(&self, name: &str, expected: f64) {
        let deadline = Instant::now() + Duration::from_secs(120);
        while self.metric(name).await != expected {
            assert!(Instant::now() < deadline, "{name} never became {expected}");
            tokio::task::yield_now().await;
        }
    }
}

pub(crate) fn chat(content: &str, more: Value) -> Value {
    let mut body = json!({
        "model": MODEL,
        "messages": [{"role": "user", "content": content}],
        "temperature": 0,
        "max_tokens": 16,
    });
    body.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    body
}

pub(crate) fn claude(content: Value, more: Value) -> Value {
    let mut body = json!({
        "model": MODEL,
        "messages": [{"role": "user", "content": content}],
        "temperature": 0,
        "max_tokens": 16,
    });
    body.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    body
}

/// The answer is "The answer to this classic math problem is 4.", by llama.cpp alone too.
pub(crate) const QUESTION: &str = "What is 2+2?";
pub(crate) const CHAT: &str = "/v1/chat/completions";
pub(crate) const MESSAGES: &str = "/v1/messages";
