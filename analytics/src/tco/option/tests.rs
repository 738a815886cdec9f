//! One small case, reckoned by hand: a year, no discount, no growth, no rise of prices.

use super::*;
use crate::tco::input::COUNT;
use crate::tco::path;
use crate::tco::scenario::TaxMethod;

const CHOICE: Choice = Choice {
    tax: TaxMethod::TeamCapacity,
    hosting: Hosting::Capacity,
    gpu: Gpu::Buy,
};

/// 1,000,000 requests a month of 1,000 + 500 tokens at $2 and $10: $0.007 each, $7,000 a month.
/// The tax is 10 % of a team of 1.2M a year: $10,000 a month.
fn draw() -> Draw {
    let mut draw = Draw([0.0; COUNT]);
    for (input, value) in [
        (Input::Requests, 1e6),
        (Input::InputTokens, 1_000.0),
        (Input::OutputTokens, 500.0),
        (Input::Peak, 2.0),
        (Input::MixShort, 1.0),
        (Input::ThroughputShort, 1_000.0),
        (Input::ThroughputPromptHeavy, 1.0),
        (Input::ThroughputBalanced, 1.0),
        (Input::ThroughputLong, 1.0),
        (Input::ModelFactor, 1.0),
        (Input::Utilisation, 0.5),
        (Input::GpusPerReplica, 1.0),
        (Input::PriceInput, 2.0),
        (Input::PriceOutput, 10.0),
        (Input::PriceFactor, 1.0),
        (Input::PriceYearly, 1.0),
        (Input::TaxBudget, 1.2e6),
        (Input::TaxCapacity, 0.1),
        (Input::Residency, 1.0),
        (Input::GpuPrice, 30_000.0),
        (Input::GpuPriceYearly, 1.0),
        (Input::GpuLife, 4.0),
        (Input::GpuResale, 0.5),
        (Input::GpuPower, 1.0),
        (Input::Pue, 1.0),
        (Input::Electricity, 0.1),
        (Input::Maintenance, 0.12),
        (Input::GpuRent, 2.0),
        (Input::Premium, 0.5),
        (Input::FteCost, 100_000.0),
        (Input::OpsFte, 0.6),
        (Input::Schedule, 1.0),
        (Input::Migration, 10_000.0),
        (Input::MigrationFactor, 2.0),
        (Input::OverrunEvent, 1.0),
        (Input::OverrunSize, 0.5),
        (Input::FineTuneTime, 2.0),
        (Input::FineTuneTraining, 60_000.0),
        (Input::FineTuneRetraining, 0.5),
        (Input::FineTuneTalent, 120_000.0),
        (Input::FineTunePlatform, 12_000.0),
        (Input::FineTuneCompliance, 24_000.0),
        (Input::FineTuneHosting, 36_000.0),
        (Input::ManagedTime, 3.0),
        (Input::ManagedFee, 60_000.0),
        (Input::HybridTime, 0.5),
        (Input::HybridLocalShare, 0.25),
        (Input::HybridTaxKept, 0.4),
    ] {
        draw.0[input.index()] = value;
    }
    draw
}

fn of(plan: Plan, draw: &Draw, choice: Choice) -> Flow {
    let mut months = [Month::default(); 12];
    path::months(draw, choice, &mut months);
    flow(plan, draw, choice, &months)
}

fn check(flow: &Flow, expected: [f64; COMPONENTS]) {
    for (component, (cost, expected)) in Component::ALL
        .iter()
        .zip(flow.components.iter().zip(expected))
    {
        assert!(
            (cost - expected).abs() < 0.01,
            "{component:?}: {cost} is not {expected}"
        );
    }
    let monthly: f64 = flow.monthly.iter().sum();
    assert!((flow.npv() - monthly).abs() < 0.01);
}

#[test]
fn the_global_api_costs_its_tokens_and_its_tax() {
    let flow = of(Plan::Api, &draw(), CHOICE);
    check(&flow, [84_000.0, 120_000.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);

    // 10 % dearer regions, 2 % more input tokens, half of them cached at $0.5, 20 % off, $3 for
    // inspecting a million requests: tokens 0.8 x 1,000 x (0.5 x 2 + 0.5 x 0.5) + 0.8 x 500 x 10 =
    // 5,000 a million: $5,000; inflated 0.8 x 1,020 x 1.25 + 4,000 = 5,020, x 1.1 = $5,522, so $522
    // more; tax 10,000 + 522 + 3.
    let mut draw = draw();
    for (input, value) in [
        (Input::Residency, 1.1),
        (Input::TokenInflation, 0.02),
        (Input::CachedShare, 0.5),
        (Input::PriceCached, 0.5),
        (Input::PriceFactor, 0.8),
        (Input::GateCost, 3.0),
    ] {
        draw.0[input.index()] = value;
    }
    let flow = of(Plan::Api, &draw, CHOICE);
    check(
        &flow,
        [60_000.0, 12.0 * 10_525.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
    );
}

#[test]
fn fine_tuning_costs_what_the_hand_says() {
    // Two months of project on the API, then ten of its own.
    // GPUs: 1e6 / 2,629,800 s x 1.5 GPU-s x 2 / 0.5 = 2.28, so 3, and one to spare: 4 for 120,000.
    // Ten months later they bring 120,000 x 0.5^(10/12) = 67,347.72. Power 4 x 73.05 x 10 = 2,922,
    // maintenance 1 % of 120,000 a month = 12,000: 67,574.28.
    // People 180,000. Training 60,000 and 2,500 a month. Migration 10,000 x 2 x 1.5.
    let hosting = 120_000.0 - 120_000.0 * 0.5_f64.powf(10.0 / 12.0) + 2_922.0 + 12_000.0;
    assert!((hosting - 67_574.28).abs() < 1.0);
    let flow = of(Plan::FineTune, &draw(), CHOICE);
    check(
        &flow,
        [
            14_000.0, 20_000.0, 180_000.0, hosting, 85_000.0, 12_000.0, 20_000.0, 30_000.0,
        ],
    );
}

#[test]
fn corporate_tax_lowers_cost_and_depreciation_counts() {
    // 361,000 of running cost x 0.75. GPUs: 120,000 bought; 14,922 x 0.75 of power and maintenance;
    // depreciation of 2,500 a month saves 6,250; sold for 67,347.72 with 95,000 in the books, which
    // saves a quarter of the loss.
    let mut draw = draw();
    draw.0[Input::TaxRate.index()] = 0.25;
    let resale = 120_000.0 * 0.5_f64.powf(10.0 / 12.0);
    let gpus = 120_000.0 + 14_922.0 * 0.75 - 6_250.0 - (resale - 0.25 * (resale - 95_000.0));
    let npv = of(Plan::FineTune, &draw, CHOICE).npv();
    assert!((npv - (361_000.0 * 0.75 + gpus)).abs() < 0.01, "{npv}");
}

#[test]
fn rented_and_tabled_hosting_are_alternatives() {
    // 4 GPUs x 730.5 h x $2 x 10 months; 36,000 a year for 10 months.
    let hosting = |choice| of(Plan::FineTune, &draw(), choice).components[3];
    let rented = hosting(Choice {
        gpu: Gpu::Rent,
        ..CHOICE
    });
    assert!((rented - 58_440.0).abs() < 0.01, "{rented}");
    let tabled = hosting(Choice {
        hosting: Hosting::Table,
        ..CHOICE
    });
    assert!((tabled - 30_000.0).abs() < 0.01, "{tabled}");
}

#[test]
fn a_managed_cloud_takes_its_fee_and_no_less_than_rent() {
    // Three months on the API; nine at 60,000 a year, or at 4 GPUs x 730.5 h x $2 a month, which is
    // more; by the table, the fee whatever the traffic.
    let hosting = |choice| of(Plan::Managed, &draw(), choice).components[3];
    assert!((hosting(CHOICE) - 9.0 * 5_844.0).abs() < 0.01);
    let table = Choice {
        hosting: Hosting::Table,
        ..CHOICE
    };
    assert!((hosting(table) - 45_000.0).abs() < 0.01);
}

#[test]
fn the_hybrid_keeps_a_share_of_everything() {
    // One month of project. Then a quarter stays: tokens 7,000 + 11 x 5,250; tax 10,000 + 11 x
    // 4,000; people 60,000 x 1.5; GPUs: 0.57, so 1, and one to spare: 60,000, of which 0.5^(11/12)
    // comes back; power 2 x 73.05 x 11, maintenance 600 x 11.
    let flow = of(Plan::Hybrid, &draw(), CHOICE);
    let hosting = 60_000.0 * (1.0 - 0.5_f64.powf(11.0 / 12.0)) + 2.0 * 73.05 * 11.0 + 6_600.0;
    check(
        &flow,
        [64_750.0, 54_000.0, 90_000.0, hosting, 0.0, 0.0, 0.0, 0.0],
    );
}

#[test]
fn money_is_discounted_by_the_month() {
    // $17,000 at each month's end at 21 % a year: 17,000 x (1 - 1/1.21) / (1.21^(1/12) - 1).
    let mut draw = draw();
    draw.0[Input::Discount.index()] = 0.21;
    let npv = of(Plan::Api, &draw, CHOICE).npv();
    let expected = 17_000.0 * (1.0 - 1.0 / 1.21) / (1.21_f64.powf(1.0 / 12.0) - 1.0);
    assert!((expected - 184_265.0).abs() < 10.0, "{expected}");
    assert!((npv - expected).abs() < 0.01, "{npv}");
}

#[test]
fn traffic_grows_and_prices_fall_by_the_month() {
    // Growth 44 %, prices x 0.81 a year: tokens grow by 1.1664^(1/12) a month; the tax does not.
    let mut draw = draw();
    draw.0[Input::Growth.index()] = 0.44;
    draw.0[Input::PriceYearly.index()] = 0.81;
    let monthly = 1.1664_f64.powf(1.0 / 12.0);
    let tokens = 7_000.0 * (1.1664 - 1.0) / (monthly - 1.0);
    let flow = of(Plan::Api, &draw, CHOICE);
    check(&flow, [tokens, 120_000.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
}
