//! How fast files are inspected by rules alone: `throughput FILE... [--times N]`.
//!
//! Prints CPU time and MB/s of each file as one segment; what to run under a profiler.

use std::{path::Path, time::{Duration, Instant}};
use tollgate_redaction::{Device, Hints, NerConfig, Redactor, RedactorConfig};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let started = Instant::now();
    let redactor = Redactor::new(&RedactorConfig {
        rules_dir: root.join("rules"),
        jurisdictions: Vec::new(),
        ner: NerConfig { device: Device::Off, ..NerConfig::default() },
    })?;
    println!("loaded in {:.0} ms", started.elapsed().as_secs_f64() * 1e3);
    let (mut files, mut times) = (Vec::new(), 1);
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--times" => times = args.next().ok_or("--times N")?.parse()?,
            _ => files.push(arg),
        }
    }
    for file in files {
        let text = std::fs::read_to_string(&file)?;
        let mut best = Duration::MAX;
        let mut found = 0;
        for _ in 0..times {
            let inspection = redactor.inspect(&[&text], &Hints::default(), Instant::now() + Duration::from_secs(600))?;
            best = best.min(inspection.cpu);
            found = inspection.findings[0].len();
        }
        println!("{file}: {} B, {:.1} MB/s, {found} findings", text.len(), text.len() as f64 / best.as_secs_f64() / 1e6);
    }
    Ok(())
}
