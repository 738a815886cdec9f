//! A paper as files for programs: JSON, and a CSV file for each table.

use super::document::{Cell, Document, Part, Table};
use crate::report::csv_text;
use serde_json::{Map, Value, json};

pub(super) fn json(document: &Document) -> String {
    let part = |part: &Part| {
        let statements = part.statements.iter();
        json!({
            "title": part.title,
            "text": part.text,
            "statements": statements.map(|(label, said)| json!({ "label": label, "says": value(said) })).collect::<Vec<_>>(),
            "tables": part.tables.iter().map(table).collect::<Vec<_>>(),
        })
    };
    let written = json!({
        "paper": document.id,
        "title": document.title,
        "about": document.about,
        "organization": document.organization,
        "period": { "from": document.period.from().to_string(), "to": document.period.to().to_string() },
        "exchanges": { "all": document.simulated.1, "simulated": document.simulated.0 },
        "law": document.laws,
        "parts": document.parts.iter().map(part).collect::<Vec<_>>(),
        "gaps": document.gaps(),
        "basis": document.basis,
        "made_at": document.made_at.to_string(),
        "tollgate": document.version,
    });
    format!("{written:#}\n")
}

fn table(table: &Table) -> Value {
    let row = |row: &Vec<Cell>| {
        let cells = table.columns.iter().zip(row);
        let object: Map<String, Value> = cells
            .map(|(column, cell)| (column.key.to_owned(), value(cell)))
            .collect();
        Value::Object(object)
    };
    json!({
        "table": table.id,
        "about": table.about,
        "rows": table.rows.iter().map(row).collect::<Vec<_>>(),
        "left_out": table.left_out,
    })
}

/// A gap is an object, so that no program takes it for a statement.
fn value(cell: &Cell) -> Value {
    match cell {
        Cell::Text(text) => text.as_str().into(),
        Cell::Count(n) => (*n).into(),
        Cell::At(at) => at.to_string().into(),
        Cell::Gap(key) => json!({ "to_be_filled_in": key }),
        Cell::None => Value::Null,
    }
}

/// The files' names and texts: the statements in one, each table in one.
pub(super) fn csv(document: &Document) -> Vec<(String, String)> {
    let mut files = Vec::new();
    let said: Vec<Vec<String>> = document
        .parts
        .iter()
        .flat_map(|part| {
            let said = part.statements.iter();
            said.map(|(label, said)| vec![csv_text(&part.title), csv_text(label), plain(said)])
        })
        .collect();
    if !said.is_empty() {
        files.push((
            "statements".to_owned(),
            written(&["part", "statement", "says"], said),
        ));
    }
    for table in document.parts.iter().flat_map(|part| &part.tables) {
        let header: Vec<&str> = table.columns.iter().map(|column| column.key).collect();
        let rows = table.rows.iter().map(|row| row.iter().map(plain).collect());
        // A paper may hold two tables of one kind.
        let same = files
            .iter()
            .filter(|(name, _)| name.split('-').next() == Some(table.id))
            .count();
        let name = match same {
            0 => table.id.to_owned(),
            n => format!("{}-{}", table.id, n + 1),
        };
        files.push((name, written(&header, rows)));
    }
    files
        .into_iter()
        .map(|(name, text)| (format!("{}-{name}.csv", document.id), text))
        .collect()
}

fn plain(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => csv_text(text),
        Cell::Count(n) => n.to_string(),
        Cell::At(at) => at.to_string(),
        Cell::Gap(key) => format!("TO BE FILLED IN: {key}"),
        Cell::None => String::new(),
    }
}

fn written(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    // Cannot fail: it writes into memory, and every row has a cell for each column.
    writer.write_record(header).unwrap_or_default();
    for row in rows {
        writer.write_record(row).unwrap_or_default();
    }
    String::from_utf8(writer.into_inner().unwrap_or_default()).unwrap_or_default()
}
