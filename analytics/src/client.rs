//! How to reach the analytics store: the embedded one and a ClickHouse server alike.

use clickhouse::{Client, Compression};
use std::fmt;

/// Who we are to the store.
#[derive(Clone, Default)]
pub enum Credentials {
    /// Nobody in particular.
    #[default]
    None,
    /// A bearer token: the embedded store's.
    Token(String),
    /// A user of a ClickHouse server, and its password.
    User {
        /// The user's name.
        name: String,
        /// The password.
        password: String,
    },
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Credentials::None => "None",
            Credentials::Token(_) => "Token(…)",
            Credentials::User { .. } => "User(…)",
        })
    }
}

/// A client of the store at `url` (`http://host:port`), working in `database`, or in the store's
/// default one if that is empty. Connects when it is first used.
pub fn client(url: &str, database: &str, credentials: &Credentials) -> Client {
    // The embedded store offers no compression; over loopback it would only cost.
    let mut client = Client::default()
        .with_url(url)
        .with_compression(Compression::None);
    if !database.is_empty() {
        client = client.with_database(database);
    }
    match credentials {
        Credentials::None => client,
        Credentials::Token(token) => client.with_access_token(token),
        Credentials::User { name, password } => client.with_user(name).with_password(password),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_do_not_show() {
        for credentials in [
            Credentials::Token("s3cret".into()),
            Credentials::User {
                name: "u".into(),
                password: "s3cret".into(),
            },
        ] {
            let client = client("http://127.0.0.1:1", "d", &credentials);
            let shown = format!("{credentials:?} {client:?}");
            assert!(!shown.contains("s3cret"), "{shown}");
        }
    }
}
