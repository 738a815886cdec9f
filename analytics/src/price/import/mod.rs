//! Takes prices over from the data of PyPI `genai-prices`.
//!
//! A price that has not changed since the last import stays as it is, with the day on which it
//! became known. One that has changed is added beside it as known from the day of the import on, so
//! that what was known before can still be asked for. What is gone from the data stays in the book.

mod name;
mod python;

use super::file::{self, Model, Provider};
use super::pattern::Pattern;
use super::rate::{Hours, Price, Rates, Tier};
use super::unit::Unit;
use super::write::to_toml;
use crate::money::NanoUsd;
use crate::rules::{self, RulesError};
use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use name::{Match, matching};
use python::Value;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// What an import read.
#[derive(Clone, Debug, Default)]
pub struct Import {
    providers: Vec<Provider>,
    /// What it could not take over as it is, each told in words.
    pub not_carried: Vec<String>,
}

/// What an import did to a book.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// The files that were written.
    pub files: Vec<PathBuf>,
    /// Models in the data.
    pub models: usize,
    /// Models that the book did not have.
    pub added: usize,
    /// Models whose prices changed, as `provider/model`.
    pub changed: Vec<String>,
    /// Models that the book has and the data has not.
    pub kept: usize,
}

/// Why nothing was imported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The data is not what genai-prices writes.
    #[error("line {line} of the data: {reason}")]
    Data {
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// A part of the data has another form than genai-prices 0.2 gives it.
    #[error("{place}: expected {expected}")]
    Form {
        /// The provider, or the provider and the model.
        place: String,
        /// What was expected.
        expected: &'static str,
    },
    /// The book as it is cannot be read.
    #[error(transparent)]
    Book(#[from] RulesError),
    /// A file could not be written.
    #[error("{} could not be written", file.display())]
    Write {
        /// Which.
        file: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

impl Import {
    /// Reads the text of the package's `data.py`; `origin` names the package and its version,
    /// `known_at` is the day that the prices count as known from.
    pub fn read(data: &str, origin: &str, known_at: Timestamp) -> Result<Import, Error> {
        let value = python::assigned(data, "providers").map_err(|fault| Error::Data {
            line: fault.line,
            reason: fault.to_string(),
        })?;
        let mut reader = Reader {
            origin,
            known_at,
            place: "the data".to_owned(),
            not_carried: Vec::new(),
        };
        let mut providers = Vec::new();
        for provider in reader.list(&value)? {
            providers.push(reader.provider(provider)?);
        }
        Ok(Import {
            providers,
            not_carried: reader.not_carried,
        })
    }

    /// Writes one file per provider into a directory, which is made if it is not there, keeping what
    /// the book has of before. The same data and the same book always give the same bytes.
    pub fn write(self, dir: &Path) -> Result<Summary, Error> {
        let failed = |file: &Path| {
            let file = file.to_owned();
            move |source| Error::Write { file, source }
        };
        std::fs::create_dir_all(dir).map_err(failed(dir))?;
        let mut summary = Summary::default();
        for new in self.providers {
            let file = dir.join(format!("{}.toml", new.id));
            summary.models += new.models.len();
            let merged = match file.exists() {
                true => {
                    let old = file::parse(&file, &rules::read(&file)?)?;
                    merge(old, new, &mut summary)
                }
                false => {
                    summary.added += new.models.len();
                    new
                }
            };
            let text = to_toml(&merged, COMMENT);
            std::fs::write(&file, text).map_err(failed(&file))?;
            summary.files.push(file);
        }
        Ok(summary)
    }
}

const COMMENT: &str = "Written by `tollgate prices import` from genai-prices (MIT, see NOTICE); \
the next import writes it again.\nPrices of your own and discounts: docs/prices.md.";

/// The book's provider with what an import says of it.
fn merge(old: Provider, new: Provider, summary: &mut Summary) -> Provider {
    let mut models = Vec::new();
    for mut model in new.models {
        match old.models.iter().find(|before| before.name == model.name) {
            None => summary.added += 1,
            Some(before) => {
                let latest = before.prices.iter().map(|price| price.known_at).max();
                let statement = before
                    .prices
                    .iter()
                    .filter(|price| Some(price.known_at) == latest);
                if statement.map(what).eq(model.prices.iter().map(what)) {
                    model.prices = before.prices.clone();
                } else {
                    summary.changed.push(format!("{}/{}", old.id, model.name));
                    let restated = |price: &&Price| price.known_at != new.known_at;
                    let earlier = before.prices.iter().filter(restated).cloned();
                    model.prices = earlier.chain(model.prices).collect();
                }
            }
        }
        for price in &mut model.prices {
            if price.known_at == new.known_at && price.source.is_none() && old.source != new.source
            {
                price.source = Some(new.source.clone());
            }
        }
        models.push(model);
    }
    for before in old.models {
        if models.iter().all(|model| model.name != before.name) {
            summary.kept += 1;
            models.push(before);
        }
    }
    Provider {
        source: old.source,
        known_at: old.known_at,
        models,
        ..new
    }
}

/// What a price says, without when it became known and from where.
fn what(price: &Price) -> Price {
    Price {
        known_at: Timestamp::UNIX_EPOCH,
        source: None,
        ..price.clone()
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::price::PriceBook;

    const DATA: &str = "providers: list[Provider] = [
    Provider(
        id='p',
        name='P',
        api_pattern='x',
        pricing_urls=['https://p.example/prices'],
        model_match=ClauseStartsWith(starts_with='m-'),
        colour='red',
        models=[
            ModelInfo(
                id='m-1',
                match=ClauseOr(or_=[ClauseEquals(equals='m-1'), ClauseRegex(regex='^m-1-\\\\d{4}$')]),
                prices=[
                    ConditionalPrice(
                        prices=ModelPrice(
                            input_mtok=TieredPrices(base=Decimal('1'), tiers=[Tier(start=200_000, price=Decimal('2'))]),
                            output_mtok=Decimal('0.1234567895'),
                        )
                    ),
                    ConditionalPrice(
                        constraint=StartDateConstraint(start_date=datetime.date(2026, 8, 1)),
                        prices=ModelPrice(input_mtok=Decimal('3')),
                    ),
                ],
                price_variants=[
                    PriceVariant(when={'processing': 'batch'}, prices=ModelPrice(input_mtok=Decimal('0.5'))),
                ],
            ),
            ModelInfo(id='m-free', match=ClauseEquals(equals='m-free'), prices=ModelPrice()),
        ],
    ),
]
";

    fn import(data: &str, day: &str, dir: &Path) -> (Vec<String>, Summary) {
        let known_at = format!("{day}T00:00:00Z").parse().unwrap();
        let import = Import::read(data, &format!("genai-prices of {day}"), known_at).unwrap();
        (import.not_carried.clone(), import.write(dir).unwrap())
    }

    #[test]
    fn a_book_is_written_and_says_what_it_lacks() {
        let dir = tempfile::tempdir().unwrap();
        let (not_carried, summary) = import(DATA, "2026-11-01", dir.path());
        assert_eq!(
            not_carried,
            [
                "p: the field \"colour\"",
                "p/m-1: the rate 0.1234567895 of output: rounded to 0.12345679",
                "p/m-free: has no rate at all: not taken over",
            ]
        );
        assert_eq!((summary.models, summary.added), (1, 1));
        let text = std::fs::read_to_string(dir.path().join("p.toml")).unwrap();
        let body = text.split_once("provider = ").unwrap().1;
        assert_eq!(
            body,
            "\"p\"
source = \"genai-prices of 2026-11-01, after https://p.example/prices\"
known_at = \"2026-11-01\"
names = [\"m-*\"]

[[model]]
name = \"m-1\"
match = [\"m-1-####\"]
[[model.price]]
rates = { input = \"1\", output = \"0.12345679\" }
tiers = [{ above = 200000, rates = { input = \"2\" } }]
[[model.price]]
effective = \"2026-08-01\"
rates = { input = \"3\" }
[[model.price]]
when = { processing = \"batch\" }
rates = { input = \"0.5\" }
"
        );
    }

    #[test]
    fn a_later_import_keeps_what_was_known_before() {
        let dir = tempfile::tempdir().unwrap();
        import(DATA, "2026-11-01", dir.path());
        let first = std::fs::read_to_string(dir.path().join("p.toml")).unwrap();

        let (_, same) = import(DATA, "2026-11-05", dir.path());
        assert_eq!(same.changed, Vec::<String>::new());
        assert_eq!(
            std::fs::read_to_string(dir.path().join("p.toml")).unwrap(),
            first
        );

        let dearer = DATA.replace("Decimal('3')", "Decimal('4')");
        for _ in 0..2 {
            import(&dearer, "2026-11-10", dir.path());
            let book = PriceBook::load(dir.path()).unwrap();
            let of = |known: Option<&str>| {
                let known = known.map(|day| format!("{day}T00:00:00Z").parse().unwrap());
                let at = Some("2026-11-20T00:00:00Z".parse().unwrap());
                let shown = book.entries_at(at, known).next().unwrap();
                (
                    shown.price.rates.get(Unit::INPUT).unwrap().0,
                    shown.source.to_owned(),
                )
            };
            let source = |day| format!("genai-prices of {day}, after https://p.example/prices");
            assert_eq!(of(None), (4_000_000_000, source("2026-11-10")));
            assert_eq!(
                of(Some("2026-11-09")),
                (3_000_000_000, source("2026-11-01"))
            );
            assert_eq!(book.entries().count(), 6);
        }

        let without = dearer.replace("id='m-1'", "id='m-2'");
        let (_, summary) = import(&without, "2026-11-15", dir.path());
        assert_eq!((summary.added, summary.kept), (1, 1));
        let book = PriceBook::load(dir.path()).unwrap();
        assert!(book.entries().any(|entry| entry.model == "m-1"));
    }

    #[test]
    fn odd_data_is_refused() {
        let read = |data: &str| {
            Import::read(data, "x", Timestamp::UNIX_EPOCH)
                .unwrap_err()
                .to_string()
        };
        for (from, to, expected) in [
            (
                "providers: list",
                "prices: list",
                "line 1 of the data: expected the list of providers",
            ),
            ("Decimal('3')", "3", "p/m-1: expected a Decimal of text"),
            (
                "Decimal('3')",
                "Decimal('-x')",
                "p/m-1: expected a decimal amount of dollars",
            ),
            (
                "id='p'",
                "id='../p'",
                "../p: expected an id of letters, digits, - and _",
            ),
            ("2026, 8, 1", "2026, 13, 1", "p/m-1: expected a date"),
            ("models=[", "models=[5, ", "p: expected ModelInfo"),
        ] {
            assert_eq!(read(&DATA.replacen(from, to, 1)), expected);
        }
    }
}
