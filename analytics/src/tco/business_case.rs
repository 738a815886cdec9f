//! The business case that the project was made for: its published figures, with every caveat that
//! belongs to them. They are shown, not computed with.
//!
//! Each figure is *assumed*: none of them was measured here, and several could not be traced to
//! their source.

use crate::money::{self, group_thousands};
use crate::rules::{self, Fault, RulesError};
use serde::Deserialize;
use std::path::Path;

/// The approaches that the table compares, in its order.
pub const APPROACHES: [&str; 3] = [
    "Build from Scratch",
    "Fine-Tune Open-Source",
    "Managed Sovereign Cloud",
];

/// The figures that measure the compliance tax, each in its own way: alternatives, never added up.
pub const TAX_ALTERNATIVES: std::ops::RangeInclusive<u32> = 21..=24;

/// One published figure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figure {
    /// Its number.
    pub n: u32,
    /// What it measures, as a machine name.
    pub key: String,
    /// The low end in billionths of the unit, if one was given.
    pub low: Option<i64>,
    /// The high end, likewise.
    pub high: Option<i64>,
    /// The unit, in words.
    pub unit: String,
    /// For which approach.
    pub approach: String,
    /// What must be known to read it: open ends, doubts, corrections of law.
    pub note: String,
    /// Whether it stood in the table (`table`) or in the text (`text`).
    pub place: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FigureForm {
    n: u32,
    key: String,
    low: String,
    high: String,
    unit: String,
    approach: String,
    note: String,
    #[serde(rename = "where")]
    place: String,
}

/// All figures of the business case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BusinessCase {
    /// In their numbers' order.
    pub figures: Vec<Figure>,
}

/// One row of the comparison table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableRow {
    /// What it compares, in words.
    pub factor: String,
    /// One cell for each of [`APPROACHES`].
    pub cells: [Cell; 3],
}

/// One cell of the comparison table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    /// The range in words, or why there is none.
    pub text: String,
    /// The caveats: `open top`, `period not stated`, or the figure's note.
    pub marks: Vec<String>,
}

impl BusinessCase {
    /// Reads `business_case.csv`. Fails when a row is malformed or the numbers are not 1, 2, 3, …
    pub fn load(file: &Path) -> Result<BusinessCase, RulesError> {
        let mut figures = Vec::new();
        for (i, form) in rules::from_csv::<FigureForm>(file)?.into_iter().enumerate() {
            // The header is line 1; no field of this file spans lines.
            let fault = |reason| RulesError {
                file: file.to_owned(),
                line: Some(i + 2),
                fault: Fault::Value(reason),
            };
            if usize::try_from(form.n) != Ok(i + 1) {
                return Err(fault(format!(
                    "figure {} where {} was expected",
                    form.n,
                    i + 1
                )));
            }
            let number = |text: &str| match text {
                "" => Ok(None),
                _ => money::parse_nano(text)
                    .map(Some)
                    .ok_or_else(|| fault(format!("{text:?} is not a decimal number"))),
            };
            figures.push(Figure {
                n: form.n,
                low: number(&form.low)?,
                high: number(&form.high)?,
                key: form.key,
                unit: form.unit,
                approach: form.approach,
                note: form.note,
                place: form.place,
            });
        }
        Ok(BusinessCase { figures })
    }

    /// The comparison by approach: what stood in the table.
    pub fn table(&self) -> Vec<TableRow> {
        let in_table = || self.figures.iter().filter(|figure| figure.place == "table");
        let mut keys: Vec<&str> = Vec::new();
        for figure in in_table() {
            if !keys.contains(&figure.key.as_str()) {
                keys.push(&figure.key);
            }
        }
        let cell = |key: &str, approach: &str| {
            in_table()
                .find(|f| f.key == key && (f.approach == approach || f.approach == "all three"))
                .map_or_else(
                    || Cell {
                        text: "not stated".to_owned(),
                        marks: vec![],
                    },
                    Figure::cell,
                )
        };
        keys.into_iter()
            .map(|key| TableRow {
                factor: factor(key),
                cells: APPROACHES.map(|approach| cell(key, approach)),
            })
            .collect()
    }

    /// The figures that stood in the text.
    pub fn beside_the_table(&self) -> impl Iterator<Item = &Figure> {
        self.figures.iter().filter(|figure| figure.place != "table")
    }
}

impl Figure {
    /// The range with its unit, in words: `$2M to $10M or more per year`.
    pub fn range(&self) -> String {
        let (number, suffix): (fn(i64) -> String, String) = match self.unit.as_str() {
            "bool" | "-" | "multi-year" => return self.unit_only(),
            unit if unit.starts_with("share of ") || unit.starts_with("salary premium") => (
                percent,
                format!(" {}", unit.strip_prefix("share ").unwrap_or(unit)),
            ),
            unit if unit.starts_with("USD") => (
                dollars,
                if unit == "USD/y" { " per year" } else { "" }.to_owned(),
            ),
            "count" => (plain, String::new()),
            unit if unit.starts_with("over budget") => (plain, format!(" times {unit}")),
            unit if unit.contains(" / ") => (plain, format!(", {unit}")),
            unit => (plain, format!(" {unit}")),
        };
        if self.is_included() {
            return "included in the service".to_owned();
        }
        let open = if self.is_open_top() { " or more" } else { "" };
        match (self.low, self.high) {
            (None, None) => self.unit_only(),
            (Some(one), None) | (None, Some(one)) => format!("{}{open}{suffix}", number(one)),
            (Some(low), Some(high)) if low == high => format!("{}{open}{suffix}", number(low)),
            (Some(low), Some(high)) => {
                format!("{} to {}{open}{suffix}", number(low), number(high))
            }
        }
    }

    /// Whether the top of the range is open.
    pub fn is_open_top(&self) -> bool {
        (self.low.is_some() && self.high.is_none()) || self.note.starts_with("open top")
    }

    /// Whether the source left open for which period the amount is.
    pub fn is_period_not_stated(&self) -> bool {
        self.unit.contains("period not stated")
    }

    /// A correction of law that must stay with the figure.
    pub fn correction_of_law(&self) -> Option<&str> {
        self.note.strip_prefix("LAW: ")
    }

    /// What the figure measures, in words.
    pub fn factor(&self) -> String {
        factor(&self.key)
    }

    fn is_included(&self) -> bool {
        self.low == Some(0) && self.high == Some(0) && self.note.starts_with("Included")
    }

    fn unit_only(&self) -> String {
        match self.unit.as_str() {
            "bool" | "-" => "not stated".to_owned(),
            unit => unit.to_owned(),
        }
    }

    fn cell(&self) -> Cell {
        let mut marks = Vec::new();
        if self.is_open_top() {
            marks.push("open top".to_owned());
        }
        if self.is_period_not_stated() {
            marks.push("period not stated".to_owned());
        }
        if !self.note.is_empty() && !self.is_open_top() && !self.is_included() {
            marks.push(self.note.clone());
        }
        Cell {
            text: self.range(),
            marks,
        }
    }
}

/// A key in words.
fn factor(key: &str) -> String {
    let words = match key {
        "train_compute" => "Training compute",
        "talent_annual" => "Talent, yearly",
        "mlops_platform" => "MLOps platform",
        "compliance_legal_audit" => "Compliance, legal, audit",
        "inference_hosting_annual" => "Inference hosting, yearly",
        "time_to_mvp" => "Time to a first product",
        "full_ip_ownership" => "Full ownership of IP",
        "air_gapped_capability" => "Can run air-gapped",
        "compliance_tax_bank" => "Compliance tax, one bank",
        "compliance_overhead_avg" => "Compliance overhead, average",
        "ai_eng_budget_share" => "Compliance tax, share of budget",
        "team_capacity_share" => "Compliance tax, share of capacity",
        "talent_premium" => "Talent premium",
        "breakeven" => "Break-even",
        "ai_act_fine" => "Fine under the AI Act",
        "initial_training_h100" => "Initial training on H100",
        "annual_ft_and_inference" => "Yearly fine-tuning and inference",
        "build_illusion" => "\"Build\" illusion",
        "migration_multiplier" => "Migration effort",
        "retrofit_overrun_share" => "Retrofits over budget",
        "retrofit_overrun_size" => "Size of the overrun",
        "jurisdictions" => "Jurisdictions to audit for",
        "retrofit_duration" => "Duration of a retrofit",
        "licence_cost_compare" => "Compliance burden to licence cost",
        "author_experience" => "The author's experience",
        other => return other.replace('_', " "),
    };
    words.to_owned()
}

const ONE: i64 = 1_000_000_000;

/// Billionths as a plain number, without trailing zeros.
fn plain(nano: i64) -> String {
    money::NanoUsd(nano).to_decimal()
}

/// Billionths as a percentage.
fn percent(nano: i64) -> String {
    nano.checked_mul(100)
        .map_or_else(|| plain(nano), |nano| format!("{} %", plain(nano)))
}

/// Billionths of a dollar, in millions or thousands where that is exact.
fn dollars(nano: i64) -> String {
    let usd = nano / ONE;
    if nano % ONE != 0 {
        money::NanoUsd(nano).to_string()
    } else if usd >= 1_000_000 && usd % 10_000 == 0 {
        format!("${}M", plain(nano / 1_000_000))
    } else if usd >= 1_000 && usd % 1_000 == 0 {
        format!("${}k", usd / 1_000)
    } else {
        format!("${}", group_thousands(usd.unsigned_abs()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case() -> BusinessCase {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules/tco/business_case.csv");
        BusinessCase::load(&file).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn all_figures_are_there_with_their_notes() {
        let case = case();
        assert_eq!(case.figures.len(), 37);
        let fine = &case.figures[26];
        assert_eq!(fine.range(), "7 % of global turnover");
        assert!(fine.correction_of_law().unwrap().contains("Art.5 only"));
        assert_eq!(case.table().len(), 8);
        assert_eq!(case.beside_the_table().count(), 17);
    }

    #[test]
    fn the_table_reads_as_published() {
        let table = case().table();
        let cell = |row: usize, column: usize| &table[row].cells[column];
        assert_eq!(cell(0, 0).text, "$2M to $10M or more");
        assert_eq!(cell(0, 0).marks, ["open top"]);
        assert_eq!(cell(0, 1).text, "$50k to $500k");
        assert_eq!(cell(0, 2).text, "included in the service");
        assert_eq!(cell(1, 0).text, "$500k to $2M per year");
        assert_eq!(cell(2, 0).marks, ["period not stated"]);
        assert_eq!(cell(5, 1).text, "6 to 12 months");
        assert_eq!(cell(6, 2).text, "not stated");
        assert!(cell(6, 2).marks[0].contains("lost"));
    }

    #[test]
    fn ranges_in_the_text_read_well() {
        let case = case();
        let range = |n: usize| case.figures[n - 1].range();
        assert_eq!(range(21), "$2.8M per year");
        assert_eq!(range(23), "40 % of AI engineering budget");
        assert_eq!(range(24), "15 % to 20 % of AI team capacity");
        assert_eq!(range(25), "30 % to 50 % salary premium");
        assert_eq!(range(26), "18 to 24 months");
        assert_eq!(range(28), "$5M or more");
        assert_eq!(range(31), "2 to 3 x greenfield");
        assert_eq!(range(33), "3 or more times over budget (>300 % over)");
        assert_eq!(range(34), "50");
        assert_eq!(range(35), "multi-year");
        assert_eq!(
            range(36),
            "1 or more, compliance burden / licence cost (often >1)"
        );
        for figure in &case.figures {
            assert!(!figure.range().is_empty());
        }
    }

    #[test]
    fn a_missing_figure_is_a_fault() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("case.csv");
        let header = "n,key,low,high,unit,approach,note,where\n";
        for (rows, expected) in [
            (
                "1,a,,,x,y,,table\n3,b,,,x,y,,table\n",
                "line 3: figure 3 where 2 was expected",
            ),
            (
                "1,a,many,,x,y,,table\n",
                "line 2: \"many\" is not a decimal number",
            ),
        ] {
            std::fs::write(&file, format!("{header}{rows}")).unwrap();
            let error = BusinessCase::load(&file).unwrap_err().to_string();
            assert!(error.ends_with(expected), "{error}");
        }
    }
}
