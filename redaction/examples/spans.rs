//! What is found in labelled text, for `scripts/eval`: `spans DIRECTORY OUT [--no-ner]`.
//!
//! The directory holds JSON lines `{"id", "text", ...}`. `OUT` gets, for each, a line
//! `{"id", "spans": [{"start", "end", "label", "score", "recognizer"}], "cpu_s",
//! "windows"}`, offsets in code points, without text. The model's memory holds across lines, as in the gateway.

use std::{
    io::{BufWriter, Write},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use tollgate_redaction::{Device, Hints, NerConfig, Redactor, RedactorConfig, scan_line};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [directory, out, rest @ ..] = args.as_slice() else {
        return Err("usage: spans DIRECTORY OUT [--no-ner]".into());
    };
    let device = match rest {
        [] => Device::Auto,
        [flag] if flag == "--no-ner" => Device::Off,
        _ => return Err("usage: spans DIRECTORY OUT [--no-ner]".into()),
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let runtime_dir =
        std::env::var_os("TOLLGATE_RUNTIME").map_or(root.join(".runtime"), PathBuf::from);
    let redactor = Redactor::new(&RedactorConfig {
        rules_dir: root.join("rules"),
        jurisdictions: Vec::new(),
        ner: NerConfig {
            device,
            runtime_dir,
            ..NerConfig::default()
        },
    })?;
    let mut files: Vec<PathBuf> = std::fs::read_dir(directory)?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|kind| kind == "jsonl"))
        .collect();
    files.sort();
    let mut out = BufWriter::new(std::fs::File::create(out)?);
    for file in files {
        for line in std::fs::read_to_string(file)?.lines() {
            let line: serde_json::Value = serde_json::from_str(line)?;
            let text = line["text"].as_str().ok_or("a line without text")?;
            let (hints, soon) = (Hints::default(), || {
                Instant::now() + Duration::from_secs(600)
            });
            let inspection = redactor.inspect(&[text], &hints, soon())?;
            let spans = scan_line(&redactor, text, &hints, soon())?;
            let found = serde_json::json!({
                "id": line["id"], "spans": spans, "cpu_s": inspection.cpu.as_secs_f64(),
                "windows": inspection.ner_windows,
            });
            writeln!(out, "{found}")?;
        }
    }
    out.flush()?;
    Ok(())
}
