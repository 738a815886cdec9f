//! Single figures that templates ask for by name.

use super::Facts;
use super::document::{Cell, Column, Table};
use super::template::Counted;
use crate::ledger::Act;
use crate::record::Effect;
use serde::Deserialize;

/// A figure, as templates name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Figure {
    Exchanges,
    SimulatedExchanges,
    ExternalExchanges,
    OnPremExchanges,
    Answered,
    Blocked,
    Refused,
    FailedClosed,
    UpstreamErrors,
    Cancelled,
    ExchangesWithFindings,
    Findings,
    FindingsReplaced,
    FindingsLeftInClear,
    FindingsStayed,
    Redacted,
    KeptOnPrem,
    Teams,
    Models,
    Endpoints,
    PolicyVersions,
    RulesThatDecided,
    OldestRecord,
    NewestRecord,
    DaysHeld,
    LedgerHolds,
    LedgerRecords,
    RecordsSigned,
    Checkpoints,
    Cosignatures,
    RecordsErased,
    ClockSteps,
    GateStarts,
    KeysCreated,
    KeysRevoked,
    Exports,
    Erasures,
}

impl Figure {
    pub(super) fn value(self, facts: &Facts) -> Cell {
        let (tally, ledger) = (&facts.tally, &facts.ledger);
        let outcome = |name: &str| tally.outcomes.get(name).copied().unwrap_or(0);
        let effect = |effect: Effect| tally.effects.get(&effect).copied().unwrap_or(0);
        let acts =
            |is: fn(&Act) -> bool| facts.acts.iter().filter(|done| is(&done.act)).count() as u64;
        let n = match self {
            Figure::Exchanges => tally.all.exchanges,
            Figure::SimulatedExchanges => tally.simulated,
            Figure::ExternalExchanges => tally.external.exchanges,
            Figure::OnPremExchanges => tally.on_prem.exchanges,
            Figure::Answered => outcome("answered"),
            Figure::Blocked => outcome("blocked"),
            Figure::Refused => outcome("refused"),
            Figure::FailedClosed => outcome("failed"),
            Figure::UpstreamErrors => outcome("upstream_error"),
            Figure::Cancelled => outcome("cancelled"),
            Figure::ExchangesWithFindings => tally.all.with_findings,
            Figure::Findings => tally.all.found,
            Figure::FindingsReplaced => tally.all.replaced,
            Figure::FindingsLeftInClear => tally.external.as_they_were,
            Figure::FindingsStayed => tally
                .all
                .as_they_were
                .saturating_sub(tally.external.as_they_were),
            Figure::Redacted => effect(Effect::Redact),
            Figure::KeptOnPrem => effect(Effect::Local),
            Figure::Teams => tally.teams.iter().filter(|team| !team.is_empty()).count() as u64,
            Figure::Models => tally.models.len() as u64,
            Figure::Endpoints => tally.routes.len() as u64,
            Figure::PolicyVersions => tally.policies.len() as u64,
            Figure::RulesThatDecided => tally
                .rules
                .keys()
                .filter(|(rule, _)| !rule.is_empty())
                .count() as u64,
            Figure::OldestRecord => {
                return facts.held.map_or(Cell::None, |(oldest, _)| oldest.into());
            }
            Figure::NewestRecord => {
                return facts.held.map_or(Cell::None, |(_, newest)| newest.into());
            }
            Figure::DaysHeld => {
                let Some((oldest, _)) = facts.held else {
                    return Cell::None;
                };
                let seconds = facts.made_at.as_second().saturating_sub(oldest.as_second());
                u64::try_from(seconds / 86_400).unwrap_or(0)
            }
            Figure::LedgerHolds => return if ledger.is_sound() { "yes" } else { "NO" }.into(),
            Figure::LedgerRecords => ledger.records,
            Figure::RecordsSigned => ledger.signed,
            Figure::Checkpoints => ledger.checkpoints,
            Figure::Cosignatures => ledger.cosignatures,
            Figure::RecordsErased => ledger.erased,
            Figure::ClockSteps => ledger.clock_steps,
            Figure::GateStarts => acts(|act| matches!(act, Act::GateStarted { .. })),
            Figure::KeysCreated => acts(|act| matches!(act, Act::KeyCreated { .. })),
            Figure::KeysRevoked => acts(|act| matches!(act, Act::KeyRevoked { .. })),
            Figure::Exports => acts(|act| matches!(act, Act::Exported { .. })),
            Figure::Erasures => acts(|act| matches!(act, Act::Erased { .. })),
        };
        n.into()
    }

    /// What it is counted from: the records of the period, the ledger as it is now, or the acts.
    fn counted_from(self) -> &'static str {
        use Figure::*;
        match self {
            OldestRecord | NewestRecord | DaysHeld | LedgerHolds | LedgerRecords
            | RecordsSigned | Checkpoints | Cosignatures | RecordsErased | ClockSteps => {
                "the ledger, as it is now"
            }
            GateStarts | KeysCreated | KeysRevoked | Exports | Erasures => "acts of the period",
            _ => "records of the period",
        }
    }
}

/// The figures as a table; with a column of controls where any is named.
pub(super) fn table(counted: &[Counted], facts: &Facts) -> Table {
    let controls = counted.iter().any(|figure| !figure.control.is_empty());
    let column = |key, label| Column { key, label };
    let mut columns = vec![
        column("figure", "What"),
        column("value", "Value"),
        column("counted_from", "Counted from"),
    ];
    if controls {
        columns.insert(0, column("control", "Control"));
    }
    let rows = counted.iter().map(|figure| {
        let mut row = vec![
            Cell::from(figure.label.as_str()),
            figure.of.value(facts),
            Cell::from(figure.of.counted_from()),
        ];
        if controls {
            row.insert(0, figure.control.as_str().into());
        }
        row
    });
    Table {
        id: "figures",
        about: String::new(),
        columns,
        rows: rows.collect(),
        left_out: 0,
    }
}
