//! Endpoints over TLS: HTTP/2 where the endpoint offers it, HTTP/1.1 where not, and nothing at all
//! to one whose certificate does not hold.

use crate::gate::{Gate, Setup, assert_no_leaks};
use crate::leak_checker::LeakChecker;
use openssl::asn1::Asn1Time;
use openssl::bn::{BigNum, MsbOption};
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::ssl::{AlpnError, Ssl, SslAcceptor, SslMethod, select_next_proto};
use openssl::x509::extension::{BasicConstraints, SubjectAlternativeName};
use openssl::x509::{X509, X509NameBuilder};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_openssl::SslStream;

const EMAIL: &str = "nora.lindgren@brevlada.se";

/// An authority and what it signs.
struct Authority {
    certificate: X509,
    key: PKey<Private>,
}

fn key() -> PKey<Private> {
    PKey::from_rsa(Rsa::generate(2048).expect("a key")).expect("a key")
}

/// A certificate for `name`, valid from `from` to `to` days from now.
fn certificate(
    name: &str,
    key: &PKey<Private>,
    issuer: Option<&Authority>,
    days: (i64, i64),
) -> X509 {
    let mut subject = X509NameBuilder::new().expect("a name");
    subject.append_entry_by_text("CN", name).expect("a name");
    let subject = subject.build();
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.expect("after 1970").as_secs() as i64;
    let time = |days: i64| Asn1Time::from_unix(now + days * 86_400).expect("a time");
    let mut serial = BigNum::new().expect("a number");
    serial
        .rand(127, MsbOption::MAYBE_ZERO, false)
        .expect("random");
    let mut builder = X509::builder().expect("a builder");
    builder.set_version(2).expect("version 3");
    builder
        .set_serial_number(&serial.to_asn1_integer().expect("a serial"))
        .expect("set");
    builder.set_subject_name(&subject).expect("set");
    builder
        .set_issuer_name(issuer.map_or(&subject, |i| i.certificate.subject_name()))
        .expect("set");
    builder.set_pubkey(key).expect("set");
    builder.set_not_before(&time(days.0)).expect("set");
    builder.set_not_after(&time(days.1)).expect("set");
    if issuer.is_some() {
        let context = builder.x509v3_context(issuer.map(|i| &*i.certificate), None);
        let names = SubjectAlternativeName::new().dns(name).build(&context);
        builder
            .append_extension(names.expect("an extension"))
            .expect("set");
    } else {
        let ca = BasicConstraints::new().critical().ca().build();
        builder
            .append_extension(ca.expect("an extension"))
            .expect("set");
    }
    builder
        .sign(issuer.map_or(key, |i| &i.key), MessageDigest::sha256())
        .expect("signed");
    builder.build()
}

impl Authority {
    fn new(name: &str) -> Authority {
        let key = key();
        Authority {
            certificate: certificate(name, &key, None, (-1, 1)),
            key,
        }
    }

    /// An acceptor for `name` that offers `protocols`, in ALPN's form.
    fn acceptor(&self, name: &str, days: (i64, i64), protocols: &'static [u8]) -> SslAcceptor {
        let key = key();
        let mut acceptor =
            SslAcceptor::mozilla_intermediate_v5(SslMethod::tls()).expect("an acceptor");
        acceptor.set_private_key(&key).expect("set");
        acceptor
            .set_certificate(&certificate(name, &key, Some(self), days))
            .expect("set");
        acceptor.set_alpn_select_callback(move |_, offered| {
            select_next_proto(protocols, offered).ok_or(AlpnError::NOACK)
        });
        acceptor.build()
    }

    fn write(&self, path: &Path) -> PathBuf {
        std::fs::write(path, self.certificate.to_pem().expect("PEM")).expect("written");
        path.to_owned()
    }
}

/// What an upstream was sent, with the protocol it came by.
type Captured = Arc<Mutex<Vec<(&'static str, Vec<u8>)>>>;

/// An upstream behind TLS that says what it was told. Returns its URL.
async fn upstream(acceptor: SslAcceptor, captured: &Captured) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0))
        .await
        .expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    let captured = Arc::clone(captured);
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let ssl = Ssl::new(acceptor.context()).expect("a session");
            let captured = Arc::clone(&captured);
            tokio::spawn(async move {
                let mut stream = SslStream::new(ssl, socket).expect("a stream");
                // A caller that does not like the certificate ends here.
                if Pin::new(&mut stream).accept().await.is_err() {
                    return;
                }
                if stream.ssl().selected_alpn_protocol() == Some(b"h2") {
                    http2(stream, captured).await;
                } else {
                    http1(stream, captured).await;
                }
            });
        }
    });
    format!("https://localhost:{port}/v1")
}

async fn http2(stream: SslStream<TcpStream>, captured: Captured) {
    let mut connection = h2::server::handshake(stream).await.expect("HTTP/2");
    while let Some(Ok((request, mut respond))) = connection.accept().await {
        let captured = Arc::clone(&captured);
        tokio::spawn(async move {
            let mut incoming = request.into_body();
            let mut body = Vec::new();
            while let Some(piece) = incoming.data().await {
                let piece = piece.expect("a piece");
                let _ = incoming.flow_control().release_capacity(piece.len());
                body.extend_from_slice(&piece);
            }
            let (kind, pieces) = answer(&body);
            captured.lock().expect("no panic").push(("h2", body));
            let head = http::Response::builder()
                .header("content-type", kind)
                .body(())
                .expect("a head");
            let mut out = respond.send_response(head, false).expect("open");
            for piece in pieces {
                out.send_data(piece.into(), false).expect("open");
            }
            out.send_data(bytes::Bytes::new(), true).expect("open");
        });
    }
}

async fn http1(mut stream: SslStream<TcpStream>, captured: Captured) {
    let mut held = Vec::new();
    while stream.read_buf(&mut held).await.is_ok_and(|n| n > 0) {
        let text = String::from_utf8_lossy(&held).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let length = head
            .to_lowercase()
            .lines()
            .find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
        if body.len() < length.expect("a length") {
            continue;
        }
        let (kind, pieces) = answer(body.as_bytes());
        let whole = pieces.concat();
        captured
            .lock()
            .expect("no panic")
            .push(("http/1.1", body.as_bytes().to_vec()));
        let reply = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n{whole}",
            whole.len()
        );
        stream.write_all(reply.as_bytes()).await.expect("open");
        held.clear();
    }
}

/// The answer to a request: what it said, in a completion or in a stream cut at any place.
fn answer(body: &[u8]) -> (&'static str, Vec<String>) {
    let request: serde_json::Value = serde_json::from_slice(body).expect("JSON");
    let said = request["messages"][0]["content"].as_str().expect("text");
    if request["stream"] != true {
        let completion = serde_json::json!({"object": "chat.completion",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": said}, "finish_reason": "stop"}]});
        return ("application/json", vec![completion.to_string()]);
    }
    let delta = |text: &str| {
        let chunk = serde_json::json!({"object": "chat.completion.chunk",
            "choices": [{"index": 0, "delta": {"content": text}}]});
        format!("data: {chunk}\n\n")
    };
    let letters: Vec<char> = said.chars().collect();
    let pieces = letters
        .chunks(3)
        .map(|piece| delta(&String::from_iter(piece)));
    let pieces = pieces.chain(["data: [DONE]\n\n".to_owned()]);
    ("text/event-stream", pieces.collect())
}

fn endpoint(name: &str, url: &str, ca: Option<&Path>) -> String {
    let ca = ca.map_or(String::new(), |path| {
        format!("ca = {:?}\n", path.display().to_string())
    });
    format!(
        "[[endpoint]]\nname = \"{name}\"\nwire = \"openai\"\nurl = \"{url}\"\njurisdiction = \"US\"\n\
         transfer_basis = \"scc\"\nsimulated = true\n{ca}\n"
    )
}

fn body(stream: bool) -> String {
    format!(
        r#"{{"model":"m","stream":{stream},"messages":[{{"role":"user","content":"Mail {EMAIL} please"}}]}}"#
    )
}

#[tokio::test]
async fn endpoints_are_spoken_to_over_tls_and_only_to_those_that_prove_who_they_are() {
    const BOTH: &[u8] = b"\x02h2\x08http/1.1";
    const ONE: &[u8] = b"\x08http/1.1";
    let dir = tempfile::tempdir().expect("a directory");
    let ours = Authority::new("made-up authority");
    let theirs = Authority::new("another authority");
    let ca = ours.write(&dir.path().join("ca.pem"));
    let good: Captured = Arc::default();
    let bad: Captured = Arc::default();
    let valid = (-1, 1);
    let h2 = upstream(ours.acceptor("localhost", valid, BOTH), &good).await;
    let h1 = upstream(ours.acceptor("localhost", valid, ONE), &good).await;
    let stranger = upstream(theirs.acceptor("localhost", valid, BOTH), &bad).await;
    let misnamed = upstream(ours.acceptor("elsewhere.example", valid, BOTH), &bad).await;
    let expired = upstream(ours.acceptor("localhost", (-3, -2), BOTH), &bad).await;
    let setup = Setup {
        endpoints: [
            endpoint("h2", &h2, Some(&ca)),
            endpoint("h1", &h1, Some(&ca)),
            endpoint("stranger", &stranger, Some(&ca)),
            endpoint("misnamed", &misnamed, Some(&ca)),
            endpoint("expired", &expired, Some(&ca)),
            // The system's authorities do not know ours.
            endpoint("system", &h2, None),
        ]
        .concat(),
        ..Setup::default()
    };
    let gate = Gate::start(setup).await;
    let checker = LeakChecker::new([("TLS upstream", "EMAIL", EMAIL)]);

    for (name, protocol) in [("h2", "h2"), ("h1", "http/1.1")] {
        // Several at once share one HTTP/2 connection.
        let calls = [false, true, false, true].map(|stream| {
            let path = format!("/{name}/v1/chat/completions");
            let gate = &gate;
            async move { gate.post(&path, body(stream)).await }
        });
        for reply in futures::future::join_all(calls).await {
            assert_eq!(reply.status, 200, "{name}: {}", reply.body);
            assert_eq!(reply.text(), format!("Mail {EMAIL} please"), "{name}");
        }
        let seen = std::mem::take(&mut *good.lock().expect("no panic"));
        assert_eq!(seen.len(), 4, "{name}");
        for (by, body) in seen {
            assert_eq!(by, protocol, "{name}");
            assert_no_leaks(&checker.search("upstream", &body));
        }
    }
    for name in ["stranger", "misnamed", "expired", "system"] {
        let path = format!("/{name}/v1/chat/completions");
        let reply = gate.post(&path, body(false)).await;
        assert_eq!(reply.status, 502, "{name}: {}", reply.body);
        let record = gate.record(reply.exchange()).await;
        assert_eq!(record.error, "upstream_unreachable", "{name}");
        assert!(!reply.body.contains(EMAIL), "{name}");
    }
    assert!(bad.lock().expect("no panic").is_empty());
    assert!(good.lock().expect("no panic").is_empty());
    gate.assert_clean(&checker).await;
}
