use super::*;
use crate::tco::{Distribution, Input, Quantity, Tco, Traffic};
use std::path::Path;

fn scenario() -> Scenario {
    let library = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules/tco/scenarios");
    Scenario::load(&library.join("default.toml"), &library).unwrap_or_else(|e| panic!("{e}"))
}

fn settings(seed: u64, threads: usize) -> Settings {
    Settings {
        trials: 5_000,
        seed,
        threads: NonZeroUsize::new(threads).unwrap(),
    }
}

/// Every input at one value, so that all trials are the same.
fn fixed(values: &[(Input, f64)]) -> Scenario {
    let mut scenario = scenario();
    for input in INPUTS {
        let stated = values.iter().find(|(of, _)| of == input);
        let value = stated.map_or_else(|| scenario.value(*input, 0.5), |(_, value)| *value);
        let quantity = Quantity {
            distribution: Distribution::Fixed(value),
            ..scenario[*input].clone()
        };
        scenario.put(*input, quantity);
    }
    scenario
}

#[test]
fn the_same_seed_makes_the_same_bytes_on_any_number_of_threads() {
    let scenario = scenario();
    let json = |seed, threads| {
        serde_json::to_string(&Tco::simulate(
            &scenario,
            Traffic::Scenario { why: None },
            settings(seed, threads),
        ))
        .unwrap()
    };
    let one = json(7, 1);
    assert_eq!(one, json(7, 2));
    assert_eq!(one, json(7, 5));
    assert_ne!(one, json(8, 1));
}

#[test]
fn what_is_told_agrees_with_itself() {
    let tco = Tco::simulate(&scenario(), Traffic::Scenario { why: None }, settings(1, 2));
    let cheapest: f64 = tco.plans.iter().map(|plan| plan.cheapest).sum();
    assert!((cheapest - 1.0).abs() < 1e-9);
    for outcome in &tco.plans {
        let spread = outcome.cost_usd;
        assert!(spread.p10 <= spread.p50 && spread.p50 <= spread.p90);
        assert!(spread.p90 <= outcome.worst_tenth_usd);
        let parts: i64 = outcome.components_usd.iter().map(|part| part.usd).sum();
        assert!(
            (parts - spread.mean).abs() <= COMPONENTS as i64,
            "{:?}",
            outcome.plan
        );
        let Some(break_even) = &outcome.break_even else {
            continue;
        };
        // What has paid for itself by the end costs less, and the other way round.
        let beats = outcome.beats[Plan::Api.index()];
        assert!(
            (1.0 - break_even.never - beats).abs() < 1e-9,
            "{:?}",
            outcome.plan
        );
        assert!((break_even.by_month.last().unwrap() - beats).abs() < 1e-9);
        let course = &tco.courses[outcome.plan.index() - 1];
        let saved = course.saved_usd.last().unwrap().mean;
        let mean = tco.plan(Plan::Api).cost_usd.mean - spread.mean;
        assert!(
            (saved - mean).abs() <= 1 + mean.abs() / 100_000,
            "{saved} {mean}"
        );
    }
    assert!(tco.claim.share <= 1.0);
    for bars in tco.tornado.windows(2) {
        assert!(bars[0].swing() >= bars[1].swing());
    }
}

/// $17,000 a month at the API; the managed cloud takes three months of project, $10,000 each on top
/// of the API, then costs $5,000 a month: behind by 30,000, ahead by 12,000 a month, so that it is
/// ahead for the first time at the end of the sixth month.
#[test]
fn break_even_is_the_month_that_the_hand_says() {
    let zero = INPUTS.iter().filter(|input| {
        let key = input.spec().key;
        let is_cost = input.spec().unit.starts_with("USD");
        is_cost || key == "demand.growth" || key.starts_with("finance.")
    });
    let mut values: Vec<(Input, f64)> = [
        (Input::TaxBudget, 17_000.0 * 12.0),
        (Input::TaxCapacity, 1.0),
        (Input::ManagedTime, 3.0),
        (Input::Schedule, 1.0),
        (Input::ManagedFee, 60_000.0),
        (Input::FeeVolumeShare, 0.0),
        (Input::GpuRent, 0.0),
        (Input::Migration, 15_000.0),
        (Input::MigrationFactor, 2.0),
        (Input::OverrunEvent, 0.0),
    ]
    .to_vec();
    let stated: Vec<Input> = values.iter().map(|(input, _)| *input).collect();
    values.extend(
        zero.filter(|input| !stated.contains(input))
            .map(|input| (*input, 0.0)),
    );
    let mut scenario = fixed(&values);
    scenario.horizon_months = 12;
    let tco = Tco::simulate(&scenario, Traffic::Scenario { why: None }, settings(1, 1));
    let managed = tco.plan(Plan::Managed);
    assert_eq!(managed.break_even.as_ref().unwrap().months, Some([6, 6, 6]));
    assert_eq!(managed.cost_usd.p10, 3 * 27_000 + 9 * 5_000);
    assert_eq!(managed.cost_usd.p90, managed.cost_usd.mean);
    assert_eq!(tco.plan(Plan::Api).cost_usd.mean, 12 * 17_000);
    assert!(tco.tornado.is_empty() && tco.flips.is_empty());
}

#[test]
fn it_can_say_do_not_build_and_it_can_say_build() {
    let mut scenario = scenario();
    for assignment in [
        "demand.requests=10000",
        "tax.capacity_share=0",
        "tax.audits=0",
    ] {
        scenario.set(assignment).unwrap();
    }
    let tco = Tco::simulate(&scenario, Traffic::Scenario { why: None }, settings(1, 2));
    assert_eq!(tco.decision.chosen, Plan::Api);
    assert!(tco.decision.headline().starts_with("Do not build"));
    for assignment in ["demand.requests=500000000", "api.price_yearly_factor=1"] {
        scenario.set(assignment).unwrap();
    }
    let tco = Tco::simulate(&scenario, Traffic::Scenario { why: None }, settings(1, 2));
    assert_eq!(tco.decision.chosen, Plan::FineTune);
}

#[test]
fn the_input_that_decides_is_found() {
    // Nothing is uncertain but the traffic, which decides between the API and fine-tuning.
    let mut scenario = fixed(&[(Input::PriceYearly, 1.0), (Input::HybridTaxKept, 1.0)]);
    scenario.set("demand.requests=100000..20000000").unwrap();
    let tco = Tco::simulate(&scenario, Traffic::Scenario { why: None }, settings(1, 2));
    let flip = tco.flips.first().expect("a flip");
    assert_eq!(flip.input, Input::Requests);
    assert_eq!(tco.tornado.first().unwrap().input, Input::Requests);
    // On both sides of the value, the decision is what the flip says.
    let decide = |value: f64| {
        let mut scenario = scenario.clone();
        scenario.set(&format!("demand.requests={value}")).unwrap();
        Tco::simulate(&scenario, Traffic::Scenario { why: None }, settings(1, 2))
            .decision
            .chosen
    };
    let (below, above) = (decide(flip.value * 0.9), decide(flip.value * 1.1));
    let (kept, flipped) = if flip.above {
        (below, above)
    } else {
        (above, below)
    };
    assert_eq!((kept, flipped), (tco.decision.chosen, flip.to));
}

#[test]
fn absurd_inputs_end_in_numbers() {
    let mut scenario = scenario();
    for assignment in [
        "demand.requests=1e12",
        "demand.growth=10",
        "demand.input_tokens=1e7",
        "gpu.price=1e7",
        "demand.peak=1e6",
    ] {
        scenario.set(assignment).unwrap();
    }
    scenario.horizon_months = MONTHS_MAX;
    let mut settings = settings(1, 2);
    settings.trials = 1_000;
    let tco = Tco::simulate(&scenario, Traffic::Scenario { why: None }, settings);
    assert_eq!(tco.plan(Plan::Api).cost_usd.mean, i64::MAX);
    serde_json::to_string(&tco).unwrap();
    // The other end: no traffic at all.
    scenario.set("demand.requests=0").unwrap();
    assert!(
        Tco::simulate(&scenario, Traffic::Scenario { why: None }, settings)
            .plan(Plan::Api)
            .cost_usd
            .mean
            > 0
    );
}
