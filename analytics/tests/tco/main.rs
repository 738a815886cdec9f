//! The simulation against a second implementation of its definition (`docs/tco.md`), written in
//! NumPy, which shares no code and no random numbers with the first.
//!
//! Points (every input at one value) must agree to the dollar. Samples are compared by their
//! statistics, so the tolerance is sampling error: [`ERRORS`] standard errors of the difference. `scripts/test-packages.sh` installs NumPy.

use serde::Deserialize;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::Command;
use tollgate_analytics::tco::{
    CLAIMED_BREAK_EVEN, INPUTS, Plan, PlanOutcome, Scenario, Settings, Tco, Traffic,
};

/// How many standard errors two statistics may differ by. Of about 2,000 that are compared, one in
/// 16,000 would differ by more if the models were the same; the seeds are fixed.
const ERRORS: f64 = 4.0;
const TRIALS: u32 = 100_000;
const TRIALS_NUMPY: u32 = 20_000;
/// How many points of each scenario are compared.
const POINTS: u32 = 6;

#[derive(Deserialize)]
struct Second {
    trials: u32,
    plans: Vec<SecondPlan>,
}

#[derive(Deserialize)]
struct SecondPlan {
    plan: Plan,
    mean: f64,
    standard_error: f64,
    /// At equal steps of probability, from the least to the greatest.
    quantiles: Vec<f64>,
    cheapest: f64,
    beats: f64,
    claimed: f64,
    by_month: Vec<f64>,
}

impl SecondPlan {
    /// The share of trials at or below an amount.
    fn below(&self, amount: f64) -> f64 {
        let last = self.quantiles.len() - 1;
        let at = self
            .quantiles
            .partition_point(|quantile| *quantile <= amount);
        if at == 0 || at > last {
            return if at == 0 { 0.0 } else { 1.0 };
        }
        let (left, right) = (self.quantiles[at - 1], self.quantiles[at]);
        (at as f64 - 1.0 + (amount - left) / (right - left)) / last as f64
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn python() -> Result<PathBuf, String> {
    let runtime =
        std::env::var_os("TOLLGATE_RUNTIME").map_or_else(|| root().join(".runtime"), PathBuf::from);
    let python = runtime.join("sdk-python/bin/python");
    let works = Command::new(&python)
        .args(["-c", "import numpy"])
        .output()
        .is_ok_and(|output| output.status.success());
    let missing = || {
        let runtime = runtime.display();
        format!("no NumPy in {runtime}; run scripts/test-packages.sh")
    };
    works.then_some(python).ok_or_else(missing)
}

/// Collects what differs by more than chance.
struct Comparison {
    scenario: String,
    plan: Plan,
    trials: [f64; 2],
    compared: usize,
    faults: Vec<String>,
}

impl Comparison {
    /// Two shares of trials.
    fn share(&mut self, what: &str, ours: f64, theirs: f64) {
        let [a, b] = self.trials;
        let pooled = (ours * a + theirs * b) / (a + b);
        // A share of 0 or 1 still has the error of one trial.
        let variance = (pooled * (1.0 - pooled)).max(1.0 / b);
        self.within(what, ours - theirs, (variance * (1.0 / a + 1.0 / b)).sqrt());
    }

    fn within(&mut self, what: &str, difference: f64, error: f64) {
        self.compared += 1;
        if difference.abs() > ERRORS * error {
            let (scenario, plan) = (&self.scenario, self.plan);
            let errors = difference / error;
            self.faults.push(format!(
                "{scenario}, {plan:?}: {what} differs by {difference} ({errors:.1} standard errors)"
            ));
        }
    }

    fn plans(&mut self, ours: &PlanOutcome, theirs: &SecondPlan) {
        assert_eq!(ours.plan, theirs.plan);
        let cost = ours.cost_usd;
        let error = (ours.standard_error_usd as f64).hypot(theirs.standard_error);
        self.within("mean", cost.mean as f64 - theirs.mean, error);
        for (p, quantile) in [(0.1, cost.p10), (0.5, cost.p50), (0.9, cost.p90)] {
            self.share(&format!("P{}", p * 100.0), p, theirs.below(quantile as f64));
        }
        self.share("cheapest", ours.cheapest, theirs.cheapest);
        let Some(break_even) = &ours.break_even else {
            return;
        };
        self.share("beats API", ours.beats[Plan::Api.index()], theirs.beats);
        self.share("claimed", break_even.claimed, theirs.claimed);
        for (at, (ours, theirs)) in break_even.by_month.iter().zip(&theirs.by_month).enumerate() {
            self.share(&format!("broken even by month {}", at + 1), *ours, *theirs);
        }
    }
}

/// What the second implementation says of each scenario.
fn second(python: &Path, trials: u32, files: &[PathBuf]) -> Vec<Second> {
    let output = Command::new(python)
        .arg(root().join("analytics/tests/tco/model.py"))
        .arg(trials.to_string())
        .args(files)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let lines = String::from_utf8(output.stdout).unwrap();
    let parsed = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    parsed.collect()
}

fn scenarios(library: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(library).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 5, "{files:?}");
    files
}

/// A scenario with every input at one value, each at another quantile of its range, as a file.
fn point(scenario: &Scenario, number: u32) -> String {
    let word = |value: serde_json::Value| value.as_str().unwrap().to_owned();
    let choice = serde_json::to_value(scenario.choice).unwrap();
    let mut text = format!(
        "title = \"point\"\nhorizon_months = {}\n[choice]\n",
        scenario.horizon_months
    );
    for key in ["tax", "hosting", "gpu"] {
        text += &format!("{key} = \"{}\"\n", word(choice[key].clone()));
    }
    for (at, input) in INPUTS.iter().enumerate() {
        // Scattered over 0.05, 0.15, … 0.95.
        let tenth = (at as u32 * 7 + number * 3 + at as u32 * number) % 10;
        let value = scenario[*input]
            .distribution
            .quantile(f64::from(tenth) / 10.0 + 0.05);
        let (key, unit) = (input.spec().key, input.spec().unit);
        text += &format!(
            "[{key}]\ndistribution = \"fixed\"\nvalue = {value:?}\nunit = \"{unit}\"\n\
             source = \"a point\"\nstanding = \"assumed\"\n"
        );
    }
    text
}

/// Without chance there is no sampling error: the same amounts to the dollar, the same months.
#[test]
fn two_implementations_agree_on_points_to_the_dollar() {
    let python = match python() {
        Ok(python) => python,
        Err(reason) => {
            println!("skipped: {reason}");
            return;
        }
    };
    let library = root().join("rules/tco/scenarios");
    let dir = tempfile::tempdir().unwrap();
    let mut files = Vec::new();
    for file in scenarios(&library) {
        let scenario = Scenario::load(&file, &library).unwrap();
        for number in 0..POINTS {
            let name = format!("{}-{number}.toml", file.file_stem().unwrap().display());
            files.push(dir.path().join(name));
            std::fs::write(files.last().unwrap(), point(&scenario, number)).unwrap();
        }
    }
    let settings = Settings {
        trials: 1_000,
        seed: 1,
        threads: NonZeroUsize::MIN,
    };
    for (file, second) in files.iter().zip(second(&python, 2, &files)) {
        let scenario = Scenario::load(file, &library).unwrap();
        let tco = Tco::simulate(&scenario, Traffic::Scenario { why: None }, settings);
        for (ours, theirs) in tco.plans.iter().zip(&second.plans) {
            let what = format!("{}, {:?}", file.display(), ours.plan);
            let (cost, other) = (ours.cost_usd.p50 as f64, theirs.mean);
            assert!(
                (cost - other).abs() < 1.0 + other.abs() * 1e-9,
                "{what}: {cost} {other}"
            );
            let Some(break_even) = &ours.break_even else {
                continue;
            };
            assert_eq!(break_even.by_month, theirs.by_month, "{what}");
        }
    }
}

#[test]
fn two_implementations_agree_on_samples_within_sampling_error() {
    let python = match python() {
        Ok(python) => python,
        Err(reason) => {
            println!("skipped: {reason}");
            return;
        }
    };
    let library = root().join("rules/tco/scenarios");
    let files = scenarios(&library);
    let (mut compared, mut faults) = (0, Vec::new());
    for (file, second) in files.iter().zip(second(&python, TRIALS_NUMPY, &files)) {
        let scenario = Scenario::load(file, &library).unwrap();
        let settings = Settings {
            trials: TRIALS,
            seed: 1,
            threads: NonZeroUsize::new(2).unwrap(),
        };
        let tco = Tco::simulate(&scenario, Traffic::Scenario { why: None }, settings);
        for (ours, theirs) in tco.plans.iter().zip(&second.plans) {
            let mut comparison = Comparison {
                scenario: file.file_stem().unwrap().display().to_string(),
                plan: ours.plan,
                trials: [TRIALS, second.trials].map(f64::from),
                compared: 0,
                faults: Vec::new(),
            };
            comparison.plans(ours, theirs);
            compared += comparison.compared;
            faults.extend(comparison.faults);
        }
    }
    println!(
        "{compared} statistics of {} scenarios compared",
        files.len()
    );
    assert!(compared > 1_000);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert_eq!(
        (*CLAIMED_BREAK_EVEN.start(), *CLAIMED_BREAK_EVEN.end()),
        (18, 24)
    );
}
