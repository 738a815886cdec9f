//! What callers send wrongly: each gets a clear error in its own wire's form, is recorded, and
//! leaves nothing of itself anywhere.

use crate::gate::{Gate, Reply, Setup, assert_no_leaks, read};
use crate::leak_checker::LeakChecker;
use crate::upstream::{Event, Upstream};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tollgate_analytics::record::Outcome;

const EMAIL: &str = "nora.lindgren@brevlada.se";
const CHAT: &str = "/v1/chat/completions";
const MESSAGES: &str = "/v1/messages";

/// A request and the refusal that it must get.
struct Case {
    name: &'static str,
    path: &'static str,
    headers: &'static [(&'static str, &'static str)],
    body: Vec<u8>,
    status: u16,
    code: &'static str,
}

const JSON: &[(&str, &str)] = &[("content-type", "application/json")];

fn case(
    name: &'static str,
    path: &'static str,
    body: impl Into<Vec<u8>>,
    status: u16,
    code: &'static str,
) -> Case {
    Case {
        name,
        path,
        headers: JSON,
        body: body.into(),
        status,
        code,
    }
}

fn good() -> String {
    format!(
        r#"{{"model":"m","max_tokens":9,"messages":[{{"role":"user","content":"Mail {EMAIL}"}}]}}"#
    )
}

fn cases() -> Vec<Case> {
    let deep = format!(
        r#"{{"model":"m","messages":{}"{EMAIL}"{}}}"#,
        "[".repeat(200),
        "]".repeat(200)
    );
    let wide = format!(
        r#"{{"model":"m","pad":"{}","messages":[]}}"#,
        format!("{EMAIL} ").repeat(6_000)
    );
    let mut cases = Vec::new();
    for path in [CHAT, MESSAGES] {
        let mut invalid = good().into_bytes();
        let at = invalid.len() - 10;
        invalid[at] = 0xff;
        let duplicate = good().replacen(
            "\"model\":\"m\",",
            "\"model\":\"m\",\"model\":\"other\",",
            1,
        );
        cases.extend([
            case(
                "cut off",
                path,
                good().replace("\"}]}", ""),
                422,
                "not_inspectable",
            ),
            case(
                "no JSON at all",
                path,
                format!("please mail {EMAIL}"),
                422,
                "not_inspectable",
            ),
            case(
                "more after the end",
                path,
                format!("{} {EMAIL}", good()),
                422,
                "not_inspectable",
            ),
            case("empty", path, "", 422, "not_inspectable"),
            case(
                "no object",
                path,
                format!("[\"{EMAIL}\"]"),
                422,
                "not_inspectable",
            ),
            case(
                "no model",
                path,
                good().replace("\"model\":\"m\",", ""),
                422,
                "not_inspectable",
            ),
            case("two models", path, duplicate, 422, "not_inspectable"),
            case("invalid UTF-8", path, invalid, 422, "not_inspectable"),
            case(
                "half a surrogate pair",
                path,
                good().replace("Mail ", "Mail \\ud83d "),
                422,
                "not_inspectable",
            ),
            case("too deep", path, deep.clone(), 422, "not_inspectable"),
            case("too large", path, wide.clone(), 413, "body_too_large"),
            case(
                "unknown model",
                path,
                good().replace("\"m\"", &format!("\"{EMAIL}\"")),
                404,
                "model_not_found",
            ),
            Case {
                headers: &[("content-type", "text/plain")],
                ..case(
                    "wrong content type",
                    path,
                    good(),
                    415,
                    "unsupported_content_type",
                )
            },
            Case {
                headers: &[],
                ..case(
                    "no content type",
                    path,
                    good(),
                    415,
                    "unsupported_content_type",
                )
            },
            Case {
                headers: &[
                    ("content-type", "application/json"),
                    ("content-encoding", "gzip"),
                ],
                ..case(
                    "compressed",
                    path,
                    gzip(good().as_bytes()),
                    415,
                    "unsupported_content_encoding",
                )
            },
        ]);
    }
    cases.extend([
        case(
            "unknown route",
            "/v1/nora.lindgren@brevlada.se",
            good(),
            404,
            "unknown_route",
        ),
        case(
            "unknown prefix",
            "/elsewhere/v1/chat/completions",
            good(),
            404,
            "unknown_route",
        ),
        case(
            "dots in the path",
            "/v1/../v1/chat/completions/x",
            good(),
            404,
            "unknown_route",
        ),
        case(
            "query with a value",
            "/v1/chat/completions?note=nora.lindgren@brevlada.se",
            good(),
            422,
            "query_not_inspectable",
        ),
    ]);
    cases
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).expect("memory takes it");
    encoder.finish().expect("memory takes it")
}

/// A refusal is a whole, honest reply in the wire's own words.
fn assert_refusal(name: &str, path: &str, reply: &Reply, status: u16, code: &str) {
    let json = reply.json();
    assert_eq!(reply.status, status, "{name} at {path}: {json}");
    assert_eq!(reply.headers["content-type"], "application/json", "{name}");
    let message = json["error"]["message"].as_str().unwrap_or_default();
    assert!(message.len() > 10, "{name}: a message for people: {json}");
    assert!(json["error"]["type"].is_string(), "{name}: {json}");
    if path.starts_with(MESSAGES) {
        assert_eq!(json["type"], "error", "{name}");
        assert_eq!(
            json["request_id"].as_str(),
            Some(reply.exchange().to_string().as_str()),
            "{name}"
        );
        assert!(message.contains(code), "{name}: {message}");
    } else {
        assert_eq!(json["error"]["code"], code, "{name}: {message}");
    }
}

#[tokio::test]
async fn each_mistake_gets_its_error_is_recorded_and_leaves_nothing() {
    let upstream = Upstream::start().await;
    let gate = Gate::start(Setup {
        limits: "body_bytes_max = 65536\njson_depth_max = 32\nbody_timeout_ms = 500",
        ..Setup::default()
            .endpoint("echo", "openai", &upstream.url("echo"), "\"m\"")
            .endpoint(
                "echo-anthropic",
                "anthropic",
                &upstream.url("echo-anthropic"),
                "\"m\"",
            )
    })
    .await;
    let checker = LeakChecker::new([("bad input", "EMAIL", EMAIL)]);
    let mut leaks = Vec::new();
    let cases = cases();
    for Case {
        name,
        path,
        headers,
        body,
        status,
        code,
    } in &cases
    {
        let mut request = gate
            .client()
            .post(format!("{}{path}", gate.url))
            .body(body.clone());
        for (header, value) in *headers {
            request = request.header(*header, *value);
        }
        let reply = read(request.send().await.expect("a reply")).await;
        assert_refusal(name, path, &reply, *status, code);
        let record = gate.record(reply.exchange()).await;
        assert_eq!(
            (record.outcome, record.error.as_str(), record.status),
            (Outcome::Refused, *code, *status),
            "{name}"
        );
        assert_eq!(record.route, None, "{name}");
        leaks.extend(checker.search(&format!("refusal of {name}"), reply.body.as_bytes()));
    }
    let get = gate
        .client()
        .get(format!("{}{CHAT}", gate.url))
        .send()
        .await
        .expect("a reply");
    assert_refusal(
        "wrong method",
        CHAT,
        &read(get).await,
        405,
        "method_not_allowed",
    );

    slow_sender(&gate).await;
    too_large_in_chunks(&gate).await;

    assert_eq!(upstream.captured().len(), 0, "nothing was sent");
    assert_eq!(gate.records().len(), cases.len() + 3);
    assert_eq!(
        gate.post(CHAT, good()).await.status,
        200,
        "the gate still works"
    );
    assert_no_leaks(&leaks);
    gate.assert_clean(&checker).await;
}

/// Sends bytes and reads until the gate closes the connection.
async fn raw(gate: &Gate, bytes: &[u8]) -> String {
    let address = gate.url.strip_prefix("http://").expect("an http URL");
    let mut connection = TcpStream::connect(address).await.expect("a connection");
    connection.write_all(bytes).await.expect("open");
    let mut reply = Vec::new();
    let read =
        tokio::time::timeout(Duration::from_secs(20), connection.read_to_end(&mut reply)).await;
    read.expect("the gate closes the connection").ok();
    String::from_utf8_lossy(&reply).into_owned()
}

/// Half a body, then silence.
async fn slow_sender(gate: &Gate) {
    let head = "POST /v1/chat/completions HTTP/1.1\r\nhost: gate\r\ncontent-type: application/json\r\ncontent-length: 4000\r\n\r\n";
    let reply = raw(gate, format!("{head}{}", good()).as_bytes()).await;
    assert!(reply.starts_with("HTTP/1.1 408"), "{reply}");
    assert!(reply.contains("body_timeout") && !reply.contains(EMAIL));
    let record = gate
        .record_where(|record| record.error == "body_timeout")
        .await;
    assert_eq!(record.outcome, Outcome::Refused);
}

/// A body over the limit that does not say so beforehand.
async fn too_large_in_chunks(gate: &Gate) {
    let head = "POST /v1/chat/completions HTTP/1.1\r\nhost: gate\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
    let chunk = format!("{:x}\r\n{}\r\n", 40_000, "x".repeat(40_000));
    let before = gate.records().len();
    let reply = raw(gate, format!("{head}{chunk}{chunk}").as_bytes()).await;
    assert!(reply.starts_with("HTTP/1.1 413"), "{reply}");
    assert_eq!(gate.records()[before].error, "body_too_large");
}

#[tokio::test]
async fn beyond_the_limit_of_work_callers_are_told_to_wait() {
    let mut upstream = Upstream::start().await;
    let gate = Gate::start(Setup {
        limits: "exchanges_max = 1",
        ..Setup::default().endpoint("hang", "openai", &upstream.url("hang"), "\"m\"")
    })
    .await;
    let request = gate
        .client()
        .post(format!("{}{CHAT}", gate.url))
        .header("content-type", "application/json");
    let held = tokio::spawn(request.body(good()).send());
    upstream.wait_for(&Event::Arrived("hang".into())).await;
    let reply = gate.post(CHAT, good()).await;
    assert_refusal("busy", CHAT, &reply, 429, "gateway_busy");
    assert!(reply.headers.contains_key("retry-after"));
    held.abort();
}

#[tokio::test]
async fn what_cannot_be_inspected_in_time_is_not_sent() {
    let upstream = Upstream::start().await;
    let gate = Gate::start(Setup {
        limits: "inspect_timeout_ms = 1",
        ..Setup::default().endpoint("echo", "openai", &upstream.url("echo"), "\"m\"")
    })
    .await;
    let text = format!("mail {EMAIL} or call +44 20 7946 0857 today; ").repeat(200_000);
    let body = serde_json::json!({"model": "m", "messages": [{"role": "user", "content": text}]});
    let reply = gate.post(CHAT, body.to_string()).await;
    assert_refusal("slow inspection", CHAT, &reply, 503, "inspection_timeout");
    assert_eq!(gate.record(reply.exchange()).await.outcome, Outcome::Failed);
    assert_eq!(upstream.captured().len(), 0, "nothing was sent");
    gate.assert_clean(&LeakChecker::new([("slow inspection", "EMAIL", EMAIL)]))
        .await;
}
