//! Figures as people read them.

use crate::money::{NanoUsd, group_thousands, round_half_up};
use crate::query::Period;
use crate::tax::Quantity;
use jiff::Timestamp;

/// A count with separators.
pub(crate) fn count(n: u64) -> String {
    group_thousands(n)
}

/// A count of things: `1 exchange`, `2 exchanges`.
pub(crate) fn counted(n: u64, thing: &str) -> String {
    let plural = if n == 1 { "" } else { "s" };
    format!("{} {thing}{plural}", group_thousands(n))
}

/// Dollars, with more digits the smaller the amount: an amount that is not 0 never reads as 0.
pub(crate) fn usd(amount: NanoUsd) -> String {
    match amount.0.unsigned_abs() {
        0 | 1_000_000_000.. => format!("{amount:.2}"),
        10_000_000.. => format!("{amount:.4}"),
        1_000.. => format!("{amount:.6}"),
        _ => "under $0.000001".to_owned(),
    }
}

/// A duration of microseconds in the unit that fits.
pub(crate) fn microseconds(us: u64) -> String {
    match us {
        0..1_000 => format!("{us} µs"),
        1_000..1_000_000 => format!("{} ms", tenths(us, 1_000)),
        1_000_000..600_000_000 => format!("{} s", tenths(us, 1_000_000)),
        _ => format!("{} min", tenths(us, 60_000_000)),
    }
}

/// A share in percent, to one place, or more where it is small.
pub(crate) fn percent(part: u64, whole: u64) -> String {
    let of = |scale: u32| {
        let scaled = i128::from(part) * 100 * i128::from(10_u64.pow(scale));
        round_half_up(scaled, i128::from(whole)).unwrap_or_default()
    };
    match (part, of(1)) {
        (0, _) => "0\u{a0}%".to_owned(),
        (_, 0..=10) => match of(3) {
            0 => "under 0.001\u{a0}%".to_owned(),
            n => format!("0.{n:03}\u{a0}%"),
        },
        (_, n) => format!("{}.{}\u{a0}%", n / 10, n % 10),
    }
}

fn tenths(n: u64, unit: u64) -> String {
    let tenths = round_half_up(i128::from(n) * 10, i128::from(unit)).unwrap_or_default();
    let whole = u64::try_from(tenths / 10).unwrap_or_default();
    match tenths % 10 {
        0 => group_thousands(whole),
        tenth => format!("{}.{tenth}", group_thousands(whole)),
    }
}

/// A quantity of the tax.
pub(crate) fn quantity(quantity: Quantity) -> String {
    let signed = |n: i64| {
        let sign = if n < 0 { "-" } else { "" };
        format!("{sign}{}", group_thousands(n.unsigned_abs()))
    };
    match quantity {
        Quantity::Money(amount) => usd(amount),
        Quantity::Microseconds(us) => microseconds(us),
        Quantity::CpuMicroseconds(us) => format!("{} of CPU", microseconds(us)),
        Quantity::Bytes(n) => format!("{} bytes", signed(n)),
        Quantity::Tokens(n) => format!("{} tokens", signed(n)),
        Quantity::Share { part, whole } => percent(part, whole),
    }
}

/// An instant, to the minute.
pub(crate) fn instant(at: Timestamp) -> String {
    at.strftime("%-d %B %Y, %H:%M UTC").to_string()
}

/// A period; whole days as days, of which the last is included.
pub(crate) fn period(period: Period) -> String {
    let (from, to) = (period.from(), period.to());
    let day_us = 86_400_000_000;
    let whole_days = [from, to]
        .iter()
        .all(|at| at.as_microsecond() % day_us == 0);
    if !whole_days {
        return format!("{} to {}", instant(from), instant(to));
    }
    let last = Timestamp::from_microsecond(to.as_microsecond() - day_us).unwrap_or(from);
    let day = |at: Timestamp| at.strftime("%-d %B %Y").to_string();
    if from == last {
        day(from)
    } else {
        format!("{} to {}", day(from), day(last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_that_are_not_zero_never_read_as_zero() {
        for (nano, text) in [
            (0, "$0.00"),
            (1, "under $0.000001"),
            (1_000, "$0.000001"),
            (9_999_999, "$0.010000"),
            (10_000_000, "$0.0100"),
            (1_234_567_890_123, "$1,234.57"),
        ] {
            assert_eq!(usd(NanoUsd(nano)), text);
        }
        assert_eq!(percent(0, 7), "0\u{a0}%");
        assert_eq!(percent(1, 3), "33.3\u{a0}%");
        assert_eq!(percent(1, 1_000), "0.100\u{a0}%");
        assert_eq!(percent(1, 10_000), "0.010\u{a0}%");
        assert_eq!(percent(1, u64::MAX), "under 0.001\u{a0}%");
        assert_eq!(percent(7, 7), "100.0\u{a0}%");
    }

    #[test]
    fn durations_take_the_unit_that_fits() {
        for (us, text) in [
            (999, "999 µs"),
            (1_000, "1 ms"),
            (12_345, "12.3 ms"),
            (1_500_000, "1.5 s"),
            (7_200_000_000, "120 min"),
        ] {
            assert_eq!(microseconds(us), text);
        }
    }

    #[test]
    fn whole_days_read_as_days() {
        let text = |from: &str, to: &str| {
            period(Period::new(from.parse().unwrap(), to.parse().unwrap()).unwrap())
        };
        assert_eq!(
            text("2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z"),
            "1 November 2026 to 30 November 2026"
        );
        assert_eq!(
            text("2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z"),
            "1 November 2026"
        );
        assert_eq!(
            text("2026-11-01T08:30:00Z", "2026-11-01T09:00:00Z"),
            "1 November 2026, 08:30 UTC to 1 November 2026, 09:00 UTC"
        );
    }
}
