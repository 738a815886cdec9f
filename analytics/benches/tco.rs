//! How long the default simulation takes: `cargo bench -p tollgate-analytics --bench tco`.

use std::num::NonZeroUsize;
use std::path::Path;
use std::time::Instant;
use tollgate_analytics::tco::{Scenario, Settings, Tco, Traffic};

const RUNS: usize = 5;

fn main() {
    let library = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules/tco/scenarios");
    let scenario = Scenario::named("default", &library).expect("the default scenario");
    for threads in [1, 2].map(|threads| NonZeroUsize::new(threads).expect("not 0")) {
        let settings = Settings {
            trials: 100_000,
            seed: 1,
            threads,
        };
        let mut times_ms: Vec<u128> = (0..RUNS)
            .map(|_| {
                let start = Instant::now();
                let tco = Tco::simulate(&scenario, Traffic::Scenario { why: None }, settings);
                assert_eq!(tco.trials, settings.trials);
                start.elapsed().as_millis()
            })
            .collect();
        times_ms.sort_unstable();
        println!(
            "100,000 trials x {} months x 5 options, {threads} threads: best {} ms, median {} ms",
            scenario.horizon_months,
            times_ms[0],
            times_ms[RUNS / 2]
        );
    }
}
