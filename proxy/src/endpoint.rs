//! An endpoint, checked and ready to be connected to.

use crate::config;
use crate::credential;
use crate::egress::Authorities;
use crate::error::Refusal;
use crate::pattern;
use crate::policy::Target as PolicyTarget;
use crate::secret::Secret;
use crate::wire::{Operation, WireKind};
use http::{HeaderName, HeaderValue, Uri, header};
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// Where the embedded on-prem model is, while it is up.
#[derive(Clone, Debug)]
pub struct LocalModel {
    /// Its loopback address.
    pub address: SocketAddr,
    /// The bearer token that it expects.
    pub token: Secret,
    /// What its model is called.
    pub model: String,
}

/// The embedded model's whereabouts, as its supervisor tells them; `None` while it is down.
pub type LocalModelWatch = watch::Receiver<Option<LocalModel>>;

/// An endpoint that cannot be used as configured.
#[derive(Debug, thiserror::Error)]
#[error("endpoint {name:?}: {problem}")]
pub struct EndpointError {
    /// The endpoint's name.
    pub name: String,
    /// What is wrong and what was expected.
    pub problem: String,
}

/// An endpoint, ready.
pub struct Endpoint {
    config: config::Endpoint,
    place: Place,
    key: Option<Secret>,
    ca: Option<Authorities>,
    /// Tells its pooled connections from those of endpoints at the same address: those may trust
    /// other authorities.
    pool: u64,
}

enum Place {
    Embedded(LocalModelWatch),
    Url {
        tls: bool,
        host: String,
        port: u16,
        authority: String,
        base: String,
        resolved: Mutex<Option<(SocketAddr, Instant)>>,
    },
}

/// Where to connect.
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    pub(crate) tls: bool,
    pub(crate) sni: String,
    pub(crate) ca: Option<Authorities>,
    /// Which connections it may share.
    pub(crate) pool: u64,
}

/// How long a resolved address is used before it is looked up again.
const RESOLVED_FOR: Duration = Duration::from_secs(30);

impl Endpoint {
    /// Checks an endpoint's configuration and reads its credential.
    pub fn new(config: config::Endpoint, local: &LocalModelWatch) -> Result<Self, EndpointError> {
        let fail = |problem: String| EndpointError {
            name: config.name.clone(),
            problem,
        };
        let name_ok = !config.name.is_empty()
            && config.name.len() <= 64
            && config.name != "v1"
            && config
                .name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
        if !name_ok {
            return Err(fail(
                "expected a name of 1 to 64 letters, digits, '-', '_', '.', other than \"v1\""
                    .into(),
            ));
        }
        let place = match &config.url {
            None if config.on_prem => Place::Embedded(local.clone()),
            None => return Err(fail(
                "expected a url; only an on_prem endpoint may leave it out (the embedded model)"
                    .into(),
            )),
            Some(url) => parse_url(url).map_err(&fail)?,
        };
        let country = config.jurisdiction.len() == 2
            && config.jurisdiction.bytes().all(|b| b.is_ascii_uppercase());
        let at_home = config.on_prem && config.jurisdiction.is_empty();
        if !(country || at_home) {
            return Err(fail(
                "expected jurisdiction as a two-letter country code in capitals, or EU".into(),
            ));
        }
        let key = config
            .key
            .as_deref()
            .map(credential::read)
            .transpose()
            .map_err(|e| fail(e.to_string()))?;
        let ca = config
            .ca
            .as_deref()
            .map(crate::egress::read_authorities)
            .transpose()
            .map_err(|e| fail(e.to_string()))?;
        static POOLS: AtomicU64 = AtomicU64::new(1);
        Ok(Endpoint {
            config,
            place,
            key,
            ca,
            pool: POOLS.fetch_add(1, Relaxed),
        })
    }

    /// The configured name.
    pub fn name(&self) -> &str {
        &self.config.name
    }

    /// The configuration it was made from.
    pub fn config(&self) -> &config::Endpoint {
        &self.config
    }

    /// Whose prices apply.
    pub fn provider(&self) -> &str {
        self.config
            .provider
            .as_deref()
            .unwrap_or(self.config.wire.as_str())
    }

    /// Whether it is the embedded model.
    pub fn embedded(&self) -> bool {
        matches!(self.place, Place::Embedded(_))
    }

    /// Whether it can answer this operation on this wire. The embedded model speaks both wires,
    /// but only chat.
    pub fn serves(&self, wire: WireKind, operation: Operation) -> bool {
        match self.place {
            Place::Embedded(_) => operation == Operation::Chat,
            Place::Url { .. } => self.config.wire == wire,
        }
    }

    /// The pattern by which it serves a model.
    pub fn pattern(&self, model: &str) -> Option<&str> {
        self.config
            .models
            .iter()
            .find(|p| pattern::matches(p, model))
            .map(String::as_str)
    }

    /// What policy may know of it.
    pub fn policy_target(&self) -> PolicyTarget<'_> {
        PolicyTarget {
            endpoint: &self.config.name,
            jurisdiction: &self.config.jurisdiction,
            transfer_basis: self.config.transfer_basis,
            on_prem: self.config.on_prem,
        }
    }

    /// What the request's `model` must be replaced by, if anything.
    pub fn model(&self) -> Option<String> {
        match &self.place {
            Place::Embedded(local) => local.borrow().as_ref().map(|l| l.model.clone()),
            Place::Url { .. } => self.config.model.clone(),
        }
    }

    /// The credential header to send: ours where there is one, else the caller's own.
    pub(crate) fn credential(
        &self,
        wire: WireKind,
        callers: Option<(HeaderName, HeaderValue)>,
    ) -> Result<Option<(HeaderName, HeaderValue)>, Refusal> {
        let ours = match &self.place {
            Place::Embedded(local) => match local.borrow().as_ref() {
                Some(up) => Some(up.token.clone()),
                None => return Err(Refusal::local_unavailable()),
            },
            Place::Url { .. } => self.key.clone(),
        };
        let Some(ours) = ours else { return Ok(callers) };
        let (name, text) = match wire {
            WireKind::Anthropic if !self.embedded() => (
                HeaderName::from_static("x-api-key"),
                ours.expose().to_string(),
            ),
            _ => (header::AUTHORIZATION, format!("Bearer {}", ours.expose())),
        };
        let mut value = HeaderValue::from_str(&text).map_err(|_| Refusal::credential())?;
        value.set_sensitive(true);
        Ok(Some((name, value)))
    }

    /// The request path at the endpoint for a path below the version segment (`/chat/completions`).
    pub(crate) fn path(&self, below: &str) -> String {
        match &self.place {
            Place::Embedded(_) => format!("/v1{below}"),
            Place::Url { base, .. } => format!("{base}{below}"),
        }
    }

    /// The `Host` to ask for.
    pub(crate) fn authority(&self) -> String {
        match &self.place {
            Place::Embedded(_) => "localhost".into(),
            Place::Url { authority, .. } => authority.clone(),
        }
    }

    pub(crate) async fn target(&self) -> Result<Target, Refusal> {
        match &self.place {
            Place::Embedded(local) => {
                let address = local
                    .borrow()
                    .as_ref()
                    .map(|l| l.address)
                    .ok_or_else(Refusal::local_unavailable)?;
                Ok(Target {
                    address,
                    tls: false,
                    sni: String::new(),
                    ca: None,
                    pool: self.pool,
                })
            }
            Place::Url {
                tls,
                host,
                port,
                resolved,
                ..
            } => {
                let held = *resolved.lock().expect("no panic while held");
                let address = match held {
                    Some((address, at)) if at.elapsed() < RESOLVED_FOR => address,
                    _ => {
                        let mut found = tokio::net::lookup_host((host.as_str(), *port))
                            .await
                            .map_err(|e| Refusal::connect().because(e.kind()))?;
                        let address = found
                            .next()
                            .ok_or_else(|| Refusal::connect().because("no address"))?;
                        *resolved.lock().expect("no panic while held") =
                            Some((address, Instant::now()));
                        address
                    }
                };
                Ok(Target {
                    address,
                    tls: *tls,
                    sni: host.clone(),
                    ca: self.ca.clone(),
                    pool: self.pool,
                })
            }
        }
    }
}

fn parse_url(url: &str) -> Result<Place, String> {
    let expected = || format!("expected url as http(s)://host[:port]/path, found {url:?}");
    let uri: Uri = url.parse().map_err(|_| expected())?;
    let tls = match uri.scheme_str() {
        Some("https") => true,
        Some("http") => false,
        _ => return Err(expected()),
    };
    let authority = uri.authority().ok_or_else(expected)?;
    if authority.as_str().contains('@') || uri.query().is_some() {
        return Err("expected url without credentials and without query; use `key`".into());
    }
    Ok(Place::Url {
        tls,
        host: authority.host().trim_matches(['[', ']']).to_string(),
        port: authority.port_u16().unwrap_or(if tls { 443 } else { 80 }),
        authority: authority.to_string(),
        base: uri.path().trim_end_matches('/').to_string(),
        resolved: Mutex::new(None),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(toml: &str) -> Result<Endpoint, EndpointError> {
        let (_tx, rx) = watch::channel(None);
        Endpoint::new(toml::from_str(toml).expect("valid TOML"), &rx)
    }

    #[test]
    fn urls_and_names_are_checked() {
        for (toml, expected) in [
            (
                "name='a b'\nwire='openai'\nurl='http://x/v1'\njurisdiction='US'",
                "letters, digits",
            ),
            (
                "name='v1'\nwire='openai'\nurl='http://x/v1'\njurisdiction='US'",
                "other than",
            ),
            (
                "name='a'\nwire='openai'\njurisdiction='US'",
                "expected a url",
            ),
            (
                "name='a'\nwire='openai'\nurl='ftp://x'\njurisdiction='US'",
                "http(s)",
            ),
            (
                "name='a'\nwire='openai'\nurl='http://u:p@x'\njurisdiction='US'",
                "without credentials",
            ),
            ("name='a'\nwire='openai'\nurl='http://x'", "jurisdiction"),
            (
                "name='a'\nwire='openai'\nurl='http://x'\njurisdiction='us'",
                "capitals",
            ),
            (
                "name='a'\nwire='openai'\nurl='http://x'\njurisdiction='US'\nkey='abc'",
                "env:",
            ),
        ] {
            let error = endpoint(toml).err().expect(toml).to_string();
            assert!(error.contains(expected), "{toml}: {error}");
        }
        let good = endpoint("name='a'\nwire='openai'\nurl='https://api.example.com/v1/'\njurisdiction='US'\nmodels=['gpt-*']").expect("valid");
        assert_eq!(good.path("/chat/completions"), "/v1/chat/completions");
        assert_eq!(good.pattern("gpt-4o"), Some("gpt-*"));
        assert!(
            good.serves(WireKind::OpenAi, Operation::Chat)
                && !good.serves(WireKind::Anthropic, Operation::Chat)
        );
    }
}
