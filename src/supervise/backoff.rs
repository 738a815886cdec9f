//! How long to wait before a child is started again.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(200);
const MAX: Duration = Duration::from_secs(30);
/// A child that was healthy for so long had no trouble starting: its end begins a new series.
const FORGIVEN_AFTER: Duration = Duration::from_secs(60);

/// Doubles the wait with each failure in a row.
#[derive(Debug, Default)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The wait after a run in which the child was healthy for `healthy_for`.
    pub fn after(&mut self, healthy_for: Duration) -> Duration {
        if healthy_for >= FORGIVEN_AFTER {
            self.failures = 0;
        }
        let wait = FIRST
            .saturating_mul(2_u32.saturating_pow(self.failures))
            .min(MAX);
        self.failures = self.failures.saturating_add(1);
        wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_to_a_bound_and_forgives_a_long_healthy_run() {
        let mut backoff = Backoff::default();
        let waits: Vec<_> = (0..10)
            .map(|_| backoff.after(Duration::ZERO).as_millis())
            .collect();
        assert_eq!(
            waits,
            [200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000, 30000]
        );
        assert_eq!(backoff.after(FORGIVEN_AFTER), FIRST);
        assert_eq!(backoff.after(Duration::from_secs(1)), FIRST * 2);
    }
}
