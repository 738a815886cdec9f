//! The demand of the records, and what the total cost of ownership makes of it.

use crate::queries::all_days;
use crate::traffic::Row;
use clickhouse::Client;
use std::collections::BTreeMap;
use std::path::Path;
use tollgate_analytics::money::NanoUsd;
use tollgate_analytics::query::{self, DemandBase, Period};
use tollgate_analytics::tax::{Rates, Standing, Tax};
use tollgate_analytics::tco::{Input, Scenario, Traffic};

pub async fn check(client: &Client, rows: &[Row]) {
    let base = query::demand(client, all_days()).await.unwrap();
    assert_eq!(base, expected(rows));
    becomes_the_scenarios_traffic(client, base).await;

    let from = "2025-01-01T00:00:00Z".parse().unwrap();
    let to = "2025-01-02T00:00:00Z".parse().unwrap();
    let nothing = query::demand(client, Period::new(from, to).unwrap())
        .await
        .unwrap();
    assert_eq!(nothing, DemandBase::default());
}

fn expected(rows: &[Row]) -> DemandBase {
    let told: Vec<&Row> = rows
        .iter()
        .filter(|row| row.usage_known && !row.endpoint.is_empty())
        .collect();
    let tokens = |row: &Row| row.input_tokens + row.output_tokens;
    let sum = |of: &dyn Fn(&Row) -> u64| told.iter().map(|row| of(row)).sum::<u64>();
    let class = |row: &Row| {
        if tokens(row) <= 512 {
            "short"
        } else if row.input_tokens > 4_096 {
            "long"
        } else if row.output_tokens * 4 <= row.input_tokens {
            "prompt-heavy"
        } else {
            "balanced"
        }
    };
    let of_class = |name: &str| sum(&|row| if class(row) == name { tokens(row) } else { 0 });
    let priced = |of: &dyn Fn(&Row) -> u64| {
        sum(&|row| {
            if row.cost_standing == "priced" {
                of(row)
            } else {
                0
            }
        })
    };
    let mut hours: BTreeMap<i64, u64> = BTreeMap::new();
    for row in &told {
        *hours.entry(row.started_us / 3_600_000_000).or_default() += tokens(row);
    }
    DemandBase {
        exchanges: told.len() as u64,
        simulated_exchanges: sum(&|row| row.simulated.into()),
        first_started_us: told.iter().map(|row| row.started_us).min().unwrap(),
        input_tokens: sum(&|row| row.input_tokens),
        cache_read_tokens: sum(&|row| row.cache_read_tokens),
        output_tokens: sum(&|row| row.output_tokens),
        on_prem_tokens: sum(&|row| if row.on_prem { tokens(row) } else { 0 }),
        short_tokens: of_class("short"),
        prompt_heavy_tokens: of_class("prompt-heavy"),
        balanced_tokens: of_class("balanced"),
        long_tokens: of_class("long"),
        busiest_hour_tokens: *hours.values().max().unwrap(),
        priced_input_tokens: priced(&|row| row.input_tokens),
        priced_cache_read_tokens: priced(&|row| row.cache_read_tokens),
        priced_output_tokens: priced(&|row| row.output_tokens),
        spend: NanoUsd(told.iter().map(|row| row.cost()).sum()),
    }
}

async fn becomes_the_scenarios_traffic(client: &Client, base: DemandBase) {
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules/tco");
    let rates = Rates::load(&rules.join("rates.toml")).unwrap();
    let tax_base = query::tax_base(client, all_days()).await.unwrap();
    let footprint = query::footprint(client).await.unwrap();
    let tax = Tax::compute(&tax_base, footprint, None, &rates);
    let default = || Scenario::named("default", &rules.join("scenarios")).unwrap();

    let mut scenario = default();
    let traffic = Traffic::of_records(&mut scenario, base.clone(), all_days(), &tax);
    assert!(!traffic.can_decide() && traffic.words().contains("SIMULATED"));
    assert_eq!(scenario[Input::Requests].standing, Standing::Assumed);

    // The same without a simulated exchange can be decided by.
    let real = DemandBase {
        simulated_exchanges: 0,
        ..base.clone()
    };
    let mut scenario = default();
    let traffic = Traffic::of_records(&mut scenario, real.clone(), all_days(), &tax);
    assert!(traffic.can_decide(), "{}", traffic.words());
    let value = |input: Input| scenario[input].distribution.numbers()[0];
    // Ten days but for the time before the first exchange, as months of 730.5 hours.
    let a_month = base.exchanges as f64 * 730.5 / 240.0;
    assert!((value(Input::Requests) / a_month - 1.0).abs() < 0.01);
    assert_eq!(scenario[Input::Requests].standing, Standing::Measured);
    assert_eq!(scenario[Input::PriceFactor].standing, Standing::Derived);
    assert_eq!(scenario[Input::Growth], default()[Input::Growth]);
    // What the model takes for the tokens of the priced exchanges is what they cost.
    let listed = (base.priced_input_tokens - base.priced_cache_read_tokens) as f64 * 2.5
        + base.priced_cache_read_tokens as f64 * 0.25
        + base.priced_output_tokens as f64 * 15.0;
    let modelled = listed / 1e6 * value(Input::PriceFactor);
    assert!((modelled - base.spend.0 as f64 / 1e9).abs() < 1e-6);

    // Too few to plan by.
    for (few, why) in [
        (
            DemandBase {
                exchanges: 999,
                ..real.clone()
            },
            "999 exchanges",
        ),
        (
            DemandBase {
                first_started_us: all_days().to().as_microsecond() - 3_600_000_000,
                ..real
            },
            "1 hours",
        ),
        (DemandBase::default(), "no exchange with known token counts"),
    ] {
        let mut scenario = default();
        let traffic = Traffic::of_records(&mut scenario, few, all_days(), &tax);
        assert!(traffic.words().contains(why), "{}", traffic.words());
        assert_eq!(scenario, default());
    }
}
