//! What a paper is for and what belongs in it: `rules/papers/*.toml`.

use super::figure::Figure;
use super::organization::Statement;
use super::table::Kind;
use crate::rules::{self, Fault, RulesError};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// One paper's template.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Template {
    /// Its name: that of its file.
    #[serde(skip)]
    pub id: String,
    pub(super) title: String,
    /// What it is for, and what it is not.
    pub(super) about: String,
    pub(super) law: Vec<Law>,
    pub(super) section: Vec<Section>,
}

/// The rule that asks for a paper or for a part of it.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Law {
    /// The act and the article.
    pub(super) cite: String,
    /// What it asks for, in short.
    pub(super) says: String,
    /// Since when, or from when on, it applies.
    pub(super) applies_from: Option<Date>,
    /// What more is to be known of its dates, such as an amendment.
    pub(super) dates: Option<String>,
    /// Where this was read.
    pub(super) source: String,
    /// How sure it is, in the words of `rules/jurisdictions.csv`.
    pub(super) confidence: String,
}

/// A part of a paper.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Section {
    pub(super) title: String,
    #[serde(default)]
    pub(super) text: String,
    /// What the organization says.
    #[serde(default)]
    pub(super) statement: Vec<Asked>,
    /// What was counted.
    #[serde(default)]
    pub(super) figure: Vec<Counted>,
    #[serde(default)]
    pub(super) table: Vec<Shown>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    pub(super) label: String,
    pub(super) of: Statement,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Counted {
    pub(super) label: String,
    pub(super) of: Figure,
    /// The control that it is evidence for.
    #[serde(default)]
    pub(super) control: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Shown {
    pub(super) of: Kind,
    /// Only what concerns findings with one of these labels.
    #[serde(default)]
    pub(super) labels: Vec<String>,
    /// Only what went to an endpoint that is not on-prem.
    #[serde(default)]
    pub(super) external: bool,
}

impl Template {
    /// The templates of a directory, in the order of their names; at least one.
    ///
    /// # Errors
    /// When the directory or one of its files cannot be read, or a file is not a template.
    pub fn load_all(dir: &Path) -> Result<Vec<Template>, RulesError> {
        let fail = |error| RulesError::of(dir, Fault::Unreadable(error));
        let mut files = Vec::new();
        for entry in std::fs::read_dir(dir).map_err(fail)? {
            files.push(entry.map_err(fail)?.path());
        }
        files.retain(|file| file.extension().is_some_and(|end| end == "toml"));
        files.sort();
        if files.is_empty() {
            return Err(RulesError::of(dir, Fault::Empty("holds no template")));
        }
        files.iter().map(|file| Template::load(file)).collect()
    }

    fn load(file: &Path) -> Result<Template, RulesError> {
        let text = rules::read(file)?;
        let mut template: Template = rules::from_toml(file, &text)?;
        template.id = file
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        Ok(template)
    }
}
