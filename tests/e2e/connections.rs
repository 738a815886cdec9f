//! Connections are kept and both HTTP versions are spoken.

use crate::gate::{Gate, Setup, read};
use crate::upstream::Upstream;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const BODY: &str = r#"{"model":"m","messages":[{"role":"user","content":"hello"}]}"#;

/// Reads one reply with a content length from a connection that stays open.
async fn reply(connection: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let head = head.to_lowercase();
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
            let chunked =
                head.contains("transfer-encoding: chunked") && body.ends_with("0\r\n\r\n");
            if chunked || length.is_some_and(|length| body.len() >= length) {
                return text;
            }
        }
        let read =
            tokio::time::timeout(Duration::from_secs(20), connection.read_buf(&mut bytes)).await;
        assert_ne!(
            read.expect("in time").expect("readable"),
            0,
            "closed after {text:?}"
        );
    }
}

#[tokio::test]
async fn one_connection_carries_many_exchanges_on_both_sides() {
    let upstream = Upstream::start().await;
    let gate =
        Gate::start(Setup::default().endpoint("echo", "openai", &upstream.url("echo"), "\"m\""))
            .await;
    let address = gate.url.strip_prefix("http://").expect("an http URL");
    let mut connection = TcpStream::connect(address).await.expect("a connection");
    let good = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: gate\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{BODY}",
        BODY.len()
    );
    // A refusal of a request that was read whole does not cost the connection.
    let bad = good.replace("\"messages\"", "\"messages'");
    for request in [&good, &good, &bad, &good] {
        connection
            .write_all(request.as_bytes())
            .await
            .expect("open");
        let reply = reply(&mut connection).await;
        let status = if request == &bad {
            "HTTP/1.1 422"
        } else {
            "HTTP/1.1 200"
        };
        assert!(reply.starts_with(status), "{reply}");
        assert!(reply.to_lowercase().contains("tollgate-exchange: "));
    }
    let connections: Vec<usize> = upstream
        .captured()
        .iter()
        .map(|captured| captured.connection)
        .collect();
    assert_eq!(connections, [0, 0, 0], "the upstream connection is reused");
}

#[tokio::test]
async fn http2_with_prior_knowledge_is_spoken_and_multiplexed() {
    let upstream = Upstream::start().await;
    let gate =
        Gate::start(Setup::default().endpoint("echo", "openai", &upstream.url("echo"), "\"m\""))
            .await;
    let client = reqwest::Client::builder()
        .http2_prior_knowledge()
        .build()
        .expect("a client");
    let calls = (0..8).map(|number| {
        let text = format!("number {number} for nora{number}@brevlada.se");
        let body =
            serde_json::json!({"model": "m", "messages": [{"role": "user", "content": text}]});
        let request = client
            .post(format!("{}/v1/chat/completions", gate.url))
            .json(&body);
        async move {
            let response = request.send().await.expect("a reply");
            assert_eq!(response.version(), reqwest::Version::HTTP_2);
            assert_eq!(read(response).await.text(), format!("You said: {text}"));
        }
    });
    futures::future::join_all(calls).await;
    assert_eq!(gate.records().len(), 8);
}
