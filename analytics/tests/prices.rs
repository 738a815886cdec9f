//! The price book against genai-prices' own library as the oracle: thousands of made-up usages of
//! all its models, priced to the nano-dollar by both. Each difference has a reason, which is counted.
//!
//! genai-prices (MIT) is used by this test only; `scripts/test-packages.sh` installs it.

use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use tollgate_analytics::price::{PriceBook, Quantities, Question, Unit};

const SEED: &str = "tollgate";
const USAGES_MIN: usize = 1_000;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    provider: String,
    model: String,
    at: jiff::Timestamp,
    context: BTreeMap<String, String>,
    used: BTreeMap<String, u64>,
    /// Absent: the library refuses.
    nano_usd: Option<i64>,
    deep: bool,
}

/// Why both need not say the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Reason {
    /// The same.
    Equal,
    /// The counts contradict each other: the library raises an error, the book says unpriced.
    BothRefuse,
    /// The counts contradict each other in what the price has no rate for: the library does not look
    /// at them, the book says unpriced.
    Contradiction,
    /// The price has no rate for something used. The library leaves it out of the sum, the book says
    /// unpriced; without it, both say the same.
    LeftOut,
    /// The price has no rate for cache writes, or for those of an hour. The library bills them as
    /// what they are part of, which is cheaper than what they cost; the book says unpriced.
    CheaperThanCacheWrites,
    /// The data has no rate at all for the model. The library says that it costs 0, the book does
    /// not know it.
    NoRates,
    /// A rate has more than nine decimal places, which the import rounds.
    RoundedRate,
    /// The library's code bills Groq's transcriptions for at least ten seconds; its data does not
    /// tell, so the book does not know.
    LeastSeconds,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A Python that has genai-prices, or why there is none.
fn python() -> Result<PathBuf, String> {
    let runtime =
        std::env::var_os("TOLLGATE_RUNTIME").map_or_else(|| root().join(".runtime"), PathBuf::from);
    let python = runtime.join("sdk-python/bin/python");
    let works = Command::new(&python)
        .args(["-c", "import genai_prices"])
        .output()
        .is_ok_and(|output| output.status.success());
    works.then_some(python).ok_or_else(|| {
        format!(
            "no genai-prices in {}; run scripts/test-packages.sh",
            runtime.display()
        )
    })
}

fn compare(book: &PriceBook, case: &Case) -> Result<Reason, String> {
    let context: Vec<_> = case.context.iter().map(|(k, v)| (&**k, &**v)).collect();
    let mut used = Quantities::default();
    for (name, quantity) in &case.used {
        used.set(Unit::named(name).ok_or(name.clone())?, *quantity);
    }
    let quote = |used: Quantities| {
        book.quote(&Question {
            provider: &case.provider,
            model: &case.model,
            jurisdiction: "",
            at: case.at,
            known_at: None,
            context: &context,
            used,
        })
        .map(|quote| quote.amount.0)
    };
    let ours = quote(used);
    let theirs = case.nano_usd;
    let mut reason = match (&ours, theirs) {
        (Ok(ours), Some(theirs)) if *ours == theirs => return Ok(Reason::Equal),
        (Err(missing), None) if missing == "usage" => return Ok(Reason::BothRefuse),
        (Err(missing), Some(_)) if missing == "usage" && contradicts(&used) => {
            return Ok(Reason::Contradiction);
        }
        (Err(missing), Some(0)) if missing == "model" => return Ok(Reason::NoRates),
        (Ok(ours), Some(theirs)) if case.deep && (ours - theirs).abs() <= 3 => {
            return Ok(Reason::RoundedRate);
        }
        (Ok(ours), Some(theirs)) if case.provider == "groq" && *ours < theirs => {
            let short = case.used.get("audio_seconds").is_some_and(|n| *n < 10);
            return short
                .then_some(Reason::LeastSeconds)
                .ok_or("too little".into());
        }
        (Err(missing), Some(_)) if missing.starts_with("price of ") => Reason::LeftOut,
        _ => return Err(format!("ours {ours:?}, theirs {theirs:?}")),
    };
    // Without what has no rate, the rest must cost the same.
    let mut rest = used;
    let mut ours = ours;
    while let Err(missing) = &ours {
        let unit = missing.strip_prefix("price of ").and_then(Unit::named);
        let unit = unit.ok_or_else(|| format!("ours {missing} beside a price of theirs"))?;
        if unit.name().starts_with("cache_write") {
            reason = Reason::CheaperThanCacheWrites;
        }
        for part in Unit::all().filter(|part| unit.covers(*part)) {
            rest.set(part, 0);
        }
        ours = quote(rest);
    }
    let near = i64::from(case.deep) * 3;
    match (ours, theirs) {
        (Ok(ours), Some(theirs)) if (ours - theirs).abs() <= near => Ok(reason),
        (ours, theirs) => Err(format!(
            "without what has no rate: ours {ours:?}, theirs {theirs:?}"
        )),
    }
}

fn contradicts(used: &Quantities) -> bool {
    let cached = used.get(Unit::CACHE_READ) + used.get(Unit::CACHE_WRITE);
    cached > used.get(Unit::INPUT) || used.get(Unit::OUTPUT_REASONING) > used.get(Unit::OUTPUT)
}

#[test]
fn usages_cost_what_genai_prices_says() {
    let python = match python() {
        Ok(python) => python,
        Err(reason) => {
            println!("skipped: {reason}");
            return;
        }
    };
    let output = Command::new(python)
        .arg(root().join("analytics/tests/prices.py"))
        .arg(SEED)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let book = PriceBook::load(&root().join("rules/prices")).unwrap();
    let mut counts: BTreeMap<Reason, usize> = BTreeMap::new();
    let mut faults = Vec::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let case: Case = serde_json::from_str(line).unwrap();
        match compare(&book, &case) {
            Ok(reason) => *counts.entry(reason).or_default() += 1,
            Err(fault) => faults.push(format!("{fault}\n  {line}")),
        }
    }
    println!("{counts:#?}");
    let shown = &faults[..faults.len().min(20)];
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        shown.join("\n")
    );
    let equal = counts.get(&Reason::Equal).copied().unwrap_or_default();
    assert!(equal >= USAGES_MIN, "only {equal} usages cost the same");
}
