use crate::rules::{self, RulesError};
use serde::Deserialize;
use std::path::Path;

/// The law of one jurisdiction, as `rules/jurisdictions.csv` tells it. How sure that is stands in
/// `confidence`, and is shown wherever the rest is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Jurisdiction {
    /// ISO 3166-1 alpha-2, `EU`, or one of these with a part of it (`US-CA`, `AE-DIFC`).
    pub code: String,
    /// Its name.
    pub jurisdiction: String,
    /// The law on personal data.
    pub law: String,
    /// Whether data may be sent abroad: `free`, `conditional`, `adequacy`, `consent`, `approval`,
    /// `localised`, `none`.
    pub transfer_regime: String,
    /// On what conditions.
    pub transfer_note: String,
    /// Whether the EU finds its protection adequate.
    pub eu_adequacy: String,
    /// What must be kept within.
    pub localisation: String,
    /// Hours until a breach must be told; may be empty.
    pub breach_hours: String,
    /// To whom, and exceptions.
    pub breach_note: String,
    /// The highest fine.
    pub max_fine: String,
    /// The highest fine in percent of turnover; may be empty.
    pub fine_pct_turnover: String,
    /// For how many days logs are to be kept; may be empty.
    pub log_retention_days_hint: String,
    /// By which rule.
    pub log_note: String,
    /// Who watches over it.
    pub regulator: String,
    /// Where all this comes from.
    pub source: String,
    /// How sure it is: `high`, `partial`, `general-knowledge`, …
    pub confidence: String,
}

/// The law by jurisdiction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Jurisdictions(Vec<Jurisdiction>);

impl Jurisdictions {
    /// Reads `jurisdictions.csv`.
    pub fn load(file: &Path) -> Result<Jurisdictions, RulesError> {
        rules::from_csv(file).map(Jurisdictions)
    }

    /// The jurisdiction of a code, letter case ignored.
    pub fn get(&self, code: &str) -> Option<&Jurisdiction> {
        self.0
            .iter()
            .find(|row| row.code.eq_ignore_ascii_case(code))
    }

    /// All of them, in the table's order.
    pub fn iter(&self) -> impl Iterator<Item = &Jurisdiction> {
        self.0.iter()
    }

    /// The name of a code, or the code itself if it is not in the table.
    pub fn name<'a>(&'a self, code: &'a str) -> &'a str {
        self.get(code).map_or(code, |row| row.jurisdiction.as_str())
    }
}

/// A transfer basis in words, with its article of the GDPR.
pub(crate) fn transfer_basis(basis: &str) -> &str {
    match basis {
        "adequacy" => "adequacy decision (Art. 45)",
        "scc" => "standard contractual clauses (Art. 46)",
        "bcr" => "binding corporate rules (Art. 47)",
        "derogation" => "derogation (Art. 49)",
        "none" => "none",
        "" => "not configured",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_table_loads() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules/jurisdictions.csv");
        let table = Jurisdictions::load(&file).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(table.0.len(), 99, "98 jurisdictions and the EU as one");
        assert!(table.get("us").unwrap().law.contains("HIPAA"));
        assert_eq!(table.get("EU").unwrap().law, table.get("DE").unwrap().law);
        assert_eq!(table.name("XX"), "XX");
        for row in &table.0 {
            assert!(
                !row.confidence.is_empty() && !row.source.is_empty(),
                "{}",
                row.code
            );
        }
    }
}
