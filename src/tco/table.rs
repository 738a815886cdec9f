//! What a simulation says, as text for a terminal of 100 columns.

use std::io::{self, Write};
use tollgate_analytics::money::group_thousands;
use tollgate_analytics::tax::Standing;
use tollgate_analytics::tco::words::{
    bare, condition_words, flip_words, lower_first, percent, usd,
};
use tollgate_analytics::tco::{BreakEven, Component, Plan, Tco};

/// How many bars of the tornado are printed, how many flips, how many conditions.
const SHOWN: usize = 8;
const FLIPS_SHOWN: usize = 4;
const CONDITIONS_SHOWN: usize = 5;
const COLUMNS: usize = 100;

/// Prints everything, the decision first.
pub fn print(tco: &Tco, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{}", tco.decision.headline().to_uppercase())?;
    wrapped(out, "", &tco.decision_reason())?;
    wrapped(out, "What flips it: ", &tco.flip_sentence())?;
    wrapped(out, "What is known: ", &tco.known_sentence())?;
    writeln!(out)?;
    about(tco, out)?;
    options(tco, out)?;
    parts(tco, out)?;
    tornado(tco, out)?;
    flips(tco, out)?;
    claim(tco, out)?;
    wrapped(out, "Pessimistic case: ", &tco.pessimistic_sentence())?;
    writeln!(out)?;
    footer(tco, out)
}

fn about(tco: &Tco, out: &mut impl Write) -> io::Result<()> {
    wrapped(
        out,
        "Scenario: ",
        &format!("{}. {}", tco.scenario, tco.about),
    )?;
    wrapped(out, "", &tco.traffic.words())?;
    let tax = tco.choice.tax.as_str();
    let words = format!(
        "Net present cost over {} months in USD, {} trials, seed {}: one trial in ten \
         costs less than P10, one in ten more than P90. The yearly tax is reckoned as {tax}.",
        tco.horizon_months,
        group_thousands(tco.trials.into()),
        tco.seed
    );
    wrapped(out, "", &words)?;
    writeln!(out)
}

fn options(tco: &Tco, out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "{:<25}{:>9}{:>9}{:>9}{:>9}{:>13}{:>13}  breaks even",
        "", "P10", "median", "P90", "mean", "cheapest", "beats API"
    )?;
    for outcome in &tco.plans {
        let cost = outcome.cost_usd;
        let beats = match outcome.plan {
            Plan::Api => "-".to_owned(),
            _ => percent(outcome.beats[Plan::Api.index()]),
        };
        writeln!(
            out,
            "{:<25}{:>9}{:>9}{:>9}{:>9}{:>13}{:>13}  {}",
            outcome.plan.name(),
            usd(cost.p10),
            usd(cost.p50),
            usd(cost.p90),
            usd(cost.mean),
            percent(outcome.cheapest),
            beats,
            outcome
                .break_even
                .as_ref()
                .map_or_else(|| "-".to_owned(), break_even)
        )?;
    }
    writeln!(out)
}

fn break_even(of: &BreakEven) -> String {
    match of.months {
        None => "never".to_owned(),
        _ if of.never > 0.99 => "never, or nearly so".to_owned(),
        Some([early, middle, late]) => format!(
            "month {middle} ({early}-{late}); {} never",
            percent(of.never)
        ),
    }
}

/// The columns' heads of the table of parts.
const HEADS: [&str; 5] = ["API", "build", "fine-tune", "managed", "hybrid"];

fn parts(tco: &Tco, out: &mut impl Write) -> io::Result<()> {
    write!(out, "{:<28}", "Mean cost, by part")?;
    for head in HEADS {
        write!(out, "{head:>11}")?;
    }
    writeln!(out)?;
    for (at, component) in Component::ALL.iter().enumerate() {
        write!(out, "{:<28}", component.name())?;
        for outcome in &tco.plans {
            write!(out, "{:>11}", usd(outcome.components_usd[at].usd))?;
        }
        writeln!(out)?;
    }
    write!(out, "{:<28}", "All")?;
    for outcome in &tco.plans {
        write!(out, "{:>11}", usd(outcome.cost_usd.mean))?;
    }
    writeln!(out, "\n")
}

fn tornado(tco: &Tco, out: &mut impl Write) -> io::Result<()> {
    let plan = lower_first(tco.decision.alternative.name());
    writeln!(
        out,
        "What the saving of the best alternative ({plan}) over the global API hangs on:"
    )?;
    writeln!(
        out,
        "{:<46}{:>18}{:>12}{:>12}{:>12}",
        "  input, where it is low and where high", "low to high", "if low", "if high", "swing"
    )?;
    for bar in tco.tornado.iter().take(SHOWN) {
        let [low, high] = bar.range.map(|value| bare(bar.input, value));
        writeln!(
            out,
            "  {:<44}{:>18}{:>12}{:>12}{:>12}",
            cut(bar.input.spec().what, 44),
            format!("{low} - {high}"),
            usd(bar.saving_low_usd),
            usd(bar.saving_high_usd),
            usd(i64::try_from(bar.swing()).unwrap_or(i64::MAX))
        )?;
    }
    writeln!(out)
}

fn cut(text: &str, columns: usize) -> String {
    text.chars().take(columns).collect()
}

fn flips(tco: &Tco, out: &mut impl Write) -> io::Result<()> {
    if tco.flips.len() < 2 {
        return Ok(());
    }
    writeln!(
        out,
        "What else changes which option costs least on average:"
    )?;
    for flip in tco.flips.iter().skip(1).take(FLIPS_SHOWN) {
        wrapped(out, "  - ", &flip_words(flip))?;
    }
    writeln!(out)
}

fn claim(tco: &Tco, out: &mut impl Write) -> io::Result<()> {
    wrapped(out, "The business case's claim: ", &tco.claim_sentence())?;
    let conditions = &tco.claim.conditions;
    if !conditions.is_empty() {
        writeln!(out, "  In those trials (medians):")?;
        for condition in conditions.iter().take(CONDITIONS_SHOWN) {
            wrapped(out, "  - ", &condition_words(condition))?;
        }
    }
    Ok(())
}

fn footer(tco: &Tco, out: &mut impl Write) -> io::Result<()> {
    let count = |standing| {
        let of = tco.assumptions.iter().filter(|a| a.standing == standing);
        of.count()
    };
    let words = format!(
        "Of {} inputs {} are measured, {} derived, {} assumed: --json lists each with its range, \
         source and standing; docs/tco.md defines the model. Exposure to fines is in no amount.",
        tco.assumptions.len(),
        count(Standing::Measured),
        count(Standing::Derived),
        count(Standing::Assumed)
    );
    wrapped(out, "", &words)
}

/// Words in lines of the terminal's width; those after the first are indented as the lead is deep.
fn wrapped(out: &mut impl Write, lead: &str, words: &str) -> io::Result<()> {
    let indent = lead.len() - lead.trim_start().len() + if lead.ends_with("- ") { 2 } else { 0 };
    let mut line = lead.to_owned();
    let mut is_first = true;
    for word in words.split(' ') {
        if !is_first && line.chars().count() + 1 + word.chars().count() > COLUMNS {
            writeln!(out, "{line}")?;
            line = format!("{:indent$}{word}", "");
            continue;
        }
        if !is_first {
            line.push(' ');
        }
        line.push_str(word);
        is_first = false;
    }
    writeln!(out, "{line}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_wrapped_within_the_width() {
        let mut out = Vec::new();
        wrapped(&mut out, "  - ", &"word ".repeat(60)).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.lines().count() > 2);
        for (i, line) in text.lines().enumerate() {
            assert!(line.chars().count() <= COLUMNS, "{line}");
            assert!(
                line.starts_with(if i == 0 { "  - word" } else { "    word" }),
                "{line:?}"
            );
        }
    }
}
