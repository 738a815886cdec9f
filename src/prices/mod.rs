//! `tollgate prices`: the price book as the gate reads it.

mod import;
mod list;
mod records;

use crate::args::PricesCommand;
use crate::config::Config;
use crate::exit::{Failure, Outcome};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use tollgate_analytics::price::{PriceBook, Terms};

/// The price book with the organization's own terms.
///
/// # Errors
/// When a file of the book or of the terms is malformed.
pub fn book(config: &Config) -> Result<PriceBook, Failure> {
    let book = PriceBook::load(&config.rules.dir.join("prices")).map_err(Failure::usage)?;
    Ok(match &config.prices.terms {
        Some(file) => book.with_terms(Terms::load(file).map_err(Failure::usage)?),
        None => book,
    })
}

/// Runs the command.
///
/// # Errors
/// When the price book or what is imported is malformed, or a file cannot be written.
pub fn run(command: &PricesCommand, config: &Config) -> Outcome {
    let dir = config.rules.dir.join("prices");
    match command {
        PricesCommand::List {
            filter,
            provider,
            model,
            at,
            known_at,
            json,
        } => list::run(
            &dir,
            &list::Filter {
                text: filter,
                provider: provider.as_deref(),
                model: model.as_deref(),
                at: at.map(start_of),
                known_at: known_at.map(end_of),
            },
            *json,
        ),
        PricesCommand::Import {
            from,
            out,
            known_at,
            json,
        } => import::run(from, out.as_deref().unwrap_or(&dir), *known_at, *json),
        PricesCommand::Restate {
            days,
            known_at,
            json,
        } => records::restate(config, *days, known_at.map(end_of), *json),
        PricesCommand::Reconcile { file, days, json } => {
            records::reconcile(config, file, *days, *json)
        }
    }
}

/// The first instant of a day, in UTC.
pub fn start_of(day: Date) -> Timestamp {
    let midnight = TimeZone::UTC.to_timestamp(day.at(0, 0, 0, 0));
    midnight.unwrap_or(Timestamp::MAX)
}

/// The last instant of a day, in UTC.
fn end_of(day: Date) -> Timestamp {
    let next = start_of(day).checked_add(24.hours());
    next.and_then(|next| next.checked_sub(1.nanosecond()))
        .unwrap_or(Timestamp::MAX)
}
