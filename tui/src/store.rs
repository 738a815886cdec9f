//! The analytics store as a [`Source`]: one typed question of [`tollgate_analytics::query`] per
//! panel, and the latest exchanges, which are read once and then followed.

use crate::{
    model::{
        Effects, EntityRow, Exchange, Latency, RouteRow, RuleRow, Snapshot, Spend, SpendRow, Step,
        Totals, UnpricedRow,
    },
    period::Period,
    source::{LoadError, Request, Source, find},
};
use clickhouse::Client;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, de::value::StrDeserializer};
use std::sync::Arc;
use tollgate_analytics::{
    query::{self, Cursor, SpendBy},
    record::{Cost, DecisionRecord, Effect, Record, Route, Timing, Usage},
};

/// How many exchanges are kept at hand for scrolling and filtering.
pub const HISTORY_MAX: usize = 5_000;

/// How many exchanges are read at a time.
const PAGE: u32 = 1_000;

/// At most so many steps in a series: finer than any terminal is wide.
const SERIES_STEPS: u64 = 1_500;

/// What "everything" means: as many days as a series may have.
const ALL_DAYS: i64 = query::MAX_POINTS as i64 - 2;

/// Reads the analytics store.
pub struct Store {
    client: Client,
    /// The newest exchanges, newest first.
    history: Vec<Arc<Exchange>>,
    /// Whether `history` reaches back to the store's first exchange.
    whole: bool,
}

impl Store {
    /// A reader by `client`, which names the URL and the database.
    pub fn new(client: Client) -> Store {
        Store {
            client,
            history: Vec::new(),
            whole: false,
        }
    }

    /// Puts what came since the last reading in front, and one older page at the back until
    /// there are [`HISTORY_MAX`]. Holds together wherever it is dropped.
    async fn follow(&mut self) -> Result<(), LoadError> {
        let last = query::freshness(&self.client).await?.last_seq;
        if last < self.history.first().map(|held| held.seq) {
            // The store was rebuilt or is another one.
            self.history.clear();
        }
        let newest_held = self.history.first().map(|held| held.seq);
        let fresh = self
            .page(newest_held.map_or(Cursor::Newest, Cursor::After))
            .await?;
        let full = fresh.len() >= PAGE as usize;
        if newest_held.is_none() || full {
            // The first reading, or more came than a page holds: there may be a gap.
            self.whole = !full;
            self.history = fresh;
            return Ok(());
        }
        self.history.splice(0..0, fresh);
        self.history.truncate(HISTORY_MAX);
        self.whole &= self.history.len() < HISTORY_MAX;
        if let Some(oldest) = self.history.last()
            && !self.whole
            && self.history.len() < HISTORY_MAX
        {
            let older = self.page(Cursor::Before(oldest.seq)).await?;
            self.whole = older.len() < PAGE as usize;
            self.history.extend(older);
            self.history.truncate(HISTORY_MAX);
        }
        Ok(())
    }

    async fn page(&self, cursor: Cursor) -> Result<Vec<Arc<Exchange>>, LoadError> {
        let rows = query::latest(&self.client, cursor, PAGE).await?;
        rows.into_iter()
            .map(|row| exchange(row).map(Arc::new))
            .collect()
    }

    /// The period and its series. "Everything" begins on the day of the first exchange.
    async fn series(
        &self,
        period: Period,
        now: Timestamp,
    ) -> Result<(query::Period, Vec<Step>), LoadError> {
        let length = period.seconds().unwrap_or(ALL_DAYS * 86_400);
        let mut asked = query::Period::last(SignedDuration::from_secs(length), now)?;
        if period == Period::All {
            let days = query::series(&self.client, asked, query::Step::Day).await?;
            let first = days
                .iter()
                .find(|day| day.exchanges > 0)
                .map_or(now, |day| day.at());
            asked = query::Period::new(first, asked.to())?;
        }
        let step = query::Step::fitting(asked, SERIES_STEPS);
        let points = query::series(&self.client, asked, step).await?;
        let steps = points.iter().map(|point| Step {
            start: point.at(),
            exchanges: point.exchanges,
            blocked: point.blocked,
        });
        Ok((asked, steps.collect()))
    }
}

impl Source for Store {
    async fn load(&mut self, request: &Request, now: Timestamp) -> Result<Snapshot, LoadError> {
        let (period, series) = self.series(request.period, now).await?;
        self.follow().await?;
        let client = &self.client;
        let overview = query::overview(client, period).await?;
        // As the queries compare: in microseconds.
        let from_us = period.from().as_microsecond();
        let in_period = |exchange: &&Arc<Exchange>| exchange.record.started_us >= from_us;
        let exchanges: Vec<_> = self.history.iter().filter(in_period).cloned().collect();
        let looked_up = match request.lookup {
            None => None,
            Some(id) => match find(&self.history, id) {
                Some(exchange) => Some(exchange),
                None => query::exchange(client, id)
                    .await?
                    .map(exchange)
                    .transpose()?
                    .map(Arc::new),
            },
        };
        Ok(Snapshot {
            totals: totals(overview),
            series,
            entities: query::findings(client, period)
                .await?
                .into_iter()
                .map(entity)
                .collect(),
            routes: query::routes(client, period)
                .await?
                .into_iter()
                .map(route)
                .collect(),
            teams: spend(query::spend(client, period, SpendBy::Team).await?),
            models: spend(query::spend(client, period, SpendBy::Model).await?),
            unpriced: query::unpriced(client, period)
                .await?
                .into_iter()
                .map(unpriced)
                .collect(),
            rules: query::decisions(client, period)
                .await?
                .into_iter()
                .map(rule)
                .collect::<Result<_, _>>()?,
            exchanges_complete: self.whole || exchanges.len() < self.history.len(),
            exchanges,
            looked_up,
        })
    }
}

fn totals(row: query::Overview) -> Totals {
    let outcomes = [
        ("answered", row.answered),
        ("blocked", row.blocked),
        ("refused", row.refused),
        ("upstream_error", row.upstream_error),
        ("cancelled", row.cancelled),
        ("failed", row.failed),
    ];
    let routed = row.external_exchanges + row.on_prem_exchanges;
    Totals {
        exchanges: row.exchanges,
        simulated: row.simulated_exchanges,
        effects: Effects {
            permit: row.effect_permit,
            redact: row.effect_redact,
            local: row.effect_local,
            block: row.effect_block,
        },
        on_prem: row.on_prem_exchanges,
        outcomes: outcomes.into_iter().filter(|(_, n)| *n > 0).collect(),
        findings: row.findings_total,
        replaced: row.replaced_total,
        left_in_clear: row.findings_left_in_clear,
        spend: Spend {
            exchanges: row.exchanges,
            input_tokens: row.input_tokens_total,
            output_tokens: row.output_tokens_total,
            nano_usd: row.spend,
            unpriced: row.unpriced,
        },
        gate: (routed > 0).then(|| latency(row.gate_us_percentiles)),
        total: (row.answered > 0).then(|| latency(row.total_us_percentiles)),
    }
}

fn latency(of: query::Percentiles) -> Latency {
    Latency {
        p50_us: of.p50,
        p95_us: of.p95,
        p99_us: of.p99,
    }
}

fn entity(row: query::FindingRow) -> EntityRow {
    EntityRow {
        entity: row.label,
        findings: Effects {
            permit: row.in_permitted,
            redact: row.in_redacted,
            local: row.in_local,
            block: row.in_blocked,
        },
        exchanges: row.exchanges,
    }
}

fn route(row: query::RouteRow) -> RouteRow {
    RouteRow {
        endpoint: row.endpoint,
        jurisdiction: row.jurisdiction,
        transfer_basis: row.transfer_basis,
        on_prem: row.on_prem,
        simulated: row.simulated,
        spend: Spend {
            exchanges: row.exchanges,
            input_tokens: row.input_tokens_total,
            output_tokens: row.output_tokens_total,
            nano_usd: row.spend,
            unpriced: row.unpriced,
        },
        findings_in_clear: row.findings_in_clear,
        total_p95_us: (row.total_us_p95 > 0).then_some(row.total_us_p95),
    }
}

fn spend(rows: Vec<query::SpendRow>) -> Vec<SpendRow> {
    let convert = |row: query::SpendRow| SpendRow {
        name: row.name,
        spend: Spend {
            exchanges: row.exchanges,
            input_tokens: row.input_tokens_total,
            output_tokens: row.output_tokens_total,
            nano_usd: row.spend,
            unpriced: row.unpriced,
        },
        simulated_nano_usd: row.simulated_spend,
    };
    rows.into_iter().map(convert).collect()
}

fn unpriced(row: query::UnpricedRow) -> UnpricedRow {
    UnpricedRow {
        model: row.model_name,
        missing: row.missing,
        exchanges: row.exchanges,
    }
}

fn rule(row: query::DecisionRow) -> Result<RuleRow, LoadError> {
    Ok(RuleRow {
        effect: named("effect", &row.effect)?,
        rule: row.rule,
        reason: row.reason,
        decisions: row.exchanges,
        findings: row.findings_total,
        policies: row.policies,
    })
}

fn exchange(row: query::Exchange) -> Result<Exchange, LoadError> {
    let effect: Effect = named("effect", &row.effect)?;
    let cost = match row.cost_standing.as_str() {
        "priced" => Cost::Priced {
            nano_usd: row.cost_nano_usd.0,
            price: row.price,
        },
        "unpriced" => Cost::Unpriced {
            missing: row.cost_missing,
        },
        "free" => Cost::Free,
        other => {
            return Err(LoadError::Unknown {
                field: "cost standing",
                value: other.to_owned(),
            });
        }
    };
    let route = (!row.endpoint.is_empty()).then_some(Route {
        endpoint: row.endpoint,
        jurisdiction: row.jurisdiction,
        transfer_basis: row.transfer_basis,
        on_prem: row.on_prem,
        simulated: row.simulated,
    });
    let usage = row.usage_known.then_some(Usage {
        input: row.input_tokens,
        cache_read: row.cache_read_tokens,
        cache_write: row.cache_write_tokens,
        output: row.output_tokens,
        reasoning: row.reasoning_tokens,
        estimated: row.usage_estimated,
    });
    let record = Record {
        exchange: row.exchange,
        started_us: row.started_us,
        caller: row.caller,
        team: row.team,
        project: String::new(),
        trace: String::new(),
        wire: row.wire,
        operation: row.operation,
        stream: row.stream,
        model: row.model,
        route,
        tried: Vec::new(),
        decision: DecisionRecord {
            effect,
            rule: row.rule,
            reason: row.reason,
            policy: row.policy,
        },
        findings: row.findings,
        replaced: row.replaced,
        restored: row.restored,
        outcome: named("outcome", &row.outcome)?,
        error: row.error,
        status: row.status,
        request_bytes: row.request_bytes,
        upstream_bytes: row.upstream_bytes,
        response_bytes: row.response_bytes,
        usage,
        cost,
        timing: Timing {
            total_us: row.total_us,
            gate_us: row.gate_us,
            inspect_cpu_us: row.inspect_cpu_us,
            upstream_first_byte_us: row.upstream_first_byte_us,
        },
    };
    Ok(Exchange {
        seq: row.seq,
        record,
    })
}

/// The variant that the record writes under that name.
fn named<'a, T: Deserialize<'a>>(field: &'static str, value: &'a str) -> Result<T, LoadError> {
    let name: StrDeserializer<'a, serde::de::value::Error> = StrDeserializer::new(value);
    T::deserialize(name).map_err(|_| LoadError::Unknown {
        field,
        value: value.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tollgate_analytics::{money::NanoUsd, record::Outcome};
    use uuid::Uuid;

    fn row() -> query::Exchange {
        query::Exchange {
            seq: 7,
            exchange: Uuid::from_u128(9),
            started_us: 1_772_625_845_000_001,
            caller: "bot".into(),
            team: "hr".into(),
            wire: "openai".into(),
            operation: "chat".into(),
            stream: true,
            model: "gpt-4o".into(),
            endpoint: "openai".into(),
            jurisdiction: "US".into(),
            transfer_basis: "scc".into(),
            on_prem: false,
            simulated: true,
            effect: "redact".into(),
            rule: "a-rule".into(),
            reason: "A reason.".into(),
            policy: "00ff".into(),
            findings: [("IBAN".to_owned(), 2)].into(),
            replaced: 2,
            restored: 1,
            outcome: "upstream_error".into(),
            error: "upstream_reset".into(),
            status: 502,
            request_bytes: 10,
            upstream_bytes: 11,
            response_bytes: 12,
            usage_known: false,
            usage_estimated: false,
            input_tokens: 0,
            cache_read_tokens: 0,
            cache_write_tokens: 0,
            output_tokens: 0,
            reasoning_tokens: 0,
            cost_standing: "unpriced".into(),
            cost_nano_usd: NanoUsd(0),
            price: String::new(),
            cost_missing: "usage".into(),
            total_us: 40,
            gate_us: 20,
            inspect_cpu_us: 15,
            upstream_first_byte_us: 10,
        }
    }

    #[test]
    fn a_row_becomes_the_record_that_it_was() {
        let exchange = exchange(row()).unwrap();
        assert_eq!(exchange.seq, 7);
        let record = exchange.record;
        assert_eq!(record.decision.effect, Effect::Redact);
        assert_eq!(record.outcome, Outcome::UpstreamError);
        assert_eq!(record.usage, None);
        assert_eq!(
            record.cost,
            Cost::Unpriced {
                missing: "usage".into()
            }
        );
        assert!(record.route.unwrap().simulated);
        let nowhere = query::Exchange {
            endpoint: String::new(),
            ..row()
        };
        assert_eq!(super::exchange(nowhere).unwrap().record.route, None);
    }

    #[test]
    fn an_unknown_name_is_said() {
        for bad in [
            query::Exchange {
                effect: "shred".into(),
                ..row()
            },
            query::Exchange {
                outcome: "shred".into(),
                ..row()
            },
            query::Exchange {
                cost_standing: "shred".into(),
                ..row()
            },
        ] {
            assert!(exchange(bad).unwrap_err().to_string().contains("\"shred\""));
        }
    }
}
