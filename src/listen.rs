//! What the commands that listen have in common: the token they ask for, and where they may do
//! without one.

use crate::exit::Failure;
use crate::supervise::child;
use std::net::{SocketAddr, TcpListener};
use tollgate_proxy::credential;

/// The token that callers must show: a supervising parent's, else the one that `spec` names.
///
/// # Errors
/// When what `spec` names cannot be read.
pub fn token(spec: Option<&str>) -> Result<Option<String>, Failure> {
    if let Some(token) = child::token() {
        return Ok(Some(token));
    }
    let secret = spec
        .map(credential::read)
        .transpose()
        .map_err(Failure::usage)?;
    Ok(secret.map(|secret| secret.expose().to_owned()))
}

/// Listens on an address. Beyond loopback that takes a token.
///
/// # Errors
/// When there is none, or the address cannot be had.
pub fn bind(option: &str, address: SocketAddr, token: bool) -> Result<TcpListener, Failure> {
    if !address.ip().is_loopback() && !token {
        return Err(Failure::usage(format!(
            "{option} {address}: expected a loopback address, or --token for what others can reach"
        )));
    }
    TcpListener::bind(address).map_err(|error| {
        Failure::new(format!("{option}: cannot listen on {address}: {error}"))
            .help("another process may have it, perhaps another `tollgate serve`; name another")
    })
}

/// The runtime of a command that serves.
///
/// # Errors
/// When threads cannot be started.
pub fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    Ok(tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_token_only_loopback_is_listened_on() {
        assert!(bind("--listen", "127.0.0.1:0".parse().unwrap(), false).is_ok());
        let refused = bind("--listen", "0.0.0.0:0".parse().unwrap(), false).unwrap_err();
        assert!(refused.to_string().contains("--token"), "{refused}");
        assert!(bind("--listen", "0.0.0.0:0".parse().unwrap(), true).is_ok());
    }

    #[test]
    fn a_taken_address_is_named() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap();
        let error = bind("--listen", address, false).unwrap_err().to_string();
        assert!(error.contains(&address.to_string()), "{error}");
    }
}
