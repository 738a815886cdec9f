use crate::files;
use crate::queries::all_days;
use crate::traffic::Row;
use clickhouse::Client;
use std::path::{Path, PathBuf};
use tollgate_analytics::money::NanoUsd;
use tollgate_analytics::query::Period;
use tollgate_analytics::report::{Facts, Format, Meta, Paths, write_report};
use tollgate_analytics::tax::LedgerSize;

pub async fn check(client: &Client, rows: &[Row]) {
    let dir = tempfile::tempdir().unwrap();
    let paths = write(client, all_days(), dir.path()).await;
    the_page_stands_alone(&text(paths.html.as_deref().unwrap()), rows);
    the_tables_add_up(&paths, rows);
    files::check(&paths, rows);
    let paper = std::fs::read(paths.pdf.as_deref().unwrap()).unwrap();
    assert!(paper.starts_with(b"%PDF-"));
    // The same store gives the same paper.
    let second = tempfile::tempdir().unwrap();
    let again = write(client, all_days(), second.path()).await;
    assert!(paper == std::fs::read(again.pdf.as_deref().unwrap()).unwrap());
    an_empty_period_is_told(client).await;
}

async fn write(client: &Client, period: Period, dir: &Path) -> Paths {
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules");
    let facts = Facts::load(&rules).unwrap_or_else(|error| panic!("{error}"));
    let meta = Meta {
        organization: "Example <Bank> & Sons".to_owned(),
        generated_at: "2026-11-12T09:30:00Z".parse().unwrap(),
        version: "0.1.0".to_owned(),
        ledger: Some(LedgerSize {
            records: 3_000,
            bytes: 2_700_000,
        }),
    };
    let formats = [
        Format::Html,
        Format::Csv,
        Format::Json,
        Format::Focus,
        Format::Pdf,
        Format::Xlsx,
    ];
    write_report(client, period, dir, &formats, &facts, &meta)
        .await
        .unwrap()
}

fn text(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap()
}

fn the_page_stands_alone(page: &str, rows: &[Row]) {
    // Nothing is fetched: no element or style that loads anything.
    for loads in [
        "<script", "<link", "<img", "<iframe", "src=", "url(", "@import",
    ] {
        assert!(!page.contains(loads), "the page has {loads}");
    }
    assert!(page.contains("Example &lt;Bank&gt; &amp; Sons") && !page.contains("<Bank>"));
    // Every link leads to a place in the page.
    for link in page.split("href=\"#").skip(1) {
        let id = link.split('"').next().unwrap();
        assert!(page.contains(&format!("id=\"{id}\"")), "#{id} is nowhere");
    }
    for word in [
        "measured",
        "derived",
        "assumed",
        "SIMULATED",
        "standard contractual clauses",
    ] {
        assert!(page.contains(word), "the page lacks {word}");
    }
    let simulated = rows.iter().filter(|row| row.simulated).count();
    assert!(page.contains(&format!("{} of 3,000 exchanges", grouped(simulated))));
    let spend = NanoUsd(rows.iter().map(Row::cost).sum());
    assert!(
        page.contains(&format!("{spend:.2}")),
        "the page lacks {spend:.2}"
    );
    // The decision comes first, and says that simulated traffic decides nothing.
    let first = page.split("<dt>").nth(1).unwrap();
    assert!(first.starts_with("Decision") && first.contains("None can rest on these records"));
    for text in [
        "Total cost of ownership",
        "Hybrid through this gate",
        "demand.growth",
        "months 18 to 24",
        "Correction of law",
        "open top",
        "period not stated",
        "Answered on-prem",
        "By month and team",
        "never add them up",
    ] {
        assert!(page.contains(text), "the business case lacks {text}");
    }
}

fn grouped(n: usize) -> String {
    tollgate_analytics::money::group_thousands(n as u64)
}

fn the_tables_add_up(paths: &Paths, rows: &[Row]) {
    let spend = NanoUsd(rows.iter().map(Row::cost).sum());
    let table = Table::read(paths, "spend.csv");
    for group in ["team", "model", "endpoint"] {
        let of = |column: &str| -> Vec<String> {
            table
                .rows
                .iter()
                .filter(|r| table.cell(r, "group_by") == group)
                .map(|r| table.cell(r, column).to_owned())
                .collect()
        };
        let parts = of("spend_usd")
            .iter()
            .map(|usd| usd.parse().unwrap())
            .collect::<Vec<NanoUsd>>();
        assert_eq!(NanoUsd::checked_sum(parts), Some(spend), "{group}");
        let exchanges: usize = of("exchanges")
            .iter()
            .map(|n| n.parse::<usize>().unwrap())
            .sum();
        assert_eq!(exchanges, rows.len());
    }
    let found: u64 = rows.iter().map(Row::found).sum();
    assert_eq!(Table::read(paths, "findings.csv").sum("found"), found);
    let months = Table::read(paths, "months.csv");
    assert_eq!(months.sum("exchanges"), rows.len() as u64);
    let spent = months.rows.iter().map(|row| months.cell(row, "spend_usd"));
    let spent = spent.map(|usd| usd.parse::<NanoUsd>().unwrap());
    assert_eq!(NanoUsd::checked_sum(spent), Some(spend));
    let routed = rows.iter().filter(|row| !row.endpoint.is_empty()).count() as u64;
    assert_eq!(Table::read(paths, "routes.csv").sum("exchanges"), routed);
    assert_eq!(
        Table::read(paths, "decisions.csv").sum("exchanges"),
        rows.len() as u64
    );

    let tax = Table::read(paths, "tax.csv");
    let value = |amount: &str| {
        let row = tax
            .rows
            .iter()
            .find(|row| tax.cell(row, "amount") == amount)
            .unwrap();
        (
            tax.cell(row, "value").to_owned(),
            tax.cell(row, "standing").to_owned(),
        )
    };
    let cpu_us: u64 = rows.iter().map(|row| row.inspect_cpu_us).sum();
    assert_eq!(
        value("inspection_cpu"),
        (cpu_us.to_string(), "measured".to_owned())
    );
    // 0.0408 USD for 3,600 s of CPU.
    let cost = (i128::from(cpu_us) * 40_800_000 * 2 + 3_600_000_000) / (2 * 3_600_000_000);
    let cost = NanoUsd(cost as i64).to_decimal();
    assert_eq!(value("inspection_cost"), (cost, "derived".to_owned()));
}

struct Table {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    fn read(paths: &Paths, name: &str) -> Table {
        let file: &PathBuf = paths.csv.iter().find(|file| file.ends_with(name)).unwrap();
        let mut reader = csv::Reader::from_path(file).unwrap();
        let owned = |record: &csv::StringRecord| record.iter().map(str::to_owned).collect();
        let header = owned(reader.headers().unwrap());
        let rows = reader
            .records()
            .map(|record| owned(&record.unwrap()))
            .collect();
        Table { header, rows }
    }

    fn cell<'a>(&self, row: &'a [String], column: &str) -> &'a str {
        &row[self.header.iter().position(|name| name == column).unwrap()]
    }

    fn sum(&self, column: &str) -> u64 {
        self.rows
            .iter()
            .map(|row| self.cell(row, column).parse::<u64>().unwrap())
            .sum()
    }
}

async fn an_empty_period_is_told(client: &Client) {
    let from = "2025-01-01T00:00:00Z".parse().unwrap();
    let to = "2025-01-02T00:00:00Z".parse().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let paths = write(client, Period::new(from, to).unwrap(), dir.path()).await;
    let page = text(paths.html.as_deref().unwrap());
    assert!(page.contains("No exchange reached the gate in this period"));
    assert!(!page.contains("id=\"spend\"") && page.contains("id=\"business-case\""));
    assert!(Table::read(&paths, "spend.csv").rows.is_empty());
    let tax = text(
        paths
            .csv
            .iter()
            .find(|file| file.ends_with("tax.csv"))
            .unwrap(),
    );
    assert!(
        tax.contains("inspection_cpu,\"Inspection, CPU time\",,,measured"),
        "{tax}"
    );
}
