//! How fast files are inspected by rules alone: `throughput FILE... [--times N] [--json]
//! [--pack DIRECTORY]`.
//!
//! Prints CPU time and MB/s of each file as one segment; what to run under a profiler. On machines
//! that others use too the cycles per byte say more: they are counted in steps of FNV-1a over the
//! same text just before, each of which takes four (an exclusive or, a multiplication).

use std::{
    path::Path,
    time::{Duration, Instant},
};
use tollgate_redaction::{Adjustments, Device, Hints, NerConfig, Redactor, RedactorConfig};

/// The offset basis and the prime of FNV-1a with 64 bits.
const SEED: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let (mut files, mut times, mut json) = (Vec::new(), 1, false);
    let mut adjustments = Adjustments::default();
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--times" => times = args.next().ok_or("--times N")?.parse()?,
            "--json" => json = true,
            "--pack" => adjustments
                .packs
                .push(args.next().ok_or("--pack DIRECTORY")?.into()),
            _ => files.push(arg),
        }
    }
    let started = cpu();
    let config = RedactorConfig {
        rules_dir: root.join("rules"),
        jurisdictions: Vec::new(),
        ner: NerConfig {
            device: Device::Off,
            ..NerConfig::default()
        },
    };
    let redactor = Redactor::adjusted(&config, &adjustments)?;
    if !json {
        let took = (cpu() - started).as_secs_f64() * 1e3;
        println!("loaded in {took:.0} ms of CPU, {}", memory()?);
    }
    for file in files {
        let text = std::fs::read_to_string(&file)?;
        let mut best = Duration::MAX;
        let mut found = 0;
        let mut cycles = f64::MAX;
        for _ in 0..times {
            let started = cpu();
            std::hint::black_box(text.bytes().fold(SEED, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(PRIME)
            }));
            let step = (cpu() - started).as_secs_f64();
            let inspection = redactor.inspect(
                &[&text],
                &Hints::default(),
                Instant::now() + Duration::from_secs(600),
            )?;
            best = best.min(inspection.cpu);
            cycles = cycles.min(inspection.cpu.as_secs_f64() / step * 4.0);
            found = inspection.findings[0].len();
        }
        if json {
            let line = serde_json::json!({
                "file": file,
                "bytes": text.len(),
                "cpu_s": best.as_secs_f64(),
                "cycles_per_byte": cycles,
                "findings": found,
            });
            println!("{line}");
            continue;
        }
        println!(
            "{file}: {} B, {:.1} MB/s, {cycles:.1} cycles/B, {found} findings",
            text.len(),
            text.len() as f64 / best.as_secs_f64() / 1e6
        );
    }
    if !json {
        println!("{}", memory()?);
    }
    Ok(())
}

/// The CPU time of this thread.
fn cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// What the process holds, and held at most, as Linux says it.
fn memory() -> Result<String, std::io::Error> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let lines = status
        .lines()
        .filter(|line| line.starts_with("VmRSS") || line.starts_with("VmHWM"));
    let words = lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    Ok(words.collect::<Vec<_>>().join(", "))
}
