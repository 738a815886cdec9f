//! An organization's own terms over list prices: negotiated discounts, surcharges for regional
//! processing, rates of currencies. Each is dated and has a source.
//!
//! ```toml
//! [[discount]]
//! provider = "openai"
//! models = ["gpt-*"]              # absent: all
//! percent = "12.5"
//! from = "2026-01-01"             # UTC, both optional; `to` is not in it
//! to = "2027-01-01"
//! source = "contract 2026-17"
//!
//! [[surcharge]]                   # over list, before any discount
//! provider = "openai"
//! jurisdictions = ["EU", "DE"]    # those of the endpoint
//! percent = "10"
//! source = "the provider's price page, regional processing"
//!
//! [[currency]]
//! code = "EUR"
//! usd = "1.0842"                  # USD for one
//! date = "2026-11-02"             # holds until the next one
//! source = "ECB reference rate"
//! ```

use super::file::{At, date};
use super::pattern::Pattern;
use crate::money::{NanoUsd, parse_nano, round_half_up};
use crate::rules::{self, Fault, RulesError};
use jiff::Timestamp;
use serde::Deserialize;
use std::path::Path;
use toml::Spanned;

/// Percent are kept in ten-thousandths of one, so that a cost stays within 128 bits.
const PERCENT_PLACES: i64 = 10_000;
const WHOLE: i128 = 100 * PERCENT_PLACES as i128;

/// Discounts, surcharges and currencies.
#[derive(Clone, Debug, Default)]
pub struct Terms {
    discounts: Vec<Adjustment>,
    surcharges: Vec<Adjustment>,
    currencies: Vec<Currency>,
}

#[derive(Clone, Debug)]
struct Adjustment {
    provider: String,
    /// Empty: all.
    models: Vec<Pattern>,
    /// Empty: all.
    jurisdictions: Vec<String>,
    percent: i64,
    /// As it stands in the file.
    percent_text: String,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
}

#[derive(Clone, Debug)]
struct Currency {
    code: String,
    /// USD for one.
    rate: NanoUsd,
    from: Timestamp,
}

/// There is no rate of a currency for a day.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "no rate of {code} on or before {day}: expected a [[currency]] of it in the file that `prices.terms` names"
)]
pub struct NoRate {
    code: String,
    day: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileForm {
    #[serde(default, rename = "discount")]
    discounts: Vec<AdjustmentForm>,
    #[serde(default, rename = "surcharge")]
    surcharges: Vec<AdjustmentForm>,
    #[serde(default, rename = "currency")]
    currencies: Vec<CurrencyForm>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AdjustmentForm {
    provider: String,
    #[serde(default)]
    models: Vec<Spanned<String>>,
    #[serde(default)]
    jurisdictions: Vec<String>,
    percent: Spanned<String>,
    from: Option<Spanned<String>>,
    to: Option<Spanned<String>>,
    #[expect(dead_code, reason = "for people; a term without one is refused")]
    source: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CurrencyForm {
    code: Spanned<String>,
    usd: Spanned<String>,
    date: Spanned<String>,
    #[expect(dead_code, reason = "for people; a rate without one is refused")]
    source: String,
}

/// A cost under terms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Adjusted {
    pub(super) amount: NanoUsd,
    /// What was done, such as `+10%-12.5%`.
    pub(super) told: String,
}

impl Terms {
    /// Reads a file of terms. Fails telling file, line and reason.
    pub fn load(file: &Path) -> Result<Terms, RulesError> {
        let text = rules::read(file)?;
        let form: FileForm = rules::from_toml(file, &text)?;
        Terms::check(form)
            .map_err(|At(offset, reason)| RulesError::at(file, &text, offset, Fault::Value(reason)))
    }

    fn check(form: FileForm) -> Result<Terms, At> {
        let all = |forms: Vec<AdjustmentForm>, percent_max: i64| {
            let checked = forms.into_iter().map(|form| adjustment(form, percent_max));
            checked.collect::<Result<Vec<_>, At>>()
        };
        let mut currencies = Vec::new();
        for form in form.currencies {
            currencies.push(currency(&form)?);
        }
        currencies.sort_by_key(|currency| currency.from);
        Ok(Terms {
            discounts: all(form.discounts, 100)?,
            surcharges: all(form.surcharges, 1_000)?,
            currencies,
        })
    }

    /// A list cost under the terms; `None` if it does not fit. Of several discounts or surcharges
    /// that apply the first in the file counts.
    pub(super) fn apply(
        &self,
        list: NanoUsd,
        provider: &str,
        model: &str,
        jurisdiction: &str,
        at: Timestamp,
    ) -> Option<Adjusted> {
        let first = |of: &'_ [Adjustment]| {
            of.iter()
                .find(|term| term.applies(provider, model, jurisdiction, at))
                .cloned()
        };
        let (up, down) = (first(&self.surcharges), first(&self.discounts));
        let percent =
            |term: &Option<Adjustment>| term.as_ref().map_or(0, |t| i128::from(t.percent));
        let factor = (WHOLE + percent(&up)) * (WHOLE - percent(&down));
        let amount = round_half_up(i128::from(list.0).checked_mul(factor)?, WHOLE * WHOLE)?;
        let told = |sign: char, term: Option<Adjustment>| {
            term.map_or_else(String::new, |t| format!("{sign}{}%", t.percent_text))
        };
        Some(Adjusted {
            amount: NanoUsd(i64::try_from(amount).ok()?),
            told: told('+', up) + &told('-', down),
        })
    }

    /// An amount of a currency, in billionths, as USD at the latest rate of its day or before.
    pub fn to_usd(&self, nano: i64, code: &str, at: Timestamp) -> Result<NanoUsd, NoRate> {
        if code.eq_ignore_ascii_case("USD") {
            return Ok(NanoUsd(nano));
        }
        let missing = || NoRate {
            code: code.to_owned(),
            day: at.strftime("%F").to_string(),
        };
        let rate = self
            .currencies
            .iter()
            .rfind(|currency| currency.code.eq_ignore_ascii_case(code) && currency.from <= at)
            .ok_or_else(missing)?;
        let per = i128::from(NanoUsd::from_usd(1).unwrap_or_default().0);
        rate.rate.rate(i128::from(nano), per).ok_or_else(missing)
    }
}

impl Adjustment {
    fn applies(&self, provider: &str, model: &str, jurisdiction: &str, at: Timestamp) -> bool {
        let lower = model.to_lowercase();
        self.provider == provider
            && (self.models.is_empty() || self.models.iter().any(|pattern| pattern.fits(&lower)))
            && (self.jurisdictions.is_empty()
                || self.jurisdictions.iter().any(|code| code == jurisdiction))
            && self.from.is_none_or(|from| from <= at)
            && self.to.is_none_or(|to| at < to)
    }
}

fn adjustment(form: AdjustmentForm, percent_max: i64) -> Result<Adjustment, At> {
    let (text, offset) = (form.percent.get_ref().clone(), form.percent.span().start);
    let nano_per_place = 1_000_000_000 / PERCENT_PLACES;
    let percent = parse_nano(&text)
        .filter(|nano| nano % nano_per_place == 0)
        .map(|nano| nano / nano_per_place)
        .filter(|percent| (0..=percent_max * PERCENT_PLACES).contains(percent))
        .ok_or_else(|| {
            let expected = format!("0 to {percent_max}, at most 4 decimal places");
            At(
                offset,
                format!("{text:?} is not a percentage here: expected {expected}"),
            )
        })?;
    let mut models = Vec::new();
    for model in &form.models {
        let reason = format!("{:?} is not a name or a pattern of names", model.get_ref());
        let fault = At(model.span().start, reason);
        models.push(Pattern::parse(model.get_ref()).ok_or(fault)?);
    }
    let from = form.from.as_ref().map(date).transpose()?;
    let to = form.to.as_ref().map(date).transpose()?;
    if let (Some(start), Some(end)) = (from, to)
        && start >= end
    {
        return Err(At(offset, "`to` must be after `from`".to_owned()));
    }
    Ok(Adjustment {
        provider: form.provider,
        models,
        jurisdictions: form.jurisdictions,
        percent,
        percent_text: text,
        from,
        to,
    })
}

fn currency(form: &CurrencyForm) -> Result<Currency, At> {
    let code = form.code.get_ref();
    if code.len() != 3 || !code.bytes().all(|byte| byte.is_ascii_uppercase()) {
        let reason = format!("{code:?} is not a currency: expected an ISO 4217 code such as EUR");
        return Err(At(form.code.span().start, reason));
    }
    let rate: Option<NanoUsd> = form.usd.get_ref().parse().ok();
    let rate = rate.filter(|rate| *rate > NanoUsd::ZERO).ok_or_else(|| {
        let reason = format!(
            "{:?} is not a rate: expected USD for one, above 0",
            form.usd.get_ref()
        );
        At(form.usd.span().start, reason)
    })?;
    Ok(Currency {
        code: code.clone(),
        rate,
        from: date(&form.date)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(text: &str) -> Result<Terms, String> {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("terms.toml");
        std::fs::write(&file, text).unwrap();
        Terms::load(&file).map_err(|error| {
            error
                .to_string()
                .replace(&format!("{}/", dir.path().display()), "")
        })
    }

    const TERMS: &str = "
[[discount]]
provider = \"openai\"
models = [\"gpt-*\"]
percent = \"12.5\"
from = \"2026-01-01\"
to = \"2027-01-01\"
source = \"contract\"
[[surcharge]]
provider = \"openai\"
jurisdictions = [\"EU\"]
percent = \"10\"
source = \"page\"
[[currency]]
code = \"EUR\"
usd = \"1.10\"
date = \"2026-11-02\"
source = \"ECB\"
[[currency]]
code = \"EUR\"
usd = \"1.05\"
date = \"2026-10-01\"
source = \"ECB\"
";

    #[test]
    fn terms_apply_where_and_when_they_say() {
        let terms = terms(TERMS).unwrap();
        for (provider, model, jurisdiction, day, amount, told) in [
            ("openai", "gpt-4o", "US", "2026-05-01", 875, "-12.5%"),
            ("openai", "gpt-4o", "EU", "2026-05-01", 963, "+10%-12.5%"),
            ("openai", "o3", "EU", "2026-05-01", 1_100, "+10%"),
            ("openai", "gpt-4o", "US", "2027-01-01", 1_000, ""),
            ("azure", "gpt-4o", "EU", "2026-05-01", 1_000, ""),
        ] {
            let at = format!("{day}T00:00:00Z").parse().unwrap();
            let found = terms
                .apply(NanoUsd(1_000), provider, model, jurisdiction, at)
                .unwrap();
            // 1,000 x 1.1 x 0.875 = 962.5, rounded once.
            assert_eq!(
                (found.amount.0, &*found.told),
                (amount, told),
                "{model} {jurisdiction}"
            );
        }
        assert_eq!(
            terms.apply(
                NanoUsd(i64::MAX),
                "openai",
                "o3",
                "EU",
                Timestamp::UNIX_EPOCH
            ),
            None
        );
    }

    #[test]
    fn currencies_need_a_rate() {
        let terms = terms(TERMS).unwrap();
        let usd = |code, day: &str| {
            terms.to_usd(
                1_000_000_000,
                code,
                format!("{day}T12:00:00Z").parse().unwrap(),
            )
        };
        assert_eq!(usd("EUR", "2026-11-05"), Ok(NanoUsd(1_100_000_000)));
        assert_eq!(usd("eur", "2026-10-05"), Ok(NanoUsd(1_050_000_000)));
        assert_eq!(usd("USD", "2020-01-01"), Ok(NanoUsd(1_000_000_000)));
        for (code, day) in [("EUR", "2026-09-30"), ("GBP", "2026-11-05")] {
            let error = usd(code, day).unwrap_err().to_string();
            assert!(
                error.starts_with(&format!("no rate of {code} on or before {day}")),
                "{error}"
            );
        }
    }

    #[test]
    fn faults_tell_file_line_and_reason() {
        let discount = "[[discount]]\nprovider = \"p\"\nsource = \"s\"\n";
        for (text, expected) in [
            (
                format!("{discount}percent = \"101\""),
                "terms.toml, line 4: \"101\" is not a percentage here: expected 0 to 100",
            ),
            (
                format!("{discount}percent = \"-5\""),
                "\"-5\" is not a percentage",
            ),
            (
                format!("{discount}percent = \"0.00001\""),
                "at most 4 decimal places",
            ),
            (
                format!("{discount}percent = \"5\"\nfrom = \"2026-02-01\"\nto = \"2026-02-01\""),
                "`to` must be after `from`",
            ),
            (
                "[[discount]]\nprovider = \"p\"\npercent = \"5\"".to_owned(),
                "missing field `source`",
            ),
            (
                "[[currency]]\ncode = \"Euro\"\nusd = \"1\"\ndate = \"2026-01-01\"\nsource = \"s\""
                    .to_owned(),
                "line 2: \"Euro\" is not a currency",
            ),
            (
                "[[currency]]\ncode = \"EUR\"\nusd = \"0\"\ndate = \"2026-01-01\"\nsource = \"s\""
                    .to_owned(),
                "line 3: \"0\" is not a rate",
            ),
        ] {
            let error = terms(&text).expect_err(&text);
            assert!(
                error.contains(expected),
                "{error}\n  should tell: {expected}"
            );
        }
    }
}
