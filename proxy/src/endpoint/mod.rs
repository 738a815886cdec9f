//! An endpoint, checked and ready to be connected to.

pub mod breaker;
mod order;
mod slots;

pub use breaker::{Breaker, State};
pub(crate) use order::order;
pub use slots::{Slot, Slots};

use crate::config::{self, Failover, Limits};
use crate::credential;
use crate::egress::Authorities;
use crate::error::Refusal;
use crate::pattern;
use crate::policy::Target as PolicyTarget;
use crate::secret::Secret;
use crate::sigv4;
use crate::wire::{Operation, WireKind};
use http::{HeaderName, HeaderValue, Method, Uri, header};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{LazyLock, Mutex};
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
    /// In place of the key, where requests are signed.
    signer: Option<sigv4::Credential>,
    ca: Option<Authorities>,
    /// Tells its pooled connections from those of endpoints at the same address: those may trust
    /// other authorities.
    pool: u64,
    timeouts: Timeouts,
    breaker: Breaker,
    slots: Option<Slots>,
    /// Until when it asked to be left alone, ms since [`EPOCH`].
    resting_ms: AtomicU64,
}

/// For how long an endpoint is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Timeouts {
    /// For a connection, TLS included.
    pub(crate) connect: Duration,
    /// From the request sent to the answer's head.
    pub(crate) first_byte: Duration,
    /// Between two pieces.
    pub(crate) idle: Duration,
}

/// What atomic times are counted from.
static EPOCH: LazyLock<Instant> = LazyLock::new(Instant::now);

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

/// What the paths of wires begin with.
const RESERVED: [&str; 7] = ["v1", "v1alpha", "v1beta", "v1beta1", "v2", "api", "model"];

/// How long a resolved address is used before it is looked up again.
const RESOLVED_FOR: Duration = Duration::from_secs(30);

impl Endpoint {
    /// Checks an endpoint's configuration and reads its credential.
    pub fn new(
        config: config::Endpoint,
        local: &LocalModelWatch,
        limits: &Limits,
        failover: &Failover,
    ) -> Result<Self, EndpointError> {
        let fail = |problem: String| EndpointError {
            name: config.name.clone(),
            problem,
        };
        let name_ok = !config.name.is_empty()
            && config.name.len() <= 64
            && !RESERVED.contains(&config.name.as_str())
            && config
                .name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
        if !name_ok {
            return Err(fail(
                "expected a name of 1 to 64 letters, digits, '-', '_', '.', other than the \
                 versions of the wires (\"v1\", \"v1beta\", \"v2\", \"api\", \"model\")"
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
        let mut signer = None;
        if let (Some(held), WireKind::Bedrock) = (&key, config.wire)
            && held.expose().contains(':')
        {
            let region = region(&config).ok_or_else(|| {
                fail("expected region: the url's host does not name one".to_string())
            })?;
            signer = sigv4::Credential::parse(held, region);
        }
        let ca = config
            .ca
            .as_deref()
            .map(crate::egress::read_authorities)
            .transpose()
            .map_err(|e| fail(e.to_string()))?;
        if let Some(fault) = fault(&config) {
            return Err(fail(fault));
        }
        let or = |own: Option<u64>, usual: u64| Duration::from_millis(own.unwrap_or(usual));
        let timeouts = Timeouts {
            connect: or(
                config.connect_timeout_ms,
                limits.upstream_connect_timeout_ms,
            ),
            first_byte: or(
                config.first_byte_timeout_ms,
                limits.upstream_first_byte_timeout_ms,
            ),
            idle: or(config.idle_timeout_ms, limits.upstream_idle_timeout_ms),
        };
        let patience = Duration::from_millis(config.queue_timeout_ms);
        let slots = (config.requests_max > 0)
            .then(|| Slots::new(config.requests_max, config.queue_max, patience));
        static POOLS: AtomicU64 = AtomicU64::new(1);
        Ok(Endpoint {
            config,
            place,
            key,
            signer,
            ca,
            pool: POOLS.fetch_add(1, Relaxed),
            timeouts,
            breaker: Breaker::new(failover),
            slots,
            resting_ms: AtomicU64::new(0),
        })
    }

    /// Whether it differs in nothing from another made from the same `[failover]`: then the one at
    /// work can go on, with its connections and what it knows.
    pub fn is_same(&self, other: &Endpoint) -> bool {
        let key = |endpoint: &Endpoint| endpoint.key.as_ref().map(|key| key.expose().to_owned());
        self.config == other.config
            && key(self) == key(other)
            && self.ca == other.ca
            && self.timeouts == other.timeouts
    }

    /// Whether it fails too much to be used.
    pub fn breaker(&self) -> &Breaker {
        &self.breaker
    }

    /// Its places, if their number is bounded.
    pub fn slots(&self) -> Option<&Slots> {
        self.slots.as_ref()
    }

    /// For how long it is waited for.
    pub(crate) fn timeouts(&self) -> Timeouts {
        self.timeouts
    }

    /// It asked to be left alone: it is the last to be tried for so long. Nobody is refused for
    /// it, and it counts only where the credential is ours: otherwise it is about one caller.
    pub(crate) fn rest(&self, wait: Duration) {
        if self.key.is_some() {
            let until = EPOCH.elapsed().saturating_add(wait).as_millis();
            let until = u64::try_from(until).unwrap_or(u64::MAX);
            self.resting_ms.store(until, Relaxed);
        }
    }

    /// Whether it asked to be left alone.
    pub(crate) fn is_resting(&self) -> bool {
        let until = self.resting_ms.load(Relaxed);
        until > 0 && EPOCH.elapsed().as_millis() < u128::from(until)
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
            .unwrap_or(self.config.wire.provider())
    }

    /// Whether it is the embedded model.
    pub fn embedded(&self) -> bool {
        matches!(self.place, Place::Embedded(_))
    }

    /// Whether it can answer this operation on this wire. The embedded model speaks OpenAI's and
    /// Anthropic's, but only chat.
    pub fn serves(&self, wire: WireKind, operation: Operation) -> bool {
        match self.place {
            Place::Embedded(_) => {
                matches!(wire, WireKind::OpenAi | WireKind::Anthropic)
                    && operation == Operation::Chat
            }
            Place::Url { .. } => self.config.wire == wire,
        }
    }

    /// The alias or the pattern by which it serves a model.
    pub fn pattern(&self, model: &str) -> Option<&str> {
        let alias = self.config.aliases.get_key_value(model);
        let pattern = || {
            self.config
                .models
                .iter()
                .find(|p| pattern::matches(p, model))
        };
        alias
            .map(|(name, _)| name)
            .or_else(pattern)
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

    /// What the model that a request asks for must be replaced by, if anything.
    pub fn model(&self, asked: &str) -> Option<String> {
        match &self.place {
            Place::Embedded(local) => local.borrow().as_ref().map(|l| l.model.clone()),
            Place::Url { .. } => {
                let alias = self.config.aliases.get(asked);
                alias.or(self.config.model.as_ref()).cloned()
            }
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
            Place::Url { .. } if self.signer.is_some() => return Ok(None),
            Place::Url { .. } => self.key.clone(),
        };
        let Some(ours) = ours else { return Ok(callers) };
        let name = match self.embedded() {
            true => header::AUTHORIZATION,
            false => HeaderName::from_static(wire.credential_headers()[0]),
        };
        let text = match name == header::AUTHORIZATION {
            true => format!("Bearer {}", ours.expose()),
            false => ours.expose().to_string(),
        };
        let mut value = HeaderValue::from_str(&text).map_err(|_| Refusal::credential())?;
        value.set_sensitive(true);
        Ok(Some((name, value)))
    }

    /// The headers that sign a request, where the endpoint wants one signed.
    #[allow(
        clippy::disallowed_methods,
        reason = "a signature is for a moment, and tells it"
    )]
    pub(crate) fn signature(
        &self,
        method: &Method,
        below: &str,
        body: &[u8],
    ) -> Result<Vec<(HeaderName, HeaderValue)>, Refusal> {
        let Some(signer) = &self.signer else {
            return Ok(Vec::new());
        };
        let request = sigv4::Request {
            method: method.as_str(),
            host: &self.authority(),
            path: &self.path(below),
            body,
        };
        signer.sign(&request, jiff::Timestamp::now())
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

/// What cannot be meant in an endpoint's own bounds, if anything.
fn fault(config: &config::Endpoint) -> Option<String> {
    if config.weight == Some(0) {
        return Some("expected weight as 1 or more; leave the endpoint out instead".into());
    }
    if config.queue_max > 0 && config.requests_max == 0 {
        return Some("expected requests_max with queue_max: nothing waits without it".into());
    }
    let bad = |name: &String| name.is_empty() || name.len() > 128 || name.contains('*');
    if let Some(name) = config.aliases.keys().find(|name| bad(name)) {
        return Some(format!(
            "expected an alias of 1 to 128 bytes without '*', found {name:?}"
        ));
    }
    let health = config.health.as_ref()?;
    if !health.path.starts_with('/') || health.path.contains(char::is_whitespace) {
        return Some(format!(
            "expected health.path as /models, found {:?}",
            health.path
        ));
    }
    let none = health.interval_ms == 0 || health.timeout_ms == 0 || health.failures_max == 0;
    none.then(|| "expected health's interval_ms, timeout_ms and failures_max as 1 or more".into())
}

/// The region that an endpoint's requests are signed for.
fn region(config: &config::Endpoint) -> Option<&str> {
    let of_host = || {
        let (_, host) = config.url.as_deref()?.split_once("://bedrock-runtime.")?;
        host.split('.').next()
    };
    config.region.as_deref().or_else(of_host)
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
        let config = toml::from_str(toml).expect("valid TOML");
        Endpoint::new(config, &rx, &Limits::default(), &Failover::default())
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
            (
                "name='a'\nwire='openai'\nurl='http://x'\njurisdiction='US'\nweight=0",
                "weight",
            ),
            (
                "name='a'\nwire='openai'\nurl='http://x'\njurisdiction='US'\nqueue_max=3",
                "requests_max",
            ),
            (
                "name='a'\nwire='openai'\nurl='http://x'\njurisdiction='US'\n[aliases]\n'a*'='b'",
                "alias",
            ),
            (
                "name='a'\nwire='openai'\nurl='http://x'\njurisdiction='US'\n[health]\npath='models'",
                "health.path",
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

    #[test]
    fn an_alias_is_served_under_its_own_name_and_goes_before_the_one_model() {
        let text = "name='a'\nwire='openai'\nurl='http://x/v1'\njurisdiction='US'\nmodel='only'\n[aliases]\nfast='gpt-4o-mini'";
        let endpoint = endpoint(text).expect("valid");
        assert_eq!(endpoint.pattern("fast"), Some("fast"));
        assert_eq!(endpoint.pattern("gpt-4o-mini"), None);
        assert_eq!(endpoint.model("fast").as_deref(), Some("gpt-4o-mini"));
        assert_eq!(endpoint.model("other").as_deref(), Some("only"));
    }

    #[test]
    fn only_an_endpoint_with_our_credential_rests() {
        let text = "name='a'\nwire='openai'\nurl='http://x'\njurisdiction='US'";
        let callers = endpoint(text).expect("valid");
        callers.rest(Duration::from_secs(60));
        assert!(!callers.is_resting());
        let mut ours = endpoint(text).expect("valid");
        ours.key = Some(Secret::new("k".into()));
        assert!(!ours.is_resting());
        ours.rest(Duration::from_secs(60));
        assert!(ours.is_resting());
        ours.rest(Duration::ZERO);
        assert!(!ours.is_resting());
    }
}
