//! The files of the price book: one TOML file per provider.
//!
//! ```toml
//! provider = "openai"
//! source = "where the prices come from"
//! known_at = "2026-11-24"             # when we learnt of them
//! names = ["gpt-*"]                   # model names that mean this provider when none is told
//! also = ["*openai*"]                 # other names of the provider
//! sells = ["anthropic"]               # whose models it sells at their own price
//!
//! [[model]]
//! name = "gpt-5.4"                    # the canonical name, which is also matched exactly
//! match = ["gpt-5.4-####-##-##"]      # * any text, # a digit; the first model that fits counts
//! except = ["*-tts"]                  # names that it does not mean all the same
//! [[model.price]]
//! effective = "2026-03-05"            # UTC; absent: since launch
//! rates = { input = "2.50", output = "15" }    # USD per unit's `per`: 1,000,000 tokens, 1,000 calls
//! tiers = [{ above = 272000, rates = { input = "5", output = "22.5" } }]
//! [[model.price]]
//! when = { service_tier = "priority" }         # replaces these rates only
//! rates = { input = "5" }
//! ```
//!
//! A price may also have `hours` ("00:30-16:30", UTC), a `source` and a `known_at` of its own. All
//! prices of a model with the same `known_at` are one statement; the latest that was known counts.

use super::pattern::Pattern;
use super::rate::{Hours, Price, Rates, Tier};
use super::unit::Unit;
use crate::money::NanoUsd;
use crate::rules::{self, Fault, RulesError};
use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use toml::Spanned;

/// No rate may be dearer than this many USD: it would be a slip of the decimal point, and sums stay
/// within 128 bits.
const RATE_USD_MAX: i64 = 1_000_000;

/// A provider and its models, checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Provider {
    pub(super) id: String,
    pub(super) source: String,
    pub(super) known_at: Timestamp,
    pub(super) note: Option<String>,
    pub(super) names: Vec<Pattern>,
    pub(super) also: Vec<Pattern>,
    pub(super) sells: Vec<String>,
    pub(super) models: Vec<Model>,
}

/// A model, the names it goes by, and its prices in the file's order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Model {
    pub(super) name: String,
    /// The first is its own name.
    pub(super) patterns: Vec<Pattern>,
    pub(super) except: Vec<Pattern>,
    pub(super) note: Option<String>,
    pub(super) prices: Vec<Price>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileForm {
    provider: Spanned<String>,
    source: String,
    known_at: Spanned<String>,
    note: Option<String>,
    #[serde(default)]
    names: Vec<Spanned<String>>,
    #[serde(default)]
    also: Vec<Spanned<String>>,
    #[serde(default)]
    sells: Vec<String>,
    #[serde(default, rename = "model")]
    models: Vec<ModelForm>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ModelForm {
    name: Spanned<String>,
    #[serde(default, rename = "match")]
    patterns: Vec<Spanned<String>>,
    #[serde(default)]
    except: Vec<Spanned<String>>,
    note: Option<String>,
    #[serde(default, rename = "price")]
    prices: Vec<PriceForm>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PriceForm {
    effective: Option<Spanned<String>>,
    known_at: Option<Spanned<String>>,
    source: Option<String>,
    #[serde(default)]
    when: BTreeMap<String, String>,
    hours: Option<Spanned<String>>,
    #[serde(default)]
    rates: RatesForm,
    #[serde(default)]
    tiers: Vec<Spanned<TierForm>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TierForm {
    above: u64,
    rates: RatesForm,
}

type RatesForm = BTreeMap<String, Spanned<String>>;

/// A fault at a byte offset of the file.
pub(super) struct At(pub(super) usize, pub(super) String);

/// Reads every price file of a directory, in order of name.
pub(super) fn load(dir: &Path) -> Result<Vec<Provider>, RulesError> {
    let mut providers: Vec<Provider> = Vec::new();
    for file in files(dir)? {
        let text = rules::read(&file)?;
        let provider = parse(&file, &text)?;
        if providers.iter().any(|other| other.id == provider.id) {
            let reason = format!("provider {:?} has a file already", provider.id);
            return Err(RulesError::at(&file, &text, 0, Fault::Value(reason)));
        }
        providers.push(provider);
    }
    if providers.iter().all(|provider| provider.models.is_empty()) {
        return Err(RulesError::of(
            dir,
            Fault::Empty("has no *.toml file with prices"),
        ));
    }
    Ok(providers)
}

/// The price files of a directory, in order of name.
pub(super) fn files(dir: &Path) -> Result<Vec<PathBuf>, RulesError> {
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
    Ok(files)
}

/// One file's text as a provider.
pub(super) fn parse(file: &Path, text: &str) -> Result<Provider, RulesError> {
    let form: FileForm = rules::from_toml(file, text)?;
    check(form)
        .map_err(|At(offset, reason)| RulesError::at(file, text, offset, Fault::Value(reason)))
}

fn check(form: FileForm) -> Result<Provider, At> {
    let known_at = date(&form.known_at)?;
    let mut names: BTreeMap<String, ()> = BTreeMap::new();
    let mut models = Vec::new();
    for model in form.models {
        let offset = model.name.span().start;
        let name = model.name.get_ref().clone();
        if names.insert(name.to_lowercase(), ()).is_some() {
            return Err(At(offset, format!("model {name:?} stands twice")));
        }
        let own = pattern(&model.name)?;
        if own.exact().is_none() {
            return Err(At(offset, "a model's name must be exact".to_owned()));
        }
        let prices = check_prices(&model, known_at)?;
        let mut patterns = vec![own];
        patterns.extend(self::patterns(&model.patterns)?);
        models.push(Model {
            name,
            patterns,
            except: self::patterns(&model.except)?,
            note: model.note,
            prices,
        });
    }
    Ok(Provider {
        names: patterns(&form.names)?,
        also: patterns(&form.also)?,
        id: form.provider.into_inner(),
        source: form.source,
        known_at,
        note: form.note,
        sells: form.sells,
        models,
    })
}

fn patterns(texts: &[Spanned<String>]) -> Result<Vec<Pattern>, At> {
    texts.iter().map(pattern).collect()
}

fn pattern(text: &Spanned<String>) -> Result<Pattern, At> {
    Pattern::parse(text.get_ref()).ok_or_else(|| {
        let reason = format!("{:?} is not a name or a pattern of names", text.get_ref());
        At(text.span().start, reason)
    })
}

fn check_prices(model: &ModelForm, known_at: Timestamp) -> Result<Vec<Price>, At> {
    let start = model.name.span().start;
    let name = model.name.get_ref();
    let mut prices: Vec<Price> = Vec::new();
    for form in &model.prices {
        let price = Price {
            effective: form.effective.as_ref().map(date).transpose()?,
            known_at: form.known_at.as_ref().map_or(Ok(known_at), date)?,
            source: form.source.clone(),
            when: form.when.clone().into_iter().collect(),
            hours: form.hours.as_ref().map(hours).transpose()?,
            rates: rates(&form.rates)?,
            tiers: check_tiers(&form.tiers)?,
        };
        if price.rates == Rates::default() {
            return Err(At(start, format!("a price of {name:?} has no rate at all")));
        }
        let disordered = prices.iter().any(|before| {
            let alike = before.when == price.when && before.known_at == price.known_at;
            alike && before.hours == price.hours && before.effective >= price.effective
        });
        if disordered {
            return Err(At(
                start,
                format!("the prices of {name:?} must be ordered by effective date, each date once"),
            ));
        }
        prices.push(price);
    }
    if !prices.iter().any(|price| price.when.is_empty()) {
        return Err(At(start, format!("model {name:?} has no [[model.price]]")));
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
        tiers.push(Tier {
            above: form.above,
            rates: rates(&form.rates)?,
        });
    }
    Ok(tiers)
}

fn rates(form: &RatesForm) -> Result<Rates, At> {
    let mut rates = Vec::with_capacity(form.len());
    for (name, text) in form {
        let unit = Unit::named(name).ok_or_else(|| {
            let known: Vec<_> = Unit::all().map(Unit::name).collect();
            let reason = format!(
                "{name:?} is not a unit: expected one of {}",
                known.join(", ")
            );
            At(text.span().start, reason)
        })?;
        rates.push((unit, rate(text)?));
    }
    rates.sort();
    Ok(Rates(rates))
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
            "{:?} is out of range: expected 0 to {RATE_USD_MAX} USD",
            text.get_ref()
        )))
    }
}

fn hours(text: &Spanned<String>) -> Result<Hours, At> {
    let parsed = text.get_ref().split_once('-').and_then(|(from, to)| {
        Some(Hours {
            from: from.parse::<Time>().ok()?,
            to: to.parse::<Time>().ok()?,
        })
    });
    parsed.ok_or_else(|| {
        let reason = format!(
            "{:?} is not a time of day: expected HH:MM-HH:MM",
            text.get_ref()
        );
        At(text.span().start, reason)
    })
}

/// The first instant of a day, in UTC.
pub(super) fn date(text: &Spanned<String>) -> Result<Timestamp, At> {
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
        let model = "[[model]]\nname = \"m\"\n[[model.price]]\n";
        for (rest, expected) in [
            (
                "[[model]]\nname = \"m\"\n",
                "p.toml, line 5: model \"m\" has no [[model.price]]",
            ),
            (
                &format!(
                    "{model}when = {{ service_tier = \"flex\" }}\nrates = {{ input = \"1\" }}"
                ),
                "p.toml, line 5: model \"m\" has no [[model.price]]",
            ),
            (
                &format!("{model}rates = {{ input = \"2,5\" }}"),
                "p.toml, line 7: \"2,5\" is not an amount",
            ),
            (
                &format!("{model}rates = {{ inputs = \"2\" }}"),
                "line 7: \"inputs\" is not a unit: expected one of input, output, ",
            ),
            (
                &format!("{model}rates = {{ input = \"-1\" }}"),
                "line 7: \"-1\" is out of range",
            ),
            (
                &format!("{model}rates = {{ input = \"1000001\" }}"),
                "is out of range",
            ),
            (
                &format!("{model}rates = {{ input = 2.5 }}"),
                "line 7: invalid type",
            ),
            (model, "a price of \"m\" has no rate"),
            (
                &model.replace("\"m\"", "\"m*\""),
                "line 5: a model's name must be exact",
            ),
            (
                "[[model]]\nname = \"m\"\nmatch = [\"*\"]\n[[model.price]]\nrates = { input = \"1\" }",
                "line 6: \"*\" is not a name",
            ),
            (
                &format!("{model}rates = {{ input = \"1\" }}\n[[model]]\nname = \"M\"\n"),
                "line 9: model \"M\" stands twice",
            ),
            (
                "[[model]]\nname = \"m\"\ncolour = 1\n",
                "line 6: unknown field `colour`",
            ),
            (
                &format!("{model}rates = {{ input = \"1\" }}\neffective = \"soon\""),
                "line 8: \"soon\" is not a date",
            ),
            (
                &format!("{model}rates = {{ input = \"1\" }}\nhours = \"9 to 5\""),
                "line 8: \"9 to 5\" is not a time of day",
            ),
            (
                &format!(
                    "{model}rates = {{ input = \"1\" }}\n[[model.price]]\nrates = {{ input = \"2\" }}"
                ),
                "must be ordered by effective date",
            ),
            (
                &format!(
                    "{model}rates = {{ input = \"1\" }}\ntiers = [{{above = 5, rates = {{}} }}, {{above = 5, rates = {{}} }}]"
                ),
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
