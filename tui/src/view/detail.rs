//! One exchange with all that is recorded of it, and why it was treated so. There is no text of
//! the prompt or the answer to show: none is recorded.
//!
//! ```text
//! ── Exchange 0199f1c2-… ──────────────────────────────────── Esc closes ──
//!  ≈ redact  by rule pseudonymise-personal-data
//!            Personal data leaves only as placeholders.
//!
//!  Who       payments / checkout-bot             Cost     $0.000123
//!  …                                             …
//!  Time      ██████░░░░░░░░░░░░░░░░░░░░  gate, provider, answer
//! ```
//!
//! The sections stand in two columns from 110 columns up.

use super::cells;
use crate::{
    app::App,
    format,
    model::Exchange,
    paint,
    theme::{Theme, sign},
};
use ratatui::text::{Line, Span};
use tollgate_analytics::{
    money::NanoUsd,
    record::{Cost, Effect},
};

type Section = Vec<Line<'static>>;

pub fn lines(app: &App, exchange: &Exchange, width: u16) -> Section {
    let theme = app.theme();
    let mut lines = verdict(exchange, width, theme);
    let beside = width >= 110;
    let half = if beside { width / 2 - 1 } else { width };
    let sections = [
        who(app, exchange, half),
        found(exchange, half, theme),
        route(exchange, half, theme),
        outcome(exchange, half, theme),
        tokens(exchange, half, theme),
        cost(exchange, half, theme),
        time(exchange, half, theme),
        sizes(exchange, half, theme),
    ];
    if beside {
        let (left, right) = sections.split_at(4);
        let (left, right): (Section, Section) = (stack(left), stack(right));
        lines.extend((0..left.len().max(right.len())).map(|i| {
            let mut line = left
                .get(i)
                .map_or_else(Line::default, |line| paint::fit(line, half));
            let pad = usize::from(half + 2).saturating_sub(line.width());
            line.push_span(Span::raw(" ".repeat(pad)));
            line.spans
                .extend(right.get(i).cloned().unwrap_or_default().spans);
            line
        }));
    } else {
        lines.extend(stack(&sections));
    }
    lines
}

fn stack(sections: &[Section]) -> Section {
    sections
        .iter()
        .flat_map(|section| section.iter().cloned().chain([Line::default()]))
        .collect()
}

const LABEL: usize = 15;

fn field(label: &str, value: impl Into<Line<'static>>, theme: &Theme) -> Line<'static> {
    let value = value.into();
    let mut spans = vec![Span::styled(format!("{label:<LABEL$}"), theme.dim)];
    spans.extend(
        value
            .spans
            .into_iter()
            .map(|span| span.patch_style(value.style)),
    );
    Line::from(spans)
}

fn title(name: &str, width: u16, theme: &Theme) -> Line<'static> {
    let rule = usize::from(width).saturating_sub(name.len() + 1).min(48);
    Line::from(vec![
        Span::styled(format!("{name} "), theme.strong),
        Span::styled("─".repeat(rule), theme.rule),
    ])
}

/// The decision and its reason.
fn verdict(exchange: &Exchange, width: u16, theme: &Theme) -> Section {
    let decision = &exchange.record.decision;
    let style = theme.effect(decision.effect);
    let by = match decision.rule.as_str() {
        "" => "before any rule was reached".to_owned(),
        rule => format!("by rule {rule}"),
    };
    let mut lines = vec![Line::from(vec![
        Span::styled(
            format!("{} {}", sign(decision.effect), decision.effect.as_str()),
            style,
        ),
        Span::styled(format!("  {by}"), theme.strong),
    ])];
    if !decision.reason.is_empty() {
        let words = paint::wrap(&decision.reason, width.saturating_sub(2));
        lines.extend(words.into_iter().map(|line| Line::raw(format!("  {line}"))));
    }
    let policy = match decision.policy.as_str() {
        "" => "under no policy".to_owned(),
        hash => format!("under the policy whose SHA-256 begins {hash}"),
    };
    lines.push(Line::styled(format!("  {policy}"), theme.dim));
    lines.push(Line::default());
    lines
}

fn who(app: &App, exchange: &Exchange, width: u16) -> Section {
    let (theme, record) = (app.theme(), &exchange.record);
    let how = if record.stream {
        "streamed"
    } else {
        "whole answer"
    };
    vec![
        title("Who and what", width, theme),
        field(
            "began",
            format::moment_exact(exchange.started(), app.zone()),
            theme,
        ),
        field("team", cells::name(&record.team, theme), theme),
        field("caller", cells::name(&record.caller, theme), theme),
        field("wire", record.wire.clone(), theme),
        field("operation", format!("{}, {how}", record.operation), theme),
        field("model", cells::name(&record.model, theme), theme),
        field("ledger record", format!("#{}", exchange.seq), theme),
        field("exchange", record.exchange.to_string(), theme),
    ]
}

fn found(exchange: &Exchange, width: u16, theme: &Theme) -> Section {
    let record = &exchange.record;
    let mut lines = vec![title("Found", width, theme)];
    let mut found: Vec<_> = record.findings.iter().collect();
    found.sort_by_key(|(_, n)| std::cmp::Reverse(**n));
    let most = found.first().map_or(0, |(_, n)| u64::from(**n));
    let style = theme.effect(record.decision.effect);
    let fill = theme.fill(record.decision.effect);
    for (label, n) in &found {
        let mut line = field(
            label,
            format!("{:>5}  ", format::count(u64::from(**n))),
            theme,
        );
        let room = width.saturating_sub(LABEL as u16 + 8).min(24);
        line.spans
            .extend(paint::bar(&[(u64::from(**n), style, fill)], most, room).spans);
        lines.push(line);
    }
    if found.is_empty() {
        lines.push(Line::styled("nothing", theme.dim));
    }
    let all = exchange.findings();
    let replaced = format!(
        "{} of {}",
        format::count(record.replaced.into()),
        format::count(all)
    );
    lines.push(field("replaced", format!("{replaced} findings"), theme));
    let restored = format::count(record.restored.into());
    lines.push(field(
        "restored",
        format!("{restored} in the answer"),
        theme,
    ));
    lines
}

fn route(exchange: &Exchange, width: u16, theme: &Theme) -> Section {
    let mut lines = vec![title("Where it went", width, theme)];
    let Some(route) = &exchange.record.route else {
        lines.push(Line::styled("nowhere", theme.effect(Effect::Block)));
        return lines;
    };
    let mut endpoint = Line::raw(route.endpoint.clone());
    if route.simulated {
        endpoint.push_span(Span::raw(" "));
        endpoint.push_span(Span::styled("SIMULATED", theme.simulated));
    }
    lines.push(field("endpoint", endpoint, theme));
    if route.on_prem {
        let words = Line::styled(
            "on-prem, under our own control",
            theme.effect(Effect::Local),
        );
        lines.push(field("control", words, theme));
    } else {
        lines.push(field("control", "external", theme));
    }
    lines.push(field(
        "jurisdiction",
        cells::name(&route.jurisdiction, theme),
        theme,
    ));
    lines.push(field(
        "transfer basis",
        cells::name(&route.transfer_basis, theme),
        theme,
    ));
    lines
}

fn outcome(exchange: &Exchange, width: u16, theme: &Theme) -> Section {
    let record = &exchange.record;
    let status = match record.status {
        0 => "none was sent: the caller had left".to_owned(),
        status => status.to_string(),
    };
    vec![
        title("How it ended", width, theme),
        field("outcome", cells::outcome_name(record.outcome), theme),
        field("HTTP status", status, theme),
        field("error", cells::name(&record.error, theme), theme),
    ]
}

fn tokens(exchange: &Exchange, width: u16, theme: &Theme) -> Section {
    let mut lines = vec![title("Tokens", width, theme)];
    let Some(usage) = &exchange.record.usage else {
        lines.push(Line::styled("not known", theme.dim));
        return lines;
    };
    let told = if usage.estimated {
        "the gate, by counting"
    } else {
        "the provider"
    };
    let count = |n: u64| format!("{:>9}", format::count(n));
    lines.extend([
        field("input", count(usage.input), theme),
        field("  cache read", count(usage.cache_read), theme),
        field("  cache write", count(usage.cache_write), theme),
        field("output", count(usage.output), theme),
        field("  reasoning", count(usage.reasoning), theme),
        field("told by", told, theme),
    ]);
    lines
}

fn cost(exchange: &Exchange, width: u16, theme: &Theme) -> Section {
    let mut lines = vec![title("Cost", width, theme)];
    match &exchange.record.cost {
        Cost::Priced { nano_usd, price } => lines.extend([
            field("cost", NanoUsd(*nano_usd).to_string(), theme),
            field("price", price.clone(), theme),
        ]),
        Cost::Unpriced { missing } => lines.extend([
            field(
                "cost",
                Line::styled("unpriced: unknown, not 0", theme.warning),
                theme,
            ),
            field("missing", missing.clone(), theme),
        ]),
        Cost::Free => {
            let on_prem = exchange
                .record
                .route
                .as_ref()
                .is_some_and(|route| route.on_prem);
            let words = if on_prem {
                "not billed per token"
            } else {
                "nothing was consumed"
            };
            lines.push(field("cost", Line::styled(words, theme.dim), theme));
        }
    }
    if exchange
        .record
        .route
        .as_ref()
        .is_some_and(|route| route.simulated)
    {
        let words = Line::styled("SIMULATED: never billed", theme.simulated);
        lines.push(field("", words, theme));
    }
    lines
}

/// Where the time went: the gate, the wait for the first byte, the rest of the answer.
fn time(exchange: &Exchange, width: u16, theme: &Theme) -> Section {
    let timing = &exchange.record.timing;
    let first = timing.upstream_first_byte_us;
    let rest = timing
        .total_us
        .saturating_sub(timing.gate_us.saturating_add(first));
    let of = |us: u64| {
        let share = format::percent(us, timing.total_us);
        format!("{:>9} ms  {share:>4}", format::ms(us))
    };
    let gate = theme.effect(Effect::Redact);
    let bar = paint::bar(
        &[
            (timing.gate_us, gate, "█"),
            (first, theme.chart, "▓"),
            (rest, theme.chart, "░"),
        ],
        timing.total_us,
        width.min(50),
    );
    vec![
        title("Time", width, theme),
        bar,
        field("█ gate", of(timing.gate_us), theme),
        field("▓ first byte", of(first), theme),
        field("░ answer", of(rest), theme),
        field("all", of(timing.total_us), theme),
        field(
            "CPU inspecting",
            format!("{:>9} ms", format::ms(timing.inspect_cpu_us)),
            theme,
        ),
    ]
}

fn sizes(exchange: &Exchange, width: u16, theme: &Theme) -> Section {
    let record = &exchange.record;
    let size = |n: u64| format!("{:>9}", format::bytes(n));
    vec![
        title("Sizes", width, theme),
        field("request", size(record.request_bytes), theme),
        field("sent upstream", size(record.upstream_bytes), theme),
        field("answer", size(record.response_bytes), theme),
    ]
}
