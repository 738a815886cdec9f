//! A body near the limit is inspected to its last byte and otherwise left alone.

use crate::gate::{Gate, Setup, assert_no_leaks, placeholders};
use crate::leak_checker::LeakChecker;
use crate::upstream::Upstream;

const EMAIL: &str = "nora.lindgren@brevlada.se";
const BODY_BYTES: usize = 20 << 20;

#[tokio::test]
async fn a_value_at_the_end_of_20_mib_is_replaced_and_nothing_else_changes() {
    let upstream = Upstream::start().await;
    let gate =
        Gate::start(Setup::default().endpoint("echo", "openai", &upstream.url("echo"), "\"m\""))
            .await;
    let paragraph =
        "The ship left the harbour before the rain came and nobody on the pier was surprised. ";
    let mut body = String::with_capacity(BODY_BYTES + 256);
    body += r#"{"model":"m", "messages":[{"role":"user","content":""#;
    while body.len() < BODY_BYTES {
        body += paragraph;
    }
    body += &format!("Signed, {EMAIL}\"}} ] }}");
    let reply = gate.post("/v1/chat/completions", body.clone()).await;
    assert_eq!(reply.status, 200);
    let sent = String::from_utf8(upstream.captured()[0].body.clone()).expect("UTF-8");
    let [placeholder] = &placeholders(&sent)[..] else {
        panic!("exactly one placeholder")
    };
    // Compared without assert_eq, which would print 40 MiB.
    assert!(
        sent.replace(placeholder, EMAIL) == body,
        "bytes other than the value changed"
    );
    assert!(reply.text().ends_with(&format!("Signed, {EMAIL}")));
    let record = gate.record(reply.exchange()).await;
    assert_eq!(
        (record.request_bytes, record.upstream_bytes),
        (body.len() as u64, sent.len() as u64)
    );
    let checker = LeakChecker::new([("the large body", "EMAIL", EMAIL)]);
    assert_no_leaks(&checker.search("upstream", sent.as_bytes()));
    gate.assert_clean(&checker).await;
}
