//! Places elsewhere that something is written to: a file, syslog, an HTTP endpoint.

use crate::exit::Failure;
use serde::Deserialize;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;
use tollgate_proxy::{Secret, credential};

/// For one try.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Facility "log audit", severity "informational" (RFC 5424, 6.2.1).
const SYSLOG_PRIORITY: u8 = 13 * 8 + 6;

/// Where something goes that is kept elsewhere as well.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(try_from = "String")]
pub enum Place {
    /// Appended, each with a line end after it.
    File(PathBuf),
    /// As one message each (RFC 5424), as a JSON string if there is more than one line to it; by UDP to
    /// an address, or to `/dev/log`.
    Syslog(Option<String>),
    /// As the body of a POST, one a line.
    Http(String),
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Place, String> {
        if let Some(path) = text.strip_prefix("file:").filter(|path| !path.is_empty()) {
            return Ok(Place::File(path.into()));
        }
        if let Some(address) = text.strip_prefix("syslog:") {
            let address = (!address.is_empty()).then(|| address.to_owned());
            return match address.as_deref().map(|address| address.rsplit_once(':')) {
                None | Some(Some(_)) => Ok(Place::Syslog(address)),
                Some(None) => Err(format!("expected syslog:HOST:PORT, found {text:?}")),
            };
        }
        match reqwest::Url::parse(text) {
            Ok(url) if matches!(url.scheme(), "http" | "https") => {
                if !url.username().is_empty() || url.password().is_some() {
                    return Err("expected no credentials in a URL: put them in `token`".into());
                }
                Ok(Place::Http(text.to_owned()))
            }
            _ => Err(format!(
                "expected file:PATH, syslog:, syslog:HOST:PORT or an HTTP URL, found {text:?}"
            )),
        }
    }
}

impl TryFrom<String> for Place {
    type Error = String;

    fn try_from(text: String) -> Result<Place, String> {
        text.parse()
    }
}

/// What is sent.
#[derive(Debug)]
pub struct Kind {
    /// The type of a syslog message (MSGID).
    pub message: &'static str,
    /// The type of an HTTP body.
    pub content_type: &'static str,
}

/// A place, ready to be written to.
#[derive(Debug)]
pub struct Destination {
    place: Place,
    token: Option<Secret>,
    client: reqwest::Client,
}

impl Destination {
    /// Makes ready, reading what the place needs; `key` is where its configuration stands.
    ///
    /// # Errors
    /// When the token cannot be read.
    pub fn new(place: &Place, token: Option<&str>, key: &str) -> Result<Destination, Failure> {
        let token = token.map(credential::read).transpose();
        let token = token.map_err(|e| Failure::usage(format!("{key}.token: {e}")))?;
        let client = reqwest::Client::builder().timeout(TIMEOUT).build();
        Ok(Destination {
            place: place.clone(),
            token,
            client: client.map_err(Failure::new)?,
        })
    }

    /// Writes all items, or tells why not; some of them may have been written then. A file's are on
    /// stable storage, an HTTP endpoint has said yes; of syslog only this machine's part is known.
    ///
    /// # Errors
    /// When the place does not take them. Neither URL nor token is in what is said.
    pub async fn send(&self, kind: &'static Kind, items: Vec<String>) -> io::Result<()> {
        let place = self.place.clone();
        let Place::Http(url) = place else {
            return tokio::task::spawn_blocking(move || match place {
                Place::File(path) => append(&path, &items),
                Place::Syslog(address) => syslog(address.as_deref(), kind, &items),
                Place::Http(_) => unreachable!("taken above"),
            })
            .await
            .map_err(io::Error::other)?;
        };
        let mut request = self
            .client
            .post(url)
            .header("content-type", kind.content_type)
            .body(items.join("\n"));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token.expose());
        }
        let answer = request
            .send()
            .await
            .map_err(|e| io::Error::other(e.without_url()))?;
        answer
            .error_for_status()
            .map(drop)
            .map_err(|e| io::Error::other(e.without_url()))
    }

    /// The place as logs and metrics may name it.
    pub fn name(&self) -> String {
        match &self.place {
            Place::File(path) => format!("file:{}", path.display()),
            Place::Syslog(address) => format!("syslog:{}", address.as_deref().unwrap_or("")),
            Place::Http(url) => url.split(['?', '#']).next().unwrap_or_default().to_owned(),
        }
    }
}

fn append(path: &Path, items: &[String]) -> io::Result<()> {
    let mut file = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)?;
    let mut text = items.join("\n");
    text.push('\n');
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn syslog(address: Option<&str>, kind: &Kind, items: &[String]) -> io::Result<()> {
    match address {
        Some(address) => {
            let socket = std::net::UdpSocket::bind("0.0.0.0:0")?;
            socket.connect(address)?;
            each_message(kind, items, |message| socket.send(message))
        }
        None => {
            let socket = std::os::unix::net::UnixDatagram::unbound()?;
            socket.connect("/dev/log")?;
            each_message(kind, items, |message| socket.send(message))
        }
    }
}

fn each_message(
    kind: &Kind,
    items: &[String],
    send: impl Fn(&[u8]) -> io::Result<usize>,
) -> io::Result<()> {
    for item in items {
        let item = match item.contains('\n') {
            true => serde_json::Value::from(item.as_str()).to_string(),
            false => item.clone(),
        };
        let priority = SYSLOG_PRIORITY;
        let message = format!("<{priority}>1 - - tollgate - {} - {item}", kind.message);
        if send(message.as_bytes())? != message.len() {
            return Err(io::ErrorKind::WriteZero.into());
        }
    }
    Ok(())
}
