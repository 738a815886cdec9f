//! Against a fake child: a small HTTP server in Python, which the set-up needs anyway.

use super::*;
use std::path::Path;

/// Answers `/ping` with its process id and whether the token and a foreign variable came through;
/// dies on `/die`; ends when its standard input does, unless told to ignore that.
const CHILD: &str = r#"
import http.server, os, sys, threading
host, port = sys.argv[sys.argv.index("--listen") + 1].rsplit(":", 1)
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/die":
            os._exit(3)
        seen = [str(os.getpid()), os.environ["TOLLGATE_CHILD_TOKEN"], os.environ.get("CARGO", "-")]
        body = " ".join(seen).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass
def watch():
    sys.stdin.buffer.read()
    if "--deaf" not in sys.argv:
        os._exit(0)
threading.Thread(target=watch, daemon=True).start()
http.server.ThreadingHTTPServer((host, int(port)), Handler).serve_forever()
"#;

const WAIT: Duration = Duration::from_secs(60);

fn spec(run_dir: &Path, arguments: &[&str]) -> Spec {
    Spec {
        name: "fake",
        program: "python3".into(),
        arguments: arguments.iter().map(OsString::from).collect(),
        health: "/ping",
        start_timeout: WAIT,
        run_dir: run_dir.to_owned(),
        log: None,
    }
}

async fn ask(address: SocketAddr, path: &str) -> reqwest::Result<String> {
    let client = reqwest::Client::builder().no_proxy().build()?;
    client
        .get(format!("http://{address}{path}"))
        .send()
        .await?
        .text()
        .await
}

/// Waits until the child answers, over restarts too.
async fn healthy(child: &Supervised) -> SocketAddr {
    let mut status = child.status();
    let healthy = status.wait_for(|now| now.state == State::Healthy);
    time::timeout(WAIT, healthy)
        .await
        .expect("the child never answered")
        .unwrap()
        .address
}

/// Waits until the child is down, and says why it is.
async fn down(status: &mut watch::Receiver<Status>) -> String {
    let down = status.wait_for(|now| matches!(now.state, State::Down { .. }));
    match time::timeout(WAIT, down)
        .await
        .expect("the child stayed up")
        .unwrap()
        .state
        .clone()
    {
        State::Down { reason, .. } => reason,
        other => unreachable!("waited for Down, got {other:?}"),
    }
}

fn runs(pid: &str) -> bool {
    Path::new("/proc").join(pid).exists()
}

#[tokio::test]
async fn a_child_becomes_healthy_is_found_and_stops_when_asked() {
    let dir = tempfile::tempdir().unwrap();
    let child = Supervised::start(spec(dir.path(), &["-c", CHILD])).unwrap();
    let address = healthy(&child).await;
    let said = ask(address, "/ping").await.unwrap();
    let said: Vec<_> = said.split(' ').collect();
    assert_eq!(said[1], child.token().expose());
    assert_eq!(
        said[2], "-",
        "the child sees a variable that is none of its business"
    );
    assert_eq!(format!("{:?}", child.token()), "Token(hidden)");

    let found = runfile::find(dir.path(), "fake").unwrap().unwrap();
    assert_eq!((found.address, found.token.as_str()), (address, said[1]));
    assert_eq!(found.pid.unwrap().to_string(), said[0]);

    let last = child.stop().await;
    assert_eq!(last.state, State::Stopped { killed: false });
    assert!(runfile::find(dir.path(), "fake").unwrap().is_none());
    assert!(!runs(said[0]));
}

#[tokio::test]
async fn a_child_that_dies_is_started_again_at_the_same_address() {
    let dir = tempfile::tempdir().unwrap();
    let child = Supervised::start(spec(dir.path(), &["-c", CHILD])).unwrap();
    let address = healthy(&child).await;
    let before = ask(address, "/ping").await.unwrap();
    let mut status = child.status();
    ask(address, "/die").await.unwrap_err();
    let reason = down(&mut status).await;
    assert!(reason.contains('3'), "{reason}");
    assert_eq!(healthy(&child).await, address);
    assert_ne!(ask(address, "/ping").await.unwrap(), before);
    child.stop().await;
}

#[tokio::test]
async fn a_child_that_does_not_listen_is_killed() {
    let dir = tempfile::tempdir().unwrap();
    let child = Supervised::start(spec(dir.path(), &["-c", CHILD, "--deaf"])).unwrap();
    let address = healthy(&child).await;
    let said = ask(address, "/ping").await.unwrap();
    assert_eq!(child.stop().await.state, State::Stopped { killed: true });
    assert!(!runs(said.split(' ').next().unwrap()));
}

#[tokio::test]
async fn a_child_that_cannot_start_is_a_state_with_its_reason() {
    let dir = tempfile::tempdir().unwrap();
    let missing = Spec {
        program: "/nonexistent/program".into(),
        ..spec(dir.path(), &[])
    };
    let child = Supervised::start(missing).unwrap();
    let reason = down(&mut child.status()).await;
    assert!(reason.contains("could not be started"), "{reason}");
    assert_eq!(child.stop().await.state, State::Stopped { killed: false });
}

#[tokio::test]
async fn a_taken_port_is_left_to_its_owner() {
    let dir = tempfile::tempdir().unwrap();
    let child = Supervised::start(spec(dir.path(), &["-c", CHILD])).unwrap();
    // Nothing has been awaited yet: the watching task has not started the child.
    let taken = child.address();
    let _owner = TcpListener::bind(taken).unwrap();
    let address = healthy(&child).await;
    assert_ne!(address, taken);
    child.stop().await;
}
