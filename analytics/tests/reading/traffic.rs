//! Made-up exchanges, the same for the same seed, over the first ten days of November 2026.

use serde::Serialize;
use std::collections::BTreeMap;
use uuid::Uuid;

pub const START: &str = "2026-11-01T00:00:00Z";
pub const END: &str = "2026-11-11T00:00:00Z";

/// A row of the table `exchanges`, as `FORMAT JSONEachRow` takes it.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Row {
    pub seq: u64,
    pub exchange: Uuid,
    /// `YYYY-MM-DD hh:mm:ss.ffffff`, UTC.
    pub started: String,
    #[serde(skip)]
    pub started_us: i64,
    pub caller: String,
    pub team: &'static str,
    pub wire: &'static str,
    pub operation: &'static str,
    pub stream: bool,
    pub model: &'static str,
    pub endpoint: &'static str,
    pub jurisdiction: &'static str,
    pub transfer_basis: &'static str,
    pub on_prem: bool,
    pub simulated: bool,
    pub effect: &'static str,
    pub rule: &'static str,
    pub reason: &'static str,
    pub policy: &'static str,
    pub findings: BTreeMap<&'static str, u32>,
    pub replaced: u32,
    pub restored: u32,
    pub outcome: &'static str,
    pub error: &'static str,
    pub status: u16,
    pub request_bytes: u64,
    pub upstream_bytes: u64,
    pub response_bytes: u64,
    pub usage_known: bool,
    pub usage_estimated: bool,
    pub input_tokens: u64,
    pub cache_read_tokens: u64,
    pub cache_write_tokens: u64,
    pub output_tokens: u64,
    pub reasoning_tokens: u64,
    pub cost_standing: &'static str,
    pub cost_nano_usd: i64,
    pub price: &'static str,
    pub cost_missing: &'static str,
    pub total_us: u64,
    pub gate_us: u64,
    pub inspect_cpu_us: u64,
    pub upstream_first_byte_us: u64,
}

impl Row {
    pub fn found(&self) -> u64 {
        self.findings.values().map(|n| u64::from(*n)).sum()
    }

    pub fn is_external(&self) -> bool {
        !self.endpoint.is_empty() && !self.on_prem
    }

    pub fn cost(&self) -> i64 {
        if self.cost_standing == "priced" {
            self.cost_nano_usd
        } else {
            0
        }
    }

    pub fn clear(&self) -> u64 {
        self.found().saturating_sub(self.replaced.into())
    }
}

/// xorshift64*: enough to spread values, and the same everywhere.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) % n
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u64) as usize]
    }
}

const TEAMS: [&str; 9] = [
    "retail-banking",
    "retail-banking",
    "retail-banking",
    "claims",
    "claims",
    "radiology",
    "platform",
    "people",
    "",
];
const LABELS: [&str; 9] = [
    "PERSON",
    "PERSON",
    "EMAIL",
    "PHONE",
    "IBAN",
    "ADDRESS",
    "NATIONAL_ID",
    "SECRET",
    "HEALTH",
];

/// `count` exchanges with sequence numbers from 0.
pub fn exchanges(count: u64, seed: u64) -> Vec<Row> {
    let mut dice = Dice(seed);
    let start: jiff::Timestamp = START.parse().unwrap();
    let spacing_us = 10 * 86_400_000_000 / count as i64;
    (0..count)
        .map(|seq| {
            let at = start.as_microsecond()
                + seq as i64 * spacing_us
                + dice.below(spacing_us as u64) as i64;
            exchange(seq, at, &mut dice)
        })
        .collect()
}

fn exchange(seq: u64, started_us: i64, dice: &mut Dice) -> Row {
    let at = jiff::Timestamp::from_microsecond(started_us).unwrap();
    let mut row = Row {
        seq,
        exchange: Uuid::from_u128(0x0199_0000_0000_7000_8000_0000_0000_0000 + u128::from(seq)),
        started: at.strftime("%F %T%.6f").to_string(),
        started_us,
        caller: format!("key-{}", dice.below(12)),
        team: dice.pick(&TEAMS),
        wire: "openai",
        operation: "chat",
        stream: dice.below(2) == 0,
        model: dice.pick(&["gpt-6-sol", "gpt-6-sol", "gpt-5-mini", "gpt-4o"]),
        policy: "0123456789abcdef",
        request_bytes: 400 + dice.below(8_000),
        status: 200,
        cost_standing: "free",
        inspect_cpu_us: 90 + dice.below(900),
        ..Row::default()
    };
    for _ in 0..dice.below(4) {
        *row.findings.entry(dice.pick(&LABELS)).or_default() += 1 + dice.below(3) as u32;
    }
    decide(&mut row);
    answer(&mut row, dice);
    row
}

fn decide(row: &mut Row) {
    let has = |label| row.findings.contains_key(label);
    (row.effect, row.rule, row.reason) = if has("SECRET") {
        ("block", "secrets", "A secret must not leave")
    } else if has("HEALTH") {
        (
            "local",
            "special-categories",
            "Health data stays on-prem (GDPR Art. 9)",
        )
    } else if row.findings.is_empty() {
        ("permit", "nothing-found", "Nothing was found")
    } else {
        (
            "redact",
            "personal-data",
            "Personal data is replaced before it leaves",
        )
    };
}

fn answer(row: &mut Row, dice: &mut Dice) {
    row.gate_us = 200 + dice.below(3_000);
    if row.effect == "block" {
        (row.outcome, row.error, row.status) = ("blocked", "policy_blocked", 403);
        row.total_us = row.gate_us + 50;
        return;
    }
    if dice.below(60) == 0 {
        (row.outcome, row.error, row.status) = ("refused", "malformed", 422);
        (row.effect, row.rule, row.reason) = ("block", "", "");
        row.total_us = row.gate_us;
        return;
    }
    row.outcome = if dice.below(40) == 0 {
        "upstream_error"
    } else {
        "answered"
    };
    row.upstream_bytes = row.request_bytes;
    if row.effect == "redact" {
        row.replaced = row.found() as u32;
        // A rule lets some labels pass now and then.
        row.replaced -= u32::from(dice.below(9) == 0);
        row.restored = row.replaced / 2;
        row.upstream_bytes = row.request_bytes + u64::from(row.replaced) * 14 - 6;
    }
    if row.effect == "local" {
        (row.endpoint, row.on_prem, row.model) = ("local", true, "smollm2-135m-instruct");
    } else {
        row.simulated = dice.below(10) < 4;
        (row.endpoint, row.jurisdiction, row.transfer_basis) = if row.simulated {
            ("simulated", "US", "scc")
        } else if dice.below(3) == 0 {
            ("mistral", "FR", "")
        } else {
            ("openai", "US", "scc")
        };
    }
    row.upstream_first_byte_us = 200_000 + dice.below(900_000);
    row.total_us = row.gate_us + row.upstream_first_byte_us + dice.below(4_000_000);
    row.response_bytes = 300 + dice.below(6_000);
    row.usage_known = dice.below(30) != 0;
    if row.usage_known {
        row.usage_estimated = dice.below(15) == 0;
        row.input_tokens = row.upstream_bytes / 4;
        row.cache_read_tokens = row.input_tokens / (2 + dice.below(8));
        row.output_tokens = 20 + dice.below(900);
        row.reasoning_tokens = row.output_tokens / 5;
    }
    if !row.on_prem {
        if row.usage_known {
            row.cost_standing = "priced";
            row.cost_nano_usd = (row.input_tokens * 2_000 + row.output_tokens * 10_000) as i64;
            row.price = "openai/gpt-6-sol@launch";
        } else {
            (row.cost_standing, row.cost_missing) = ("unpriced", "usage");
            // Means nothing; must not be counted.
            row.cost_nano_usd = 77;
        }
    }
}
