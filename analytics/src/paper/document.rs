//! A paper ready to be written in any form: text, statements, figures, tables.

use super::figure;
use super::table;
use super::template::{Law, Template};
use super::{Facts, tally};
use crate::query::Period;
use jiff::Timestamp;

/// One paper about one period.
#[derive(Clone, Debug)]
pub struct Document {
    /// Its name: that of its files.
    pub id: String,
    /// What it is called.
    pub title: String,
    /// What it is for.
    pub about: String,
    /// The period.
    pub period: Period,
    /// Whose paper it is.
    pub organization: Option<String>,
    pub(super) laws: Vec<Law>,
    /// Its parts, in order.
    pub parts: Vec<Part>,
    /// What it rests on, in a sentence.
    pub basis: String,
    /// How many exchanges went to simulated endpoints, of how many.
    pub simulated: (u64, u64),
    /// When it was made.
    pub made_at: Timestamp,
    /// The version of Tollgate that made it.
    pub version: String,
}

/// A part of a paper.
#[derive(Clone, Debug)]
pub struct Part {
    /// Its heading.
    pub title: String,
    /// What is to be known of it; may be empty.
    pub text: String,
    /// What the organization says.
    pub statements: Vec<(String, Cell)>,
    /// What was counted and listed.
    pub tables: Vec<Table>,
}

/// Rows under named columns.
#[derive(Clone, Debug)]
pub struct Table {
    /// Its name, for a file.
    pub id: &'static str,
    /// What it holds, in a sentence.
    pub about: String,
    /// Its columns.
    pub columns: Vec<Column>,
    /// Its rows, each with a cell for every column.
    pub rows: Vec<Vec<Cell>>,
    /// How many rows more there would be, had they all been listed.
    pub left_out: u64,
}

/// A column.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its name in files.
    pub key: &'static str,
    /// Its heading.
    pub label: &'static str,
}

/// What stands in a cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// Words.
    Text(String),
    /// A count.
    Count(u64),
    /// An instant.
    At(Timestamp),
    /// What the organization must fill in, and where.
    Gap(String),
    /// Nothing to say.
    None,
}

impl Cell {
    /// What was said, or the gap at this key of the configuration.
    pub(super) fn said(text: Option<String>, key: &str) -> Cell {
        match text.filter(|text| !text.trim().is_empty()) {
            Some(text) => Cell::Text(text),
            None => Cell::Gap(key.to_owned()),
        }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Cell {
        if text.is_empty() {
            Cell::None
        } else {
            Cell::Text(text.to_owned())
        }
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Cell {
        Cell::from(text.as_str())
    }
}

impl From<u64> for Cell {
    fn from(n: u64) -> Cell {
        Cell::Count(n)
    }
}

impl From<Timestamp> for Cell {
    fn from(at: Timestamp) -> Cell {
        Cell::At(at)
    }
}

impl Document {
    /// Fills a template in.
    pub(super) fn new(template: &Template, facts: &Facts) -> Document {
        let parts = template.section.iter().map(|section| {
            let statements = section.statement.iter().map(|asked| {
                let said = facts.organization.says(asked.of);
                (asked.label.clone(), Cell::said(said, asked.of.key()))
            });
            let figures =
                (!section.figure.is_empty()).then(|| figure::table(&section.figure, facts));
            let tables = section.table.iter().map(|shown| table::make(shown, facts));
            Part {
                title: section.title.clone(),
                text: section.text.trim().to_owned(),
                statements: statements.collect(),
                tables: figures.into_iter().chain(tables).collect(),
            }
        });
        Document {
            id: template.id.clone(),
            title: template.title.clone(),
            about: template.about.trim().to_owned(),
            period: facts.period,
            organization: facts.organization.name.clone(),
            laws: template.law.clone(),
            parts: parts.collect(),
            basis: basis(facts),
            simulated: (facts.tally.simulated, facts.tally.all.exchanges),
            made_at: facts.made_at,
            version: facts.version.clone(),
        }
    }

    /// The keys of the configuration that are missing, each once.
    pub fn gaps(&self) -> Vec<&str> {
        let cells = self.parts.iter().flat_map(|part| {
            let said = part.statements.iter().map(|(_, cell)| cell);
            said.chain(
                part.tables
                    .iter()
                    .flat_map(|table| table.rows.iter().flatten()),
            )
        });
        let mut gaps: Vec<&str> = Vec::new();
        for cell in cells {
            if let Cell::Gap(key) = cell
                && !gaps.contains(&key.as_str())
            {
                gaps.push(key);
            }
        }
        gaps
    }
}

fn basis(facts: &Facts) -> String {
    let held = &facts.ledger;
    let records = match facts.tally.seqs {
        None => "No record of this period is in the ledger.".to_owned(),
        Some((first, last)) => format!(
            "Made from {} records of the ledger, numbers {first} to {last}.",
            crate::money::group_thousands(facts.tally.all.exchanges)
        ),
    };
    let sound = if !held.is_sound() {
        "THE LEDGER DOES NOT HOLD: run `tollgate ledger verify` before relying on this paper."
            .to_owned()
    } else {
        let root = held
            .root
            .map(|root| format!(", root {root}"))
            .unwrap_or_default();
        format!(
            "The ledger was verified for this paper: {} records{root}, {} of them under signed checkpoints.",
            crate::money::group_thousands(held.records),
            crate::money::group_thousands(held.signed)
        )
    };
    let erased = match held.erased {
        0 => String::new(),
        n => format!(
            " {} records were erased from it and are in no figure.",
            crate::money::group_thousands(n)
        ),
    };
    let listed = if facts.tally.all.exchanges > tally::LISTED_MAX as u64 {
        format!(
            " Exchanges are listed up to {}; `tollgate ledger export` writes all, with proofs.",
            crate::money::group_thousands(tally::LISTED_MAX as u64)
        )
    } else {
        String::new()
    };
    format!("{records} {sound}{erased}{listed}")
}
