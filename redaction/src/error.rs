//! What can go wrong: a rule file that cannot be used, a model that cannot run, too little time.

use std::path::PathBuf;

/// Why the redactor could not be made, or could not inspect. An error never holds inspected text.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The deadline passed before everything was inspected: treat the text as not inspected.
    #[error("the inspection did not finish before its deadline")]
    Deadline,
    /// More text than the model may be asked to read in one inspection: not inspected.
    #[error("the text needs {needed} model windows, more than the {limit} allowed")]
    TooMuch {
        /// Windows that the text needs.
        needed: usize,
        /// Windows allowed by `ner.max_windows`.
        limit: usize,
    },
    /// The model failed while running: not inspected.
    #[error("the recognition model failed: {0}")]
    Model(String),
    /// A file of the native runtime or of the model is absent.
    #[error("{} not found; run `tollgate setup`", path.display())]
    Missing {
        /// The file looked for.
        path: PathBuf,
    },
    /// A file of the native runtime or of the model cannot be used.
    #[error("{} cannot be used: {reason}", path.display())]
    Runtime {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The configured device cannot be used.
    #[error("device `{device}` cannot be used: {reason}")]
    Device {
        /// As configured.
        device: String,
        /// What is wrong.
        reason: String,
    },
    /// A deployment's adjustment cannot be used.
    #[error("{key}: {reason}")]
    Adjustment {
        /// Its key below `inspection`.
        key: String,
        /// What is wrong.
        reason: String,
    },
    /// A rule file cannot be used.
    #[error("{}:{line}: {reason}", path.display())]
    Rules {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// What was expected.
        reason: String,
    },
    /// A file or directory cannot be read.
    #[error("cannot read {}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

impl Error {
    /// Whether time ran out, as opposed to something being broken.
    pub fn is_deadline(&self) -> bool {
        matches!(self, Error::Deadline)
    }
}
