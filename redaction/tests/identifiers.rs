//! Identifiers of many countries against python-stdnum as the oracle: what share of valid ones is
//! found and what share of near misses (one digit changed) is reported.
//!
//! The tables are `fixtures/identifiers/*.toml`, each row one `[[identifier]]`:
//!
//! ```toml
//! id = "DE_IDNR"
//! label = "TAX_ID"                     # what we must call it
//! jurisdiction = "DE"                  # the hint for bare digits
//! oracle = "stdnum.de.idnr"            # python-stdnum's module, or a function of oracles.py
//! shape = "[1-9]9999999999"            # 9 digit, A letter, [a-z] one of these, {%d%m%y} a date
//! own = "99 999 999 999"               # with separators or letters of its own, filled in turn from
//!                                      # the shape's characters; "compact": the shape is its own
//! context = "Steuer-Identifikationsnummer"
//! checksum = false                     # asks for context only; default: true
//! except = { bare_miss = "why" }       # shares that are not held, each with its reason
//! ```
//!
//! python-stdnum (LGPL) is used by this test only; `scripts/test-packages.sh` installs it.

use serde::Deserialize;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};
use tollgate_redaction::{
    Device, Entity, Finding, Hints, Jurisdiction, NerConfig, Redactor, RedactorConfig,
};

const SEED: &str = "tollgate";
const VALUES_PER_IDENTIFIER: usize = 200;

#[derive(Deserialize)]
struct Table {
    identifier: Vec<Identifier>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Identifier {
    id: String,
    label: Entity,
    #[serde(default)]
    jurisdiction: Option<String>,
    #[expect(dead_code, reason = "read by identifiers.py")]
    oracle: String,
    #[expect(dead_code, reason = "read by identifiers.py")]
    shape: String,
    #[expect(dead_code, reason = "read by identifiers.py")]
    own: Option<String>,
    context: String,
    #[serde(default = "yes")]
    checksum: bool,
    #[serde(default)]
    except: BTreeMap<String, String>,
}

fn yes() -> bool {
    true
}

/// The shares that are measured and what they must be.
const SHARES: [Share; 5] = [
    Share::at_least("context", 0.99),
    Share::at_least("own", 0.95),
    Share::at_most("own_miss", 0.02),
    Share::at_least("bare", 0.95),
    Share::at_most("bare_miss", 0.10),
];

struct Share {
    name: &'static str,
    limit: f64,
    upper: bool,
}

impl Share {
    const fn at_least(name: &'static str, limit: f64) -> Self {
        Self {
            name,
            limit,
            upper: false,
        }
    }

    const fn at_most(name: &'static str, limit: f64) -> Self {
        Self {
            name,
            limit,
            upper: true,
        }
    }

    fn holds(&self, value: f64) -> bool {
        if self.upper {
            value <= self.limit
        } else {
            value >= self.limit
        }
    }
}

#[derive(Default)]
struct Tally {
    hits: usize,
    of: usize,
    /// The first that was not judged as it should have been, for people to look into.
    example: Option<String>,
}

impl Tally {
    fn add(&mut self, hit: bool, wanted: bool, verdict: &Verdict) {
        self.hits += usize::from(hit);
        self.of += 1;
        if hit != wanted && self.example.is_none() {
            self.example = Some(format!("{:?} found as {:?}", verdict.text, verdict.found));
        }
    }

    fn share(&self) -> Option<f64> {
        (self.of > 0).then(|| self.hits as f64 / self.of as f64)
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A Python that has python-stdnum, or why there is none.
fn python() -> Result<PathBuf, String> {
    let runtime =
        std::env::var_os("TOLLGATE_RUNTIME").map_or_else(|| root().join(".runtime"), PathBuf::from);
    let python = runtime.join("sdk-python/bin/python");
    let works = Command::new(&python)
        .args(["-c", "import stdnum"])
        .output()
        .is_ok_and(|output| output.status.success());
    works.then_some(python).ok_or_else(|| {
        format!(
            "no python-stdnum in {}; run scripts/test-packages.sh",
            runtime.display()
        )
    })
}

fn tables() -> Vec<PathBuf> {
    let mut tables: Vec<_> = std::fs::read_dir(root().join("fixtures/identifiers"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    tables.sort();
    tables
}

/// What the redactor makes of one value in a text.
struct Verdict {
    /// Whether one finding of the right label covers it.
    right: bool,
    text: String,
    /// Who touches it.
    found: Vec<String>,
}

/// The verdicts on the texts `before + value + after`.
fn judge(
    redactor: &Redactor,
    hints: &Hints,
    around: (&str, &str),
    values: &[&str],
    label: Entity,
) -> Vec<Verdict> {
    let texts: Vec<String> = values
        .iter()
        .map(|value| format!("{}{value}{}", around.0, around.1))
        .collect();
    let segments: Vec<&str> = texts.iter().map(String::as_str).collect();
    let soon = Instant::now() + Duration::from_secs(120);
    let inspection = redactor.inspect(&segments, hints, soon).unwrap();
    let start = around.0.len();
    let verdict = |(findings, value): (&Vec<Finding>, &&str)| {
        let end = start + value.len();
        let covers = |finding: &Finding| finding.span.start <= start && finding.span.end >= end;
        let touching = findings
            .iter()
            .filter(|finding| finding.span.start < end && finding.span.end > start);
        Verdict {
            right: findings
                .iter()
                .any(|finding| finding.entity == label && covers(finding)),
            text: format!("{}{value}", around.0),
            found: touching
                .map(|finding| finding.recognizer.to_string())
                .collect(),
        }
    };
    inspection
        .findings
        .iter()
        .zip(values)
        .map(verdict)
        .collect()
}

/// The values of one identifier by form and standing.
type Values<'a> = BTreeMap<(&'a str, &'a str), Vec<&'a str>>;

fn measure(redactor: &Redactor, identifier: &Identifier, values: &Values) -> [Tally; 5] {
    let [mut context, mut own, mut own_miss, mut bare, mut bare_miss] =
        std::array::from_fn(|_| Tally::default());
    let unknown = Hints::default();
    let home = Hints {
        country: identifier
            .jurisdiction
            .as_deref()
            .and_then(Jurisdiction::new),
        ..Hints::default()
    };
    let of = |form, standing| values.get(&(form, standing)).map_or(&[][..], Vec::as_slice);
    let run = |hints: &Hints, around: (&str, &str), values: &[&str]| {
        judge(redactor, hints, around, values, identifier.label)
    };
    for form in ["compact", "own"] {
        for before in ["", "They gave "] {
            let before = format!("{before}{}: ", identifier.context);
            for verdict in run(&unknown, (&before, ", as agreed."), of(form, "valid")) {
                context.add(verdict.right, true, &verdict);
            }
        }
    }
    let alone = ("The second line reads ", " and nothing more.");
    if identifier.checksum {
        for verdict in run(&unknown, alone, of("own", "valid")) {
            own.add(verdict.right, true, &verdict);
        }
        for verdict in run(&unknown, alone, of("own", "miss")) {
            own_miss.add(!verdict.found.is_empty(), false, &verdict);
        }
        let digits = |standing| -> Vec<&str> {
            let known = home.country.map_or(&[][..], |_| of("compact", standing));
            (known.iter().copied())
                .filter(|value| value.bytes().all(|byte| byte.is_ascii_digit()))
                .collect()
        };
        for verdict in run(&home, alone, &digits("valid")) {
            bare.add(verdict.right, true, &verdict);
        }
        for verdict in run(&home, alone, &digits("miss")) {
            bare_miss.add(!verdict.found.is_empty(), false, &verdict);
        }
    }
    [context, own, own_miss, bare, bare_miss]
}

#[test]
fn identifiers_are_told_from_near_misses() {
    let python = match python() {
        Ok(python) => python,
        Err(reason) => {
            println!("skipped: {reason}");
            return;
        }
    };
    let output = Command::new(python)
        .arg(root().join("redaction/tests/identifiers.py"))
        .arg(SEED)
        .arg(VALUES_PER_IDENTIFIER.to_string())
        .args(tables())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let lines = String::from_utf8(output.stdout).unwrap();
    let mut values: BTreeMap<&str, Values> = BTreeMap::new();
    for line in lines.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let &[id, form, standing, value] = &fields[..] else {
            panic!("{line}");
        };
        let of_id = values.entry(id).or_default();
        of_id.entry((form, standing)).or_default().push(value);
    }
    let redactor = Redactor::new(&RedactorConfig {
        rules_dir: root().join("rules"),
        jurisdictions: Vec::new(),
        ner: NerConfig {
            device: Device::Off,
            ..NerConfig::default()
        },
    })
    .unwrap();
    let mut failures = Vec::new();
    println!(
        "{:24}{}",
        "",
        SHARES.map(|share| format!("{:>10}", share.name)).concat()
    );
    for table in tables() {
        let table: Table = toml::from_str(&std::fs::read_to_string(&table).unwrap()).unwrap();
        for identifier in &table.identifier {
            let tallies = measure(&redactor, identifier, &values[identifier.id.as_str()]);
            let mut line = format!("{:24}", identifier.id);
            for (share, tally) in SHARES.iter().zip(tallies) {
                let Some(value) = tally.share() else {
                    line.push_str("         -");
                    continue;
                };
                line.push_str(&format!("{:9.1}%", value * 100.0));
                let excepted = identifier.except.contains_key(share.name);
                if !share.holds(value) && !excepted {
                    let (name, percent) = (share.name, value * 100.0);
                    let example = tally.example.unwrap_or_default();
                    failures.push(format!(
                        "{} {name}: {percent:.1} %, as in {example}",
                        identifier.id
                    ));
                }
            }
            println!("{line}");
        }
    }
    assert!(
        failures.is_empty(),
        "{}\n{}",
        failures.len(),
        failures.join("\n")
    );
}
