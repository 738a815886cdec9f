//! Scenario files: `[group.name]` for each input, `[choice]`, `[[rate]]` for currencies.

use super::{Choice, MONTHS_MAX, Quantity, Scenario};
use crate::rules::{self, Fault, RulesError};
use crate::tax::Standing;
use crate::tco::distribution::{Distribution, Invalid};
use crate::tco::input::{INPUTS, Input};
use crate::tco::near::near;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use toml::Spanned;

/// How many files may extend each other in a row.
const DEPTH_MAX: usize = 8;

type Group = BTreeMap<String, Spanned<QuantityForm>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    title: String,
    #[serde(default)]
    about: String,
    extends: Option<Spanned<String>>,
    horizon_months: Option<Spanned<usize>>,
    choice: Option<Choice>,
    #[serde(default)]
    rate: Vec<Spanned<RateForm>>,
    #[serde(default)]
    demand: Group,
    #[serde(default)]
    capacity: Group,
    #[serde(default)]
    api: Group,
    #[serde(default)]
    tax: Group,
    #[serde(default)]
    gpu: Group,
    #[serde(default)]
    staff: Group,
    #[serde(default)]
    project: Group,
    #[serde(default)]
    build: Group,
    #[serde(default)]
    fine_tune: Group,
    #[serde(default)]
    managed: Group,
    #[serde(default)]
    hybrid: Group,
    #[serde(default)]
    finance: Group,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct QuantityForm {
    distribution: String,
    value: Option<f64>,
    low: Option<f64>,
    mode: Option<f64>,
    high: Option<f64>,
    chance: Option<f64>,
    unit: String,
    source: String,
    standing: Standing,
}

/// What one unit of a currency is in USD, on a day.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RateForm {
    currency: String,
    usd: f64,
    date: String,
    source: String,
}

pub(super) fn load(file: &Path, library: &Path) -> Result<Scenario, RulesError> {
    let mut gathered = Gathered::default();
    gathered.add(file, library, 0)?;
    gathered.finish(file)
}

/// What a file and those that it extends say; the first word holds.
#[derive(Default)]
struct Gathered {
    title: Option<String>,
    about: String,
    horizon_months: Option<usize>,
    choice: Option<Choice>,
    quantities: BTreeMap<Input, Quantity>,
}

impl Gathered {
    fn add(&mut self, file: &Path, library: &Path, depth: usize) -> Result<(), RulesError> {
        let text = rules::read(file)?;
        let form: Form = rules::from_toml(file, &text)?;
        let fault = |span: std::ops::Range<usize>, reason: String| {
            RulesError::at(file, &text, span.start, Fault::Value(reason))
        };
        if let Some(months) = &form.horizon_months {
            if !(1..=MONTHS_MAX).contains(months.get_ref()) {
                let reason = format!(
                    "horizon_months is {}: expected 1 to {MONTHS_MAX}",
                    months.get_ref()
                );
                return Err(fault(months.span(), reason));
            }
            self.horizon_months.get_or_insert(*months.get_ref());
        }
        if self.title.is_none() {
            self.title = Some(form.title);
            self.about = form.about;
        }
        self.choice = self.choice.or(form.choice);
        let rates = rates(&form.rate).map_err(|(span, reason)| fault(span, reason))?;
        let groups = [
            ("demand", form.demand),
            ("capacity", form.capacity),
            ("api", form.api),
            ("tax", form.tax),
            ("gpu", form.gpu),
            ("staff", form.staff),
            ("project", form.project),
            ("build", form.build),
            ("fine_tune", form.fine_tune),
            ("managed", form.managed),
            ("hybrid", form.hybrid),
            ("finance", form.finance),
        ];
        for (group, quantities) in groups {
            for (name, stated) in quantities {
                let key = format!("{group}.{name}");
                let input = Input::named(&key).ok_or_else(|| {
                    let reason = format!("unknown input {key:?}; {}", near(&key, keys()));
                    fault(stated.span(), reason)
                })?;
                let quantity = quantity(input, stated.get_ref(), &rates)
                    .map_err(|reason| fault(stated.span(), format!("{key}: {reason}")))?;
                self.quantities.entry(input).or_insert(quantity);
            }
        }
        if let Some(extends) = form.extends {
            if depth == DEPTH_MAX {
                let reason = format!("more than {DEPTH_MAX} files extend each other");
                return Err(fault(extends.span(), reason));
            }
            let base = find(extends.get_ref(), file, library).ok_or_else(|| {
                let reason = format!(
                    "extends {:?}: no {0}.toml beside this file or in {1}",
                    extends.get_ref(),
                    library.display()
                );
                fault(extends.span(), reason)
            })?;
            self.add(&base, library, depth + 1)?;
        }
        Ok(())
    }

    fn finish(mut self, file: &Path) -> Result<Scenario, RulesError> {
        let missing = |what: &str| {
            let reason = format!("{what} is not stated, here or in what this file extends");
            RulesError::of(file, Fault::Value(reason))
        };
        let mut quantities = Vec::with_capacity(INPUTS.len());
        for input in INPUTS {
            let quantity = self.quantities.remove(input);
            quantities.push(quantity.ok_or_else(|| missing(input.spec().key))?);
        }
        let scenario = Scenario {
            title: self.title.unwrap_or_default(),
            about: self.about,
            horizon_months: self
                .horizon_months
                .ok_or_else(|| missing("horizon_months"))?,
            choice: self.choice.ok_or_else(|| missing("[choice]"))?,
            quantities,
        };
        let weights = [
            Input::MixShort,
            Input::MixPromptHeavy,
            Input::MixBalanced,
            Input::MixLong,
        ];
        let least = |input: Input| scenario.value(input, 1e-9);
        if weights.into_iter().map(least).sum::<f64>() <= 0.0 {
            let reason = "the weights demand.mix_* can all be 0: expected one above 0".to_owned();
            return Err(RulesError::of(file, Fault::Value(reason)));
        }
        Ok(scenario)
    }
}

/// The keys of all inputs.
pub(super) fn keys() -> impl Iterator<Item = &'static str> {
    INPUTS.iter().map(|input| input.spec().key)
}

fn find(name: &str, file: &Path, library: &Path) -> Option<PathBuf> {
    let beside = file.parent().unwrap_or(Path::new(""));
    [beside, library]
        .map(|dir| dir.join(format!("{name}.toml")))
        .into_iter()
        .find(|path| path.is_file() && path != file)
}

type Located<T> = Result<T, (std::ops::Range<usize>, String)>;

fn rates(forms: &[Spanned<RateForm>]) -> Located<BTreeMap<&str, &RateForm>> {
    let mut rates = BTreeMap::new();
    for form in forms {
        let rate = form.get_ref();
        let fault = |reason: String| Err((form.span(), reason));
        if !is_currency(&rate.currency) {
            return fault(format!(
                "{:?} is no currency: expected three capital letters such as EUR",
                rate.currency
            ));
        }
        if !(rate.usd.is_finite() && rate.usd > 0.0) {
            return fault(format!("a rate of {}: expected one above 0", rate.usd));
        }
        if rate.date.parse::<jiff::civil::Date>().is_err() {
            return fault(format!(
                "the rate's date is {:?}: expected a day such as 2026-06-30",
                rate.date
            ));
        }
        if rates.insert(rate.currency.as_str(), rate).is_some() {
            return fault(format!("a second rate of {}", rate.currency));
        }
    }
    Ok(rates)
}

fn is_currency(text: &str) -> bool {
    text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase())
}

fn quantity(
    input: Input,
    form: &QuantityForm,
    rates: &BTreeMap<&str, &RateForm>,
) -> Result<Quantity, String> {
    let (factor, conversion) = conversion(input, &form.unit, rates)?;
    if form.source.trim().is_empty() {
        return Err("the source is empty: expected where the figure comes from".to_owned());
    }
    let distribution = distribution(form, factor)?;
    check_bounds(input, &distribution)?;
    Ok(Quantity {
        distribution,
        source: format!("{}{conversion}", form.source),
        standing: form.standing,
    })
}

/// Fails when a number that states the distribution is out of the input's bounds.
pub(super) fn check_bounds(input: Input, distribution: &Distribution) -> Result<(), String> {
    let (unit, (min, max)) = (input.spec().unit, input.spec().bounds);
    for number in distribution.numbers() {
        if !(min..=max).contains(&number) {
            return Err(format!(
                "{number} is out of bounds: expected {min} to {max} {unit}"
            ));
        }
    }
    match distribution {
        Distribution::Event { .. } if unit != "yes or no" => Err(format!(
            "an event is yes or no, and this is a quantity in {unit}: expected another distribution"
        )),
        Distribution::Event { .. } | Distribution::Fixed(_) => Ok(()),
        _ if unit == "yes or no" => {
            Err("this happens or not: expected distribution = \"event\" with a chance".to_owned())
        }
        _ => Ok(()),
    }
}

/// The factor into the input's unit, and how it reads in the source.
fn conversion(
    input: Input,
    unit: &str,
    rates: &BTreeMap<&str, &RateForm>,
) -> Result<(f64, String), String> {
    let expected = input.spec().unit;
    if unit == expected {
        return Ok((1.0, String::new()));
    }
    let currency = expected
        .strip_prefix("USD")
        .and_then(|rest| unit.strip_suffix(rest))
        .filter(|currency| is_currency(currency));
    let Some(currency) = currency else {
        return Err(format!("the unit is {unit:?}: expected {expected:?}"));
    };
    let rate = rates.get(currency).ok_or_else(|| {
        format!(
            "the amount is in {currency} and this file has no dated rate for it: expected a \
             [[rate]] with currency = \"{currency}\", usd, date and source"
        )
    })?;
    let words = format!(
        "; {} = {} USD on {} ({})",
        currency, rate.usd, rate.date, rate.source
    );
    Ok((rate.usd, words))
}

fn distribution(form: &QuantityForm, factor: f64) -> Result<Distribution, String> {
    let stated = [
        ("value", form.value),
        ("low", form.low),
        ("mode", form.mode),
        ("high", form.high),
        ("chance", form.chance),
    ];
    let wanted: &[&str] = match form.distribution.as_str() {
        "fixed" => &["value"],
        "uniform" | "log_uniform" | "lognormal" => &["low", "high"],
        "triangular" | "pert" => &["low", "mode", "high"],
        "event" => &["chance"],
        other => return Err(Invalid::Unknown(other.to_owned()).to_string()),
    };
    let mut numbers = Vec::with_capacity(3);
    for (name, number) in stated {
        let name_of = &form.distribution;
        match (number, wanted.contains(&name)) {
            (None, false) => {}
            (None, true) => return Err(format!("{name} is missing: {name_of} needs it")),
            (Some(_), false) => {
                return Err(format!(
                    "{name} does not belong to {name_of}, which takes {}",
                    wanted.join(", ")
                ));
            }
            (Some(number), true) if number.is_finite() => numbers.push(number * factor),
            (Some(number), true) => return Err(format!("{name} is {number}: expected a number")),
        }
    }
    let made = match (form.distribution.as_str(), numbers.as_slice()) {
        ("fixed", &[value]) => Ok(Distribution::Fixed(value)),
        ("uniform", &[low, high]) => Distribution::uniform(low, high),
        ("log_uniform", &[low, high]) => Distribution::log_uniform(low, high),
        ("lognormal", &[low, high]) => Distribution::lognormal(low, high),
        ("triangular", &[low, mode, high]) => Distribution::triangular(low, mode, high),
        ("pert", &[low, mode, high]) => Distribution::pert(low, mode, high),
        ("event", &[chance]) => Distribution::event(chance),
        (other, _) => Err(Invalid::Unknown(other.to_owned())),
    };
    made.map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests;
