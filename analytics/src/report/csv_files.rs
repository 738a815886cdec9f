//! The report's tables as CSV, with plain numbers: money in decimal USD, times in microseconds.

use super::data::Data;
use crate::query::{Period, SpendBy, SpendRow};
use crate::tax::Quantity;

/// The files' names and texts.
pub(super) fn render(data: &Data) -> [(&'static str, String); 6] {
    [
        ("spend.csv", spend(data)),
        ("months.csv", months(data)),
        ("findings.csv", findings(data)),
        ("routes.csv", routes(data)),
        ("decisions.csv", decisions(data)),
        ("tax.csv", tax(data)),
    ]
}

/// Rows under a header, each begun with the period.
struct Table<const N: usize> {
    period: [String; 2],
    writer: csv::Writer<Vec<u8>>,
}

impl<const N: usize> Table<N> {
    fn new(period: Period, header: [&str; N]) -> Table<N> {
        let mut table = Table {
            period: [period.from().to_string(), period.to().to_string()],
            writer: csv::Writer::from_writer(Vec::new()),
        };
        table.write(["period_from", "period_to"].into_iter().chain(header));
        table
    }

    fn row(&mut self, cells: [String; N]) {
        let period = self.period.clone();
        self.write(period.into_iter().chain(cells));
    }

    fn write(&mut self, cells: impl Iterator<Item = impl AsRef<[u8]>>) {
        // Cannot fail: it writes into memory, and all rows of a table have N + 2 cells by type.
        self.writer.write_record(cells).unwrap_or_default();
    }

    fn finish(self) -> String {
        let bytes = self.writer.into_inner().unwrap_or_default();
        String::from_utf8(bytes).unwrap_or_default()
    }
}

/// Text that a spreadsheet would take for a formula is quoted with an apostrophe.
pub(crate) fn text(value: &str) -> String {
    if value.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{value}")
    } else {
        value.to_owned()
    }
}

fn spend(data: &Data) -> String {
    let mut table = Table::new(
        data.period,
        [
            "group_by",
            "name",
            "exchanges",
            "simulated_exchanges",
            "input_tokens",
            "cache_read_tokens",
            "cache_write_tokens",
            "output_tokens",
            "spend_usd",
            "simulated_spend_usd",
            "priced_exchanges",
            "unpriced_exchanges",
            "free_exchanges",
            "standing",
        ],
    );
    let groups: [(SpendBy, &[SpendRow]); 3] = [
        (SpendBy::Team, &data.by_team),
        (SpendBy::Model, &data.by_model),
        (SpendBy::Endpoint, &data.by_endpoint),
    ];
    for (by, rows) in groups {
        for row in rows {
            table.row([
                by.name().to_owned(),
                text(&row.name),
                row.exchanges.to_string(),
                row.simulated_exchanges.to_string(),
                row.input_tokens_total.to_string(),
                row.cache_read_tokens_total.to_string(),
                row.cache_write_tokens_total.to_string(),
                row.output_tokens_total.to_string(),
                row.spend.to_decimal(),
                row.simulated_spend.to_decimal(),
                row.priced.to_string(),
                row.unpriced.to_string(),
                row.free.to_string(),
                "derived".to_owned(),
            ]);
        }
    }
    table.finish()
}

fn months(data: &Data) -> String {
    let mut table = Table::new(
        data.period,
        [
            "month",
            "team",
            "exchanges",
            "simulated_exchanges",
            "spend_usd",
            "simulated_spend_usd",
            "unpriced_exchanges",
            "standing",
        ],
    );
    for row in &data.by_month {
        table.row([
            row.month.clone(),
            text(&row.team),
            row.exchanges.to_string(),
            row.simulated_exchanges.to_string(),
            row.spend.to_decimal(),
            row.simulated_spend.to_decimal(),
            row.unpriced.to_string(),
            "derived".to_owned(),
        ]);
    }
    table.finish()
}

fn findings(data: &Data) -> String {
    let mut table = Table::new(
        data.period,
        [
            "label",
            "found",
            "exchanges",
            "simulated_found",
            "in_permitted",
            "in_redacted",
            "in_local",
            "in_blocked",
            "standing",
        ],
    );
    for row in &data.findings {
        table.row([
            text(&row.label),
            row.found.to_string(),
            row.exchanges.to_string(),
            row.simulated_found.to_string(),
            row.in_permitted.to_string(),
            row.in_redacted.to_string(),
            row.in_local.to_string(),
            row.in_blocked.to_string(),
            "measured".to_owned(),
        ]);
    }
    table.finish()
}

fn routes(data: &Data) -> String {
    let mut table = Table::new(
        data.period,
        [
            "endpoint",
            "jurisdiction",
            "transfer_basis",
            "on_prem",
            "simulated",
            "exchanges",
            "upstream_bytes",
            "findings_in_clear",
            "input_tokens",
            "output_tokens",
            "spend_usd",
            "unpriced_exchanges",
            "total_us_p95",
        ],
    );
    for row in &data.routes {
        table.row([
            text(&row.endpoint),
            text(&row.jurisdiction),
            text(&row.transfer_basis),
            row.on_prem.to_string(),
            row.simulated.to_string(),
            row.exchanges.to_string(),
            row.upstream_bytes_total.to_string(),
            row.findings_in_clear.to_string(),
            row.input_tokens_total.to_string(),
            row.output_tokens_total.to_string(),
            row.spend.to_decimal(),
            row.unpriced.to_string(),
            row.total_us_p95.to_string(),
        ]);
    }
    table.finish()
}

fn decisions(data: &Data) -> String {
    let mut table = Table::new(
        data.period,
        [
            "rule",
            "effect",
            "reason",
            "exchanges",
            "simulated_exchanges",
            "findings",
            "policies",
        ],
    );
    for row in &data.decisions {
        table.row([
            text(&row.rule),
            text(&row.effect),
            text(&row.reason),
            row.exchanges.to_string(),
            row.simulated_exchanges.to_string(),
            row.findings_total.to_string(),
            text(&row.policies.join(" ")),
        ]);
    }
    table.finish()
}

fn tax(data: &Data) -> String {
    let mut table = Table::new(
        data.period,
        [
            "amount",
            "label",
            "value",
            "unit",
            "standing",
            "basis",
            "simulated_exchanges",
            "exchanges",
        ],
    );
    for amount in &data.tax.amounts {
        table.row([
            amount.key.to_owned(),
            amount.label.to_owned(),
            // Empty, not 0, where there was nothing to measure.
            amount.quantity.map(Quantity::plain).unwrap_or_default(),
            amount
                .quantity
                .map(Quantity::unit)
                .unwrap_or_default()
                .to_owned(),
            amount.standing.as_str().to_owned(),
            text(&amount.basis),
            data.overview.simulated_exchanges.to_string(),
            data.overview.exchanges.to_string(),
        ]);
    }
    table.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_defused() {
        assert_eq!(text("=HYPERLINK(\"x\")"), "'=HYPERLINK(\"x\")");
        assert_eq!(text("@sum"), "'@sum");
        assert_eq!(text("retail, \"north\""), "retail, \"north\"");
    }

    #[test]
    fn cells_are_quoted() {
        let period = Period::new(
            "2026-11-01T00:00:00Z".parse().unwrap(),
            "2026-11-02T00:00:00Z".parse().unwrap(),
        );
        let mut table = Table::new(period.unwrap(), ["a", "b"]);
        table.row(["x, \"y\"\nz".to_owned(), "1".to_owned()]);
        let written = table.finish();
        let mut read = csv::Reader::from_reader(written.as_bytes());
        let row = read.records().next().unwrap().unwrap();
        assert_eq!(&row[2], "x, \"y\"\nz");
        assert_eq!(&row[0], "2026-11-01T00:00:00Z");
    }
}
