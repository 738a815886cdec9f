//! The files of the price book: one TOML file per provider.
//!
//! ```toml
//! provider = "openai"
//! source = "where the prices come from"
//! known_at = "2026-11-04"             # when we learnt of them
//!
//! [[model]]
//! name = "gpt-5.4"                    # the canonical name, which is also matched exactly
//! match = ["gpt-5.4-{date}"]          # exact, prefix* or name-{date}
//! [[model.price]]
//! effective = "2026-03-05"            # UTC; absent: since launch
//! input = "2.50"                      # USD per million tokens, decimal text, all four optional
//! output = "15"
//! tiers = [{ above = 272000, input = "5", output = "22.5" }]
//! ```

use super::pattern::Pattern;
use super::{Price, Rates, Tier};
use crate::money::NanoUsd;
use crate::rules::{self, Fault, RulesError};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;
use toml::Spanned;

/// No rate may be dearer than this many USD per million tokens: it would be a slip of the decimal
/// point, and sums stay within 128 bits.
const RATE_USD_MAX: i64 = 1_000_000;

/// A provider and its models, checked.
#[derive(Clone, Debug)]
pub(super) struct Provider {
    pub(super) id: String,
    pub(super) models: Vec<Model>,
}

/// A model, the names it goes by, and its prices by effective date, oldest first.
#[derive(Clone, Debug)]
pub(super) struct Model {
    pub(super) name: String,
    pub(super) patterns: Vec<Pattern>,
    pub(super) prices: Vec<Price>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileForm {
    provider: Spanned<String>,
    source: String,
    known_at: Spanned<String>,
    #[serde(default, rename = "model")]
    models: Vec<ModelForm>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ModelForm {
    name: Spanned<String>,
    #[serde(default, rename = "match")]
    patterns: Vec<Spanned<String>>,
    #[serde(default, rename = "price")]
    prices: Vec<PriceForm>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PriceForm {
    effective: Option<Spanned<String>>,
    known_at: Option<Spanned<String>>,
    source: Option<String>,
    input: Option<Spanned<String>>,
    cache_read: Option<Spanned<String>>,
    cache_write: Option<Spanned<String>>,
    output: Option<Spanned<String>>,
    #[serde(default)]
    tiers: Vec<Spanned<TierForm>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TierForm {
    above: u64,
    input: Option<Spanned<String>>,
    cache_read: Option<Spanned<String>>,
    cache_write: Option<Spanned<String>>,
    output: Option<Spanned<String>>,
}

/// A fault at a byte offset of the file.
struct At(usize, String);

/// Reads every price file of a directory, in order of name.
pub(super) fn load(dir: &Path) -> Result<Vec<Provider>, RulesError> {
    let unreadable = |error| RulesError::of(dir, Fault::Unreadable(error));
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "toml")
        {
            files.push(path);
        }
    }
    files.sort();
    let mut providers: Vec<Provider> = Vec::new();
    for file in files {
        let text = rules::read(&file)?;
        let form: FileForm = rules::from_toml(&file, &text)?;
        let fault = |At(offset, reason)| RulesError::at(&file, &text, offset, Fault::Value(reason));
        if providers
            .iter()
            .any(|other| other.id == *form.provider.get_ref())
        {
            let reason = format!("provider {:?} has a file already", form.provider.get_ref());
            return Err(fault(At(form.provider.span().start, reason)));
        }
        providers.push(check(form).map_err(fault)?);
    }
    if providers.iter().all(|provider| provider.models.is_empty()) {
        return Err(RulesError::of(
            dir,
            Fault::Empty("has no *.toml file with prices"),
        ));
    }
    Ok(providers)
}

fn check(form: FileForm) -> Result<Provider, At> {
    let known_at = date(&form.known_at)?;
    let mut claimed = BTreeMap::new();
    let mut models = Vec::new();
    for model in form.models {
        let name = model.name.get_ref().clone();
        let mut patterns = Vec::new();
        for text in std::iter::once(&model.name).chain(&model.patterns) {
            let offset = text.span().start;
            let pattern = Pattern::parse(text.get_ref()).ok_or_else(|| {
                At(
                    offset,
                    format!(
                        "{:?} is not a name, a prefix* or a name-{{date}}",
                        text.get_ref()
                    ),
                )
            })?;
            if let Some(other) = claimed.insert(pattern.clone(), name.clone()) {
                return Err(At(
                    offset,
                    format!("{:?} already stands for {other:?}", text.get_ref()),
                ));
            }
            patterns.push(pattern);
        }
        if !matches!(patterns.first(), Some(Pattern::Exact(_))) {
            return Err(At(
                model.name.span().start,
                "a model's name must be exact".to_owned(),
            ));
        }
        let prices = check_prices(&model, known_at, &form.source)?;
        models.push(Model {
            name,
            patterns,
            prices,
        });
    }
    Ok(Provider {
        id: form.provider.into_inner(),
        models,
    })
}

fn check_prices(model: &ModelForm, known_at: Timestamp, source: &str) -> Result<Vec<Price>, At> {
    let start = model.name.span().start;
    let name = model.name.get_ref();
    if model.prices.is_empty() {
        return Err(At(start, format!("model {name:?} has no [[model.price]]")));
    }
    let mut prices = Vec::new();
    for form in &model.prices {
        prices.push(Price {
            effective: form.effective.as_ref().map(date).transpose()?,
            known_at: form.known_at.as_ref().map_or(Ok(known_at), date)?,
            source: form.source.clone().unwrap_or_else(|| source.to_owned()),
            rates: rates([
                &form.input,
                &form.cache_read,
                &form.cache_write,
                &form.output,
            ])?,
            tiers: check_tiers(&form.tiers)?,
        });
    }
    if !prices.is_sorted_by(|a, b| a.effective < b.effective) {
        return Err(At(
            start,
            format!("the prices of {name:?} must be ordered by effective date, each date once"),
        ));
    }
    if prices.iter().any(|price| price.rates == Rates::default()) {
        return Err(At(start, format!("a price of {name:?} has no rate at all")));
    }
    Ok(prices)
}

fn check_tiers(forms: &[Spanned<TierForm>]) -> Result<Vec<Tier>, At> {
    let mut tiers: Vec<Tier> = Vec::new();
    for form in forms {
        let offset = form.span().start;
        let form = form.get_ref();
        if tiers.last().is_some_and(|last| form.above <= last.above) {
            return Err(At(
                offset,
                "tiers must be ordered by `above`, each once".to_owned(),
            ));
        }
        let rates = rates([
            &form.input,
            &form.cache_read,
            &form.cache_write,
            &form.output,
        ])?;
        tiers.push(Tier {
            above: form.above,
            rates,
        });
    }
    Ok(tiers)
}

fn rates(texts: [&Option<Spanned<String>>; 4]) -> Result<Rates, At> {
    let [input, cache_read, cache_write, output] =
        texts.map(|text| text.as_ref().map(rate).transpose());
    Ok(Rates {
        input: input?,
        cache_read: cache_read?,
        cache_write: cache_write?,
        output: output?,
    })
}

fn rate(text: &Spanned<String>) -> Result<NanoUsd, At> {
    let at = |reason: String| At(text.span().start, reason);
    let amount: NanoUsd = text
        .get_ref()
        .parse()
        .map_err(|e: crate::money::InvalidAmount| at(e.to_string()))?;
    let max = NanoUsd::from_usd(RATE_USD_MAX).unwrap_or_default();
    if (NanoUsd::ZERO..=max).contains(&amount) {
        Ok(amount)
    } else {
        Err(at(format!(
            "{:?} is out of range: expected 0 to {RATE_USD_MAX} USD per million tokens",
            text.get_ref()
        )))
    }
}

fn date(text: &Spanned<String>) -> Result<Timestamp, At> {
    text.get_ref()
        .parse::<Date>()
        .and_then(|date| TimeZone::UTC.to_timestamp(date.at(0, 0, 0, 0)))
        .map_err(|_| {
            At(
                text.span().start,
                format!("{:?} is not a date: expected YYYY-MM-DD", text.get_ref()),
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "provider = \"p\"\nsource = \"s\"\nknown_at = \"2026-01-01\"\n";

    /// Loads a directory with this one file after the head; its first line is line 4.
    fn load_text(rest: &str) -> Result<Vec<Provider>, String> {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("p.toml"), format!("{HEAD}{rest}")).unwrap();
        load(dir.path()).map_err(|error| {
            error
                .to_string()
                .replace(&format!("{}/", dir.path().display()), "")
        })
    }

    #[test]
    fn faults_tell_file_line_and_reason() {
        for (rest, expected) in [
            (
                "[[model]]\nname = \"m\"\n",
                "p.toml, line 5: model \"m\" has no [[model.price]]",
            ),
            (
                "[[model]]\nname = \"m\"\n[[model.price]]\ninput = \"2,5\"",
                "p.toml, line 7: \"2,5\" is not an amount",
            ),
            (
                "[[model]]\nname = \"m\"\n[[model.price]]\ninput = \"-1\"",
                "line 7: \"-1\" is out of range",
            ),
            (
                "[[model]]\nname = \"m\"\n[[model.price]]\ninput = \"1000001\"",
                "is out of range",
            ),
            (
                "[[model]]\nname = \"m\"\n[[model.price]]\ninput = 2.5",
                "line 7: invalid type",
            ),
            (
                "[[model]]\nname = \"m\"\n[[model.price]]\n",
                "a price of \"m\" has no rate",
            ),
            (
                "[[model]]\nname = \"m*\"\n[[model.price]]\ninput = \"1\"",
                "line 5: a model's name must be exact",
            ),
            (
                "[[model]]\nname = \"m\"\nmatch = [\"*\"]\n",
                "line 6: \"*\" is not a name",
            ),
            (
                "[[model]]\nname = \"m\"\nmatch = [\"M\"]\n",
                "line 6: \"M\" already stands for \"m\"",
            ),
            (
                "[[model]]\nname = \"m\"\ncolour = 1\n",
                "line 6: unknown field `colour`",
            ),
            (
                "[[model]]\nname = \"m\"\n[[model.price]]\ninput = \"1\"\neffective = \"soon\"",
                "line 8: \"soon\" is not a date",
            ),
            (
                "[[model]]\nname = \"m\"\n[[model.price]]\ninput = \"1\"\n[[model.price]]\ninput = \"2\"",
                "must be ordered by effective date",
            ),
            (
                "[[model]]\nname = \"m\"\n[[model.price]]\ninput = \"1\"\ntiers = [{above = 5, input = \"1\"}, {above = 5, input = \"2\"}]",
                "line 8: tiers must be ordered",
            ),
            ("", "has no *.toml file with prices"),
        ] {
            let error = load_text(rest).expect_err(rest);
            assert!(
                error.contains(expected),
                "{error}\n  should tell: {expected}"
            );
        }
    }

    #[test]
    fn a_directory_that_is_not_there_is_a_fault() {
        let error = load(Path::new("no/such/directory")).unwrap_err();
        assert!(matches!(error.fault, Fault::Unreadable(_)));
    }

    #[test]
    fn two_files_for_one_provider_are_a_fault() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["a.toml", "b.toml"] {
            std::fs::write(dir.path().join(name), HEAD).unwrap();
        }
        let error = load(dir.path()).unwrap_err();
        assert_eq!(error.line, Some(1));
        assert!(error.file.ends_with("b.toml"));
    }
}
