//! `tollgate top`: the dashboard, or one snapshot of it as JSON or text.

use crate::args::TopArgs;
use crate::config::Config;
use crate::exit::{Failure, Outcome};
use crate::{analytics, listen};
use std::io::{self, IsTerminal, Write};
use tollgate_tui::period::Period;
use tollgate_tui::{Format, Options};

/// Opens the dashboard; without a terminal, prints what it would show.
///
/// # Errors
/// When there is no store, it does not answer, or the terminal fails.
pub fn run(args: &TopArgs, config: &Config) -> Outcome {
    let client = analytics::find(config, args.store.as_deref())?;
    let period = Period::named(&args.period).ok_or_else(|| {
        let known = Period::EVERY.map(Period::name).join(", ");
        Failure::usage(format!("--period {}: expected one of {known}", args.period))
    })?;
    let options = Options {
        period,
        ..Options::default()
    };
    let runtime = listen::runtime()?;
    let terminal = io::stdin().is_terminal() && io::stdout().is_terminal();
    if terminal && !args.json && !args.once {
        return Ok(runtime.block_on(tollgate_tui::run(client, options))?);
    }
    let format = if args.json {
        Format::Json
    } else {
        Format::Text
    };
    let text = runtime.block_on(tollgate_tui::snapshot(client, &options, format))?;
    writeln!(io::stdout().lock(), "{}", text.trim_end())?;
    Ok(())
}
