//! Why the engine cannot start or go on. What a caller is told is a
//! [`Refusal`](crate::Refusal), never one of these.

use std::path::PathBuf;

/// Why the engine cannot start or go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A key of the configuration is out of its limits.
    #[error("local model: `{key}` must be {expected}")]
    Config {
        /// The key.
        key: &'static str,
        /// What is allowed.
        expected: &'static str,
    },
    /// The model file cannot be opened or read.
    #[error("model file {} cannot be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The model file is not one that can be run.
    #[error("model file {} is refused: {reason}", path.display())]
    Model {
        /// The file.
        path: PathBuf,
        /// What was found and what was expected.
        reason: String,
    },
    /// llama.cpp could not make an engine of the model.
    #[error("the engine cannot start: {0}")]
    Start(String),
    /// The listening socket failed.
    #[error("the local model's socket failed")]
    Socket(#[source] std::io::Error),
}
