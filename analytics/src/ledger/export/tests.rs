//! The bundle, checked by the commands that its own README gives.

use super::*;
use crate::ledger::checkpoint::tests::signed_ledger;
use std::process::{Command, Output};

fn exported(selection: &Selection) -> (tempfile::TempDir, Exported) {
    let (ledger, out) = (signed_ledger(), tempfile::tempdir().unwrap());
    let exported = export(ledger.path(), out.path(), selection).unwrap();
    (out, exported)
}

fn between(from: u64, to: u64) -> Selection {
    Selection {
        from: Some(Bound::Seq(from)),
        to: Some(Bound::Seq(to)),
        ..Selection::default()
    }
}

fn shell(dir: &Path, script: &str) -> Output {
    let mut bash = Command::new("bash");
    bash.args(["-euo", "pipefail", "-c", script])
        .current_dir(dir);
    // The README's temporary files do not meet those of a test beside this one.
    let temporary = tempfile::tempdir().unwrap();
    bash.env("TMPDIR", temporary.path()).output().unwrap()
}

/// The shell blocks of the bundle's README.
fn readme(dir: &Path) -> Vec<String> {
    let text = fs::read_to_string(dir.join("README.md")).unwrap();
    let blocks = text.split("```sh\n").skip(1);
    blocks
        .map(|block| block.split("```").next().unwrap().to_owned())
        .collect()
}

#[test]
fn the_readme_s_own_commands_accept_it() {
    for (from, to) in [(0, 28), (11, 19), (27, 28), (5, 5)] {
        let (out, exported) = exported(&between(from, to));
        assert_eq!(exported, Exported { from, to, size: 28 });
        let blocks = readme(out.path());
        assert_eq!(blocks.len(), 4);
        for block in blocks {
            let said = shell(out.path(), &block);
            assert!(said.status.success(), "{block}{said:?}");
        }
    }
}

#[test]
fn the_script_names_what_was_changed() {
    let edit = |file: &'static str, change: fn(String) -> String| (file, change);
    let cases = [
        (
            "record 13 is not the one",
            edit("records.jsonl", |text| {
                let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
                lines[2] = lines[2].replace("\"status\":200", "\"status\":201");
                lines.join("\n") + "\n"
            }),
        ),
        (
            "record 11 is missing",
            edit("records.jsonl", |text| {
                let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
                lines.swap(0, 1);
                lines.join("\n") + "\n"
            }),
        ),
        (
            "7 records and 8 proofs",
            edit("records.jsonl", |text| {
                text.split_inclusive('\n').skip(1).collect()
            }),
        ),
        (
            "is not signed",
            edit("checkpoint", |text| text.replace("\n28\n", "\n29\n")),
        ),
        (
            "the checkpoint of 11 records is not signed",
            edit("checkpoints", |text| text.replacen("\n10\n", "\n11\n", 1)),
        ),
        (
            "does not lead to",
            edit("consistency.jsonl", |text| {
                let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
                lines.swap(0, 1);
                lines.join("\n") + "\n"
            }),
        ),
    ];
    for (expected, (file, change)) in cases {
        let (out, _) = exported(&between(11, 19));
        let path = out.path().join(file);
        fs::write(&path, change(fs::read_to_string(&path).unwrap())).unwrap();
        let said = shell(out.path(), "python3 verify.py");
        let why = String::from_utf8_lossy(&said.stderr).into_owned();
        assert!(
            !said.status.success() && why.contains(expected),
            "{file}: {why}"
        );
        let sums = shell(out.path(), &readme(out.path())[0]);
        assert!(!sums.status.success(), "{file}");
    }
    let (out, _) = exported(&between(11, 19));
    let other = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    let said = shell(out.path(), &format!("python3 verify.py --key {other}"));
    assert!(!said.status.success());
}

#[test]
fn a_period_takes_the_records_that_began_in_it() {
    // Record n of the sample began n milliseconds after this.
    let at = |n: i64| Some(Bound::Time(1_790_000_000_000_000 + n * 1_000));
    for (from, to, expected) in [
        (at(3), at(9), (3, 9)),
        (None, at(4), (0, 4)),
        (at(26), None, (26, 28)),
        (at(500), at(600), (0, 0)),
    ] {
        let selection = Selection {
            from,
            to,
            ..Selection::default()
        };
        let (_, exported) = exported(&selection);
        assert_eq!((exported.from, exported.to), expected);
    }
}

#[test]
fn what_nobody_signed_for_is_not_exported() {
    let ledger = signed_ledger();
    let out = tempfile::tempdir().unwrap();
    let refused = |selection: &Selection| {
        let error = export(ledger.path(), out.path(), selection).unwrap_err();
        assert!(matches!(error, Error::NotSigned { signed: 28 }), "{error}");
    };
    refused(&between(0, 29));
    refused(&between(9, 8));
    let unsigned = crate::ledger::tests::made(3, u64::MAX);
    let error = export(unsigned.path(), out.path(), &Selection::default()).unwrap_err();
    assert!(matches!(error, Error::NotSigned { signed: 0 }));
    fs::write(out.path().join("mine"), "").unwrap();
    let error = export(ledger.path(), out.path(), &between(0, 1)).unwrap_err();
    assert!(matches!(error, Error::Io { .. }), "{error}");
}

#[test]
fn it_says_which_policies_prices_and_rule_files_were_in_force() {
    let rules = tempfile::NamedTempFile::new().unwrap();
    fs::write(rules.path(), "abc").unwrap();
    let (out, _) = exported(&Selection {
        files: vec![rules.path().to_owned()],
        ..between(4, 9)
    });
    let text = fs::read_to_string(out.path().join("in-force.json")).unwrap();
    let in_force: serde_json::Value = serde_json::from_str(&text).unwrap();
    let span = json!({ "records": 5, "first": 4, "last": 8 });
    assert_eq!(in_force["policies"]["0123456789abcdef"], span);
    assert_eq!(in_force["prices"]["openai/gpt@2026-01-01"], span);
    let sum = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(in_force["files"][rules.path().to_str().unwrap()], sum);
}
