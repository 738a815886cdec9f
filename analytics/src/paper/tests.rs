use super::*;
use crate::ledger::tests::{made, sample};
use crate::ledger::{Act, verify};
use crate::record::Effect;
use std::collections::BTreeSet;

const RULES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../rules");

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Facts of a ledger of `n` made-up records, of which `skip` began before the period.
fn facts(n: u64, skip: u64) -> Facts {
    let dir = made(n, 20_000);
    let from = Timestamp::from_microsecond(sample(skip).started_us).unwrap();
    let period = Period::new(from, at("2027-01-01T00:00:00Z")).unwrap();
    let (tally, held) = read(dir.path(), period).unwrap();
    Facts {
        period,
        tally,
        held,
        ledger: verify(dir.path()).unwrap(),
        acts: vec![Done {
            at_us: from.as_microsecond(),
            uid: 4711,
            act: Act::KeyCreated {
                id: "k1".into(),
                name: "jane-doe".into(),
                team: "payments".into(),
            },
        }],
        jurisdictions: Jurisdictions::load(&Path::new(RULES).join("jurisdictions.csv")).unwrap(),
        organization: Organization::default(),
        breach_known_at: None,
        made_at: at("2027-01-02T12:00:00Z"),
        version: "0".into(),
    }
}

fn papers(facts: &Facts, only: &[&str]) -> Vec<Document> {
    let only: Vec<String> = only.iter().map(|name| (*name).to_owned()).collect();
    documents(Path::new(RULES), &only, facts).unwrap()
}

fn table<'a>(papers: &'a [Document], id: &str) -> &'a Table {
    let tables = papers
        .iter()
        .flat_map(|paper| &paper.parts)
        .flat_map(|part| &part.tables);
    tables.into_iter().find(|table| table.id == id).unwrap()
}

fn cell<'a>(table: &'a Table, row: usize, key: &str) -> &'a Cell {
    let column = table
        .columns
        .iter()
        .position(|column| column.key == key)
        .unwrap();
    &table.rows[row][column]
}

#[test]
fn counts_are_those_of_the_records_in_the_period() {
    let (n, skip) = (60, 7);
    let facts = facts(n, skip);
    let records: Vec<_> = (skip..n).map(sample).collect();
    assert_eq!(facts.tally.all.exchanges, records.len() as u64);
    assert_eq!(facts.tally.seqs, Some((skip, n - 1)));
    let found: u64 = records
        .iter()
        .flat_map(|r| r.findings.values())
        .map(|n| u64::from(*n))
        .sum();
    assert_eq!(facts.tally.all.found, found);

    let papers = papers(&facts, &["transfer-register"]);
    let transfers = table(&papers, "transfers");
    assert_eq!(transfers.rows.len(), 1);
    let sent: Vec<_> = records.iter().filter(|r| r.route.is_some()).collect();
    assert_eq!(
        cell(transfers, 0, "exchanges"),
        &Cell::Count(sent.len() as u64)
    );
    assert_eq!(
        cell(transfers, 0, "replaced"),
        &Cell::Count(3 * sent.len() as u64)
    );
    assert_eq!(
        cell(transfers, 0, "simulated"),
        &Cell::Text("simulated".into())
    );
    let gap = Cell::Gap("organization.processor(openai).safeguard".into());
    assert_eq!(cell(transfers, 0, "safeguard"), &gap);
    let categories = table(&papers, "transfer_categories");
    let emails: u64 = sent.iter().map(|r| u64::from(r.findings["EMAIL"])).sum();
    assert_eq!(cell(categories, 0, "found"), &Cell::Count(emails));
    assert_eq!(cell(categories, 0, "redacted"), &Cell::Count(emails));
    assert!(facts.tally.effects[&Effect::Redact] == records.len() as u64);
}

#[test]
fn no_paper_names_a_caller_or_a_user() {
    let facts = facts(40, 0);
    let dir = tempfile::tempdir().unwrap();
    let all = [Format::Html, Format::Csv, Format::Json];
    let files = write(&papers(&facts, &[]), &all, dir.path()).unwrap();
    assert!(files.len() > 40, "{files:?}");
    let unique: BTreeSet<_> = files.iter().collect();
    assert_eq!(unique.len(), files.len(), "a file is written twice");
    let mut texts = 0;
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        for personal in ["key-7", "jane-doe", "4711"] {
            assert!(!text.contains(personal), "{}: {personal}", file.display());
        }
        texts += usize::from(text.contains("payments"));
    }
    assert!(texts > 2, "teams are named");
}

#[test]
fn what_the_organization_must_say_is_a_gap_until_it_does() {
    let mut facts = facts(5, 0);
    let gaps = |facts: &Facts| -> BTreeSet<String> {
        let papers = papers(facts, &[]);
        papers
            .iter()
            .flat_map(|paper| paper.gaps())
            .map(str::to_owned)
            .collect()
    };
    let before = gaps(&facts);
    assert!(before.contains("organization.name") && before.contains("organization.purposes"));
    let page = html::render(&papers(&facts, &["gdpr-record-of-processing"])[0]);
    assert!(page.contains("to be filled in") && page.contains("organization.purposes"));

    facts.organization = toml::from_str(
        "name = 'Example <Bank>'\npurposes = ' '\njurisdictions = ['DE', 'XX']\n\
         [[processor]]\nendpoint = 'openai'\nname = 'Example AI Ltd'\n",
    )
    .unwrap();
    let after = gaps(&facts);
    assert!(!after.contains("organization.name"));
    assert!(!after.contains("organization.processor(openai).name"));
    assert!(
        after.contains("organization.purposes"),
        "blank is no statement"
    );
    let page = html::render(&papers(&facts, &["gdpr-record-of-processing"])[0]);
    assert!(page.contains("Example &lt;Bank&gt;") && !page.contains("<Bank>"));
    let papers = papers(&facts, &["breach-timeline"]);
    let deadlines = table(&papers, "deadlines");
    assert_eq!(deadlines.rows.len(), 2, "only those that it names");
    assert_eq!(
        cell(deadlines, 1, "note"),
        &Cell::Text("not in rules/jurisdictions.csv".into())
    );
}

#[test]
fn deadlines_run_from_when_the_breach_became_known() {
    let mut facts = facts(1, 0);
    facts.organization.jurisdictions = vec!["DE".into(), "ZM".into(), "CH".into()];
    let papers_before = papers(&facts, &["breach-timeline"]);
    let gap = Cell::Gap("--breach-known-at".into());
    assert_eq!(
        cell(table(&papers_before, "deadlines"), 0, "deadline"),
        &gap
    );

    facts.breach_known_at = Some(at("2027-01-01T09:30:00Z"));
    let papers = papers(&facts, &["breach-timeline"]);
    let deadlines = table(&papers, "deadlines");
    // 24 hours, 72 hours, no number.
    assert_eq!(
        cell(deadlines, 0, "deadline"),
        &Cell::At(at("2027-01-02T09:30:00Z"))
    );
    assert_eq!(cell(deadlines, 0, "left"), &Cell::Text("PASSED".into()));
    assert_eq!(
        cell(deadlines, 1, "deadline"),
        &Cell::At(at("2027-01-04T09:30:00Z"))
    );
    assert_eq!(
        cell(deadlines, 1, "left"),
        &Cell::Text("45 full hours left".into())
    );
    assert_eq!(cell(deadlines, 2, "deadline"), &Cell::None);
}

#[test]
fn files_hold_all_rows_and_guard_spreadsheets() {
    let mut facts = facts(300, 0);
    facts.organization.name = Some("=cmd()".into());
    let papers = papers(&facts, &["ai-act-logs"]);
    let files = files::csv(&papers[0]);
    let find = |name: &str| &files.iter().find(|(file, _)| file == name).unwrap().1;
    assert_eq!(find("ai-act-logs-exchanges.csv").lines().count(), 301);
    assert!(find("ai-act-logs-statements.csv").contains("'=cmd()"));
    let page = html::render(&papers[0]);
    assert!(page.contains("100 more rows are in ai-act-logs-exchanges.csv"));
    let json: serde_json::Value = serde_json::from_str(&files::json(&papers[0])).unwrap();
    assert_eq!(json["law"][0]["applies_from"], "2027-12-02");
    assert_eq!(json["exchanges"]["all"], 300);
}

#[test]
fn every_law_tells_its_source_and_how_sure_it_is() {
    let templates = Template::load_all(&Path::new(RULES).join("papers")).unwrap();
    assert_eq!(templates.len(), 9);
    for template in templates {
        assert!(!template.law.is_empty(), "{}", template.id);
        for law in template.law {
            assert!(
                !law.source.is_empty() && !law.confidence.is_empty(),
                "{}",
                law.cite
            );
        }
    }
}

#[test]
fn faults_of_templates_tell_the_place() {
    let dir = tempfile::tempdir().unwrap();
    let empty = Template::load_all(dir.path()).unwrap_err().to_string();
    assert!(empty.ends_with("holds no template"), "{empty}");
    let text = "title = 't'\nabout = 'a'\nlaw = []\n[[section]]\ntitle = 's'\nfigure = [{ label = 'l', of = 'nothing' }]\n";
    std::fs::write(dir.path().join("p.toml"), text).unwrap();
    let fault = Template::load_all(dir.path()).unwrap_err().to_string();
    assert!(
        fault.contains("p.toml, line 6") && fault.contains("nothing"),
        "{fault}"
    );
    let error = documents(Path::new(RULES), &["no-such".to_owned()], &facts(1, 0)).unwrap_err();
    assert!(
        error.to_string().contains("expected one of ai-act-logs, "),
        "{error}"
    );
}
