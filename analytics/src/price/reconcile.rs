//! What a provider billed beside what was recorded.
//!
//! Reads what providers export:
//! - OpenAI: the costs API's pages (`/v1/organization/costs`) and the dashboard's cost CSV;
//! - Anthropic: the cost report API's pages (`/v1/organizations/cost_report`, amounts in cents);
//! - FOCUS CSV (1.0 and later), which AWS, Azure, Google Cloud and others export: `BilledCost`.

use super::{PriceBook, Terms};
use crate::money::NanoUsd;
use crate::query::Period;
use crate::record::{Cost, Record};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Number;
use std::collections::{BTreeMap, HashMap};

/// What a charge or an exchange is compared under.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Category {
    /// A model of the book.
    Model(String),
    /// What names no model, in the provider's words.
    Other(String),
}

impl Category {
    /// For people and for files.
    pub fn as_str(&self) -> &str {
        let (Category::Model(text) | Category::Other(text)) = self;
        text
    }
}

/// Billed and recorded, by category.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// Lines of the invoice.
    pub lines: u64,
    /// What they come to.
    pub billed: NanoUsd,
    /// Exchanges recorded.
    pub exchanges: u64,
    /// What the priced ones cost.
    pub recorded: NanoUsd,
    /// How many could not be priced: `recorded` lacks them.
    pub unpriced: u64,
}

/// The comparison.
#[derive(Clone, Debug, Default)]
pub struct Reconciliation {
    /// By category.
    pub sums: BTreeMap<Category, Sum>,
    /// Lines of the invoice outside of the period, which are in no sum.
    pub outside: u64,
}

/// Why an invoice cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// None of the known formats.
    #[error(
        "not a known export: expected OpenAI costs (JSON or CSV with amount_value), an Anthropic cost report (JSON) or FOCUS CSV (with BilledCost)"
    )]
    Unknown,
    /// Not the format that it seems to be.
    #[error("line {line}: {reason}")]
    Malformed {
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// The answer of an API is one of several pages.
    #[error(
        "the export says that it has more pages: expected all of them, one after another, in one file"
    )]
    MorePages,
    /// No rate for the currency.
    #[error("charge {number}: {source}")]
    Currency {
        /// Which charge, from 1.
        number: usize,
        /// Which rate is missing.
        source: super::NoRate,
    },
    /// A sum is larger than money can be.
    #[error("the amounts do not fit")]
    TooMuch,
}

/// A line of an invoice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    /// When the use began.
    pub start: Timestamp,
    /// In billionths of the currency.
    pub nano: i64,
    /// ISO 4217.
    pub currency: String,
    /// The model or what else was billed, in the provider's words.
    pub what: String,
}

impl Reconciliation {
    /// Adds an invoice's charges that began within the period.
    pub fn bill(
        &mut self,
        charges: &[Charge],
        period: Period,
        book: &PriceBook,
        terms: &Terms,
    ) -> Result<(), Error> {
        for (number, charge) in charges.iter().enumerate() {
            if !(period.from()..period.to()).contains(&charge.start) {
                self.outside += 1;
                continue;
            }
            let amount = terms
                .to_usd(charge.nano, &charge.currency, charge.start)
                .map_err(|source| Error::Currency {
                    number: number + 1,
                    source,
                })?;
            let sum = self.sums.entry(category(&charge.what, book)).or_default();
            sum.lines += 1;
            sum.billed = sum.billed.checked_add(amount).ok_or(Error::TooMuch)?;
        }
        Ok(())
    }

    /// Adds a recorded exchange. Simulated ones and those that consumed nothing are passed over.
    pub fn record(&mut self, record: &Record) -> Result<(), Error> {
        let billable = record.route.as_ref().is_some_and(|route| !route.simulated);
        if !billable || record.cost == Cost::Free {
            return Ok(());
        }
        let category = Category::Model(record.model.clone());
        let sum = self.sums.entry(category).or_default();
        sum.exchanges += 1;
        match &record.cost {
            Cost::Priced { nano_usd, .. } => {
                let recorded = sum.recorded.checked_add(NanoUsd(*nano_usd));
                sum.recorded = recorded.ok_or(Error::TooMuch)?;
            }
            _ => sum.unpriced += 1,
        }
        Ok(())
    }
}

/// `gpt-4o-2024-08-06, cached input` is about the model `gpt-4o`.
fn category(what: &str, book: &PriceBook) -> Category {
    let name = what.split(',').next().unwrap_or_default().trim();
    match book.canonical_model(name) {
        Some(model) => Category::Model(model.to_owned()),
        None => Category::Other(what.trim().to_owned()),
    }
}

/// The charges of an export, in its order.
pub fn read(text: &str) -> Result<Vec<Charge>, Error> {
    match text.trim_start().starts_with(['{', '[']) {
        true => read_json(text),
        false => read_csv(text),
    }
}

#[derive(Deserialize)]
struct Page {
    data: Vec<Bucket>,
    #[serde(default)]
    has_more: bool,
}

#[derive(Deserialize)]
struct Bucket {
    /// OpenAI: seconds since the Unix epoch.
    start_time: Option<i64>,
    /// Anthropic: RFC 3339.
    starting_at: Option<Timestamp>,
    results: Vec<ResultForm>,
}

#[derive(Deserialize)]
struct ResultForm {
    amount: AmountForm,
    /// Anthropic's.
    currency: Option<String>,
    line_item: Option<String>,
    model: Option<String>,
    description: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum AmountForm {
    /// OpenAI: a number of the currency.
    OpenAi { value: Number, currency: String },
    /// Anthropic: decimal text, in hundredths of the currency.
    Anthropic(String),
}

fn read_json(text: &str) -> Result<Vec<Charge>, Error> {
    let mut charges = Vec::new();
    let mut more = false;
    let pages = serde_json::Deserializer::from_str(text).into_iter::<Page>();
    for page in pages {
        let page = page.map_err(|error| Error::Malformed {
            line: error.line(),
            reason: error.to_string(),
        })?;
        more = page.has_more;
        for bucket in page.data {
            let start = bucket
                .starting_at
                .or_else(|| Timestamp::from_second(bucket.start_time?).ok())
                .ok_or(Error::Unknown)?;
            for result in bucket.results {
                charges.push(json_charge(start, result)?);
            }
        }
    }
    match more {
        true => Err(Error::MorePages),
        false => Ok(charges),
    }
}

fn json_charge(start: Timestamp, result: ResultForm) -> Result<Charge, Error> {
    let malformed = |text: &str| Error::Malformed {
        line: 1,
        reason: format!("{text:?} is not an amount"),
    };
    let (nano, currency) = match result.amount {
        AmountForm::OpenAi { value, currency } => {
            let text = value.to_string();
            (nano(&text).ok_or_else(|| malformed(&text))?, currency)
        }
        AmountForm::Anthropic(text) => {
            let cents = nano(&text).ok_or_else(|| malformed(&text))?;
            let currency = result.currency.unwrap_or_else(|| "USD".to_owned());
            (
                crate::money::round_half_up(i128::from(cents), 100).map_or(0, |n| n as i64),
                currency,
            )
        }
    };
    let what = result.line_item.or(result.model).or(result.description);
    Ok(Charge {
        start,
        nano,
        currency: currency.to_uppercase(),
        what: what.unwrap_or_else(|| "(not told)".to_owned()),
    })
}

/// A decimal number, with or without an exponent, rounded to billionths.
fn nano(text: &str) -> Option<i64> {
    const PLACES: i32 = 9;
    let (digits, exponent) = match text.split_once(['e', 'E']) {
        Some((digits, exponent)) => (digits, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (negative, digits) = match digits.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, digits),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all: String = format!("{whole}{fraction}");
    if all.is_empty() || !all.bytes().all(|byte| byte.is_ascii_digit()) || all.len() > 30 {
        return None;
    }
    let number: i128 = all.parse().ok()?;
    let shift = PLACES + exponent.clamp(-99, 99) - i32::try_from(fraction.len()).ok()?;
    let scaled = match u32::try_from(shift) {
        Ok(up) => number.checked_mul(10_i128.checked_pow(up)?)?,
        Err(_) if shift < -36 => 0,
        Err(_) => crate::money::round_half_up(number, 10_i128.pow(shift.unsigned_abs()))?,
    };
    i64::try_from(if negative { -scaled } else { scaled }).ok()
}

/// The columns of a CSV export: when, how much, of which currency, for what (the first that is
/// there and not empty).
struct Columns {
    start: &'static [&'static str],
    amount: &'static str,
    currency: &'static str,
    what: &'static [&'static str],
}

const FOCUS: Columns = Columns {
    start: &["ChargePeriodStart"],
    amount: "BilledCost",
    currency: "BillingCurrency",
    what: &[
        "x_Model",
        "x_model",
        "ResourceName",
        "SkuMeter",
        "ChargeDescription",
        "ServiceName",
    ],
};

const OPENAI: Columns = Columns {
    start: &["start_time_iso", "start_time"],
    amount: "amount_value",
    currency: "amount_currency",
    what: &["line_item"],
};

fn read_csv(text: &str) -> Result<Vec<Charge>, Error> {
    let mut reader = csv::Reader::from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    let fault = |error: csv::Error| Error::Malformed {
        line: error.position().map_or(1, |at| at.line() as usize),
        reason: error.to_string(),
    };
    let header = reader.headers().map_err(fault)?.clone();
    let places: HashMap<&str, usize> = header.iter().zip(0..).collect();
    let columns = [FOCUS, OPENAI]
        .into_iter()
        .find(|columns| places.contains_key(columns.amount))
        .ok_or(Error::Unknown)?;
    let mut charges = Vec::new();
    for record in reader.records() {
        let record = record.map_err(fault)?;
        let line = record.position().map_or(1, |at| at.line() as usize);
        let cell = |column: &str| {
            let text = places.get(column).and_then(|place| record.get(*place));
            text.map(str::trim).filter(|text| !text.is_empty())
        };
        let malformed = |column: &str, expected: &str| Error::Malformed {
            line,
            reason: format!(
                "{column} is {:?}: expected {expected}",
                cell(column).unwrap_or_default()
            ),
        };
        let start = columns
            .start
            .iter()
            .find_map(|column| cell(column))
            .and_then(time);
        charges.push(Charge {
            start: start.ok_or_else(|| malformed(columns.start[0], "a time"))?,
            nano: cell(columns.amount)
                .and_then(nano)
                .ok_or_else(|| malformed(columns.amount, "an amount"))?,
            currency: cell(columns.currency)
                .map(str::to_uppercase)
                .ok_or_else(|| malformed(columns.currency, "a currency"))?,
            what: columns
                .what
                .iter()
                .find_map(|column| cell(column))
                .unwrap_or("(not told)")
                .to_owned(),
        });
    }
    Ok(charges)
}

/// RFC 3339, a date, or seconds since the Unix epoch; UTC where no zone is told.
fn time(text: &str) -> Option<Timestamp> {
    let local = || {
        let civil: jiff::civil::DateTime = text.parse().ok()?;
        jiff::tz::TimeZone::UTC.to_timestamp(civil).ok()
    };
    let seconds = || Timestamp::from_second(text.parse().ok()?).ok();
    text.parse().ok().or_else(local).or_else(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::path::Path;

    const OPENAI_JSON: &str = r#"{"object":"page","has_more":false,"data":[
        {"object":"bucket","start_time":1793577600,"end_time":1793664000,"results":[
            {"object":"organization.costs.result","amount":{"value":0.06,"currency":"usd"},"line_item":"gpt-4o-2024-08-06, input","project_id":null},
            {"object":"organization.costs.result","amount":{"value":1e-7,"currency":"usd"},"line_item":"web search tool calls"}]}]}"#;
    const ANTHROPIC: &str = r#"{"has_more":false,"data":[{"starting_at":"2026-11-02T00:00:00Z","ending_at":"2026-11-03T00:00:00Z","results":[
            {"currency":"USD","amount":"123.78912","description":"Claude Sonnet 5 Usage","model":"claude-sonnet-5","token_type":"output_tokens"}]}]}"#;
    const FOCUS_CSV: &str = "BilledCost,BillingCurrency,ChargePeriodStart,ServiceName,SkuMeter,ResourceName\n\
        1.25,EUR,2026-11-02T00:00:00Z,Bedrock,gpt-4o,\n-0.5,USD,2026-11-02,Bedrock,,\n2,USD,2026-12-01,Bedrock,,\n";

    fn book() -> PriceBook {
        PriceBook::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules/prices")).unwrap()
    }

    fn november() -> Period {
        let at = |text: &str| text.parse().unwrap();
        Period::new(at("2026-11-01T00:00:00Z"), at("2026-12-01T00:00:00Z")).unwrap()
    }

    fn sums(text: &str, terms: &Terms) -> Result<(Vec<(String, i64)>, u64), String> {
        let mut found = Reconciliation::default();
        let charges = read(text).map_err(|error| error.to_string())?;
        let billed = found.bill(&charges, november(), &book(), terms);
        billed.map_err(|error| error.to_string())?;
        let sums = found
            .sums
            .iter()
            .map(|(category, sum)| (category.as_str().to_owned(), sum.billed.0));
        Ok((sums.collect(), found.outside))
    }

    #[test]
    fn exports_are_read() {
        let terms = Terms::default();
        let of = |pairs: &[(&str, i64)], outside| {
            let pairs = pairs.iter().map(|(name, nano)| ((*name).to_owned(), *nano));
            Ok((pairs.collect::<Vec<_>>(), outside))
        };
        assert_eq!(
            sums(OPENAI_JSON, &terms),
            of(&[("gpt-4o", 60_000_000), ("web search tool calls", 100)], 0)
        );
        assert_eq!(
            sums(ANTHROPIC, &terms),
            of(&[("claude-sonnet-5", 1_237_891_200)], 0)
        );
        let csv = "start_time,start_time_iso,amount_value,amount_currency,line_item\n\
            1793577600,2026-11-02T00:00:00+00:00,0.75,usd,\"gpt-4o, output\"\n";
        assert_eq!(sums(csv, &terms), of(&[("gpt-4o", 750_000_000)], 0));
        let dollars = FOCUS_CSV.replace("EUR", "USD");
        assert_eq!(
            sums(&dollars, &terms),
            of(&[("gpt-4o", 1_250_000_000), ("Bedrock", -500_000_000)], 1)
        );
    }

    #[test]
    fn bad_exports_are_told() {
        let terms = Terms::default();
        for (text, expected) in [
            ("a,b\n1,2\n", "not a known export"),
            ("{\"data\":[{\"results\":[]}]}", "not a known export"),
            (
                "{\"data\":[{\"start_time\":1,\"results\":[{}]}]}",
                "line 1: missing field `amount`",
            ),
            ("{\"data\":[],\"has_more\":true}", "more pages"),
            (
                FOCUS_CSV,
                "charge 1: no rate of EUR on or before 2026-11-02",
            ),
            (
                "BilledCost,BillingCurrency,ChargePeriodStart\nx,USD,2026-11-02\n",
                "line 2: BilledCost is \"x\": expected an amount",
            ),
            (
                "BilledCost,BillingCurrency,ChargePeriodStart\n1,,2026-11-02\n",
                "line 2: BillingCurrency is \"\"",
            ),
            (
                "BilledCost,BillingCurrency,ChargePeriodStart\n1,USD,soon\n",
                "line 2: ChargePeriodStart is \"soon\": expected a time",
            ),
            (
                "BilledCost,BillingCurrency,ChargePeriodStart\n1,USD\n",
                "line 2: ",
            ),
        ] {
            let error = sums(text, &terms).expect_err(text);
            assert!(
                error.contains(expected),
                "{error}\n  should tell: {expected}"
            );
        }
    }

    #[test]
    fn decimals_become_billionths() {
        for (text, expected) in [
            ("0.06", Some(60_000_000)),
            ("1e-7", Some(100)),
            ("-2.5E3", Some(-2_500_000_000_000)),
            ("0.0000000005", Some(1)),
            ("1e-60", Some(0)),
            ("1e60", None),
            ("", None),
            ("-", None),
            ("1,5", None),
            ("nan", None),
        ] {
            assert_eq!(nano(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[ -~\n]{0,200}") {
            let _ = read(&text);
            let _ = read(&format!("BilledCost,BillingCurrency,ChargePeriodStart\n{text}"));
            let _ = nano(&text);
            let _ = time(&text);
        }
    }
}
