//! AWS Signature Version 4: how a request to Amazon Bedrock shows whose it is.
//!
//! Source: AWS Identity and Access Management user guide, "Create a signed AWS API request"; the
//! tests take their vectors from AWS' own suite and from botocore.

use crate::error::Refusal;
use crate::secret::Secret;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderName, HeaderValue, header};
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// The name of Bedrock in signatures.
const SERVICE: &str = "bedrock";

/// The credential of an endpoint: `ID:SECRET`, or `ID:SECRET:SESSION-TOKEN`.
#[derive(Clone, Debug)]
pub(crate) struct Credential {
    id: String,
    secret: Secret,
    token: Option<Secret>,
    region: String,
}

/// What is signed of a request.
pub(crate) struct Request<'a> {
    pub(crate) method: &'a str,
    pub(crate) host: &'a str,
    /// As it is sent, without a query.
    pub(crate) path: &'a str,
    pub(crate) body: &'a [u8],
}

impl Credential {
    /// Reads a credential; `None` where it is no such, but a Bedrock API key, which needs no
    /// signature.
    pub(crate) fn parse(key: &Secret, region: &str) -> Option<Credential> {
        let mut parts = key.expose().splitn(3, ':');
        let (id, secret) = (parts.next()?, parts.next()?);
        let token = parts.next().map(|token| Secret::new(token.to_string()));
        (!id.is_empty() && !secret.is_empty()).then(|| Credential {
            id: id.to_string(),
            secret: Secret::new(secret.to_string()),
            token,
            region: region.to_string(),
        })
    }

    /// The headers that sign a request at a time.
    pub(crate) fn sign(
        &self,
        request: &Request<'_>,
        at: Timestamp,
    ) -> Result<Vec<(HeaderName, HeaderValue)>, Refusal> {
        self.sign_for(SERVICE, request, at)
    }

    fn sign_for(
        &self,
        service: &str,
        request: &Request<'_>,
        at: Timestamp,
    ) -> Result<Vec<(HeaderName, HeaderValue)>, Refusal> {
        let time = at.strftime("%Y%m%dT%H%M%SZ").to_string();
        let date = &time[..8];
        let mut signed = vec![("host", request.host), ("x-amz-date", &time)];
        if let Some(token) = &self.token {
            signed.push(("x-amz-security-token", token.expose()));
        }
        let mut headers = String::new();
        for (name, value) in &signed {
            _ = writeln!(headers, "{name}:{value}");
        }
        let names: Vec<&str> = signed.iter().map(|(name, _)| *name).collect();
        let names = names.join(";");
        let canonical = format!(
            "{}\n{}\n\n{headers}\n{names}\n{}",
            request.method,
            encode(request.path),
            hex(&Sha256::digest(request.body)),
        );
        let scope = format!("{date}/{}/{service}/aws4_request", self.region);
        let hash = hex(&Sha256::digest(canonical.as_bytes()));
        let to_sign = format!("{ALGORITHM}\n{time}\n{scope}\n{hash}");
        let first = format!("AWS4{}", self.secret.expose());
        let parts = [date, &self.region, service, "aws4_request", &to_sign];
        let signature = parts
            .iter()
            .fold(first.into_bytes(), |key, part| mac(&key, part.as_bytes()));
        let authorization = format!(
            "{ALGORITHM} Credential={}/{scope}, SignedHeaders={names}, Signature={}",
            self.id,
            hex(&signature)
        );
        let mut out = vec![(HeaderName::from_static("x-amz-date"), value(&time, false)?)];
        if let Some(token) = &self.token {
            let name = HeaderName::from_static("x-amz-security-token");
            out.push((name, value(token.expose(), true)?));
        }
        out.push((header::AUTHORIZATION, value(&authorization, true)?));
        Ok(out)
    }
}

/// The access key id that a caller's own signature names.
pub(crate) fn id_of(authorization: &str) -> Option<&str> {
    let rest = authorization.strip_prefix(ALGORITHM)?;
    let (_, rest) = rest.split_once("Credential=")?;
    rest.split('/').next()
}

fn value(text: &str, sensitive: bool) -> Result<HeaderValue, Refusal> {
    let mut value = HeaderValue::from_str(text).map_err(|_| Refusal::credential())?;
    value.set_sensitive(sensitive);
    Ok(value)
}

/// A path as it stands in what is signed: what is sent, encoded once more (RFC 3986, unreserved
/// characters and slashes stay).
fn encode(path: &str) -> String {
    let mut out = String::with_capacity(path.len() + 8);
    for byte in path.bytes() {
        match byte {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                out.push(byte.into());
            }
            _ => _ = write!(out, "%{byte:02X}"),
        }
    }
    out
}

fn mac(key: &[u8], data: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(data);
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signature(
        key: &str,
        region: &str,
        service: &str,
        request: &Request<'_>,
        at: &str,
    ) -> String {
        let key = Secret::new(key.to_string());
        let credential = Credential::parse(&key, region).expect("a credential");
        let at = at.parse().expect("a time");
        let headers = credential.sign_for(service, request, at).expect("headers");
        let (_, value) = headers.last().expect("the signature");
        let text = value.to_str().expect("ASCII");
        text.rsplit_once("Signature=")
            .expect("a signature")
            .1
            .to_string()
    }

    #[test]
    fn signs_as_aws_own_suite_does() {
        // aws-sig-v4-test-suite, get-vanilla.
        let request = Request {
            method: "GET",
            host: "example.amazonaws.com",
            path: "/",
            body: b"",
        };
        assert_eq!(
            signature(
                "AKIDEXAMPLE:wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
                "us-east-1",
                "service",
                &request,
                "2015-08-30T12:36:00Z"
            ),
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
        );
    }

    #[test]
    fn signs_as_botocore_does() {
        // botocore.auth.SigV4Auth with the same credential, time, path and body.
        let request = Request {
            method: "POST",
            host: "bedrock-runtime.eu-central-1.amazonaws.com",
            path: "/model/eu.anthropic.claude-sonnet-4-5-v1%3A0/converse",
            body: br#"{"messages":[]}"#,
        };
        for (key, expected) in [
            (
                "AKIDEXAMPLE:made/up+secret",
                "934f3c68f3057186411e14d2d7c95235de640ec5dbd75c9923b58337761fb2d1",
            ),
            (
                "AKIDEXAMPLE:made/up+secret:a-session:token",
                "0010121f7efa6e42afe932de8142c3da6be93a3290fe97f3168a0b75da093bbf",
            ),
        ] {
            let at = "2026-01-02T03:04:05Z";
            assert_eq!(
                signature(key, "eu-central-1", "bedrock", &request, at),
                expected
            );
        }
    }

    #[test]
    fn nothing_of_a_credential_is_shown() {
        let key = Secret::new("AKIDEXAMPLE:made-up-secret:made-up-token".into());
        let credential = Credential::parse(&key, "eu-central-1").expect("a credential");
        let shown = format!("{credential:?}");
        assert!(!shown.contains("made-up"), "{shown}");
        assert!(Credential::parse(&Secret::new("an-api-key".into()), "r").is_none());
    }

    #[test]
    fn a_callers_own_signature_names_its_key() {
        let text = "AWS4-HMAC-SHA256 Credential=AKID/20260102/eu-central-1/bedrock/aws4_request, SignedHeaders=host, Signature=ab";
        assert_eq!(id_of(text), Some("AKID"));
        assert_eq!(id_of("Bearer AKID"), None);
    }
}
