//! Measures detection on labelled text: `measure DIRECTORY [--show LABEL] [--no-ner | --only-ner]
//! [--all-text]`.
//!
//! The directory holds JSON lines `{"id", "text", "spans": [{"start", "end", "label"}]}` with
//! offsets in code points. For each file and label it prints how many spans there are, how many
//! are *leaked* (a letter or digit of theirs is in no finding of any label) and how many found
//! spans hit nothing labelled, per kilobyte. `--show LABEL` prints the leaked values of a label:
//! only for data that may be shown. `--all-text` has the model read what can hold no name, too.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use tollgate_redaction::{Device, Hints, NerConfig, Redactor, RedactorConfig};

#[derive(Default)]
struct Tally {
    spans: usize,
    leaked: usize,
    partly: usize,
    right_label: usize,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let directory = PathBuf::from(
        args.next()
            .ok_or("usage: measure DIRECTORY [--show LABEL]")?,
    );
    let (mut show, mut all_text) = (None, false);
    let mut modes = vec![Device::Off, Device::Auto];
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--show" => show = args.next(),
            "--no-ner" => modes = vec![Device::Off],
            "--only-ner" => modes = vec![Device::Auto],
            "--all-text" => all_text = true,
            _ => return Err(format!("unknown argument {arg}").into()),
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let redactor = |device| {
        let runtime_dir =
            std::env::var_os("TOLLGATE_RUNTIME").map_or(root.join(".runtime"), Into::into);
        let ner = NerConfig {
            device,
            runtime_dir,
            all_text,
            ..NerConfig::default()
        };
        Redactor::new(&RedactorConfig {
            rules_dir: root.join("rules"),
            jurisdictions: Vec::new(),
            ner,
        })
    };
    let mut files: Vec<PathBuf> = std::fs::read_dir(&directory)?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "jsonl")
        })
        .collect();
    files.sort();
    for device in modes {
        println!("== device {device}");
        let redactor = redactor(device)?;
        let mut all = BTreeMap::new();
        for file in &files {
            measure(&redactor, file, show.as_deref(), &mut all)?;
        }
        println!("-- all files");
        print(&all);
    }
    Ok(())
}

fn measure(
    redactor: &Redactor,
    file: &Path,
    show: Option<&str>,
    all: &mut BTreeMap<String, Tally>,
) -> Result<(), Box<dyn std::error::Error>> {
    let mut tallies: BTreeMap<String, Tally> = BTreeMap::new();
    let mut alarms: BTreeMap<&'static str, usize> = BTreeMap::new();
    let (mut bytes, mut windows, mut cpu) = (0, 0, Duration::ZERO);
    for line in std::fs::read_to_string(file)?.lines() {
        let line: serde_json::Value = serde_json::from_str(line)?;
        let text = line["text"].as_str().ok_or("a line without text")?;
        let at: Vec<usize> = text
            .char_indices()
            .map(|(at, _)| at)
            .chain([text.len()])
            .collect();
        bytes += text.len();
        let inspection = redactor.inspect(
            &[text],
            &Hints::default(),
            Instant::now() + Duration::from_secs(600),
        )?;
        cpu += inspection.cpu;
        windows += inspection.ner_windows + inspection.ner_windows_cached;
        let found = &inspection.findings[0];
        let mut labelled = Vec::new();
        for span in line["spans"].as_array().into_iter().flatten() {
            let edge = |key: &str| at[span[key].as_u64().unwrap_or(0) as usize];
            let (start, end) = (edge("start"), edge("end"));
            let label = span["label"].as_str().unwrap_or_default().to_owned();
            labelled.push((start, end));
            let (mut seen, mut hidden) = (0, 0);
            for (offset, _) in text[start..end]
                .char_indices()
                .filter(|(_, c)| c.is_alphanumeric())
            {
                let here = start + offset;
                seen += 1;
                hidden += usize::from(
                    found
                        .iter()
                        .any(|f| f.span.start <= here && here < f.span.end),
                );
            }
            let right = found
                .iter()
                .any(|f| f.span.start < end && start < f.span.end && f.entity.as_str() == label);
            if hidden < seen && show == Some(label.as_str()) {
                let from = text.floor_char_boundary(start.saturating_sub(40));
                let to = text.ceil_char_boundary((end + 20).min(text.len()));
                println!("   leak: {:?} in {:?}", &text[start..end], &text[from..to]);
            }
            for tally in [
                tallies.entry(label.clone()).or_default(),
                all.entry(label).or_default(),
            ] {
                tally.spans += 1;
                tally.leaked += usize::from(hidden < seen);
                tally.partly += usize::from(0 < hidden && hidden < seen);
                tally.right_label += usize::from(right);
            }
        }
        for finding in found {
            if !labelled
                .iter()
                .any(|&(s, e)| finding.span.start < e && s < finding.span.end)
            {
                *alarms.entry(finding.entity.as_str()).or_default() += 1;
                if show == Some("alarms") {
                    let span = finding.span.range();
                    let from = text.floor_char_boundary(span.start.saturating_sub(30));
                    println!(
                        "   alarm: {} {:?} by {} in {:?}",
                        finding.entity,
                        &text[span.clone()],
                        finding.recognizer,
                        &text[from..span.end]
                    );
                }
            }
        }
    }
    println!(
        "-- {} ({bytes} bytes, {windows} windows for the model, {:.3} ms CPU, {:.2} a KB)",
        file.file_name().unwrap_or_default().to_string_lossy(),
        cpu.as_secs_f64() * 1e3,
        cpu.as_secs_f64() * 1e6 / bytes as f64
    );
    print(&tallies);
    let total: usize = alarms.values().sum();
    println!(
        "   unlabelled findings: {total} ({:.3}/KB) {alarms:?}",
        total as f64 * 1e3 / bytes as f64
    );
    Ok(())
}

fn print(tallies: &BTreeMap<String, Tally>) {
    for (label, tally) in tallies {
        println!(
            "   {label:16} {:5} spans, leaked {:5.1} % (partly {}), right label {:5.1} %",
            tally.spans,
            tally.leaked as f64 * 100.0 / tally.spans as f64,
            tally.partly,
            tally.right_label as f64 * 100.0 / tally.spans as f64,
        );
    }
}
