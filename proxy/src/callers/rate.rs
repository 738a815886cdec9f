//! How much per minute: the generic cell rate algorithm (ITU-T I.371), one atomic number each.
//!
//! What is kept is the time at which all that was used would be paid for, at the rate allowed. A
//! whole minute's worth may be used at once. What was taken by estimate is corrected once the true
//! number is known, and may run into debt: the next request waits until it is paid.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

const MINUTE_NS: u64 = 60_000_000_000;

/// What was used of a rate; 0 at first. The rate itself is told with each use, so that it can
/// change while this stays. `now` is from any fixed start.
#[derive(Debug, Default)]
pub(super) struct Rate {
    paid_at_ns: AtomicU64,
}

impl Rate {
    /// Uses `n` of `per_minute`, or says how long to wait for them. More than a minute's worth can
    /// never be had.
    pub(super) fn take(&self, per_minute: u64, n: u64, now: Duration) -> Result<(), Duration> {
        let (now, all) = (nanos(now), cost(per_minute, n));
        let used = self.paid_at_ns.fetch_update(Relaxed, Relaxed, |paid_at| {
            let next = paid_at.max(now).saturating_add(all);
            (next - now <= MINUTE_NS).then_some(next)
        });
        used.map(drop).map_err(|paid_at| {
            let next = paid_at.max(now).saturating_add(all);
            Duration::from_nanos(next - now - MINUTE_NS)
        })
    }

    /// Uses `n` whether there is room or not: they are used already.
    pub(super) fn charge(&self, per_minute: u64, n: u64, now: Duration) {
        let (now, all) = (nanos(now), cost(per_minute, n));
        let charged = |paid_at: u64| Some(paid_at.max(now).saturating_add(all));
        self.paid_at_ns.fetch_update(Relaxed, Relaxed, charged).ok();
    }

    /// Gives `n` back that were taken and not used.
    pub(super) fn refund(&self, per_minute: u64, n: u64) {
        let all = cost(per_minute, n);
        let refunded = |paid_at: u64| Some(paid_at.saturating_sub(all));
        self.paid_at_ns
            .fetch_update(Relaxed, Relaxed, refunded)
            .ok();
    }

    /// How many are left, and after which time all would be.
    pub(super) fn left(&self, per_minute: u64, now: Duration) -> (u64, Duration) {
        let used = self.paid_at_ns.load(Relaxed).saturating_sub(nanos(now));
        let free = u128::from(MINUTE_NS.saturating_sub(used)) * u128::from(per_minute);
        let left = u64::try_from(free / u128::from(MINUTE_NS)).unwrap_or(u64::MAX);
        (left, Duration::from_nanos(used))
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX / 4)
}

/// The time that pays for `n`, rounded down so that `per_minute` of them fit into a minute.
fn cost(per_minute: u64, n: u64) -> u64 {
    let all = u128::from(MINUTE_NS) * u128::from(n) / u128::from(per_minute.max(1));
    // Far beyond any wait, and still far from overflow.
    u64::try_from(all).unwrap_or(u64::MAX).min(u64::MAX / 4)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn a_minutes_worth_at_once_and_then_at_the_rate() {
        let rate = Rate::default();
        for used in 0..60 {
            assert_eq!(rate.left(60, at(5_000)), (60 - used, at(used * 1_000)));
            assert_eq!(rate.take(60, 1, at(5_000)), Ok(()));
        }
        assert_eq!(rate.take(60, 1, at(5_000)), Err(at(1_000)));
        assert_eq!(rate.take(60, 1, at(5_400)), Err(at(600)));
        assert_eq!(rate.take(60, 1, at(6_000)), Ok(()));
        assert_eq!(rate.take(60, 1, at(6_000)), Err(at(1_000)));
        assert_eq!(rate.take(60, 60, at(600_000)), Ok(()));
        // Seven do not divide a minute.
        let odd = Rate::default();
        assert_eq!(
            (0..7)
                .map(|_| odd.take(7, 1, at(0)))
                .filter(Result::is_ok)
                .count(),
            7
        );
        assert!(odd.take(7, 1, at(0)).is_err());
    }

    #[test]
    fn an_estimate_is_corrected_both_ways() {
        let rate = Rate::default();
        assert_eq!(rate.take(6_000, 1_000, at(0)), Ok(()));
        rate.refund(6_000, 400);
        assert_eq!(rate.left(6_000, at(0)), (5_400, at(6_000)));
        // Half a minute beyond what a minute holds, and one token.
        rate.charge(6_000, 8_400, at(0));
        assert_eq!(rate.left(6_000, at(0)).0, 0);
        assert_eq!(rate.take(6_000, 1, at(0)), Err(at(30_010)));
        assert_eq!(rate.take(6_000, 1, at(30_010)), Ok(()));
    }

    #[test]
    fn extremes_neither_overflow_nor_open() {
        let rate = Rate::default();
        rate.charge(1, u64::MAX, Duration::MAX);
        rate.charge(1, u64::MAX, at(0));
        assert!(rate.take(u64::MAX, 1, at(1)).is_err());
        assert_eq!(rate.left(u64::MAX, at(1)).0, 0);
        rate.refund(1, u64::MAX);
        assert!(
            Rate::default().take(1, 2, at(0)).is_err(),
            "more than there ever is"
        );
    }

    proptest! {
        /// In any window of a minute no more than two minutes' worth: what was saved and what
        /// came in.
        #[test]
        fn never_more_than_allowed(per_minute in 1_u64..50, steps in prop::collection::vec(0_u64..4_000, 1..300)) {
            let rate = Rate::default();
            let mut now = 0;
            let mut taken = Vec::new();
            for step in steps {
                now += step;
                if rate.take(per_minute, 1, at(now)).is_ok() {
                    taken.push(now);
                }
                let recent = taken.iter().filter(|&&t| t + 60_000 > now).count() as u64;
                prop_assert!(recent <= 2 * per_minute);
            }
        }
    }
}
