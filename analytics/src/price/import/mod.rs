//! Takes prices over from the data of PyPI `genai-prices`.
//!
//! A price that has not changed since the last import stays as it is, with the day on which it
//! became known. One that has changed is added beside it as known from the day of the import on, so
//! that what was known before can still be asked for. What is gone from the data stays in the book.

mod data;
mod name;
mod python;

use super::file::{self, Provider};
use super::rate::Price;
use super::write::to_toml;
use crate::rules::{self, RulesError};
use jiff::Timestamp;
use std::path::{Path, PathBuf};

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
        let (providers, not_carried) = data::providers(&value, origin, known_at)?;
        Ok(Import {
            providers,
            not_carried,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::price::{PriceBook, Unit};

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
