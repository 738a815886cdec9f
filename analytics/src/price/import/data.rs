//! genai-prices' constructors as providers of the book.

use super::Error;
use super::name::{Match, matching};
use super::python::Value;
use crate::money::NanoUsd;
use crate::price::file::{Model, Provider};
use crate::price::pattern::Pattern;
use crate::price::rate::{Hours, Price, Rates, Tier};
use crate::price::unit::Unit;
use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use std::sync::LazyLock;

/// The providers of the data's list, and what could not be taken over as it is.
pub(super) fn providers(
    value: &Value,
    origin: &str,
    known_at: Timestamp,
) -> Result<(Vec<Provider>, Vec<String>), Error> {
    let mut reader = Reader {
        origin,
        known_at,
        place: "the data".to_owned(),
        not_carried: Vec::new(),
    };
    let mut providers = Vec::new();
    for provider in reader.list(value)? {
        providers.push(reader.provider(provider)?);
    }
    Ok((providers, reader.not_carried))
}

/// Named arguments of a call.
type Fields = [(Option<String>, Value)];

struct Reader<'a> {
    origin: &'a str,
    known_at: Timestamp,
    /// What is being read, for faults.
    place: String,
    not_carried: Vec<String>,
}

impl Reader<'_> {
    fn provider(&mut self, value: &Value) -> Result<Provider, Error> {
        let fields = self.call(value, "Provider")?;
        let id = self.text(field(fields, "id"))?;
        self.place.clone_from(&id);
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if id.is_empty() || !id.chars().all(plain) {
            return Err(self.fault("an id of letters, digits, - and _"));
        }
        let known = [
            "id",
            "pricing_urls",
            "price_comments",
            "model_match",
            "provider_match",
            "fallback_model_providers",
            "models",
            // How to read answers and to know the provider by its address: not prices.
            "name",
            "api_pattern",
            "description",
            "extractors",
        ];
        self.only(fields, &known);
        let urls = self.texts(field(fields, "pricing_urls"))?;
        let source = match urls.is_empty() {
            true => self.origin.to_owned(),
            false => format!("{}, after {}", self.origin, urls.join(" ")),
        };
        let mut provider = Provider {
            source,
            known_at: self.known_at,
            note: self.maybe_text(field(fields, "price_comments"))?,
            names: self.patterns(field(fields, "model_match")).any,
            also: self.patterns(field(fields, "provider_match")).any,
            sells: self.texts(field(fields, "fallback_model_providers"))?,
            models: Vec::new(),
            id,
        };
        for model in self.list(field(fields, "models"))? {
            let model = self.model(model, &provider.id)?;
            match model.prices.is_empty() {
                true => self.leave("has no rate at all: not taken over".to_owned()),
                false => provider.models.push(model),
            }
        }
        Ok(provider)
    }

    fn model(&mut self, value: &Value, provider: &str) -> Result<Model, Error> {
        let fields = self.call(value, "ModelInfo")?;
        let name = self.text(field(fields, "id"))?;
        self.place = format!("{provider}/{name}");
        let known = [
            "id",
            "match",
            "price_comments",
            "prices",
            "price_variants",
            // Not prices.
            "name",
            "description",
            "context_window",
            "deprecated",
        ];
        self.only(fields, &known);
        let own = Pattern::parse(&name).filter(|own| own.exact().is_some());
        let own = own.ok_or_else(|| self.fault("a name without * and #"))?;
        let found = self.patterns(field(fields, "match"));
        let mut patterns = vec![own];
        for pattern in found.any {
            if !patterns.contains(&pattern) {
                patterns.push(pattern);
            }
        }
        let mut prices = match field(fields, "prices") {
            Value::List(conditional) => {
                let mut prices = Vec::new();
                for price in conditional {
                    let fields = self.call(price, "ConditionalPrice")?;
                    prices.push(self.price(fields)?);
                }
                prices
            }
            plain => vec![self.price(&[(Some("prices".to_owned()), plain.clone())])?],
        };
        // Of several with the same condition the newest stands first in the data, last in the book.
        let mut variants: Vec<Price> = Vec::new();
        for variant in self.list(field(fields, "price_variants"))? {
            let fields = self.call(variant, "PriceVariant")?;
            let variant = self.price(fields)?;
            let place = variants.iter().position(|other| other.when == variant.when);
            variants.insert(place.unwrap_or(variants.len()), variant);
        }
        prices.extend(variants);
        prices.retain(|price| price.rates != Rates::default());
        Ok(Model {
            name,
            patterns,
            except: found.except,
            note: self.maybe_text(field(fields, "price_comments"))?,
            prices,
        })
    }

    /// A price with its conditions.
    fn price(&mut self, fields: &Fields) -> Result<Price, Error> {
        self.only(fields, &["prices", "constraint", "when"]);
        let (rates, tiers) = self.rates(field(fields, "prices"))?;
        let (effective, hours) = self.constraint(field(fields, "constraint"))?;
        let mut when = Vec::new();
        if let Value::Dict(conditions) = field(fields, "when") {
            for (key, value) in conditions {
                when.push((self.text(key)?, self.text(value)?));
            }
        }
        when.sort();
        Ok(Price {
            effective,
            known_at: self.known_at,
            source: None,
            when,
            hours,
            rates,
            tiers,
        })
    }

    fn constraint(&self, value: &Value) -> Result<(Option<Timestamp>, Option<Hours>), Error> {
        match value {
            Value::Name(none) if none == "None" => Ok((None, None)),
            Value::Call(kind, fields) if kind == "StartDateConstraint" => {
                let date = self.numbers(field(fields, "start_date"))?;
                let day = match date[..] {
                    [year, month, day] => Date::new(year, month as i8, day as i8).ok(),
                    _ => None,
                };
                let start = day.and_then(|day| TimeZone::UTC.to_timestamp(day.at(0, 0, 0, 0)).ok());
                start
                    .map(|start| (Some(start), None))
                    .ok_or_else(|| self.fault("a date"))
            }
            Value::Call(kind, fields) if kind == "TimeOfDateConstraint" => {
                let time = |key| {
                    let parts = self.numbers(field(fields, key))?;
                    let part = |at: usize| parts.get(at).copied().unwrap_or_default() as i8;
                    let whole_minutes = parts.iter().skip(2).all(|part| *part == 0);
                    Time::new(part(0), part(1), 0, 0)
                        .ok()
                        .filter(|_| whole_minutes && self.is_utc(field(fields, key)))
                        .ok_or_else(|| self.fault("a time of day in UTC, in whole minutes"))
                };
                let hours = Hours {
                    from: time("start_time")?,
                    to: time("end_time")?,
                };
                Ok((None, Some(hours)))
            }
            _ => Err(self.fault("a start date or a time of day")),
        }
    }

    fn is_utc(&self, value: &Value) -> bool {
        let Value::Call(_, fields) = value else {
            return false;
        };
        match field(fields, "tzinfo") {
            Value::Name(zone) => zone == "None" || zone.ends_with("UTC") || zone.ends_with("utc"),
            _ => false,
        }
    }

    fn rates(&mut self, value: &Value) -> Result<(Rates, Vec<Tier>), Error> {
        let mut rates = Vec::new();
        let mut tiers: Vec<Tier> = Vec::new();
        for (key, value) in self.call(value, "ModelPrice")? {
            let key = key.as_deref().unwrap_or_default();
            let Some(unit) = Unit::of_price_key(key) else {
                self.leave(format!("price of {key}"));
                continue;
            };
            match value {
                Value::Name(none) if none == "None" => {}
                Value::Call(kind, fields) if kind == "TieredPrices" => {
                    rates.push((unit, self.rate(field(fields, "base"), unit)?));
                    for tier in self.list(field(fields, "tiers"))? {
                        let fields = self.call(tier, "Tier")?;
                        let above = self.number(field(fields, "start"))?;
                        let rate = self.rate(field(fields, "price"), unit)?;
                        match tiers.iter_mut().find(|tier| tier.above == above) {
                            Some(tier) => tier.rates.0.push((unit, rate)),
                            None => tiers.push(Tier {
                                above,
                                rates: Rates(vec![(unit, rate)]),
                            }),
                        }
                    }
                }
                flat => rates.push((unit, self.rate(flat, unit)?)),
            }
        }
        rates.sort();
        tiers.sort_by_key(|tier| tier.above);
        tiers.iter_mut().for_each(|tier| tier.rates.0.sort());
        Ok((Rates(rates), tiers))
    }

    /// A decimal amount, rounded to billionths of a dollar where it has more places.
    fn rate(&mut self, value: &Value, unit: Unit) -> Result<NanoUsd, Error> {
        const PLACES: usize = 9;
        let text = match value {
            Value::Call(kind, fields) if kind == "Decimal" => fields.first().map(|(_, v)| v),
            _ => None,
        };
        let Some(Value::Text(text)) = text else {
            return Err(self.fault("a Decimal of text"));
        };
        let expected = |_| self.fault("a decimal amount of dollars");
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        if fraction.len() <= PLACES || !fraction.is_ascii() {
            return text.parse().map_err(expected);
        }
        let cut: NanoUsd = format!("{whole}.{}", &fraction[..PLACES])
            .parse()
            .map_err(expected)?;
        let up = i64::from(fraction.as_bytes()[PLACES] >= b'5');
        let rounded = NanoUsd(cut.0.saturating_add(up));
        self.leave(format!(
            "the rate {text} of {}: rounded to {}",
            unit.name(),
            rounded.to_decimal()
        ));
        Ok(rounded)
    }

    /// The patterns of a clause; what they cannot tell is left out, and said.
    fn patterns(&mut self, clause: &Value) -> Patterns {
        let found = match clause {
            Value::Name(none) if none == "None" => Ok(Match::default()),
            clause => matching(clause),
        };
        let found = found.unwrap_or_else(|reason| {
            self.leave(format!("names that fit {reason}"));
            Match::default()
        });
        let parse = |texts: Vec<String>| {
            texts
                .iter()
                .filter_map(|text| Pattern::parse(text))
                .collect()
        };
        Patterns {
            any: parse(found.any),
            except: parse(found.except),
        }
    }

    fn only(&mut self, fields: &Fields, known: &[&str]) {
        for (key, _) in fields {
            let key = key.as_deref().unwrap_or_default();
            if !known.contains(&key) {
                self.leave(format!("the field {key:?}"));
            }
        }
    }

    fn leave(&mut self, what: String) {
        self.not_carried.push(format!("{}: {what}", self.place));
    }

    fn fault(&self, expected: &'static str) -> Error {
        Error::Form {
            place: self.place.clone(),
            expected,
        }
    }

    fn call<'v>(&self, value: &'v Value, expected: &'static str) -> Result<&'v Fields, Error> {
        match value {
            Value::Call(kind, fields) if kind == expected => Ok(fields),
            _ => Err(self.fault(expected)),
        }
    }

    /// The items of a list; none if it is absent.
    fn list<'v>(&self, value: &'v Value) -> Result<&'v [Value], Error> {
        match value {
            Value::List(items) => Ok(items),
            Value::Name(none) if none == "None" => Ok(&[]),
            _ => Err(self.fault("a list")),
        }
    }

    fn text(&self, value: &Value) -> Result<String, Error> {
        match value {
            Value::Text(text) => Ok(text.clone()),
            _ => Err(self.fault("text")),
        }
    }

    fn maybe_text(&self, value: &Value) -> Result<Option<String>, Error> {
        match value {
            Value::Name(none) if none == "None" => Ok(None),
            value => self.text(value).map(Some),
        }
    }

    fn texts(&self, value: &Value) -> Result<Vec<String>, Error> {
        self.list(value)?
            .iter()
            .map(|item| self.text(item))
            .collect()
    }

    fn number(&self, value: &Value) -> Result<u64, Error> {
        match value {
            Value::Number(text) => text.replace('_', "").parse().ok(),
            _ => None,
        }
        .ok_or_else(|| self.fault("a whole number"))
    }

    /// The unnamed arguments of a call such as `date(2026, 8, 21)`.
    fn numbers(&self, value: &Value) -> Result<Vec<i16>, Error> {
        let Value::Call(_, fields) = value else {
            return Err(self.fault("a date or a time"));
        };
        let unnamed = fields.iter().filter(|(key, _)| key.is_none());
        unnamed
            .map(|(_, value)| {
                let number = i16::try_from(self.number(value)?);
                number.map_err(|_| self.fault("a small number"))
            })
            .collect()
    }
}

struct Patterns {
    any: Vec<Pattern>,
    except: Vec<Pattern>,
}

/// A named argument; `None` if it is not there.
fn field<'v>(fields: &'v Fields, key: &str) -> &'v Value {
    static NONE: LazyLock<Value> = LazyLock::new(|| Value::Name("None".to_owned()));
    let found = fields.iter().find(|(name, _)| name.as_deref() == Some(key));
    found.map_or(&NONE, |(_, value)| value)
}
