//! The report as a workbook whose sums and derived amounts are live formulas over an Assumptions
//! sheet: change a rate there, and everything that rests on it follows.
//!
//! A spreadsheet counts in floating point, so amounts here are rounded as it rounds; the CSV and
//! JSON files have the exact ones. Each formula also carries its result, for readers that do not
//! compute.

use super::data::Data;
use super::format;
use super::{Facts, Meta};
use crate::money::NanoUsd;
use crate::query::{SpendBy, SpendRow};
use crate::tax::{Quantity, Rate};
use rust_xlsxwriter::{
    DocProperties, ExcelDateTime, Format, FormatAlign, Formula, Workbook, Worksheet, XlsxError,
};

/// Excel's number of the paper size.
const A4: u8 = 9;
/// Days of a mean month: 365.25 / 12.
const DAYS_PER_MONTH: f64 = 30.4375;
const CPU_US_PER_HOUR: f64 = 3.6e9;
const BYTES_PER_GB: f64 = 1e9;
/// The names of the Assumptions sheet's values, in its rows from the second on.
const NAMES: [&str; 4] = [
    "cpu_core_hour_usd",
    "storage_gb_month_usd",
    "retention_days",
    "days_per_month",
];

/// The file's bytes.
pub(super) fn render(data: &Data, facts: &Facts, meta: &Meta) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    let made = ExcelDateTime::from_timestamp(meta.generated_at.as_second())?;
    book.set_properties(&DocProperties::new().set_creation_datetime(&made));
    let looks = Looks::new();
    summary(book.add_worksheet(), data, facts, meta, &looks)?;
    assumptions(book.add_worksheet(), facts, &looks)?;
    spend(book.add_worksheet(), data, &looks)?;
    tax(book.add_worksheet(), data, facts, &looks)?;
    for (row, name) in (2..).zip(NAMES) {
        book.define_name(name, &format!("=Assumptions!$B${row}"))?;
    }
    book.save_to_buffer()
}

struct Looks {
    title: Format,
    header: Format,
    usd: Format,
    count: Format,
    share: Format,
    input: Format,
    wrap: Format,
}

impl Looks {
    fn new() -> Looks {
        let number = |format: &str| Format::new().set_num_format(format);
        Looks {
            title: Format::new().set_bold().set_font_size(14),
            header: Format::new().set_bold().set_background_color("#E8EEF4"),
            usd: number("$#,##0.000000"),
            count: number("#,##0"),
            share: number("0.0000%"),
            // What may be changed.
            input: number("0.######").set_background_color("#FFF8DC"),
            wrap: Format::new().set_text_wrap().set_align(FormatAlign::Top),
        }
    }
}

/// On paper: across, as many pages down as it takes, one page wide.
fn for_print(sheet: &mut Worksheet) {
    sheet
        .set_landscape()
        .set_paper_size(A4)
        .set_print_fit_to_pages(1, 0);
}

fn dollars(amount: NanoUsd) -> f64 {
    amount.0 as f64 / 1e9
}

fn formula(text: &str, result: f64) -> Formula {
    Formula::new(text).set_result(result.to_string())
}

fn header(
    sheet: &mut Worksheet,
    row: u32,
    looks: &Looks,
    titles: &[&str],
) -> Result<(), XlsxError> {
    for (column, title) in (0..).zip(titles) {
        sheet.write_with_format(row, column, *title, &looks.header)?;
    }
    Ok(())
}

fn summary(
    sheet: &mut Worksheet,
    data: &Data,
    facts: &Facts,
    meta: &Meta,
    looks: &Looks,
) -> Result<(), XlsxError> {
    sheet.set_name("Summary")?;
    for_print(sheet);
    sheet.set_column_width(0, 44)?.set_column_width(1, 20)?;
    sheet.set_column_width(2, 12)?.set_column_width(3, 70)?;
    let whose = match meta.organization.is_empty() {
        true => "Use of language models",
        false => &meta.organization,
    };
    sheet.write_with_format(0, 0, whose, &looks.title)?;
    let period = format::period(data.period);
    sheet.write(1, 0, period)?;
    header(
        sheet,
        3,
        looks,
        &["Figure", "Value", "Standing", "How it comes about"],
    )?;
    let seen = &data.overview;
    let derived = derived(data, facts);
    let rows = [
        (
            "Exchanges",
            formula("=Spend!C3", seen.exchanges as f64),
            &looks.count,
            "measured",
            "all exchanges of the period",
        ),
        (
            "  of these simulated",
            formula("=Spend!D3", seen.simulated_exchanges as f64),
            &looks.count,
            "measured",
            "made-up traffic, never billed",
        ),
        (
            "  without a price",
            formula("=Spend!J3", seen.unpriced as f64),
            &looks.count,
            "measured",
            "their cost is unknown, and in no figure here",
        ),
        (
            "Spend on tokens, USD",
            formula("=Spend!H3", dollars(seen.spend)),
            &looks.usd,
            "derived",
            "token counts x price book",
        ),
        (
            "  of this simulated, USD",
            formula("=Spend!I3", dollars(seen.simulated_spend)),
            &looks.usd,
            "derived",
            "never billed",
        ),
        (
            "Compliance tax in money, USD",
            formula("=Tax!B2", derived.total()),
            &looks.usd,
            "derived",
            "inspection and record keeping, at the rates of the Assumptions sheet",
        ),
        (
            "Compliance tax over spend",
            formula(
                "=IF(B8=0,\"\",B10/B8)",
                ratio(derived.total(), dollars(seen.spend)),
            ),
            &looks.share,
            "derived",
            "the two figures above",
        ),
    ];
    for (row, (label, value, look, standing, basis)) in (4..).zip(rows) {
        sheet.write(row, 0, label)?;
        sheet.write_formula_with_format(row, 1, value, look)?;
        sheet.write(row, 2, standing)?;
        sheet.write_with_format(row, 3, basis, &looks.wrap)?;
    }
    Ok(())
}

fn ratio(part: f64, whole: f64) -> f64 {
    if whole == 0.0 { 0.0 } else { part / whole }
}

fn assumptions(sheet: &mut Worksheet, facts: &Facts, looks: &Looks) -> Result<(), XlsxError> {
    sheet.set_name("Assumptions")?;
    for_print(sheet);
    sheet.set_column_width(0, 30)?.set_column_width(1, 14)?;
    sheet.set_column_width(2, 26)?.set_column_width(3, 90)?;
    header(sheet, 0, looks, &["Name", "Value", "Unit", "Source"])?;
    let rates = &facts.rates;
    let of = |rate: &Rate| (dollars(rate.amount), rate.source.clone());
    let (cpu, cpu_source) = of(&rates.cpu_core_hour);
    let (storage, storage_source) = of(&rates.storage_gb_month);
    let rows = [
        (cpu, "USD per core-hour", cpu_source),
        (storage, "USD per GB-month", storage_source),
        (
            f64::from(rates.retention_days),
            "days",
            rates.retention_source.clone(),
        ),
        (DAYS_PER_MONTH, "days", "365.25 / 12".to_owned()),
    ];
    for (row, (name, (value, unit, source))) in (1..).zip(NAMES.into_iter().zip(rows)) {
        sheet.write(row, 0, name)?;
        sheet.write_with_format(row, 1, value, &looks.input)?;
        sheet.write(row, 2, unit)?;
        sheet.write_with_format(row, 3, source, &looks.wrap)?;
    }
    Ok(())
}

const SPEND_TITLES: [&str; 10] = [
    "By",
    "Name",
    "Exchanges",
    "Simulated",
    "Input tokens",
    "Cached input tokens",
    "Output tokens",
    "Spend, USD",
    "Simulated, USD",
    "Unpriced",
];

/// The totals stand above, in row 3, where formulas of other sheets find them.
fn spend(sheet: &mut Worksheet, data: &Data, looks: &Looks) -> Result<(), XlsxError> {
    sheet.set_name("Spend")?;
    for_print(sheet);
    sheet.set_column_width(0, 10)?.set_column_width(1, 34)?;
    for column in 2..10 {
        sheet.set_column_width(column, 18)?;
    }
    let note = "Spend is derived: token counts x price book. Each of the three groupings holds every exchange once.";
    sheet.write(0, 0, note)?;
    header(sheet, 1, looks, &SPEND_TITLES)?;
    let groups: [(SpendBy, &[SpendRow]); 3] = [
        (SpendBy::Team, &data.by_team),
        (SpendBy::Model, &data.by_model),
        (SpendBy::Endpoint, &data.by_endpoint),
    ];
    let mut row = 3;
    for (by, rows) in groups {
        row += 1;
        header(sheet, row, looks, &SPEND_TITLES)?;
        let first = row + 1;
        for spent in rows {
            row += 1;
            sheet.write(row, 0, by.name())?;
            // As text, whatever it begins with.
            sheet.write_string(row, 1, &spent.name)?;
            for (column, value) in (2..).zip(figures(spent)) {
                let look = if matches!(column, 7 | 8) {
                    &looks.usd
                } else {
                    &looks.count
                };
                sheet.write_with_format(row, column, value, look)?;
            }
        }
        let total = match by {
            // Of the first grouping: the sheet's totals.
            SpendBy::Team => 2,
            SpendBy::Model | SpendBy::Endpoint => {
                row += 1;
                row
            }
        };
        sheet.write_with_format(total, 0, "all", &looks.header)?;
        for column in 2_u16..10 {
            let letter = char::from(b'A' + column as u8);
            let look = if matches!(column, 7 | 8) {
                &looks.usd
            } else {
                &looks.count
            };
            let sum: f64 = rows
                .iter()
                .map(|r| figures(r)[usize::from(column) - 2])
                .sum();
            // Rows are counted from 1 there.
            let last = first + rows.len().max(1) as u32;
            let text = format!("=SUM({letter}{}:{letter}{last})", first + 1);
            sheet.write_formula_with_format(total, column, formula(&text, sum), look)?;
        }
        row += 1;
    }
    Ok(())
}

fn figures(row: &SpendRow) -> [f64; 8] {
    [
        row.exchanges as f64,
        row.simulated_exchanges as f64,
        row.input_tokens_total as f64,
        row.cache_read_tokens_total as f64,
        row.output_tokens_total as f64,
        dollars(row.spend),
        dollars(row.simulated_spend),
        row.unpriced as f64,
    ]
}

/// The tax's amounts in money, computed as the formulas do.
struct Derived {
    cpu_us: f64,
    kept_bytes: f64,
    inspection: f64,
    record_keeping: f64,
}

impl Derived {
    fn total(&self) -> f64 {
        self.inspection + self.record_keeping
    }
}

fn derived(data: &Data, facts: &Facts) -> Derived {
    let rates = &facts.rates;
    let cpu = data
        .tax
        .amounts
        .iter()
        .find_map(|amount| match amount.quantity {
            Some(Quantity::CpuMicroseconds(us)) => Some(us as f64),
            _ => None,
        });
    let cpu_us = cpu.unwrap_or_default();
    let kept_bytes = data.tax.kept_bytes.unwrap_or_default() as f64;
    let days = f64::from(rates.retention_days) / DAYS_PER_MONTH;
    Derived {
        cpu_us,
        kept_bytes,
        inspection: cpu_us / CPU_US_PER_HOUR * dollars(rates.cpu_core_hour.amount),
        record_keeping: kept_bytes / BYTES_PER_GB * dollars(rates.storage_gb_month.amount) * days,
    }
}

/// The total stands above, in row 2.
fn tax(sheet: &mut Worksheet, data: &Data, facts: &Facts, looks: &Looks) -> Result<(), XlsxError> {
    sheet.set_name("Tax")?;
    for_print(sheet);
    sheet.set_column_width(0, 44)?.set_column_width(1, 20)?;
    sheet.set_column_width(2, 10)?.set_column_width(3, 12)?;
    sheet.set_column_width(4, 110)?;
    header(
        sheet,
        0,
        looks,
        &["Amount", "Value", "Unit", "Standing", "Basis"],
    )?;
    let money = derived(data, facts);
    let live = [
        (
            "Total in money",
            "=B5+B6",
            money.total(),
            "the two amounts below that are in money",
        ),
        (
            "Inspection, cost",
            "=B8/3600000000*cpu_core_hour_usd",
            money.inspection,
            "CPU time x rate",
        ),
        (
            "Record keeping, cost",
            "=B9/1000000000*storage_gb_month_usd*retention_days/days_per_month",
            money.record_keeping,
            "bytes kept x rate x retention",
        ),
    ];
    for (row, (label, text, result, basis)) in [1, 4, 5].into_iter().zip(live) {
        sheet.write(row, 0, label)?;
        sheet.write_formula_with_format(row, 1, formula(text, result), &looks.usd)?;
        sheet
            .write(row, 2, "USD")?
            .write(row, 3, "derived")?
            .write(row, 4, basis)?;
    }
    let quantities = [
        (7, "Inspection, CPU time", money.cpu_us, "us", "measured"),
        (
            8,
            "Bytes kept for this period's records",
            money.kept_bytes,
            "bytes",
            "derived",
        ),
    ];
    for (row, label, value, unit, standing) in quantities {
        sheet
            .write(row, 0, label)?
            .write_with_format(row, 1, value, &looks.count)?;
        sheet.write(row, 2, unit)?.write(row, 3, standing)?;
    }
    header(
        sheet,
        10,
        looks,
        &["All amounts", "Value", "Unit", "Standing", "Basis"],
    )?;
    for (row, amount) in (11..).zip(&data.tax.amounts) {
        sheet.write(row, 0, amount.label)?;
        let live = match amount.key {
            "inspection_cost" => Some(("=B5", money.inspection)),
            "record_keeping_cost" => Some(("=B6", money.record_keeping)),
            _ => None,
        };
        match (amount.quantity, live) {
            (Some(quantity), Some((text, result))) => {
                sheet.write_formula_with_format(row, 1, formula(text, result), &looks.usd)?;
                sheet.write(row, 2, quantity.unit())?;
            }
            // Exact to what a spreadsheet can hold.
            (Some(quantity), None) => {
                sheet.write(row, 1, quantity.plain().parse::<f64>().unwrap_or_default())?;
                sheet.write(row, 2, quantity.unit())?;
            }
            (None, _) => _ = sheet.write(row, 1, "nothing to measure")?,
        }
        sheet.write(row, 3, amount.standing.as_str())?;
        sheet.write_with_format(row, 4, &amount.basis, &looks.wrap)?;
    }
    Ok(())
}
