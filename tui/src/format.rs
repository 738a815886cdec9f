//! Numbers, money, durations and times as the dashboard prints them. All arithmetic is on
//! integers, so that what is printed is what was recorded.

use jiff::{Timestamp, tz::TimeZone};
use tollgate_analytics::money::NanoUsd;
pub use tollgate_analytics::money::group_thousands as count;

/// At most five characters: `999`, `12.3k`, `4.56M`. Rounded down, so that it never overstates.
pub fn short_count(n: u64) -> String {
    let (unit, suffix) = match n {
        0..=9_999 => return n.to_string(),
        10_000..=999_999 => (1_000, 'k'),
        1_000_000..=999_999_999 => (1_000_000, 'M'),
        1_000_000_000..=999_999_999_999 => (1_000_000_000, 'G'),
        _ => (1_000_000_000_000, 'T'),
    };
    let (whole, rest) = (n / unit, n % unit);
    match whole {
        0..=9 => format!("{whole}.{:02}{suffix}", rest * 100 / unit),
        10..=99 => format!("{whole}.{}{suffix}", rest * 10 / unit),
        _ => format!("{whole}{suffix}"),
    }
}

/// Dollars for a table, rounded to `decimals` places. What is not nothing is never printed as
/// nothing: below half of the last place it reads `<$0.0001`.
pub fn usd(amount: NanoUsd, decimals: usize) -> String {
    let rounded = format!("{amount:.decimals$}");
    let vanished = amount.0 > 0 && !rounded.bytes().any(|b| matches!(b, b'1'..=b'9'));
    if !vanished {
        return rounded;
    }
    let mut least = rounded;
    least.pop();
    format!("<{least}1")
}

/// Dollars for a headline: cents from a dollar up, four decimals below.
pub fn usd_headline(amount: NanoUsd) -> String {
    let decimals = if amount.0 == 0 || amount.0.unsigned_abs() >= 1_000_000_000 {
        2
    } else {
        4
    };
    usd(amount, decimals)
}

/// Microseconds as milliseconds without the unit: `0.42`, `4.2`, `1,234`.
pub fn ms(us: u64) -> String {
    match us {
        0..=9_999 => format!("{}.{:02}", us / 1_000, us % 1_000 / 10),
        10_000..=99_999 => format!("{}.{}", us / 1_000, us % 1_000 / 100),
        _ => count(us / 1_000),
    }
}

/// Microseconds as milliseconds, or a dash when there is nothing to tell.
pub fn ms_or_dash(us: Option<u64>) -> String {
    us.map_or_else(|| "–".to_owned(), ms)
}

/// `part` of `whole` in percent: `<1%` for what is little, nothing at all without a whole.
pub fn percent(part: u64, whole: u64) -> String {
    match (part, whole) {
        (_, 0) => String::new(),
        (0, _) => "0%".to_owned(),
        _ => match u128::from(part) * 100 / u128::from(whole) {
            0 => "<1%".to_owned(),
            n => format!("{n}%"),
        },
    }
}

/// Bytes: `812 B`, `12.4 KiB`, `20.0 MiB`.
pub fn bytes(n: u64) -> String {
    let (unit, name) = match n {
        0..=1_023 => return format!("{n} B"),
        1_024..=1_048_575 => (1_024, "KiB"),
        1_048_576..=1_073_741_823 => (1_048_576, "MiB"),
        _ => (1_073_741_824, "GiB"),
    };
    format!("{}.{} {name}", count(n / unit), n % unit * 10 / unit)
}

/// Whole seconds as an age: `3 s`, `4 min`, `2 h`, `5 d`.
pub fn age(seconds: i64) -> String {
    match seconds {
        ..=119 => format!("{} s", seconds.max(0)),
        120..=7_199 => format!("{} min", seconds / 60),
        7_200..=172_799 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// A moment for a table: the time of day, or the date before today.
pub fn moment(at: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let (at, now) = (
        at.to_zoned_datetime(zone.clone()),
        now.to_zoned_datetime(zone.clone()),
    );
    let pattern = if at.date() == now.date() {
        "%H:%M:%S"
    } else {
        "%m-%d %H:%M"
    };
    at.strftime(pattern).to_string()
}

/// A moment in full, to the microsecond, with its offset.
pub fn moment_exact(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned_datetime(zone.clone())
        .strftime("%Y-%m-%d %H:%M:%S%.6f %:z")
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_counts_fit_five_characters() {
        assert_eq!(short_count(9_999), "9999");
        assert_eq!(short_count(12_345), "12.3k");
        assert_eq!(short_count(999_999), "999k");
        assert_eq!(short_count(4_567_890), "4.56M");
        for power in 0..64 {
            let n = 1u64 << power;
            assert!(short_count(n).len() <= 5 || n > 999_999_999_999_999, "{n}");
        }
    }

    #[test]
    fn money_is_rounded_but_never_to_nothing() {
        for (nano, decimals, shown) in [
            (0, 4, "$0.0000"),
            (49_999, 4, "<$0.0001"),
            (50_000, 4, "$0.0001"),
            (1_235_000_000, 2, "$1.24"),
            (1, 9, "$0.000000001"),
            (1, 0, "<$1"),
        ] {
            assert_eq!(usd(NanoUsd(nano), decimals), shown);
        }
        assert_eq!(usd_headline(NanoUsd(12_340_000)), "$0.0123");
        assert_eq!(usd_headline(NanoUsd(1_234_567_000_000)), "$1,234.57");
        assert_eq!(usd_headline(NanoUsd(0)), "$0.00");
    }

    #[test]
    fn durations_keep_three_figures() {
        assert_eq!(ms(0), "0.00");
        assert_eq!(ms(420), "0.42");
        assert_eq!(ms(9_990), "9.99");
        assert_eq!(ms(42_150), "42.1");
        assert_eq!(ms(1_234_567), "1,234");
    }

    #[test]
    fn ages_percents_and_bytes() {
        assert_eq!(age(-4), "0 s");
        assert_eq!(age(119), "119 s");
        assert_eq!(age(121), "2 min");
        assert_eq!(age(300_000), "3 d");
        assert_eq!(percent(1, 1_000), "<1%");
        assert_eq!(percent(1, 0), "");
        assert_eq!(percent(u64::MAX, u64::MAX), "100%");
        assert_eq!(bytes(812), "812 B");
        assert_eq!(bytes(12_700), "12.4 KiB");
        assert_eq!(bytes(20 << 20), "20.0 MiB");
    }

    #[test]
    fn moments_before_today_carry_their_date() {
        let now: Timestamp = "2026-03-04T10:00:00Z".parse().unwrap();
        let today: Timestamp = "2026-03-04T09:08:07.123456Z".parse().unwrap();
        let before: Timestamp = "2026-03-03T23:59:59Z".parse().unwrap();
        assert_eq!(moment(today, now, &TimeZone::UTC), "09:08:07");
        assert_eq!(moment(before, now, &TimeZone::UTC), "03-03 23:59");
        assert_eq!(
            moment_exact(today, &TimeZone::UTC),
            "2026-03-04 09:08:07.123456 +00:00"
        );
    }
}
