//! A provider as the text of its file.

use super::file::{Model, Provider};
use super::pattern::Pattern;
use super::rate::{Price, Rates};
use jiff::Timestamp;
use std::fmt::Write;

/// The file's text; [`super::file::parse`] reads it back as the same provider.
pub(super) fn to_toml(provider: &Provider, comment: &str) -> String {
    let mut out = String::new();
    for line in comment.lines() {
        push(&mut out, format_args!("# {line}"));
    }
    push(
        &mut out,
        format_args!("provider = {}", quoted(&provider.id)),
    );
    push(
        &mut out,
        format_args!("source = {}", quoted(&provider.source)),
    );
    push(
        &mut out,
        format_args!("known_at = \"{}\"", day(provider.known_at)),
    );
    note(&mut out, provider.note.as_deref());
    list(
        &mut out,
        "names",
        provider.names.iter().map(Pattern::to_string),
    );
    list(
        &mut out,
        "also",
        provider.also.iter().map(Pattern::to_string),
    );
    list(&mut out, "sells", provider.sells.iter().cloned());
    for model in &provider.models {
        write_model(&mut out, model, provider.known_at);
    }
    out
}

fn write_model(out: &mut String, model: &Model, known_at: Timestamp) {
    push(
        out,
        format_args!("\n[[model]]\nname = {}", quoted(&model.name)),
    );
    // The first is the model's own name.
    list(
        out,
        "match",
        model.patterns.iter().skip(1).map(Pattern::to_string),
    );
    list(out, "except", model.except.iter().map(Pattern::to_string));
    note(out, model.note.as_deref());
    for price in &model.prices {
        write_price(out, price, known_at);
    }
}

fn write_price(out: &mut String, price: &Price, known_at: Timestamp) {
    push(out, format_args!("[[model.price]]"));
    if let Some(effective) = price.effective {
        push(out, format_args!("effective = \"{}\"", day(effective)));
    }
    if price.known_at != known_at {
        push(out, format_args!("known_at = \"{}\"", day(price.known_at)));
    }
    if let Some(source) = &price.source {
        push(out, format_args!("source = {}", quoted(source)));
    }
    if !price.when.is_empty() {
        let when = price
            .when
            .iter()
            .map(|(key, value)| format!("{key} = {}", quoted(value)));
        push(
            out,
            format_args!("when = {{ {} }}", when.collect::<Vec<_>>().join(", ")),
        );
    }
    if let Some(hours) = price.hours {
        push(out, format_args!("hours = \"{hours}\""));
    }
    push(out, format_args!("rates = {}", rates(&price.rates)));
    if !price.tiers.is_empty() {
        let tiers = price.tiers.iter().map(|tier| {
            format!(
                "{{ above = {}, rates = {} }}",
                tier.above,
                rates(&tier.rates)
            )
        });
        push(
            out,
            format_args!("tiers = [{}]", tiers.collect::<Vec<_>>().join(", ")),
        );
    }
}

fn rates(rates: &Rates) -> String {
    let rates = rates
        .iter()
        .map(|(unit, rate)| format!("{} = \"{}\"", unit.name(), rate.to_decimal()));
    format!("{{ {} }}", rates.collect::<Vec<_>>().join(", "))
}

fn note(out: &mut String, note: Option<&str>) {
    if let Some(note) = note {
        push(out, format_args!("note = {}", quoted(note)));
    }
}

fn list(out: &mut String, key: &str, items: impl Iterator<Item = String>) {
    let items: Vec<_> = items.map(|item| quoted(&item)).collect();
    if !items.is_empty() {
        push(out, format_args!("{key} = [{}]", items.join(", ")));
    }
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn day(at: Timestamp) -> String {
    at.strftime("%F").to_string()
}

fn push(out: &mut String, line: std::fmt::Arguments) {
    // Cannot fail: it writes into memory.
    writeln!(out, "{line}").unwrap_or_default();
}
