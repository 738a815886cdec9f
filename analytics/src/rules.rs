//! Reading the data files of `rules/`: what went wrong is told with file, line and reason.

use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};

/// A data file could not be used: which file, where in it, and why.
#[derive(Debug, thiserror::Error)]
#[error("{}{}: {fault}", file.display(), line.map(|l| format!(", line {l}")).unwrap_or_default())]
pub struct RulesError {
    /// The file or directory.
    pub file: PathBuf,
    /// The line, from 1, where it is known.
    pub line: Option<usize>,
    /// What is wrong.
    pub fault: Fault,
}

/// What is wrong with a data file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The file or directory cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(std::io::Error),
    /// Nothing of the expected kind is there.
    #[error("{0}")]
    Empty(&'static str),
    /// Not the format, an unknown key, or a value of the wrong type.
    #[error("{0}")]
    Syntax(String),
    /// A value that is well-formed and wrong.
    #[error("{0}")]
    Value(String),
}

impl RulesError {
    /// A fault of a whole file.
    pub(crate) fn of(file: &Path, fault: Fault) -> RulesError {
        RulesError {
            file: file.to_owned(),
            line: None,
            fault,
        }
    }

    /// A fault at a byte offset of a file's text.
    pub(crate) fn at(file: &Path, text: &str, offset: usize, fault: Fault) -> RulesError {
        let line = text
            .bytes()
            .take(offset)
            .filter(|byte| *byte == b'\n')
            .count()
            + 1;
        RulesError {
            file: file.to_owned(),
            line: Some(line),
            fault,
        }
    }
}

/// The text of a file.
pub(crate) fn read(file: &Path) -> Result<String, RulesError> {
    std::fs::read_to_string(file).map_err(|error| RulesError::of(file, Fault::Unreadable(error)))
}

/// A TOML text as a type.
pub(crate) fn from_toml<T: DeserializeOwned>(file: &Path, text: &str) -> Result<T, RulesError> {
    toml::from_str(text).map_err(|error| {
        let fault = Fault::Syntax(error.message().to_owned());
        match error.span() {
            Some(span) => RulesError::at(file, text, span.start, fault),
            None => RulesError::of(file, fault),
        }
    })
}

/// The rows of a CSV file with a header, as a type; at least one.
pub(crate) fn from_csv<T: DeserializeOwned>(file: &Path) -> Result<Vec<T>, RulesError> {
    let text = read(file)?;
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let rows: Result<Vec<T>, csv::Error> = reader.deserialize().collect();
    let rows = rows.map_err(|error| {
        let line = error
            .position()
            .and_then(|position| usize::try_from(position.line()).ok());
        let reason = match error.kind() {
            csv::ErrorKind::Deserialize { err, .. } => err.to_string(),
            _ => error.to_string(),
        };
        RulesError {
            file: file.to_owned(),
            line,
            fault: Fault::Syntax(reason),
        }
    })?;
    if rows.is_empty() {
        return Err(RulesError::of(file, Fault::Empty("has no rows")));
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Deserialize, Debug)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "only whether it can be read matters")]
    struct Row {
        n: u32,
    }

    fn csv_error(text: &str) -> String {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("t.csv");
        std::fs::write(&file, text).unwrap();
        let error = from_csv::<Row>(&file).unwrap_err().to_string();
        error.replace(&format!("{}/", dir.path().display()), "")
    }

    #[test]
    fn csv_faults_tell_the_line() {
        assert!(
            csv_error("n\n1\nx\n").starts_with("t.csv, line 3: "),
            "{}",
            csv_error("n\n1\nx\n")
        );
        assert!(csv_error("n\n1\n2,3\n").starts_with("t.csv, line 3: "));
        assert_eq!(csv_error("n\n"), "t.csv: has no rows");
    }

    #[test]
    fn toml_faults_tell_the_line() {
        let error = from_toml::<Row>(Path::new("t.toml"), "\nn = \"x\"").unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("t.toml, line 2: invalid type"),
            "{error}"
        );
    }
}
