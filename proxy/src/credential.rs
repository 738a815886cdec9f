//! Credentials named in the configuration, read from where they lie.

use crate::secret::Secret;

/// A credential that cannot be read. Never holds its value.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// Neither of the two forms.
    #[error("expected key as env:NAME or file:PATH")]
    Form,
    /// The variable is not set, or empty.
    #[error("expected a key in the environment variable {0}, which is not set")]
    Env(String),
    /// The file cannot be read, or is empty.
    #[error("expected a key in the file {0}: {1}")]
    File(String, String),
}

/// Reads `env:NAME` or `file:PATH`.
pub fn read(spec: &str) -> Result<Secret, CredentialError> {
    let value = if let Some(name) = spec.strip_prefix("env:") {
        // Configuration, read once at start.
        #[allow(clippy::disallowed_methods)]
        std::env::var(name).map_err(|_| CredentialError::Env(name.into()))?
    } else if let Some(path) = spec.strip_prefix("file:") {
        std::fs::read_to_string(path)
            .map_err(|e| CredentialError::File(path.into(), e.to_string()))?
    } else {
        return Err(CredentialError::Form);
    };
    let value = value.trim();
    match (value.is_empty(), spec.split_once(':')) {
        (true, Some(("env", name))) => Err(CredentialError::Env(name.into())),
        (true, Some((_, path))) => Err(CredentialError::File(path.into(), "it is empty".into())),
        _ => Ok(Secret::new(value.into())),
    }
}
