//! What an inspection costs: `cargo bench -p tollgate-redaction`.
//!
//! Prints CPU time, not wall time: for a 1 KB prompt by rules alone, with the model reading it
//! anew, and with the model's results remembered; and throughput on a long log.

use std::{
    path::Path,
    time::{Duration, Instant},
};
use tollgate_redaction::{Device, Hints, Inspection, NerConfig, Redactor, RedactorConfig};

const PROMPT: &str = "Please draft a polite reply to the message below and keep it under two hundred words. \
The customer, Marta Lindqvist, wrote on Monday from marta.lindqvist@example.com that the invoice for \
order 48291 was charged twice to her card, once at the end of last month and once this week. She lives \
at 14 Orchard Lane, Leeds and asks that we call her at +44 20 7946 0018 before Friday. Our records show \
that the first payment was reversed by the bank after three days and that the second one went through. \
Explain in plain words what happened, apologise for the confusion, say that nothing further is due, and \
offer to send a written statement. Do not promise a refund, because the amount was never taken in the \
end. Mention that the support team answers between nine and five, that the reference of this case is \
the order number, and that she can also reply to this message. Finally, suggest a subject line of at \
most eight words, and add a short summary of the case for our own notes, with the open questions first.";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let redactor = |device, cache_windows| {
        let runtime_dir =
            std::env::var_os("TOLLGATE_RUNTIME").map_or(root.join(".runtime"), Into::into);
        let ner = NerConfig {
            device,
            runtime_dir,
            cache_windows,
            ..NerConfig::default()
        };
        Redactor::new(&RedactorConfig {
            rules_dir: root.join("rules"),
            jurisdictions: Vec::new(),
            ner,
        })
    };
    let rules = redactor(Device::Off, 0)?;
    let clean = PROMPT.replace(|c: char| c.is_ascii_digit() || c == '@', "");
    report("rules, prompt with 5 values", &rules, &[PROMPT], 2000)?;
    report("rules, same without digits", &rules, &[&clean], 2000)?;
    let log: String = (0..20_000)
        .map(|n| {
            let (at, id) = (n / 10, n * 7919 % 1_000_003);
            format!("2025-03-01T10:{:02}:{:02}Z INFO worker=7 request {id:08} completed status=200 bytes={n}\n", at / 60 % 60, at % 60)
        })
        .collect();
    report("rules, 1.6 MB of log", &rules, &[&log], 3)?;
    let cold = redactor(Device::Auto, 0)?;
    report(
        "rules and model, prompt, nothing remembered",
        &cold,
        &[PROMPT],
        20,
    )?;
    let warm = redactor(Device::Auto, 65_536)?;
    report(
        "rules and model, prompt, remembered",
        &warm,
        &[PROMPT],
        2000,
    )?;
    let end = format!("{}Signed by Marta Lindqvist\n", log.repeat(12));
    let found = report(
        "rules and model, 20 MB of log, a name at its end",
        &warm,
        &[&end],
        1,
    )?;
    assert!(
        found.findings[0]
            .last()
            .is_some_and(|last| end[last.span.range()].contains("Lindqvist")),
        "the name at the end was missed"
    );
    Ok(())
}

fn report(
    what: &str,
    redactor: &Redactor,
    segments: &[&str],
    times: u32,
) -> Result<Inspection, tollgate_redaction::Error> {
    let inspect = || {
        redactor.inspect(
            segments,
            &Hints::default(),
            Instant::now() + Duration::from_secs(600),
        )
    };
    let mut last = inspect()?;
    let (mut best, mut total) = (Duration::MAX, Duration::ZERO);
    let started = Instant::now();
    for _ in 0..times {
        last = inspect()?;
        best = best.min(last.cpu);
        total += last.cpu;
    }
    let bytes: usize = segments.iter().map(|segment| segment.len()).sum();
    let mean = total / times;
    println!(
        "{what:50} {bytes:>9} B  CPU best {:>12.1} us, mean {:>12.1} us, {:>8.1} MB/s, wall {:>8.1} ms, \
         {} findings, {} windows read, {} remembered",
        best.as_secs_f64() * 1e6,
        mean.as_secs_f64() * 1e6,
        bytes as f64 / mean.as_secs_f64() / 1e6,
        started.elapsed().as_secs_f64() * 1e3 / f64::from(times),
        last.findings.iter().map(Vec::len).sum::<usize>(),
        last.ner_windows,
        last.ner_windows_cached,
    );
    Ok(last)
}
