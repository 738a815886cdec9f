//! The priced exchanges as FOCUS 1.4 Cost and Usage rows: one for each day, team, endpoint, model,
//! price and kind of token.
//!
//! FOCUS has no token columns: the kind of token is the `SkuMeter`, and columns of our own begin
//! with `x_`. Costs are what was recorded (standing: derived, token counts times price book), not
//! what a provider has billed. Simulated exchanges cost nothing here; what they would have cost
//! stands in `x_SimulatedCost`. Exchanges that could not be priced have no row, because a row must
//! have a cost.

use super::csv_files::text;
use super::{Facts, Meta};
use crate::money::{NanoUsd, round_half_up};
use crate::price::{Price, Unit};
use crate::query::ChargeRow;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

const COLUMNS: [&str; 40] = [
    "BilledCost",
    "BillingAccountId",
    "BillingAccountName",
    "BillingCurrency",
    "BillingPeriodEnd",
    "BillingPeriodStart",
    "ChargeCategory",
    "ChargeClass",
    "ChargeDescription",
    "ChargeFrequency",
    "ChargePeriodEnd",
    "ChargePeriodStart",
    "ConsumedQuantity",
    "ConsumedUnit",
    "ContractedCost",
    "ContractedUnitPrice",
    "EffectiveCost",
    "HostProviderName",
    "InvoiceIssuerName",
    "ListCost",
    "ListUnitPrice",
    "PricingQuantity",
    "PricingUnit",
    "ServiceCategory",
    "ServiceName",
    "ServiceProviderName",
    "ServiceSubcategory",
    "SkuId",
    "SkuMeter",
    "SkuPriceId",
    "SubAccountId",
    "SubAccountName",
    "Tags",
    "x_Endpoint",
    "x_Exchanges",
    "x_Jurisdiction",
    "x_Model",
    "x_Simulated",
    "x_SimulatedCost",
    "x_Standing",
];

/// A kind of token of a charge.
struct Part {
    meter: &'static str,
    tokens: u64,
    /// USD for a million; absent: not known any more.
    rate: Option<NanoUsd>,
    /// By list price.
    list: NanoUsd,
    /// As recorded.
    cost: NanoUsd,
}

/// The file's text.
pub(super) fn render(charges: &[ChargeRow], facts: &Facts, meta: &Meta) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut write = |cells: &[String]| {
        // Cannot fail: it writes into memory, and all rows have as many cells as there are columns.
        writer.write_record(cells).unwrap_or_default();
    };
    write(&COLUMNS.map(str::to_owned));
    for charge in charges {
        for part in parts(charge, facts.prices.recorded(&charge.price_name)) {
            write(&row(charge, &part, meta));
        }
    }
    let bytes = writer.into_inner().unwrap_or_default();
    String::from_utf8(bytes).unwrap_or_default()
}

fn row(charge: &ChargeRow, part: &Part, meta: &Meta) -> [String; COLUMNS.len()] {
    let start = Timestamp::from_second(charge.day_second).unwrap_or_default();
    let day = TimeZone::UTC.to_datetime(start).date();
    let midnight = |day: Result<Date, jiff::Error>| {
        let start = day.and_then(|day| TimeZone::UTC.to_timestamp(day.at(0, 0, 0, 0)));
        start.map_or_else(|_| String::new(), |start| start.to_string())
    };
    let month = day.first_of_month();
    let owned = str::to_owned;
    let account = match meta.organization.is_empty() {
        true => "tollgate",
        false => &meta.organization,
    };
    let provider = charge.price_name.split('/').next().unwrap_or_default();
    let sku = charge
        .price_name
        .rsplit_once('@')
        .map_or("", |(sku, _)| sku);
    let (billed, simulated) = match charge.was_simulated {
        true => (NanoUsd::ZERO, part.cost),
        false => (part.cost, NanoUsd::ZERO),
    };
    let list = match charge.was_simulated {
        true => NanoUsd::ZERO,
        false => part.list,
    };
    let rate = part.rate.filter(|_| !charge.was_simulated);
    let rate = rate.map(NanoUsd::to_decimal).unwrap_or_default();
    // A million tokens in billionths: the same digits as an amount.
    let millions = NanoUsd(
        i64::try_from(part.tokens)
            .unwrap_or(i64::MAX)
            .saturating_mul(1_000),
    );
    let tags = serde_json::json!({ "team": charge.team_name }).to_string();
    [
        billed.to_decimal(),
        text(account),
        text(account),
        owned("USD"),
        midnight(month.checked_add(1.month())),
        midnight(Ok(month)),
        owned("Usage"),
        String::new(),
        text(&format!(
            "{}, {}",
            charge.model_name,
            part.meter.to_lowercase()
        )),
        owned("Usage-Based"),
        midnight(day.tomorrow()),
        midnight(Ok(day)),
        part.tokens.to_string(),
        owned("Tokens"),
        billed.to_decimal(),
        // What was paid for one is known only where it is the list price.
        match part.cost == part.list {
            true => rate.clone(),
            false => String::new(),
        },
        billed.to_decimal(),
        String::new(),
        text(provider),
        list.to_decimal(),
        rate,
        millions.to_decimal(),
        owned("1000000 Tokens"),
        owned("AI and Machine Learning"),
        text(&format!("{provider} API")),
        text(provider),
        owned("Generative AI"),
        text(sku),
        owned(part.meter),
        text(&charge.price_name),
        text(&charge.team_name),
        text(&charge.team_name),
        tags,
        text(&charge.endpoint_name),
        charge.exchanges.to_string(),
        text(&charge.jurisdiction_code),
        text(&charge.model_name),
        charge.was_simulated.to_string(),
        simulated.to_decimal(),
        owned("derived"),
    ]
}

/// A charge by kind of token. The parts' costs always add up to what was recorded: what rounding
/// leaves goes to the dearest part. Where the book has other rates by now or own terms applied, the
/// recorded cost is shared out in proportion to list prices.
fn parts(charge: &ChargeRow, price: Option<&Price>) -> Vec<Part> {
    let rate = |unit| price.and_then(|price| price.rate(unit, charge.input_tokens_max));
    let mut kinds = [
        ("Input Tokens", Unit::INPUT, charge.input_tokens_total),
        (
            "Cached Input Tokens",
            Unit::CACHE_READ,
            charge.cache_read_tokens_total,
        ),
        (
            "Cache Write Tokens",
            Unit::CACHE_WRITE,
            charge.cache_write_tokens_total,
        ),
        ("Output Tokens", Unit::OUTPUT, charge.output_tokens_total),
        (
            "Reasoning Tokens",
            Unit::OUTPUT_REASONING,
            charge.reasoning_tokens_total,
        ),
    ];
    // A part with a rate of its own is not in its whole too; one without is billed in it.
    for (part, whole) in [(1, 0), (2, 0), (4, 3)] {
        match rate(kinds[part].1) {
            Some(_) => kinds[whole].2 = kinds[whole].2.saturating_sub(kinds[part].2),
            None => kinds[part].2 = 0,
        }
    }
    let mut parts: Vec<Part> = kinds
        .into_iter()
        .filter(|(_, _, tokens)| *tokens > 0)
        .filter_map(|(meter, unit, tokens)| {
            let rate = rate(unit)?;
            let list = rate.rate(tokens.into(), unit.per().into())?;
            Some(Part {
                meter,
                tokens,
                rate: Some(rate),
                list,
                cost: list,
            })
        })
        .collect();
    let listed: i128 = parts.iter().map(|part| i128::from(part.list.0)).sum();
    let recorded = i128::from(charge.spend.0);
    if listed == 0 {
        return vec![Part {
            meter: "Tokens",
            tokens: charge.input_tokens_total + charge.output_tokens_total,
            rate: None,
            list: charge.spend,
            cost: charge.spend,
        }];
    }
    // Each exchange was rounded by itself.
    let rounding = i128::from(charge.exchanges) + 5;
    if (recorded - listed).abs() > rounding {
        for part in &mut parts {
            let share = round_half_up(recorded * i128::from(part.list.0), listed);
            part.cost = NanoUsd(share.and_then(|nano| i64::try_from(nano).ok()).unwrap_or(0));
        }
    }
    let shared: i128 = parts.iter().map(|part| i128::from(part.cost.0)).sum();
    if let Some(dearest) = parts.iter_mut().max_by_key(|part| part.cost) {
        let left = i64::try_from(recorded - shared).unwrap_or(0);
        dearest.cost = NanoUsd(dearest.cost.0.saturating_add(left));
        if (recorded - listed).abs() <= rounding {
            dearest.list = dearest.cost;
        }
    }
    parts
}
