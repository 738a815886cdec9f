//! Made-up records.

use tollgate_analytics::ledger::Ledger;
use tollgate_analytics::record::{
    Cost, DecisionRecord, Effect, Outcome, Record, Route, Timing, Usage,
};
use uuid::Uuid;

/// 2026-11-30T23:59:00Z: records run over the end of a month.
const START_US: i64 = 1_796_083_140_000_000;

/// The `n`th record, one millisecond after the one before; no two are alike.
pub fn record(n: u64) -> Record {
    let team = ["payments", "ward-3", "people", ""][n as usize % 4];
    Record {
        exchange: Uuid::from_u128(0x0198_0000_0000_7000_8000_0000_0000_0000 + u128::from(n)),
        started_us: START_US + n as i64 * 1_000,
        caller: format!("key-{}", n % 7),
        team: team.into(),
        project: String::new(),
        trace: String::new(),
        wire: "openai".into(),
        operation: "chat".into(),
        stream: n.is_multiple_of(2),
        model: "gpt-*".into(),
        route: (!n.is_multiple_of(3)).then(|| Route {
            endpoint: "openai".into(),
            jurisdiction: "US".into(),
            transfer_basis: "scc".into(),
            on_prem: false,
            simulated: true,
        }),
        tried: Vec::new(),
        decision: DecisionRecord {
            effect: [Effect::Permit, Effect::Redact, Effect::Local, Effect::Block][n as usize % 4],
            rule: "personal-data".into(),
            reason: "holds personal data; 'quoted', \\ and\n\nblank lines".into(),
            policy: "0123456789abcdef".into(),
        },
        findings: [
            ("EMAIL".to_owned(), n as u32 % 10),
            ("PERSON".to_owned(), 2),
        ]
        .into_iter()
        .take(n as usize % 3)
        .collect(),
        replaced: n as u32 % 11,
        restored: u32::MAX,
        outcome: Outcome::Answered,
        error: String::new(),
        status: 200,
        request_bytes: n,
        upstream_bytes: u64::MAX,
        response_bytes: 4_321,
        usage: n.is_multiple_of(2).then(|| Usage {
            input: 300 + n,
            output: 40,
            ..Usage::default()
        }),
        cost: match n % 3 {
            0 => Cost::Free,
            1 => Cost::Priced {
                nano_usd: -(n as i64),
                price: "openai/gpt@2026-01-01".into(),
            },
            _ => Cost::Unpriced {
                missing: "price".into(),
            },
        },
        timing: Timing {
            total_us: 900_000,
            gate_us: 200,
            ..Timing::default()
        },
    }
}

/// Appends records `from..to`.
pub async fn fill(ledger: &Ledger, from: u64, to: u64) {
    let appends = (from..to).map(|n| {
        let ledger = ledger.clone();
        async move { ledger.append(&record(n)).await.unwrap() }
    });
    // Spawned in order on one thread: the queue keeps it.
    for append in appends.map(tokio::spawn).collect::<Vec<_>>() {
        append.await.unwrap();
    }
}
