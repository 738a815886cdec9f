//! The real model over real HTTP: one server for the whole binary, on a free port.
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

const MODEL: &str = "smollm2-test";
const TOKEN: &str = "a-token-of-the-tests";

fn config() -> Config {
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
struct Server {
    url: String,
    http: reqwest::Client,
    _turn: MutexGuard<'static, ()>,
}

impl Server {
    async fn get() -> Self {
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

    fn post(&self, path: &str, body: &Value) -> reqwest::RequestBuilder {
        self.http
            .post(format!("{}{path}", self.url))
            .bearer_auth(TOKEN)
            .json(body)
    }

    async fn json(&self, path: &str, body: &Value) -> (u16, Value) {
        let response = self.post(path, body).send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    /// The events of a stream: name and data.
    async fn events(&self, path: &str, body: &Value) -> Vec<(String, String)> {
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

    async fn metric(&self, name: &str) -> f64 {
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
    async fn until(&self, name: &str, expected: f64) {
        let deadline = Instant::now() + Duration::from_secs(120);
        while self.metric(name).await != expected {
            assert!(Instant::now() < deadline, "{name} never became {expected}");
            tokio::task::yield_now().await;
        }
    }
}

fn chat(content: &str, more: Value) -> Value {
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

fn claude(content: Value, more: Value) -> Value {
    let mut body = json!({
        "model": MODEL,
        "messages": [{"role": "user", "content": content}],
        "temperature": 0,
        "max_tokens": 12,
    });
    body.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    body
}

const CHAT: &str = "/v1/chat/completions";
const MESSAGES: &str = "/v1/messages";

#[tokio::test]
async fn a_question_is_answered_the_same_twice() {
    let server = Server::get().await;
    let body = chat("What is the capital of France?", json!({}));
    let (status, first) = server.json(CHAT, &body).await;
    assert_eq!(status, 200, "{first}");
    assert_eq!(first["object"], "chat.completion");
    assert_eq!(first["model"], MODEL);
    let choice = &first["choices"][0];
    assert!(
        choice["message"]["content"]
            .as_str()
            .unwrap()
            .contains("Paris"),
        "{first}"
    );
    assert_eq!(choice["finish_reason"], "stop");
    let (_, second) = server.json(CHAT, &body).await;
    assert_eq!(first["choices"], second["choices"]);
    assert_ne!(first["id"], second["id"]);
}

#[tokio::test]
async fn a_seed_decides_and_another_decides_otherwise() {
    let server = Server::get().await;
    let mut answers = Vec::new();
    for seed in [7, 7, 8, 9] {
        let more = json!({"seed": seed, "temperature": 1.5, "top_p": 1.0, "max_tokens": 12});
        let (status, body) = server
            .json(CHAT, &chat("Invent a name for a ship.", more))
            .await;
        assert_eq!(status, 200, "{body}");
        answers.push(
            body["choices"][0]["message"]["content"]
                .as_str()
                .unwrap()
                .to_owned(),
        );
    }
    assert_eq!(answers[0], answers[1]);
    assert!(
        answers[0] != answers[2] || answers[0] != answers[3],
        "{answers:?}"
    );
}

#[tokio::test]
async fn a_stream_says_what_the_whole_answer_says() {
    let server = Server::get().await;
    let body = chat("What is the capital of France?", json!({}));
    let (_, whole) = server.json(CHAT, &body).await;
    let more = json!({"stream": true, "stream_options": {"include_usage": true}});
    let events = server
        .events(CHAT, &chat("What is the capital of France?", more))
        .await;
    assert_eq!(events.last().unwrap().1, "[DONE]");
    let chunks: Vec<Value> = events[..events.len() - 1]
        .iter()
        .map(|(_, data)| serde_json::from_str(data).unwrap())
        .collect();
    assert_eq!(chunks[0]["choices"][0]["delta"]["role"], "assistant");
    let text: String = chunks
        .iter()
        .filter_map(|c| c["choices"][0]["delta"]["content"].as_str())
        .collect();
    assert_eq!(text, whole["choices"][0]["message"]["content"]);
    let (usage, rest) = chunks.split_last().unwrap();
    assert_eq!(usage["choices"], json!([]));
    assert_eq!(usage["usage"], whole["usage"]);
    assert!(rest.iter().all(|chunk| chunk["usage"].is_null()));
    assert_eq!(rest.last().unwrap()["choices"][0]["finish_reason"], "stop");
    assert!(
        chunks
            .iter()
            .all(|c| c["object"] == "chat.completion.chunk" && c["id"] == chunks[0]["id"])
    );

    let events = server
        .events(
            CHAT,
            &chat("Say yes.", json!({"stream": true, "max_tokens": 2})),
        )
        .await;
    assert!(events.iter().all(|(_, data)| !data.contains("usage")));
}

#[tokio::test]
async fn tokens_are_counted_as_the_tokenizer_counts_them() {
    let server = Server::get().await;
    let before = (
        server.metric("tokens_total{kind=\"prompt\"}").await,
        server.metric("tokens_total{kind=\"completion\"}").await,
    );
    let (_, body) = server
        .json(CHAT, &chat("Count to ten.", json!({"max_tokens": 3})))
        .await;
    assert_eq!(body["choices"][0]["finish_reason"], "length");
    let usage = &body["usage"];
    assert_eq!(usage["completion_tokens"], 3);
    let prompt = usage["prompt_tokens"].as_u64().unwrap();
    assert_eq!(usage["total_tokens"], prompt + 3);
    assert_eq!(
        server.metric("tokens_total{kind=\"prompt\"}").await - before.0,
        prompt as f64
    );
    assert_eq!(
        server.metric("tokens_total{kind=\"completion\"}").await - before.1,
        3.0
    );

    // " ten" is one token of this vocabulary: each more of it counts one more.
    let (_, longer) = server
        .json(
            CHAT,
            &chat("Count to ten ten ten.", json!({"max_tokens": 1})),
        )
        .await;
    assert_eq!(longer["usage"]["prompt_tokens"], prompt + 2);
    // The template's default system message is 20 tokens and more of a rendered prompt.
    let parts = json!([{"type": "text", "text": "Count to"}, {"type": "text", "text": " ten."}]);
    let (_, parts) = server
        .json(
            CHAT,
            &chat(
                "",
                json!({"messages": [{"role": "user", "content": parts}], "max_tokens": 1}),
            ),
        )
        .await;
    assert_eq!(parts["usage"]["prompt_tokens"], prompt);
    let system =
        json!([{"role": "system", "content": "x"}, {"role": "user", "content": "Count to ten."}]);
    let (_, short) = server
        .json(
            CHAT,
            &chat("", json!({"messages": system, "max_tokens": 1})),
        )
        .await;
    assert!(short["usage"]["prompt_tokens"].as_u64().unwrap() + 10 < prompt);
}

#[tokio::test]
async fn a_stop_sequence_ends_the_answer_and_is_not_in_it() {
    let server = Server::get().await;
    let question = "What is the capital of France?";
    let (_, whole) = server.json(CHAT, &chat(question, json!({}))).await;
    let whole = whole["choices"][0]["message"]["content"]
        .as_str()
        .unwrap()
        .to_owned();
    let at = whole.find("Paris").unwrap();
    // It begins and ends within tokens.
    let stop = &whole[at - 2..at + 3];
    for stream in [false, true] {
        let body = chat(question, json!({"stop": [stop, "never"], "stream": stream}));
        let text = if stream {
            let events = server.events(CHAT, &body).await;
            let data = events
                .iter()
                .filter_map(|(_, data)| serde_json::from_str::<Value>(data).ok());
            data.filter_map(|d| {
                d["choices"][0]["delta"]["content"]
                    .as_str()
                    .map(String::from)
            })
            .collect()
        } else {
            let (_, answer) = server.json(CHAT, &body).await;
            assert_eq!(answer["choices"][0]["finish_reason"], "stop");
            answer["choices"][0]["message"]["content"]
                .as_str()
                .unwrap()
                .to_owned()
        };
        assert_eq!(text, whole[..at - 2], "stream: {stream}");
    }
    let body = claude(json!(question), json!({"stop_sequences": [stop]}));
    let (_, answer) = server.json(MESSAGES, &body).await;
    assert_eq!(answer["stop_reason"], "stop_sequence");
    assert_eq!(answer["stop_sequence"], stop);
}

#[tokio::test]
async fn two_requests_share_the_engine_and_a_third_waits() {
    let server = Server::get().await;
    let long = chat(
        "Tell me a very long story.",
        json!({"max_tokens": 300, "stream": true}),
    );
    let mut first = server.post(CHAT, &long).send().await.unwrap();
    let mut second = server.post(CHAT, &long).send().await.unwrap();
    server.until("slots_busy", 2.0).await;
    assert!(first.chunk().await.unwrap().is_some() && second.chunk().await.unwrap().is_some());

    let third = server.post(CHAT, &long).send().await.unwrap();
    assert_eq!(third.status(), 200);
    server.until("queue_waiting", 1.0).await;
    let fourth = server.post(CHAT, &long).send().await.unwrap();
    assert_eq!(fourth.status(), 429);
    assert!(fourth.headers().contains_key("retry-after"));
    let error: Value = fourth.json().await.unwrap();
    assert_eq!(error["error"]["code"], "rate_limit_exceeded");
    let fifth = server
        .post(MESSAGES, &claude(json!("Hi"), json!({})))
        .send()
        .await
        .unwrap();
    assert_eq!(fifth.status(), 429);
    assert_eq!(
        fifth.json::<Value>().await.unwrap()["error"]["type"],
        "rate_limit_error"
    );

    // Who leaves frees what he held, in the queue and in the slots, long before the story ends.
    let cancelled = server.metric("requests_total{outcome=\"cancelled\"}").await;
    drop(third);
    server.until("queue_waiting", 0.0).await;
    drop((first, second));
    server.until("slots_busy", 0.0).await;
    server
        .until("requests_total{outcome=\"cancelled\"}", cancelled + 3.0)
        .await;
}

#[tokio::test]
async fn who_leaves_before_an_answer_in_one_piece_frees_his_slot() {
    let server = Server::get().await;
    let completed = server.metric("requests_total{outcome=\"completed\"}").await;
    let body = chat("Tell me a very long story.", json!({"max_tokens": 300}));
    let waiting = tokio::spawn(server.post(CHAT, &body).send());
    server.until("slots_busy", 1.0).await;
    waiting.abort();
    server.until("slots_busy", 0.0).await;
    assert_eq!(
        server.metric("requests_total{outcome=\"completed\"}").await,
        completed
    );
}

#[tokio::test]
async fn json_mode_gives_json() {
    let server = Server::get().await;
    let more = json!({"response_format": {"type": "json_object"}, "max_tokens": 80, "stop": "}"});
    let (status, body) = server
        .json(
            CHAT,
            &chat("Describe a cat as JSON with name and age.", more),
        )
        .await;
    assert_eq!(status, 200, "{body}");
    let text = body["choices"][0]["message"]["content"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(text.trim_start().starts_with('{'), "{text}");
    if body["choices"][0]["finish_reason"] == "stop" {
        let closing = "}".repeat(text.matches('{').count() - text.matches('}').count());
        serde_json::from_str::<Value>(&format!("{text}{closing}")).expect(&text);
    }
}

#[tokio::test]
async fn text_is_completed() {
    let server = Server::get().await;
    let body =
        json!({"model": MODEL, "prompt": "one, two, three,", "max_tokens": 4, "temperature": 0});
    let (status, answer) = server.json("/v1/completions", &body).await;
    assert_eq!(status, 200, "{answer}");
    assert!(
        answer["choices"][0]["text"]
            .as_str()
            .unwrap()
            .contains("four"),
        "{answer}"
    );
    assert_eq!(answer["usage"]["prompt_tokens"], 6);
}

#[tokio::test]
async fn a_prompt_that_does_not_fit_is_refused() {
    let server = Server::get().await;
    // The second is so long that it is not even tokenized.
    for words in [600, 1_000_000] {
        let body = chat(&"word ".repeat(words), json!({}));
        let (status, error) = server.json(CHAT, &body).await;
        assert_eq!(status, 400);
        assert_eq!(error["error"]["code"], "context_length_exceeded");
        assert!(
            error["error"]["message"]
                .as_str()
                .unwrap()
                .contains("512 tokens")
        );
    }
    let (status, error) = server
        .json(MESSAGES, &claude(json!("word ".repeat(600)), json!({})))
        .await;
    assert_eq!(
        (status, &error["error"]["type"]),
        (400, &json!("invalid_request_error"))
    );
}

#[tokio::test]
async fn what_is_not_done_here_is_refused_by_name() {
    let server = Server::get().await;
    let image = json!([{"type": "image_url", "image_url": {"url": "data:,"}}]);
    let cases = [
        (json!({"n": 2}), 400, "n"),
        (json!({"logprobs": true}), 400, "logprobs"),
        (json!({"logit_bias": {"1": 5}}), 400, "logit_bias"),
        (
            json!({"response_format": {"type": "json_schema", "json_schema": {}}}),
            400,
            "response_format",
        ),
        (json!({"tool_choice": "required"}), 400, "tool_choice"),
        (
            json!({"messages": [{"role": "user", "content": image}]}),
            400,
            "messages",
        ),
        (
            json!({"messages": [{"role": "wizard", "content": "x"}]}),
            400,
            "messages",
        ),
        (json!({"messages": []}), 400, "messages"),
        (json!({"temperature": 3}), 400, "temperature"),
        (json!({"top_p": 0}), 400, "top_p"),
        (json!({"max_tokens": 0}), 400, "max_tokens"),
        (json!({"stop": [""]}), 400, "stop"),
        (json!({"model": "gpt-9"}), 404, "model"),
    ];
    for (more, expected, param) in cases {
        let (status, error) = server.json(CHAT, &chat("Hello", more)).await;
        assert_eq!(
            (status, error["error"]["param"].as_str()),
            (expected, Some(param)),
            "{error}"
        );
        assert!(
            error["error"]["message"]
                .as_str()
                .is_some_and(|message| !message.is_empty())
        );
    }
    let tools =
        json!({"tools": [{"type": "function", "function": {"name": "f"}}], "max_tokens": 1});
    assert_eq!(server.json(CHAT, &chat("Hello", tools)).await.0, 200);
}

#[tokio::test]
async fn bad_bodies_are_refused_and_not_quoted() {
    let server = Server::get().await;
    let send = async |path: &str, body: Vec<u8>| {
        let url = format!("{}{path}", server.url);
        let sent = server
            .http
            .post(url)
            .bearer_auth(TOKEN)
            .body(body)
            .send()
            .await
            .unwrap();
        (sent.status().as_u16(), sent.text().await.unwrap())
    };
    let deep = format!("{{\"model\": {}", "[".repeat(100_000));
    let bodies: [&[u8]; 6] = [
        b"",
        b"not json",
        b"{\"model\": \"s3cr3t\"",
        b"{\"messages\": \"s3cr3t\"}",
        b"\xff\xfe{}",
        deep.as_bytes(),
    ];
    for path in [CHAT, "/v1/completions", MESSAGES] {
        for body in bodies {
            let (status, text) = send(path, body.to_vec()).await;
            assert_eq!(status, 400, "{path}");
            let error: Value = serde_json::from_str(&text).unwrap();
            assert!(error["error"]["message"].is_string());
            assert!(!text.contains("s3cr3t"), "{text}");
        }
        let (status, _) = send(path, vec![b' '; (32 << 20) + 1]).await;
        assert_eq!(status, 413, "{path}");
    }
}

#[tokio::test]
async fn anthropic_messages_in_one_piece_and_streamed() {
    let server = Server::get().await;
    let blocks = json!([{"type": "text", "text": "What is the capital of France?", "cache_control": {"type": "ephemeral"}}]);
    let body = claude(blocks.clone(), json!({}));
    let (status, whole) = server.json(MESSAGES, &body).await;
    assert_eq!(status, 200, "{whole}");
    assert_eq!(
        (&whole["type"], &whole["role"]),
        (&json!("message"), &json!("assistant"))
    );
    assert!(whole["id"].as_str().unwrap().starts_with("msg_"));
    let text = whole["content"][0]["text"].as_str().unwrap();
    assert!(text.contains("Paris"), "{whole}");
    let (_, openai) = server
        .json(CHAT, &chat("What is the capital of France?", json!({})))
        .await;
    assert_eq!(
        whole["usage"]["input_tokens"],
        openai["usage"]["prompt_tokens"]
    );

    let events = server
        .events(MESSAGES, &claude(blocks, json!({"stream": true})))
        .await;
    let mut names: Vec<&str> = events.iter().map(|(name, _)| name.as_str()).collect();
    names.dedup();
    assert_eq!(
        names,
        [
            "message_start",
            "content_block_start",
            "content_block_delta",
            "content_block_stop",
            "message_delta",
            "message_stop"
        ]
    );
    let data: Vec<Value> = events
        .iter()
        .map(|(_, data)| serde_json::from_str(data).unwrap())
        .collect();
    assert!(
        events
            .iter()
            .zip(&data)
            .all(|((name, _), data)| data["type"] == *name)
    );
    assert_eq!(
        data[0]["message"]["usage"]["input_tokens"],
        whole["usage"]["input_tokens"]
    );
    let streamed: String = data
        .iter()
        .filter_map(|data| data["delta"]["text"].as_str())
        .collect();
    assert_eq!(streamed, text);
    let end = &data[data.len() - 2];
    assert_eq!(end["delta"]["stop_reason"], whole["stop_reason"]);
    assert_eq!(
        end["usage"]["output_tokens"],
        whole["usage"]["output_tokens"]
    );
}

#[tokio::test]
async fn anthropic_tools_are_told_as_text_and_errors_have_its_form() {
    let server = Server::get().await;
    let messages = json!([
        {"role": "user", "content": "Rate of EUR?"},
        {"role": "assistant", "content": [
            {"type": "thinking", "thinking": "hm", "signature": "x"},
            {"type": "tool_use", "id": "t1", "name": "rate", "input": {"of": "EUR"}},
        ]},
        {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "t1", "content": [{"type": "text", "text": "0.9"}]},
        ]},
    ]);
    let body = claude(
        json!(""),
        json!({"messages": messages, "max_tokens": 1, "system": [{"type": "text", "text": "Be brief."}]}),
    );
    let (status, answer) = server.json(MESSAGES, &body).await;
    assert_eq!(
        (status, &answer["stop_reason"]),
        (200, &json!("max_tokens")),
        "{answer}"
    );

    let image = json!([{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": ""}}]);
    let prefill = json!([{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]);
    let cases = [
        (
            claude(json!("x"), json!({"model": "claude-x"})),
            404,
            "not_found_error",
        ),
        (
            claude(json!("x"), json!({"max_tokens": null})),
            400,
            "invalid_request_error",
        ),
        (
            claude(json!("x"), json!({"messages": []})),
            400,
            "invalid_request_error",
        ),
        (
            claude(json!("x"), json!({"messages": prefill})),
            400,
            "invalid_request_error",
        ),
        (
            claude(json!("x"), json!({"tool_choice": {"type": "any"}})),
            400,
            "invalid_request_error",
        ),
        (claude(image, json!({})), 400, "invalid_request_error"),
    ];
    for (body, expected, kind) in cases {
        let (status, error) = server.json(MESSAGES, &body).await;
        assert_eq!(
            (status, error["type"].as_str()),
            (expected, Some("error")),
            "{error}"
        );
        assert_eq!(error["error"]["type"], kind, "{error}");
    }
}

#[tokio::test]
async fn a_token_is_needed_where_text_passes() {
    let server = Server::get().await;
    let url = |path: &str| format!("{}{path}", server.url);
    let body = chat("Hello", json!({"max_tokens": 1}));
    for (path, kind) in [
        (CHAT, "authentication_error"),
        (MESSAGES, "authentication_error"),
    ] {
        let sent = server
            .http
            .post(url(path))
            .bearer_auth("wrong")
            .json(&body)
            .send()
            .await
            .unwrap();
        assert_eq!(sent.status(), 401);
        assert_eq!(sent.json::<Value>().await.unwrap()["error"]["type"], kind);
    }
    assert_eq!(
        server
            .http
            .get(url("/v1/models"))
            .send()
            .await
            .unwrap()
            .status(),
        401
    );
    let key = server
        .http
        .post(url(MESSAGES))
        .header("x-api-key", TOKEN)
        .json(&body);
    assert_eq!(key.send().await.unwrap().status(), 200);
    assert_eq!(
        server
            .http
            .get(url("/healthz"))
            .send()
            .await
            .unwrap()
            .status(),
        200
    );
}

#[tokio::test]
async fn the_model_is_listed_and_nothing_else_is_there() {
    let server = Server::get().await;
    let get = async |path: &str| {
        let sent = server
            .http
            .get(format!("{}{path}", server.url))
            .bearer_auth(TOKEN);
        let sent = sent.send().await.unwrap();
        (sent.status().as_u16(), sent.json::<Value>().await.unwrap())
    };
    let (_, list) = get("/v1/models").await;
    assert_eq!(list["data"][0]["id"], MODEL);
    assert_eq!(list["data"][0]["context_length"], 512);
    assert_eq!(get(&format!("/v1/models/{MODEL}")).await.0, 200);
    assert_eq!(
        get("/v1/models/other").await.1["error"]["code"],
        "model_not_found"
    );
    assert_eq!(get("/v1/nothing").await.0, 404);
    assert_eq!(get(CHAT).await.0, 405);
}

#[tokio::test]
async fn told_to_stop_it_lets_answers_end() {
    // It counts on having the CPU, though not on having the shared server.
    let _server = Server::get().await;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (ready, is_ready) = tokio::sync::oneshot::channel();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let served = tokio::spawn(serve(
        Config {
            slots: 1,
            drain_seconds: 120,
            ..config()
        },
        listener,
        move |address, info| ready.send((address, info.clone())).unwrap(),
        async { stopped.await.unwrap() },
    ));
    let (address, info) = is_ready.await.unwrap();
    assert_eq!(info.quantisation, "Q4_1");
    let url = format!("http://{address}{CHAT}");
    let body = chat("What is the capital of France?", json!({"stream": true}));
    let http = reqwest::Client::new();
    let mut answer = http
        .post(&url)
        .bearer_auth(TOKEN)
        .json(&body)
        .send()
        .await
        .unwrap();
    let mut text = answer.chunk().await.unwrap().unwrap().to_vec();
    stop.send(()).unwrap();
    while let Some(chunk) = answer.chunk().await.unwrap() {
        text.extend_from_slice(&chunk);
    }
    assert!(String::from_utf8(text).unwrap().contains("[DONE]"));
    served.await.unwrap().unwrap();
    assert!(
        reqwest::Client::new()
            .post(&url)
            .json(&body)
            .send()
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_file_that_is_no_model_is_refused_at_the_start() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), b"GGUF is what it begins with, and that is all").unwrap();
    let config = Config {
        model: file.path().to_owned(),
        ..config()
    };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let error = serve(config, listener, |_, _| {}, std::future::pending())
        .await
        .unwrap_err();
    assert!(error.to_string().contains("is refused"), "{error}");
}
