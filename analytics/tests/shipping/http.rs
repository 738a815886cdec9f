//! ClickHouse's HTTP protocol as `curl` and other clients speak it.

use crate::child::{Store, TOKEN};
use reqwest::header::ACCEPT_ENCODING;
use reqwest::{Client, Response};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

struct Caller {
    http: Client,
    url: String,
}

impl Caller {
    async fn post(&self, parameters: &[(&str, &str)], body: impl Into<reqwest::Body>) -> Response {
        let request = self
            .http
            .post(self.url(parameters))
            .header("X-ClickHouse-Key", TOKEN);
        request.body(body).send().await.unwrap()
    }

    fn url(&self, parameters: &[(&str, &str)]) -> reqwest::Url {
        let mut url = reqwest::Url::parse(&self.url).unwrap();
        url.query_pairs_mut().extend_pairs(parameters);
        url
    }

    /// The body of a success.
    async fn ok(&self, parameters: &[(&str, &str)], body: &str) -> String {
        let response = self.post(parameters, body.to_owned()).await;
        let (status, text) = (response.status(), response.text().await.unwrap());
        assert_eq!(status, 200, "{text}");
        text
    }

    /// Status and code of a refusal, whose text must bear the code too.
    async fn refused(&self, parameters: &[(&str, &str)], body: &str) -> (u16, u32) {
        refusal(self.post(parameters, body.to_owned()).await).await
    }
}

async fn refusal(response: Response) -> (u16, u32) {
    let status = response.status().as_u16();
    let code = response.headers()["X-ClickHouse-Exception-Code"]
        .to_str()
        .unwrap()
        .to_owned();
    let text = response.text().await.unwrap();
    assert!(
        text.starts_with(&format!("Code: {code}. DB::Exception: ")),
        "{text}"
    );
    (status, code.parse().unwrap())
}

#[tokio::test]
async fn the_protocol_is_clickhouses() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::start(dir.path());
    let caller = Caller {
        http: Client::new(),
        url: store.url(),
    };

    // Health, without a token.
    let ping = caller
        .http
        .get(format!("{}/ping", store.url()))
        .send()
        .await
        .unwrap();
    assert_eq!(
        (ping.status().as_u16(), ping.text().await.unwrap().as_str()),
        (200, "Ok.\n")
    );

    // The query in the body, in the parameter, in both.
    assert_eq!(caller.ok(&[], "SELECT 1").await, "1\n");
    assert_eq!(caller.ok(&[("query", "SELECT 2")], "").await, "2\n");
    assert_eq!(caller.ok(&[("query", "SELECT 3")], ", 4").await, "3\t4\n");

    // Tables, inserts, formats, databases.
    caller.ok(&[], "CREATE DATABASE d").await;
    let d = ("database", "d");
    caller
        .ok(
            &[d],
            "CREATE TABLE t (a UInt64, s String) ENGINE = MergeTree ORDER BY a",
        )
        .await;
    caller
        .ok(&[d], "INSERT INTO t VALUES (1, 'x;\n\ny'), (2, '')")
        .await;
    caller
        .ok(
            &[d, ("query", "INSERT INTO t FORMAT JSONEachRow")],
            "{\"a\":3}\n\n{\"a\":4}",
        )
        .await;
    let raw = [[10_u8; 8].as_slice(), &[2, 10, 10]].concat();
    let response = caller
        .post(
            &[d, ("query", "INSERT INTO t FORMAT RowBinary")],
            raw.repeat(3),
        )
        .await;
    let summary = response.headers()["X-ClickHouse-Summary"]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(summary.contains(r#""written_rows":"3""#), "{summary}");
    caller
        .ok(&[d], "INSERT INTO t SELECT a + 100, s FROM t WHERE a = 1")
        .await;
    let counted = [d, ("default_format", "JSONEachRow"), ("query_id", "q-1")];
    let response = caller
        .post(&counted, "SELECT count() c, uniqExact(a) u FROM t")
        .await;
    assert_eq!(response.headers()["X-ClickHouse-Format"], "JSONEachRow");
    assert_eq!(response.headers()["X-ClickHouse-Query-Id"], "q-1");
    assert_eq!(response.text().await.unwrap(), "{\"c\":8,\"u\":6}\n");
    let texts = caller
        .ok(&[d], "SELECT s FROM t WHERE a IN (1, 101) FORMAT CSV")
        .await;
    assert_eq!(texts, "\"x;\n\ny\"\n\"x;\n\ny\"\n");

    // Parameters and settings; neither stays for the next request.
    let parameters = [
        ("param_x", "7"),
        ("param_s", "it's"),
        ("session_timezone", "Asia/Tokyo"),
    ];
    let sql = "SELECT {x:UInt8} + 1, {s:String}, timezone(), currentDatabase()";
    assert_eq!(
        caller.ok(&parameters, sql).await,
        "8\tit\\'s\tAsia/Tokyo\tdefault\n"
    );
    assert_ne!(caller.ok(&[], "SELECT timezone()").await, "Asia/Tokyo\n");
    let asked = [
        ("max_threads", "64"),
        ("session_id", "x"),
        ("enable_http_compression", "1"),
    ];
    assert_eq!(
        caller.ok(&asked, "SELECT getSetting('max_threads')").await,
        "2\n"
    );

    // GET reads only.
    let get = |sql| {
        let request = caller
            .http
            .get(caller.url(&[d, ("query", sql)]))
            .bearer_auth(TOKEN);
        request.header(ACCEPT_ENCODING, "gzip").send()
    };
    let response = get("SELECT 5").await.unwrap();
    assert!(!response.headers().contains_key("content-encoding"));
    assert_eq!(response.text().await.unwrap(), "5\n");
    assert_eq!(
        refusal(get("INSERT INTO t VALUES (9, '')").await.unwrap()).await,
        (400, 164)
    );

    // Errors.
    assert_eq!(caller.refused(&[], "SELEC 1").await, (400, 62));
    assert_eq!(caller.refused(&[], "").await, (400, 62));
    assert_eq!(caller.refused(&[], "SELECT 1; SELECT 2").await, (400, 62));
    assert_eq!(caller.refused(&[], "SELECT * FROM nope").await, (404, 60));
    assert_eq!(
        caller.refused(&[("database", "nope")], "SELECT 1").await,
        (404, 81)
    );
    assert_eq!(
        caller
            .refused(&[d], "INSERT INTO t FORMAT RowBinary abc")
            .await,
        (400, 33)
    );
    assert_eq!(
        caller.refused(&[("compress", "1")], "SELECT 1").await,
        (501, 48)
    );
    assert_eq!(caller.refused(&[], &" ".repeat(17 << 20)).await, (413, 307));
    let limit = [("max_result_bytes", "1000")];
    assert_eq!(
        caller.refused(&limit, "SELECT * FROM numbers(1000)").await,
        (500, 396)
    );
    assert_eq!(
        caller.ok(&[d], "SELECT count() FROM t").await,
        "8\n",
        "nothing half inserted"
    );

    // Strangers.
    for password in [None, Some("wrong")] {
        let request = caller
            .http
            .post(store.url())
            .basic_auth("default", password);
        let response = request.body("SELECT 1").send().await.unwrap();
        assert_eq!(refusal(response).await, (401, 516));
    }

    // curl, if somebody wants to see for themselves.
    let user = format!("default:{TOKEN}");
    let url = store.url();
    let arguments = [
        "-sS",
        "--compressed",
        "-u",
        &user,
        &url,
        "--data-binary",
        "SELECT 'curl'",
    ];
    let out = Command::new("curl").args(arguments).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&out.stdout), "curl\n", "{out:?}");

    an_insert_cut_off_inserts_nothing(&store);
    assert_eq!(caller.ok(&[d], "SELECT count() FROM t").await, "8\n");
    assert!(
        store.stop().success(),
        "the engine is closed before the process ends"
    );
}

/// Three whole rows arrive, and the head said that there would be more.
fn an_insert_cut_off_inserts_nothing(store: &Store) {
    let mut stream = TcpStream::connect(store.address).unwrap();
    let head = format!(
        "POST /?database=d&query=INSERT+INTO+t+FORMAT+TSV HTTP/1.1\r\nHost: x\r\n\
         X-ClickHouse-Key: {TOKEN}\r\nContent-Length: 100\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(b"201\ta\n202\tb\n203\tc\n").unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = String::new();
    // An answer or none, but the connection ends: the request has been dealt with.
    let _ = stream.read_to_string(&mut answer);
    assert!(!answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn data_outlives_the_process_however_it_ends() {
    let dir = tempfile::tempdir().unwrap();
    let caller = |store: &Store| Caller {
        http: Client::new(),
        url: store.url(),
    };
    let store = Store::start(dir.path());
    let create = "CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a";
    caller(&store).ok(&[], create).await;
    caller(&store).ok(&[], "INSERT INTO t VALUES (1)").await;
    let (said, status) = Store::start_in_vain(dir.path());
    assert!(!status.success());
    assert!(said.contains("is held by another process"), "{said}");
    assert!(store.stop().success());

    let store = Store::start(dir.path());
    caller(&store).ok(&[], "INSERT INTO t VALUES (2)").await;
    store.kill();

    let store = Store::start(dir.path());
    assert_eq!(
        caller(&store).ok(&[], "SELECT groupArray(a) FROM t").await,
        "[1,2]\n"
    );
    assert!(store.stop().success());
    assert!(
        Path::new(dir.path()).join("store").exists(),
        "the engine's files are where they were asked for"
    );
}
