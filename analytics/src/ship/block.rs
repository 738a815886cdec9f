//! Which records go into one insert.

use crate::ledger::Entry;
use jiff::Timestamp;
use jiff::tz::Offset;

/// The number of entries at the head of `entries` that fall into one month, and so into one
/// partition of the table: an insert that spans two is not atomic.
pub(super) fn length(entries: &[Entry]) -> usize {
    let Some(first) = entries.first() else {
        return 0;
    };
    let month = month(first.record.started_us);
    entries
        .iter()
        .take_while(|entry| self::month(entry.record.started_us) == month)
        .count()
}

/// Year and month in UTC, as `toYYYYMM` of a `DateTime64(6, 'UTC')`. Times that no calendar
/// holds are a month of their own, which at worst cuts a block too often.
fn month(started_us: i64) -> Option<(i16, i8)> {
    let time = Timestamp::from_microsecond(started_us).ok()?;
    let date = Offset::UTC.to_datetime(time);
    Some((date.year(), date.month()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Hash;
    use crate::ledger::tests::sample;

    #[test]
    fn a_block_ends_where_the_month_does() {
        let entries = |times: &[&str]| -> Vec<Entry> {
            let entry = |(seq, time): (usize, &&str)| {
                let seq = seq as u64;
                let mut record = sample(seq);
                record.started_us = time.parse::<Timestamp>().unwrap().as_microsecond();
                Entry {
                    seq,
                    hash: Hash::of(b""),
                    record,
                }
            };
            times.iter().enumerate().map(entry).collect()
        };
        let (before, after) = ("2026-11-30T23:59:59.999999Z", "2026-12-01T00:00:00Z");
        assert_eq!(length(&[]), 0);
        assert_eq!(length(&entries(&[before])), 1);
        assert_eq!(length(&entries(&[before, before, after, before])), 2);
        assert_eq!(
            length(&entries(&[
                after,
                "2026-12-31T23:59:59Z",
                "2027-12-01T00:00:00Z"
            ])),
            2
        );
    }
}
