//! Who calls, and which of its headers go on.

use crate::callers::Allowance;
use crate::error::Refusal;
use crate::keys::{self, KeyRing};
use crate::secret::Secret;
use crate::sigv4;
use crate::wire::Route;
use http::{HeaderMap, HeaderName, HeaderValue};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// A caller, as far as the gate knows it.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The key's name, or `anonymous`.
    pub name: String,
    /// The key's team, or empty.
    pub team: String,
    /// The key's project, or empty.
    pub project: String,
    /// What the key may use, if it brings that along.
    pub allowance: Option<Arc<Allowance>>,
    /// What separates this caller's placeholders from everybody else's.
    pub scope: String,
    /// The caller's own credential for the provider, if it brought one. Never one of our keys.
    pub credential: Option<(HeaderName, HeaderValue)>,
}

/// The header for a gateway key, for callers whose SDK already sends a provider's credential.
pub const KEY_HEADER: &str = "tollgate-key";

/// Identifies a caller, or refuses it: a key of ours must be valid, and once keys exist everybody
/// needs one.
pub fn identify(ring: &KeyRing, route: &Route, headers: &HeaderMap) -> Result<Identity, Refusal> {
    let mut key = headers
        .get(KEY_HEADER)
        .map(|v| v.to_str().unwrap_or("").to_string());
    let (mut credential, mut signer) = (None, None);
    let wire = route.wire;
    // What came in the query is taken for what its header would have brought.
    let queried = route.key.as_ref().map(Secret::expose);
    let queried = queried.map(HeaderValue::from_str).transpose();
    let queried = queried.map_err(|_| Refusal::unauthenticated())?;
    let brought = wire.credential_headers().iter().enumerate();
    for (index, &name) in brought {
        let first = queried.as_ref().filter(|_| index == 0);
        let Some(value) = headers.get(name).or(first) else {
            continue;
        };
        let text = value.to_str().map_err(|_| Refusal::unauthenticated())?;
        let token = text.strip_prefix("Bearer ").unwrap_or(text).trim();
        if token.starts_with(keys::PREFIX) {
            key.get_or_insert_with(|| token.to_string());
        } else if let Some(id) = sigv4::id_of(text) {
            // A signature is for one request to one host, so it ends here. Whose it is, it tells.
            signer.get_or_insert_with(|| id.to_string());
        } else if credential.is_none() {
            let mut value = value.clone();
            value.set_sensitive(true);
            credential = Some((HeaderName::from_static(name), value));
        }
    }
    if let Some(key) = key {
        let caller = ring.lookup(&key).ok_or_else(Refusal::unauthenticated)?;
        return Ok(Identity {
            name: caller.name.clone(),
            team: caller.team.clone(),
            project: caller.project.clone(),
            allowance: caller.allowance.clone(),
            scope: format!("key:{}", caller.name),
            credential,
        });
    }
    if ring.is_required() {
        return Err(Refusal::unauthenticated());
    }
    // Callers without a key are told apart by the credential that they bring.
    let of = |bytes: &[u8]| format!("credential:{:x?}", Sha256::digest(bytes).as_slice());
    let scope = match (&credential, &signer) {
        (Some((_, value)), _) => of(value.as_bytes()),
        (None, Some(id)) => of(id.as_bytes()),
        (None, None) => "anonymous".to_string(),
    };
    Ok(Identity {
        name: "anonymous".into(),
        team: String::new(),
        project: String::new(),
        allowance: None,
        scope,
        credential,
    })
}
