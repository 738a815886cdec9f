//! The key that signs checkpoints, as a file: PKCS#8 in PEM, encrypted under a passphrase (PBES2
//! with scrypt and AES-256, as `openssl pkey` reads it) or plain with mode 0600.

use super::Error;
use super::hash::Hash;
use super::note::Signer;
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::KeypairBytes;
use pkcs8::{DecodePrivateKey, EncodePrivateKey, LineEnding};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use zeroize::Zeroizing;

const ENCRYPTED: &str = "-----BEGIN ENCRYPTED PRIVATE KEY-----";

/// How a key file is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtRest {
    /// There is none.
    Absent,
    /// Plain.
    Plain,
    /// Under a passphrase.
    Encrypted,
}

/// How the key in `file` is kept.
///
/// # Errors
/// When it cannot be read.
pub fn at_rest(file: &Path) -> Result<AtRest, Error> {
    match fs::read_to_string(file) {
        Ok(text) if text.starts_with(ENCRYPTED) => Ok(AtRest::Encrypted),
        Ok(_) => Ok(AtRest::Plain),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(AtRest::Absent),
        Err(e) => Err(Error::io("read", file, e)),
    }
}

/// Reads the signing key in `file`, or makes one there. `origin` names the ledger in checkpoints;
/// empty, the name is made from the public key, so that no two ledgers share one.
///
/// # Errors
/// When the file cannot be read or written, is no Ed25519 key, or the passphrase does not fit it
/// (or is missing, or there is one and the key is plain).
pub fn load_or_create(
    file: &Path,
    passphrase: Option<&str>,
    origin: &str,
) -> Result<Signer, Error> {
    let key = match at_rest(file)? {
        AtRest::Absent => create(file, passphrase)?,
        AtRest::Plain | AtRest::Encrypted => load(file, passphrase)?,
    };
    named(file, key, origin)
}

/// Reads the signing key in `file`.
///
/// # Errors
/// As [`load_or_create`], and when there is none.
pub fn open(file: &Path, passphrase: Option<&str>, origin: &str) -> Result<Signer, Error> {
    named(file, load(file, passphrase)?, origin)
}

fn named(file: &Path, key: SigningKey, origin: &str) -> Result<Signer, Error> {
    let public = Hash::of(key.verifying_key().as_bytes()).to_string();
    let made = format!("tollgate/{}", &public[..16]);
    let origin = if origin.is_empty() { &made } else { origin };
    Signer::new(origin, key).map_err(|e| fault(file, e.to_string()))
}

fn fault(file: &Path, problem: impl Into<String>) -> Error {
    Error::Key {
        path: file.to_owned(),
        problem: problem.into(),
    }
}

fn load(file: &Path, passphrase: Option<&str>) -> Result<SigningKey, Error> {
    let text = fs::read_to_string(file).map_err(|e| Error::io("read", file, e))?;
    let text = Zeroizing::new(text);
    let read = match (text.starts_with(ENCRYPTED), passphrase) {
        (true, Some(passphrase)) => SigningKey::from_pkcs8_encrypted_pem(&text, passphrase),
        (false, None) => SigningKey::from_pkcs8_pem(&text),
        (true, None) => {
            return Err(fault(
                file,
                "it is encrypted, and no passphrase is configured",
            ));
        }
        // A plain key put in an encrypted one's place must not be taken for it.
        (false, Some(_)) => {
            return Err(fault(
                file,
                "a passphrase is configured, and it is not encrypted",
            ));
        }
    };
    read.map_err(|error| match passphrase {
        Some(_) => fault(file, format!("the passphrase does not fit ({error})")),
        None => fault(file, format!("it is no Ed25519 key in PKCS#8 ({error})")),
    })
}

fn create(file: &Path, passphrase: Option<&str>) -> Result<SigningKey, Error> {
    let mut secret = Zeroizing::new([0_u8; 32]);
    getrandom::fill(&mut *secret).map_err(|e| fault(file, e.to_string()))?;
    let key = SigningKey::from_bytes(&secret);
    // Without the public key: the form that every reader of PKCS#8 knows.
    let bytes = KeypairBytes {
        secret_key: *secret,
        public_key: None,
    };
    let text = match passphrase {
        Some(passphrase) => bytes.to_pkcs8_encrypted_pem(passphrase, LineEnding::LF),
        None => bytes.to_pkcs8_pem(LineEnding::LF),
    };
    let text = text.map_err(|e| fault(file, e.to_string()))?;
    let new = file.with_extension("new");
    let written = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&new)
        .and_then(|mut out| {
            out.write_all(text.as_bytes())?;
            out.sync_all()
        });
    written
        .and_then(|()| fs::rename(&new, file))
        .map_err(|e| Error::io("write", file, e))?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_key_is_made_once_and_read_back() {
        let dir = tempfile::tempdir().unwrap();
        for (name, passphrase, kept) in [
            ("plain", None, AtRest::Plain),
            ("encrypted", Some("correct horse"), AtRest::Encrypted),
        ] {
            let file = dir.path().join(name);
            assert_eq!(at_rest(&file).unwrap(), AtRest::Absent);
            let made = load_or_create(&file, passphrase, "").unwrap();
            assert_eq!(at_rest(&file).unwrap(), kept);
            let mode = fs::metadata(&file).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
            let read = load_or_create(&file, passphrase, "").unwrap();
            assert_eq!(read.verifier(), made.verifier());
            assert!(made.verifier().name().starts_with("tollgate/"));
            let other = open(&file, passphrase, "example.org/log").unwrap();
            assert_eq!(other.verifier().name(), "example.org/log");
            assert_eq!(other.verifier().public(), made.verifier().public());

            let wrong = passphrase.is_none().then_some("x");
            let error = open(&file, wrong, "").unwrap_err();
            assert!(matches!(error, Error::Key { .. }), "{name}: {error}");
        }
        let wrong = open(&dir.path().join("encrypted"), Some("wrong"), "");
        assert!(wrong.unwrap_err().to_string().contains("does not fit"));
        let missing = open(&dir.path().join("none"), None, "");
        assert!(matches!(missing, Err(Error::Io { .. })));
    }
}
