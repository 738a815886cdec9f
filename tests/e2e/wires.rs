//! What each wire has of its own: paths, credentials, streams, and the words of its refusals.

use crate::gate::{Gate, Setup, placeholders, read};
use crate::leak_checker::LeakChecker;
use crate::upstream::Upstream;
use serde_json::{Value, json};
use tollgate_analytics::record::Outcome;

const EMAIL: &str = "nora.lindgren@brevlada.se";
const GEMINI: &str = "/v1beta/models/m:generateContent";
const GEMINI_STREAM: &str = "/v1beta/models/m:streamGenerateContent?alt=sse";
const AZURE: &str = "/openai/deployments/m/chat/completions?api-version=2024-10-21";

const BEDROCK: &str = "/model/m/converse";
const BEDROCK_STREAM: &str = "/model/m/converse-stream";

/// Every wire's name, its path for chat, and its path for a stream.
const WIRES: [(&str, &str, &str); 7] = [
    ("openai", "/v1/chat/completions", "/v1/chat/completions"),
    ("anthropic", "/v1/messages", "/v1/messages"),
    ("azure", AZURE, AZURE),
    ("gemini", GEMINI, GEMINI_STREAM),
    ("ollama", "/api/chat", "/api/chat"),
    ("cohere", "/v2/chat", "/v2/chat"),
    ("bedrock", BEDROCK, BEDROCK_STREAM),
];

/// A body that any wire reads as a question.
fn ask(text: &str) -> String {
    json!({"model": "m", "stream": true, "max_tokens": 9,
        "messages": [{"role": "user", "content": text}]})
    .to_string()
}

fn ask_gemini(text: &str) -> String {
    json!({"contents": [{"role": "user", "parts": [{"text": text}]}]}).to_string()
}

fn body(wire: &str, text: &str) -> String {
    match wire {
        "gemini" => ask_gemini(text),
        "bedrock" => {
            json!({"messages": [{"role": "user", "content": [{"text": text}]}]}).to_string()
        }
        _ => ask(text),
    }
}

/// The code and the message of a refusal, if it is in the wire's own form and in no other.
fn refusal(wire: &str, error: &Value) -> Option<(String, String)> {
    let text = |pointer: &str| Some(error.pointer(pointer)?.as_str()?.to_string());
    let in_brackets = |message: String| {
        let at = message.rfind('(')?;
        let code = message[at + 1..].trim_end_matches(')').to_string();
        Some((code, message))
    };
    let keys = error.as_object()?.len();
    match wire {
        "openai" | "azure" => {
            text("/error/type")?;
            (keys == 1).then_some((text("/error/code")?, text("/error/message")?))
        }
        "anthropic" => {
            (error["type"] == "error").then_some(())?;
            in_brackets(text("/error/message")?)
        }
        "gemini" => {
            text("/error/status")?;
            error["error"]["code"].as_u64()?;
            let reason = text("/error/details/0/reason")?.to_lowercase();
            (keys == 1).then_some((reason, text("/error/message")?))
        }
        "bedrock" => (keys == 1).then_some(in_brackets(text("/message")?)?),
        "ollama" => (keys == 1).then_some(in_brackets(text("/error")?)?),
        "cohere" => match text("/type").as_deref() {
            Some("message-end") => in_brackets(text("/delta/error")?),
            _ => in_brackets(text("/message")?),
        },
        other => panic!("no wire {other}"),
    }
}

#[tokio::test]
async fn every_refusal_is_in_the_words_of_its_wire() {
    let upstream = Upstream::start().await;
    let mut setup = Setup::default();
    for (wire, ..) in WIRES {
        setup = setup.endpoint(wire, wire, &upstream.url("echo"), "\"m\"");
    }
    let gate = Gate::start(setup).await;
    let blocked = format!("{EMAIL} was diagnosed with epilepsy");
    for (wire, path, _) in WIRES {
        let unknown = match wire {
            "openai" => "/v1/videos".to_string(),
            "gemini" => "/v1beta/files".to_string(),
            "ollama" => "/api/pull".to_string(),
            "cohere" => "/v2/videos".to_string(),
            "bedrock" => "/model/m/invoke".to_string(),
            wire => format!("/{wire}/v1/videos"),
        };
        let other_model = path
            .replace("models/m:", "models/no-such-model:")
            .replace("model/m/", "model/no-such-model/")
            .replace("deployments/m/", "deployments/no-such-model/");
        let other_body = body(wire, "hello").replace(r#""m""#, r#""no-such-model""#);
        for (path, body, status, code) in [
            (path, body(wire, &blocked), 403, "policy_blocked"),
            (
                path,
                format!("{{\"contents\": \"{EMAIL}"),
                422,
                "not_inspectable",
            ),
            (&unknown, body(wire, EMAIL), 404, "unknown_route"),
            (&other_model, other_body, 404, "model_not_found"),
        ] {
            let reply = gate.post(path, body).await;
            assert_eq!(reply.status, status, "{wire} {code}: {}", reply.body);
            let told = refusal(wire, &reply.json());
            let (told, message) =
                told.unwrap_or_else(|| panic!("{wire} {code}: not in its form: {}", reply.body));
            assert_eq!(told, code, "{wire}");
            let kind = reply.headers.get("x-amzn-errortype");
            assert_eq!(kind.is_some(), wire == "bedrock", "{wire}");
            assert!(!message.contains(EMAIL), "{wire} {code}");
            let record = gate.record(reply.exchange()).await;
            assert_eq!(record.error, code, "{wire}");
            if code != "unknown_route" {
                assert_eq!(record.wire, wire);
            }
        }
    }
    assert!(upstream.captured().is_empty(), "nothing left");
    let checker = LeakChecker::new([("the refusals", "EMAIL", EMAIL)]);
    gate.assert_clean(&checker).await;
}

#[tokio::test]
async fn a_stream_that_breaks_ends_with_an_error_of_its_own_wire() {
    let upstream = Upstream::start().await;
    let mut setup = Setup::default();
    for (wire, ..) in WIRES {
        let script = format!("broken.{wire}");
        setup = setup.endpoint(wire, wire, &upstream.url(&script), "\"m\"");
    }
    let gate = Gate::start(setup).await;
    for (wire, _, path) in WIRES {
        let reply = gate.post(path, body(wire, &format!("Mail {EMAIL}"))).await;
        assert_eq!(reply.status, 200, "{wire}");
        assert!(
            reply.body.contains("a good piece "),
            "{wire}: {}",
            reply.body
        );
        let events: Vec<Value> = reply
            .body
            .lines()
            .filter_map(|line| serde_json::from_str(line.trim_start_matches("data: ")).ok())
            .collect();
        let last = events.last().unwrap_or_else(|| panic!("{wire}: no event"));
        let told = refusal(wire, last).unwrap_or_else(|| panic!("{wire}: {}", reply.body));
        assert_eq!(told.0, "upstream_malformed", "{wire}");
        // Nothing of another wire stands before it.
        let foreign = match wire {
            "openai" | "azure" => ["candidates", "content_block", "content-delta"],
            "anthropic" => ["candidates", "choices", "content-delta"],
            "gemini" => ["choices", "content_block", "content-delta"],
            _ => ["choices", "content_block", "candidates"],
        };
        assert!(
            foreign.iter().all(|word| !reply.body.contains(word)),
            "{wire}: {}",
            reply.body
        );
        let record = gate.record(reply.exchange()).await;
        assert_eq!(record.outcome, Outcome::UpstreamError, "{wire}");
    }
}

#[tokio::test]
async fn what_relatives_add_to_a_stream_is_restored() {
    let upstream = Upstream::start().await;
    let relatives = [
        (
            "deepseek",
            "/v1/chat/completions",
            &["/reasoning_content"][..],
        ),
        ("groq", "/v1/chat/completions", &["/reasoning"]),
        (
            "openrouter",
            "/v1/chat/completions",
            &["/reasoning", "/reasoning_details/0/text"],
        ),
        (
            "mistral",
            "/v1/chat/completions",
            &["/content/0/thinking/0/text"],
        ),
        ("completions", "/v1/completions", &["/text"]),
    ];
    let mut setup = Setup::default();
    for (name, ..) in relatives {
        setup = setup.endpoint(name, "openai", &upstream.url(&format!("said.{name}")), "");
    }
    let gate = Gate::start(setup).await;
    for (name, path, places) in relatives {
        let said = format!("Write to {EMAIL} now.");
        let body = match name {
            "completions" => json!({"model": "m", "stream": true, "prompt": said}).to_string(),
            _ => ask(&said),
        };
        let reply = gate.post(&format!("/{name}{path}"), body).await;
        let events = reply
            .body
            .lines()
            .filter_map(|line| line.strip_prefix("data: "));
        let events: Vec<Value> = events
            .map(|e| serde_json::from_str(e).expect("JSON"))
            .collect();
        assert!(events.len() > 5, "{name}: the stream came in pieces");
        for place in places {
            let at = match name {
                "completions" => format!("/choices/0{place}"),
                _ => format!("/choices/0/delta{place}"),
            };
            let text: String = events
                .iter()
                .filter_map(|e| e.pointer(&at)?.as_str())
                .collect();
            assert_eq!(text, said, "{name}: {place}");
        }
    }
    for captured in upstream.captured() {
        let sent = String::from_utf8(captured.body).expect("UTF-8");
        assert!(placeholders(&sent).len() == 1 && !sent.contains(EMAIL));
    }
}

#[tokio::test]
async fn lines_and_events_are_passed_on_as_they_come() {
    let upstream = Upstream::start().await;
    let mut setup = Setup::default();
    for wire in ["gemini", "ollama", "cohere"] {
        let script = format!("stall.{wire}");
        setup = setup.endpoint(wire, wire, &upstream.url(&script), "\"m\"");
    }
    let gate = Gate::start(setup).await;
    for (wire, _, path) in WIRES {
        if !matches!(wire, "gemini" | "ollama" | "cohere") {
            continue;
        }
        let request = gate.client().post(format!("{}{path}", gate.url));
        let request = request
            .header("content-type", "application/json")
            .body(body(wire, &format!("Mail {EMAIL}")));
        let mut response = request.send().await.expect("a head");
        let mut seen = String::new();
        // The upstream sends nothing more until it is told to: what arrives now was passed on at
        // once.
        while !seen.contains("first") {
            let piece = response
                .chunk()
                .await
                .expect("no error")
                .expect("more to come");
            seen += &String::from_utf8_lossy(&piece);
        }
        assert!(!seen.contains("second"), "{wire}");
        upstream.go_on();
        let rest = read(response).await;
        assert!(rest.body.contains("second"), "{wire}: {}", rest.body);
    }
}

/// The head of the last request that arrived.
fn last_head(upstream: &Upstream) -> String {
    upstream.captured().pop().expect("a request").head
}

#[tokio::test]
async fn credentials_and_paths_are_the_wires_own() {
    const OURS: &str = "our-own-made-up-key";
    const THEIRS: &str = "AIzaTheirOwnMadeUpKey";
    let upstream = Upstream::start().await;
    let dir = tempfile::tempdir().expect("a directory");
    let key = dir.path().join("key");
    std::fs::write(&key, OURS).expect("written");
    let mut setup = Setup::default();
    for (wire, ..) in WIRES {
        setup = setup
            .endpoint(wire, wire, &upstream.url("echo"), "\"m\"")
            .with(&format!("key = \"file:{}\"", key.display()));
    }
    setup = setup
        .endpoint("theirs", "gemini", &upstream.url("echo"), "")
        .endpoint("renamed", "gemini", &upstream.url("echo"), "")
        .with("[endpoint.aliases]\nfast = \"gemini 2.5/flash\"")
        .endpoint("renamed-azure", "azure", &upstream.url("echo"), "\"fast\"")
        .with("model = \"my-deployment\"");
    let gate = Gate::start(setup).await;
    for (wire, path, _) in WIRES {
        let reply = gate.post(path, body(wire, "hello")).await;
        assert_eq!(reply.status, 200, "{wire}: {}", reply.body);
        let head = last_head(&upstream).to_lowercase();
        let expected = match wire {
            "anthropic" => format!("x-api-key: {OURS}\r\n"),
            "azure" => format!("api-key: {OURS}\r\n"),
            "gemini" => format!("x-goog-api-key: {OURS}\r\n"),
            // Not of the form of a key to sign with: an API key.
            _ => format!("authorization: bearer {OURS}\r\n"),
        };
        assert!(head.contains(&expected), "{wire}: {head}");
        assert!(
            !head.contains("sk-caller-a"),
            "{wire}: the caller's own credential stays here"
        );
    }

    // A key in the query goes on as a header, and nowhere else.
    let target = format!("/theirs{GEMINI}?key={THEIRS}");
    let request = gate.client().post(format!("{}{target}", gate.url));
    let request = request.header("content-type", "application/json");
    let reply = read(
        request
            .body(ask_gemini("hello"))
            .send()
            .await
            .expect("a reply"),
    )
    .await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let head = last_head(&upstream);
    assert!(
        head.contains(&format!("x-goog-api-key: {THEIRS}\r\n")),
        "{head}"
    );
    assert_eq!(head.matches(THEIRS).count(), 1, "{head}");

    // Vertex AI's project and location are the endpoint's to say.
    let path =
        "/theirs/v1/projects/p-1/locations/us-central1/publishers/google/models/m:generateContent";
    assert_eq!(gate.post(path, ask_gemini("hello")).await.status, 200);
    let head = last_head(&upstream);
    assert!(
        head.starts_with("POST /echo/v1/models/m:generateContent HTTP"),
        "{head}"
    );

    // An endpoint's own name for a model goes where the wire has it.
    let path = "/renamed/v1beta/models/fast:generateContent";
    assert_eq!(gate.post(path, ask_gemini("hello")).await.status, 200);
    let head = last_head(&upstream);
    assert!(
        head.starts_with("POST /echo/v1/models/gemini%202.5/flash:generateContent "),
        "{head}"
    );
    let path = "/renamed-azure/openai/deployments/fast/chat/completions?api-version=1";
    let body = ask("hello").replace(r#""m""#, r#""fast""#);
    assert_eq!(gate.post(path, body).await.status, 200);
    let captured = upstream.captured().pop().expect("a request");
    let start = "POST /echo/v1/deployments/my-deployment/chat/completions?api-version=1 ";
    assert!(captured.head.starts_with(start), "{}", captured.head);
    let sent: Value = serde_json::from_slice(&captured.body).expect("JSON");
    assert_eq!(sent["model"], "my-deployment");

    let planted = [("a file", "SECRET", OURS), ("the query", "SECRET", THEIRS)];
    gate.assert_clean(&LeakChecker::new(planted)).await;
}

#[tokio::test]
async fn nothing_goes_to_an_endpoint_of_another_wire() {
    let upstream = Upstream::start().await;
    let mut setup = Setup::default();
    for (wire, ..) in WIRES {
        setup = setup.endpoint(&format!("only-{wire}"), wire, &upstream.url("echo"), "");
    }
    let gate = Gate::start(setup).await;
    for (named, ..) in WIRES {
        for (wire, path, _) in WIRES {
            // Azure's endpoints are named in a way of their own.
            if named == wire || named == "azure" || wire == "azure" {
                continue;
            }
            let path = format!("/only-{named}{path}");
            let reply = gate.post(&path, body(wire, "hello")).await;
            assert_eq!(reply.status, 404, "{path}: {}", reply.body);
        }
    }
    // A model that only the body of a batch names is not another than the path's.
    let other =
        json!({"requests": [{"model": "models/other", "content": {"parts": [{"text": "a"}]}}]});
    let path = "/only-gemini/v1beta/models/m:batchEmbedContents";
    assert_eq!(gate.post(path, other.to_string()).await.status, 422);
    // A stream as one array cannot be restored.
    let path = "/only-gemini/v1beta/models/m:streamGenerateContent";
    let reply = gate.post(path, ask_gemini("hello")).await;
    let told = refusal("gemini", &reply.json()).expect("Gemini's form");
    assert_eq!((reply.status, told.0.as_str()), (422, "array_stream"));
    assert!(upstream.captured().is_empty(), "nothing left");
}

#[tokio::test]
async fn requests_to_bedrock_are_signed_with_the_endpoints_own_key() {
    const SECRET: &str = "made/up+secret-of-the-endpoint";
    const TOKEN: &str = "made-up-session-token";
    const ARN: &str = "arn:aws:bedrock:eu-central-1:123:application-inference-profile/abc";
    let upstream = Upstream::start().await;
    let dir = tempfile::tempdir().expect("a directory");
    let key = dir.path().join("key");
    std::fs::write(&key, format!("AKIDENDPOINT:{SECRET}:{TOKEN}")).expect("written");
    let setup = Setup::default()
        .endpoint("aws", "bedrock", &upstream.url("echo"), "")
        .with(&format!(
            "key = \"file:{}\"\nregion = \"eu-central-1\"\naliases = {{ profile = \"{ARN}\" }}",
            key.display()
        ))
        .endpoint("theirs", "bedrock", &upstream.url("echo"), "");
    let gate = Gate::start(setup).await;
    let theirs = "AWS4-HMAC-SHA256 Credential=AKIDCALLER/20260102/eu-central-1/bedrock/aws4_request, \
                  SignedHeaders=host;x-amz-date, Signature=00";
    let ask = |endpoint: &str, path: &str, authorization: String| {
        let request = gate
            .client()
            .post(format!("{}/{endpoint}{path}", gate.url))
            .header("content-type", "application/json")
            .header("authorization", authorization)
            .header("x-amz-security-token", "their-session-token")
            .body(body("bedrock", &format!("Mail {EMAIL}")));
        async move { read(request.send().await.expect("a reply")).await }
    };
    let reply = ask("aws", "/model/m%3A0/converse", theirs.to_string()).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let first = upstream.captured().pop().expect("a request");
    let head = &first.head;
    assert!(
        head.starts_with("POST /echo/v1/m%3A0/converse HTTP"),
        "{head}"
    );
    let scope = "authorization: AWS4-HMAC-SHA256 Credential=AKIDENDPOINT/";
    assert!(
        head.contains(scope) && head.contains("/eu-central-1/bedrock/aws4_request"),
        "{head}"
    );
    assert!(
        head.contains(&format!("x-amz-security-token: {TOKEN}\r\n")),
        "{head}"
    );
    assert!(
        !head.contains("AKIDCALLER") && !head.contains("their-session"),
        "{head}"
    );

    // A caller's signature is another each time; who it is does not change with it.
    let again = theirs.replace("Signature=00", "Signature=11");
    ask("aws", "/model/m%3A0/converse", again).await;
    let second = upstream.captured().pop().expect("a request");
    assert_eq!(
        first.body, second.body,
        "the same caller, the same placeholders"
    );

    // An ARN stands in the path as one segment.
    ask("aws", "/model/profile/converse", theirs.to_string()).await;
    let head = last_head(&upstream);
    let path = "/echo/v1/arn%3Aaws%3Abedrock%3Aeu-central-1%3A123%3Aapplication-inference-profile%2Fabc/converse";
    assert!(head.starts_with(&format!("POST {path} HTTP")), "{head}");

    // Without a key of ours, an API key goes on and a signature does not.
    ask("theirs", BEDROCK, "Bearer their-api-key".to_string()).await;
    assert!(last_head(&upstream).contains("authorization: Bearer their-api-key"));
    ask("theirs", BEDROCK, theirs.to_string()).await;
    assert!(!last_head(&upstream).contains("authorization"));

    let planted = [
        ("a file", "SECRET", SECRET),
        ("a file", "SECRET", TOKEN),
        ("a body", "EMAIL", EMAIL),
    ];
    let checker = LeakChecker::new(planted);
    let leaks = upstream.captured().into_iter();
    let leaks = leaks.flat_map(|captured| checker.search("upstream", &captured.body));
    crate::gate::assert_no_leaks(&leaks.collect::<Vec<_>>());
    gate.assert_clean(&checker).await;
}

#[tokio::test]
async fn a_gateway_key_comes_where_each_wire_has_its_own() {
    let upstream = Upstream::start().await;
    let mut setup = Setup::default();
    for (wire, ..) in WIRES {
        setup = setup.endpoint(wire, wire, &upstream.url("echo"), "\"m\"");
    }
    let gate = Gate::start(setup).await;
    let key = gate.command(&["keys", "create", "--name", "ward-seven"]);
    let key = key.trim();
    gate.reloaded("keys", "applied", 1).await;
    let in_query = format!("{GEMINI}?key={key}");
    let more = [("gemini", in_query.as_str(), "")];
    for (wire, path, _) in WIRES.into_iter().chain(more) {
        let (header, value) = match wire {
            "anthropic" => ("x-api-key", key.to_string()),
            "azure" => ("api-key", key.to_string()),
            "gemini" => ("x-goog-api-key", key.to_string()),
            _ => ("authorization", format!("Bearer {key}")),
        };
        let ask = |header: Option<(&'static str, String)>| {
            let request = gate.client().post(format!("{}{path}", gate.url));
            let request = request.header("content-type", "application/json");
            let request = match header {
                Some((name, value)) => request.header(name, value),
                None => request,
            };
            request.body(body(wire, "hello")).send()
        };
        if !path.contains("key=") {
            let reply = read(ask(None).await.expect("a reply")).await;
            let told = refusal(wire, &reply.json()).unwrap_or_else(|| panic!("{}", reply.body));
            assert_eq!(
                (reply.status, told.0.as_str()),
                (401, "invalid_key"),
                "{wire}"
            );
        }
        let header = (!path.contains("key=")).then_some((header, value));
        let reply = read(ask(header).await.expect("a reply")).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.body);
        let record = gate.record(reply.exchange()).await;
        assert_eq!(
            (record.caller.as_str(), record.wire.as_str()),
            ("ward-seven", wire)
        );
        assert!(
            !last_head(&upstream).contains("tg-"),
            "{path}: a gateway key never leaves"
        );
    }
    let checker = LeakChecker::new([("the keys", "SECRET", &key[3..])]);
    gate.assert_clean(&checker).await;
}
