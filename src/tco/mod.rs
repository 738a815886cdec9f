//! `tollgate tco`: what owning a model costs, against global APIs and their compliance tax.

mod table;

use crate::args::TcoArgs;
use crate::config::Config;
use crate::exit::{Failure, Outcome};
use crate::{analytics, clock, listen, report};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::thread::available_parallelism;
use tollgate_analytics::query::{self, Period};
use tollgate_analytics::tax::{Rates, Tax};
use tollgate_analytics::tco::{Scenario, Settings, Tco, Traffic};

/// Simulates a scenario and prints what it says.
///
/// # Errors
/// When the scenario or an assignment is wrong, or the records cannot be planned by.
pub fn run(args: &TcoArgs, config: &Config) -> Outcome {
    let library = config.rules.dir.join("tco/scenarios");
    let file = find(&args.scenario, &library)?;
    let mut scenario = Scenario::load(&file, &library).map_err(Failure::usage)?;
    if let Some(months) = args.months {
        scenario.horizon_months = months.into();
    }
    let traffic = match &args.from {
        Some(from) => measure(&mut scenario, from, args, config)?,
        None => Traffic::Scenario { why: None },
    };
    for assignment in &args.assignments {
        scenario.set(assignment).map_err(Failure::usage)?;
    }
    let settings = Settings {
        trials: args.trials,
        seed: args.seed,
        threads: available_parallelism().unwrap_or(NonZeroUsize::MIN),
    };
    let tco = Tco::simulate(&scenario, traffic, settings);
    let mut out = io::stdout().lock();
    if args.json {
        serde_json::to_writer(&mut out, &tco)?;
        writeln!(out)?;
        Ok(())
    } else {
        Ok(table::print(&tco, &mut out)?)
    }
}

/// The file that a name or a path means.
fn find(name: &str, library: &Path) -> Result<PathBuf, Failure> {
    let path = PathBuf::from(name);
    if path.is_file() {
        return Ok(path);
    }
    let of_library = library.join(format!("{name}.toml"));
    if of_library.is_file() {
        return Ok(of_library);
    }
    let mut known: Vec<String> = std::fs::read_dir(library)
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let name = entry.ok()?.file_name().into_string().ok()?;
            Some(name.strip_suffix(".toml")?.to_owned())
        })
        .collect();
    known.sort();
    Err(
        Failure::usage(format!("no scenario {name:?}")).help(format!(
            "name a file, or one of {} in {}",
            known.join(", "),
            library.display()
        )),
    )
}

/// Puts the traffic of the records into a scenario.
fn measure(
    scenario: &mut Scenario,
    from: &str,
    args: &TcoArgs,
    config: &Config,
) -> Result<Traffic, Failure> {
    let now = clock::now();
    let to = args.to.as_deref().map(instant).transpose()?;
    let to = to.unwrap_or(now).min(now);
    let period = Period::new(instant(from)?, to).map_err(Failure::usage)?;
    let rates = Rates::load(&config.rules.dir.join("tco/rates.toml")).map_err(Failure::usage)?;
    let client = analytics::find(config, args.store.as_deref())?;
    let reading = async {
        let demand = query::demand(&client, period).await?;
        let base = query::tax_base(&client, period).await?;
        let footprint = query::footprint(&client).await?;
        Ok::<_, query::Error>((demand, base, footprint))
    };
    let (demand, base, footprint) = listen::runtime()?.block_on(reading)?;
    let tax = Tax::compute(&base, footprint, report::ledger_size(config), &rates);
    Traffic::measured(scenario, demand, period, &tax).map_err(|error| {
        Failure::new(error).help("leave --from out to use the traffic that the scenario assumes")
    })
}

/// A day's first instant in UTC, or an instant.
fn instant(text: &str) -> Result<Timestamp, Failure> {
    let day = |day: Date| TimeZone::UTC.to_timestamp(day.at(0, 0, 0, 0)).ok();
    let parsed = text.parse().ok().or_else(|| day(text.parse().ok()?));
    parsed.ok_or_else(|| {
        Failure::usage(format!(
            "{text:?} is neither a day such as 2026-11-01 nor an instant such as \
             2026-11-01T08:00:00Z"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_begin_at_midnight_utc() {
        assert_eq!(
            instant("2026-11-01").unwrap().to_string(),
            "2026-11-01T00:00:00Z"
        );
        assert!(instant("2026-11-01T08:00:00+01:00").is_ok());
        let error = instant("2026-13-01").unwrap_err().to_string();
        assert!(error.contains("neither a day"), "{error}");
    }

    #[test]
    fn an_unknown_scenario_is_told_with_the_known_ones() {
        let library = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules/tco/scenarios");
        let error = find("nope", &library).unwrap_err().to_string();
        assert!(error.contains("default, high_volume, "), "{error}");
        assert!(find("default", &library).unwrap().is_file());
    }
}
