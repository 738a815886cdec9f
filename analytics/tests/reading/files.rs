//! The report's files for other programs: FOCUS against the standard's column rules, JSON against
//! the rows, the workbook against LibreOffice's own arithmetic.

use crate::traffic::Row;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::process::Command;
use tollgate_analytics::money::NanoUsd;
use tollgate_analytics::report::Paths;

pub fn check(paths: &Paths, rows: &[Row]) {
    focus_keeps_the_rules(paths.focus.as_deref().unwrap());
    focus_adds_up(paths.focus.as_deref().unwrap(), rows);
    json_adds_up(paths.json.as_deref().unwrap(), rows);
    the_workbook_computes(paths.xlsx.as_deref().unwrap(), rows);
}

type Line = HashMap<String, String>;

fn csv_lines(file: &Path) -> (Vec<String>, Vec<Line>) {
    let mut reader = csv::Reader::from_path(file).unwrap();
    let header: Vec<String> = reader
        .headers()
        .unwrap()
        .iter()
        .map(str::to_owned)
        .collect();
    let lines = reader.records().map(|record| {
        let record = record.unwrap();
        let cells = header.iter().cloned().zip(record.iter().map(str::to_owned));
        cells.collect()
    });
    let lines = lines.collect();
    (header, lines)
}

/// `fixtures/focus/cost_and_usage_1_4.csv` has the columns of FOCUS 1.4: whether each must be there,
/// may be null, its type and its values.
fn focus_keeps_the_rules(file: &Path) {
    let rules =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/focus/cost_and_usage_1_4.csv");
    let (_, rules) = csv_lines(&rules);
    assert_eq!(rules.len(), 65);
    let (header, lines) = csv_lines(file);
    assert!(lines.len() > 100, "only {} rows", lines.len());
    let known: BTreeSet<&str> = rules.iter().map(|rule| &*rule["column"]).collect();
    for column in &header {
        assert!(
            known.contains(column.as_str()) || column.starts_with("x_"),
            "{column} is no column of FOCUS"
        );
    }
    for rule in &rules {
        let column = &rule["column"];
        if !header.contains(column) {
            assert_ne!(rule["feature_level"], "Mandatory", "{column} is missing");
            continue;
        }
        let allowed: Vec<&str> = rule["allowed_values"].split('|').collect();
        for line in &lines {
            let value = &line[column];
            if value.is_empty() {
                assert_eq!(rule["allows_nulls"], "True", "{column} is null");
                continue;
            }
            let sound = match (&*rule["value_format"], &*rule["data_type"]) {
                ("Allowed Values", _) => allowed.contains(&value.as_str()),
                ("Currency", _) => {
                    value.len() == 3 && value.bytes().all(|b| b.is_ascii_uppercase())
                }
                ("Date/Time", _) => {
                    value.ends_with('Z') && value.parse::<jiff::Timestamp>().is_ok()
                }
                ("Decimal (non-negative)", _) => {
                    value.parse::<f64>().is_ok_and(|n| n >= 0.0) && !value.contains(['e', 'E'])
                }
                (_, "Decimal") => value.parse::<f64>().is_ok() && !value.contains(['e', 'E']),
                (_, "JSON") => value
                    .parse::<serde_json::Value>()
                    .is_ok_and(|v| v.is_object()),
                (_, "String") => true,
                other => panic!("{column}: unknown kind {other:?}"),
            };
            assert!(sound, "{column} is {value:?}");
        }
    }
    for line in &lines {
        assert!(line["ChargePeriodStart"] < line["ChargePeriodEnd"]);
        assert!(line["BillingPeriodStart"] <= line["ChargePeriodStart"]);
        assert!(line["ChargePeriodEnd"] <= line["BillingPeriodEnd"]);
        let number = |column: &str| line[column].parse::<f64>().unwrap();
        if !line["ListUnitPrice"].is_empty() {
            let product = number("ListUnitPrice") * number("PricingQuantity");
            let exchanges = number("x_Exchanges");
            // Each exchange was rounded to a billionth by itself.
            assert!(
                (product - number("ListCost")).abs() <= 1e-9 * (exchanges + 6.0),
                "{line:?}"
            );
        }
    }
}

fn nano(text: &str) -> i64 {
    text.parse::<NanoUsd>().unwrap().0
}

fn focus_adds_up(file: &Path, rows: &[Row]) {
    let (_, lines) = csv_lines(file);
    let sum = |column: &str, of: &dyn Fn(&Line) -> bool| -> i64 {
        let lines = lines.iter().filter(|line| of(line));
        lines.map(|line| nano(&line[column])).sum()
    };
    let spend = |of: &dyn Fn(&Row) -> bool| -> i64 {
        rows.iter().filter(|row| of(row)).map(Row::cost).sum()
    };
    assert_eq!(sum("BilledCost", &|_| true), spend(&|row| !row.simulated));
    assert_eq!(
        sum("x_SimulatedCost", &|_| true),
        spend(&|row| row.simulated)
    );
    let teams: BTreeSet<&str> = rows.iter().map(|row| row.team).collect();
    for team in teams {
        let billed = sum("BilledCost", &|line| line["SubAccountId"] == team);
        assert_eq!(
            billed,
            spend(&|row| row.team == team && !row.simulated),
            "{team}"
        );
    }
    for column in ["EffectiveCost", "ContractedCost"] {
        assert_eq!(
            sum(column, &|_| true),
            sum("BilledCost", &|_| true),
            "{column}"
        );
    }
}

fn json_adds_up(file: &Path, rows: &[Row]) {
    let text = std::fs::read_to_string(file).unwrap();
    let report: serde_json::Value = serde_json::from_str(&text).unwrap();
    let spend: i64 = rows.iter().map(Row::cost).sum();
    assert_eq!(nano(report["spend"]["usd"].as_str().unwrap()), spend);
    for group in ["by_team", "by_model", "by_endpoint"] {
        let parts = report["spend"][group].as_array().unwrap();
        let sum: i64 = parts
            .iter()
            .map(|part| nano(part["usd"].as_str().unwrap()))
            .sum();
        assert_eq!(sum, spend, "{group}");
    }
    assert_eq!(report["exchanges"]["all"], rows.len());
    for amount in report["tax"]["amounts"].as_array().unwrap() {
        let standing = amount["standing"].as_str().unwrap();
        assert!(["measured", "derived"].contains(&standing), "{amount}");
        assert!(!amount["query"].as_str().unwrap().contains('?'), "{amount}");
    }
}

/// LibreOffice opens the workbook, computes every formula anew, and comes to the same figures.
fn the_workbook_computes(file: &Path, rows: &[Row]) {
    let Some(sheets) = recalculated(file) else {
        println!("skipped: no soffice, so the workbook's formulas are not computed");
        return;
    };
    let cell = |sheet: &str, row: usize, column: usize| sheets[sheet][row - 1][column].clone();
    let near = |shown: &str, exact: f64| {
        let (digits, scale) = match shown.strip_suffix('%') {
            Some(digits) => (digits, 100.0),
            None => (shown, 1.0),
        };
        let number: f64 = digits
            .parse()
            .unwrap_or_else(|_| panic!("{shown:?} is no number"));
        let shown = number / scale;
        assert!(
            (shown - exact).abs() <= exact.abs() * 1e-9 + 1e-9,
            "{shown} {exact}"
        );
    };
    let spend = rows.iter().map(Row::cost).sum::<i64>() as f64 / 1e9;
    near(&cell("Spend", 3, 7), spend);
    near(&cell("Spend", 3, 2), rows.len() as f64);
    near(&cell("Summary", 8, 1), spend);
    let cpu_us: u64 = rows.iter().map(|row| row.inspect_cpu_us).sum();
    let inspection = cpu_us as f64 / 3.6e9 * 0.0408;
    near(&cell("Tax", 5, 1), inspection);
    // The list of all amounts follows the rates too.
    near(&cell("Tax", 13, 1), inspection);
    let kept: f64 = cell("Tax", 9, 1).parse().unwrap();
    let keeping = kept / 1e9 * 0.023 * 183.0 / 30.4375;
    near(&cell("Tax", 6, 1), keeping);
    near(&cell("Tax", 2, 1), inspection + keeping);
    near(&cell("Summary", 11, 1), (inspection + keeping) / spend);
    for (name, sheet) in &sheets {
        let broken = sheet
            .iter()
            .flatten()
            .find(|cell| cell.starts_with('#') || cell.starts_with("Err:"));
        assert_eq!(broken, None, "in sheet {name}");
    }
}

/// The cells of every sheet as LibreOffice computes them; `None` if there is no LibreOffice.
fn recalculated(file: &Path) -> Option<BTreeMap<&'static str, Vec<Vec<String>>>> {
    Command::new("soffice").arg("--version").output().ok()?;
    let dir = tempfile::tempdir().unwrap();
    // A profile that says: compute on loading, always. The results that the file carries are not
    // looked at then.
    let profile = dir.path().join("profile/user");
    std::fs::create_dir_all(&profile).unwrap();
    std::fs::write(
        profile.join("registrymodifications.xcu"),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <oor:items xmlns:oor=\"http://openoffice.org/2001/registry\">\
         <item oor:path=\"/org.openoffice.Office.Calc/Formula/Load\"><prop oor:name=\"OOXMLRecalcMode\" \
         oor:op=\"fuse\"><value>0</value></prop></item></oor:items>",
    )
    .unwrap();
    let output = Command::new("soffice")
        .arg(format!(
            "-env:UserInstallation=file://{}",
            dir.path().join("profile").display()
        ))
        .args(["--headless", "--convert-to"])
        // Comma, quote, UTF-8, all sheets, cells as they are and not as they are shown.
        .arg("csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,false,false,false,false,-1")
        .arg("--outdir")
        .args([dir.path(), file])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let sheets = ["Summary", "Assumptions", "Spend", "Tax"].map(|name| {
        let file: PathBuf = dir.path().join(format!("report-{name}.csv"));
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .from_path(&file)
            .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let rows = reader
            .records()
            .map(|row| row.unwrap().iter().map(str::to_owned).collect());
        (name, rows.collect())
    });
    Some(sheets.into())
}
