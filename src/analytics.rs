//! Which analytics store to read and write, as a client of it.

use crate::config::{Analytics, Config};
use crate::exit::Failure;
use crate::store;
use crate::supervise::runfile;
use clickhouse::Client;
use std::net::SocketAddr;
use tollgate_analytics::client::{Credentials, client};
use tollgate_proxy::credential;

/// A client of the embedded store at an address, with its token.
pub fn embedded(address: SocketAddr, token: &str) -> Client {
    client(
        &format!("http://{address}"),
        "",
        &Credentials::Token(token.to_owned()),
    )
}

/// A client of the ClickHouse server that the configuration names.
///
/// # Errors
/// When its password cannot be read.
pub fn server(analytics: &Analytics) -> Result<Client, Failure> {
    let password = analytics
        .password
        .as_deref()
        .map(credential::read)
        .transpose();
    let password = password.map_err(Failure::usage)?;
    let credentials = if analytics.user.is_empty() && password.is_none() {
        Credentials::None
    } else {
        let user = if analytics.user.is_empty() {
            "default"
        } else {
            &analytics.user
        };
        let password = password.map(|password| password.expose().to_owned());
        Credentials::User {
            name: user.to_owned(),
            password: password.unwrap_or_default(),
        }
    };
    Ok(client(&analytics.url, &analytics.database, &credentials))
}

/// The store that a reading command means: the URL given, else the server configured, else the
/// embedded store of a gate that runs on the configured data directory.
///
/// # Errors
/// When there is no such store.
pub fn find(config: &Config, url: Option<&str>) -> Result<Client, Failure> {
    if let Some(url) = url {
        return Ok(client(url, "", &Credentials::None));
    }
    if !config.analytics.url.is_empty() {
        return server(&config.analytics);
    }
    let run_dir = config.data.dir.join("run");
    match runfile::find(&run_dir, store::NAME).map_err(Failure::new)? {
        Some(found) => Ok(embedded(found.address, &found.token)),
        None => {
            let data = config.data.dir.display();
            Err(Failure::new(format!(
                "no embedded store runs on the data directory {data}"
            ))
            .help(
                "start `tollgate serve` with the same configuration, or name a store with --store \
                 or `analytics.url`",
            ))
        }
    }
}
