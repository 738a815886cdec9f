//! Who may use the store: whoever presents its token, in any way that ClickHouse clients know.

use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// Whether a request may go on. The user name is not looked at; there is one user.
pub(super) fn allowed(
    token: Option<&str>,
    headers: &HeaderMap,
    parameters: &[(String, String)],
) -> bool {
    let Some(token) = token else { return true };
    let presented = presented(headers, parameters);
    // Digests of equal length, so that the comparison's time tells nothing about the token.
    presented.is_some_and(|presented| Sha256::digest(presented) == Sha256::digest(token))
}

fn presented(headers: &HeaderMap, parameters: &[(String, String)]) -> Option<String> {
    let header = |name| headers.get(name)?.to_str().ok();
    if let Some(key) = header("x-clickhouse-key") {
        return Some(key.to_owned());
    }
    if let Some((scheme, value)) = header(header::AUTHORIZATION.as_str())
        .and_then(|authorization| authorization.split_once(' '))
    {
        if scheme.eq_ignore_ascii_case("bearer") {
            return Some(value.trim().to_owned());
        }
        if scheme.eq_ignore_ascii_case("basic") {
            let pair = String::from_utf8(STANDARD.decode(value.trim()).ok()?).ok()?;
            return pair
                .split_once(':')
                .map(|(_, password)| password.to_owned());
        }
    }
    let parameter = parameters.iter().find(|(name, _)| name == "password");
    parameter.map(|(_, password)| password.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderName;

    #[test]
    fn the_token_is_asked_for_in_every_form() {
        let cases = [
            (None, None, false),
            (Some(("x-clickhouse-key", "t0ken")), None, true),
            (Some(("x-clickhouse-key", "t0ke")), None, false),
            (Some(("x-clickhouse-key", "")), None, false),
            (Some(("authorization", "Bearer t0ken")), None, true),
            (
                Some(("authorization", "Bearer other")),
                Some("t0ken"),
                false,
            ),
            (
                Some(("authorization", "Basic ZGVmYXVsdDp0MGtlbg==")),
                None,
                true,
            ),
            (Some(("authorization", "Basic ZGVmYXVsdDp4")), None, false),
            (Some(("authorization", "Basic !")), None, false),
            (Some(("authorization", "t0ken")), None, false),
            (None, Some("t0ken"), true),
            (None, Some("T0KEN"), false),
        ];
        for (header, password, expected) in cases {
            let mut headers = HeaderMap::new();
            if let Some((name, value)) = header {
                headers.insert(HeaderName::from_static(name), value.parse().unwrap());
            }
            let parameters: Vec<_> = password
                .map(|p| ("password".to_owned(), p.to_owned()))
                .into_iter()
                .collect();
            let found = allowed(Some("t0ken"), &headers, &parameters);
            assert_eq!(found, expected, "{header:?} {password:?}");
            assert!(allowed(None, &headers, &parameters));
        }
    }
}
