//! `tollgate scan`: what is in a text, as other tools want to know it.

use crate::args::ScanArgs;
use crate::config::Config;
use crate::exit::{Failure, Outcome};
use crate::{redactor, serve};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::thread;
use tollgate_proxy::policy::Policy;
use tollgate_redaction::operator::Operator;
use tollgate_redaction::placeholder::MasterKey;
use tollgate_redaction::vault::{Vault, VaultLimits};
use tollgate_redaction::{Entity, Hints, Jurisdiction, Language, Redactor, ScanSpan, scan_line};

/// Lines that each thread takes at a time: enough to share the work evenly, few enough to be
/// prompt in a pipe.
const LINES_PER_THREAD: usize = 16;

/// A line of `--jsonl`. What else it holds is ignored.
#[derive(Deserialize)]
struct Line {
    id: Value,
    text: String,
    /// Whose identifiers are likely in it.
    #[serde(default)]
    country: Option<String>,
    /// What it is written in.
    #[serde(default)]
    lang: Option<String>,
}

/// What is printed for it.
#[derive(Serialize)]
struct Found<'a> {
    id: &'a Value,
    spans: Vec<ScanSpan>,
}

/// Prints the findings, or the text with them replaced.
///
/// # Errors
/// When the input is malformed, or could not be inspected.
pub fn run(args: &ScanArgs, config: &Config) -> Outcome {
    let threads = usize::from(args.threads);
    let redactor = redactor::load(config, !args.no_ner, threads)?;
    let mut out = io::stdout().lock();
    if args.jsonl {
        return match &args.file {
            None => lines(&redactor, io::stdin().lock(), &mut out, threads),
            Some(path) => {
                let file = File::open(path)
                    .map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?;
                lines(&redactor, BufReader::new(file), &mut out, threads)
            }
        };
    }
    let text = redactor::read_text(args.file.as_deref())?;
    if args.redact {
        let operators = operators(&serve::load_policy(&config.policy.file)?);
        write!(out, "{}", redact(&redactor, &text, &operators)?)?;
        return Ok(());
    }
    if args.explain {
        return explain(&redactor, &text, &mut out);
    }
    let spans = scan_line(&redactor, &text, &Hints::default(), redactor::deadline())?;
    if args.json {
        writeln!(out, "{}", json!({ "spans": spans }))?;
        return Ok(());
    }
    for span in &spans {
        let jurisdiction = span.jurisdiction.map(|j| j.to_string()).unwrap_or_default();
        writeln!(
            out,
            "{:>6}..{:<6} {:<16} {:.2}  {jurisdiction:<2}  {}",
            span.start,
            span.end,
            span.label.as_str(),
            span.score,
            span.recognizer
        )?;
    }
    writeln!(out, "{} findings", spans.len())?;
    Ok(())
}

/// Prints why each finding was found, one JSON object a line; offsets count bytes.
fn explain(redactor: &Redactor, text: &str, out: &mut impl Write) -> Outcome {
    let hints = Hints::default();
    let mut inspection = redactor.inspect(&[text], &hints, redactor::deadline())?;
    for finding in inspection.findings.swap_remove(0) {
        let why = redactor.explain(text, &finding, &hints);
        writeln!(out, "{}", json!({ "finding": finding, "why": why }))?;
    }
    Ok(())
}

/// Inspects line by line, several at a time, and prints in the order of the input.
fn lines(
    redactor: &Redactor,
    input: impl BufRead,
    out: &mut impl Write,
    threads: usize,
) -> Outcome {
    let mut input = input.lines().enumerate().peekable();
    while input.peek().is_some() {
        let batch: Vec<_> = input.by_ref().take(threads * LINES_PER_THREAD).collect();
        let share = batch.len().div_ceil(threads);
        let answers: Vec<_> = thread::scope(|scope| {
            let work = |part| scope.spawn(move || answer_all(redactor, part));
            let workers: Vec<_> = batch.chunks(share).map(work).collect();
            workers.into_iter().map(|worker| worker.join()).collect()
        });
        for answers in answers {
            let answers = answers.map_err(|_| Failure::new("the inspection panicked"))?;
            for answer in answers {
                writeln!(out, "{}", answer?)?;
            }
        }
        out.flush()?;
    }
    Ok(())
}

fn answer_all(
    redactor: &Redactor,
    lines: &[(usize, io::Result<String>)],
) -> Vec<Result<String, Failure>> {
    lines
        .iter()
        .map(|(index, line)| answer(redactor, index + 1, line))
        .collect()
}

/// One line's answer. An error names the line and never repeats it.
fn answer(
    redactor: &Redactor,
    number: usize,
    line: &io::Result<String>,
) -> Result<String, Failure> {
    let at = |reason: String| Failure::usage(format!("line {number}: {reason}"));
    let line = line.as_ref().map_err(|error| at(error.to_string()))?;
    let line: Line = serde_json::from_str(line).map_err(|error| {
        at(format!(
            "expected an object with \"id\" and \"text\" (a {:?} error at column {})",
            error.classify(),
            error.column()
        ))
    })?;
    let country = match line.country.as_deref() {
        None | Some("") => None,
        Some(code) => match Jurisdiction::new(&code.to_ascii_uppercase()) {
            Some(country) => Some(country),
            None => return Err(at("expected \"country\" to be two letters".into())),
        },
    };
    let hints = Hints {
        country,
        language: line.lang.as_deref().and_then(Language::new),
    };
    let spans = scan_line(redactor, &line.text, &hints, redactor::deadline())?;
    Ok(serde_json::to_string(&Found {
        id: &line.id,
        spans,
    })?)
}

/// What a policy does to each entity that it names; the first rule that names it decides.
fn operators(policy: &Policy) -> BTreeMap<Entity, Operator> {
    let mut operators = BTreeMap::new();
    for (entity, operator) in policy.rules().iter().flat_map(|rule| &rule.operators) {
        operators.entry(*entity).or_insert(*operator);
    }
    operators
}

/// The text with its findings replaced; by a placeholder where the policy names nothing else. The
/// placeholders' key is thrown away: nothing can restore them.
fn redact(
    redactor: &Redactor,
    text: &str,
    operators: &BTreeMap<Entity, Operator>,
) -> Result<String, Failure> {
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(|error| Failure::new(error.to_string()))?;
    let mut vault = Vault::new(&MasterKey::new(key).scope("scan"), VaultLimits::default());
    vault.reserve(text);
    let mut inspection = redactor.inspect(&[text], &Hints::default(), redactor::deadline())?;
    let mut redacted = String::with_capacity(text.len());
    let mut kept = 0;
    for finding in inspection.findings.swap_remove(0) {
        let operator = operators
            .get(&finding.entity)
            .copied()
            .unwrap_or(Operator::Replace);
        let value = &text[finding.span.start..finding.span.end];
        redacted.push_str(&text[kept..finding.span.start]);
        redacted.push_str(&operator.apply(finding.entity.as_str(), value, &mut vault)?);
        kept = finding.span.end;
    }
    redacted.push_str(&text[kept..]);
    Ok(redacted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn rules_only() -> Redactor {
        let mut config = Config::default();
        config.rules.dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules");
        redactor::load(&config, false, 1).unwrap()
    }

    #[test]
    fn lines_are_answered_in_order_whatever_the_threads() {
        let redactor = rules_only();
        let input: String = (0..100)
            .map(|n| {
                format!("{{\"id\":{n},\"text\":\"é to a{n}@mail.example.org\",\"lang\":\"en\"}}\n")
            })
            .collect();
        let answers = |threads| {
            let mut out = Vec::new();
            lines(&redactor, input.as_bytes(), &mut out, threads).unwrap();
            String::from_utf8(out).unwrap()
        };
        let one = answers(1);
        assert_eq!(one, answers(7));
        for (n, line) in one.lines().enumerate() {
            let answer: Value = serde_json::from_str(line).unwrap();
            assert_eq!(answer["id"], n);
            assert_eq!(answer["spans"][0]["label"], "EMAIL");
            assert_eq!(answer["spans"][0]["start"], 5, "offsets count code points");
        }
    }

    #[test]
    fn an_explanation_tells_check_and_context_and_no_text() {
        let mut out = Vec::new();
        let text = "my card: 4111 1111 1111 1111";
        explain(&rules_only(), text, &mut out).unwrap();
        let line: Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(line["why"]["check"], "card");
        assert_eq!(line["why"]["context"], "card");
        assert!(line["why"]["base_score"].as_f64() < line["why"]["score"].as_f64());
        assert_eq!(line["why"]["by"], "rule");
        assert!(!line.to_string().contains("4111"));
    }

    #[test]
    fn every_finding_is_explained() {
        let text = "Angela Brown was born with asthma. Then Brown wrote by anna%40mail.example.org";
        let mut out = Vec::new();
        explain(&rules_only(), text, &mut out).unwrap();
        let out = String::from_utf8(out).unwrap();
        let lines = out.lines().map(|line| serde_json::from_str(line).unwrap());
        let by: Vec<String> = lines
            .map(|line: Value| line["why"]["by"].as_str().unwrap_or_default().to_owned())
            .collect();
        assert_eq!(by, ["names", "terms", "again", "reading"], "{out}");
        assert!(!out.contains("Angela") && !out.contains("anna"));
    }

    #[test]
    fn a_malformed_line_is_named_and_not_repeated() {
        let redactor = rules_only();
        let input = "{\"id\":1,\"text\":\"a\"}\n{\"id\":2,\"txt\":\"secret\"}\n";
        let error = lines(&redactor, input.as_bytes(), &mut Vec::new(), 2)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("line 2") && !error.contains("secret"),
            "{error}"
        );
    }

    #[test]
    fn equal_values_get_equal_placeholders_and_the_policy_chooses_the_operator() {
        let redactor = rules_only();
        let text = "from a@mail.example.org to b@mail.example.org, a@mail.example.org";
        let shown = redact(&redactor, text, &BTreeMap::new()).unwrap();
        let words: Vec<_> = shown
            .split([' ', ','])
            .filter(|word| word.starts_with('['))
            .collect();
        assert_eq!(words.len(), 3, "{shown}");
        assert_eq!(words[0], words[2]);
        assert_ne!(words[0], words[1]);
        let redacted = redact(
            &redactor,
            text,
            &BTreeMap::from([(Entity::Email, Operator::Redact)]),
        )
        .unwrap();
        assert_eq!(redacted, "from [EMAIL] to [EMAIL], [EMAIL]");
    }
}
