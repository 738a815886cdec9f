//! A circuit breaker: an endpoint that keeps failing is left alone for a while.
//!
//! ```text
//!            failures in a row, or too large a share of them
//!   closed ────────────────────────────────────────────────► open
//!     ▲                                                      │ time is up
//!     │ the trial succeeds                                   ▼
//!     └───────────────────────────────────────────────── half-open: one trial at a time
//!                                                            │ the trial fails
//!                                                            └────► open, twice as long
//! ```
//!
//! What counts as a failure is said by who reports it: an endpoint that cannot be reached, breaks
//! off, takes too long, or says of itself that it cannot (502, 503, 504, 529). A 500 or a 429 is
//! about one request or one caller and counts for nothing here.

use crate::config::Failover;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Whether an endpoint is used, as metrics tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It is used.
    Closed,
    /// The next request is a trial.
    HalfOpen,
    /// It is left alone.
    Open,
}

/// One endpoint's breaker.
#[derive(Debug)]
pub struct Breaker {
    limits: Limits,
    inner: Mutex<Inner>,
}

#[derive(Clone, Copy, Debug)]
struct Limits {
    /// Failures in a row.
    failures_max: u32,
    /// Share of failures within a window, percent.
    failure_percent: u32,
    /// Requests of a window from which their share is told.
    requests_min: u32,
    window: Duration,
    open: Duration,
    open_max: Duration,
}

#[derive(Debug)]
struct Inner {
    /// Since when it is not closed any more, and until when it is left alone.
    open_until: Option<Instant>,
    /// A trial is under way.
    trial: bool,
    /// How many times it was opened without having been closed.
    opened: u32,
    in_a_row: u32,
    window: Window,
}

/// What happened since `began`; a new one begins when it is old.
#[derive(Debug)]
struct Window {
    began: Instant,
    requests: u32,
    failures: u32,
}

impl Breaker {
    /// A closed breaker.
    pub fn new(settings: &Failover) -> Self {
        Breaker {
            limits: Limits {
                failures_max: settings.failures_max,
                failure_percent: settings.failure_percent,
                requests_min: settings.failure_requests_min,
                window: Duration::from_millis(settings.window_ms),
                open: Duration::from_millis(settings.open_ms),
                open_max: Duration::from_millis(settings.open_max_ms),
            },
            inner: Mutex::new(Inner {
                open_until: None,
                trial: false,
                opened: 0,
                in_a_row: 0,
                window: Window::new(Instant::now()),
            }),
        }
    }

    /// Lets a request through, or says for how long none is.
    pub fn admit(&self, now: Instant) -> Result<Pass<'_>, Duration> {
        let mut inner = self.lock();
        let trial = match inner.open_until {
            None => false,
            Some(until) if until > now => return Err(until - now),
            // A second at most: a trial ends with its answer's head.
            Some(_) if inner.trial => return Err(Duration::from_secs(1)),
            Some(_) => true,
        };
        inner.trial = trial;
        Ok(Pass {
            breaker: self,
            trial,
        })
    }

    /// The state, and for how long it is open.
    pub fn state(&self, now: Instant) -> (State, Duration) {
        match self.lock().open_until {
            None => (State::Closed, Duration::ZERO),
            Some(until) if until > now => (State::Open, until - now),
            Some(_) => (State::HalfOpen, Duration::ZERO),
        }
    }

    /// It answered. Returns whether that closed the breaker.
    pub fn succeeded(&self, now: Instant) -> bool {
        let mut inner = self.lock();
        inner.in_a_row = 0;
        inner.window(now, self.limits.window).requests += 1;
        inner.trial = false;
        // Answers to what was sent before it was opened say nothing of now.
        let closes = inner.open_until.is_some_and(|until| until <= now);
        if closes {
            inner.open_until = None;
            inner.opened = 0;
            inner.window = Window::new(now);
        }
        closes
    }

    /// It failed. Returns for how long it is left alone, if that was decided now.
    pub fn failed(&self, now: Instant) -> Option<Duration> {
        let limits = self.limits;
        let mut inner = self.lock();
        inner.in_a_row = inner.in_a_row.saturating_add(1);
        let window = inner.window(now, limits.window);
        window.requests += 1;
        window.failures += 1;
        let share = u64::from(window.failures) * 100
            >= u64::from(window.requests) * u64::from(limits.failure_percent);
        let many = window.requests >= limits.requests_min && share;
        let trial = std::mem::take(&mut inner.trial);
        let opens = match inner.open_until {
            // What was sent before it was opened changes nothing.
            Some(until) if until > now => false,
            Some(_) => trial,
            None => inner.in_a_row >= limits.failures_max || many,
        };
        opens.then(|| inner.open(now, &limits))
    }

    /// Opens it whatever was counted: a health check says that it is down.
    pub fn eject(&self, now: Instant) -> Option<Duration> {
        let mut inner = self.lock();
        inner.trial = false;
        let is_open = inner.open_until.is_some_and(|until| until > now);
        (!is_open).then(|| inner.open(now, &self.limits))
    }

    /// Closes it whatever was counted: a health check says that it is up.
    pub fn readmit(&self, now: Instant) -> bool {
        let mut inner = self.lock();
        let closes = inner.open_until.is_some();
        if closes {
            *inner = Inner {
                open_until: None,
                trial: false,
                opened: 0,
                in_a_row: 0,
                window: Window::new(now),
            };
        }
        closes
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().expect("no panic while held")
    }
}

impl Inner {
    fn open(&mut self, now: Instant, limits: &Limits) -> Duration {
        let factor = 2_u32.saturating_pow(self.opened);
        let time = limits.open.saturating_mul(factor).min(limits.open_max);
        self.opened = self.opened.saturating_add(1);
        self.open_until = Some(now + time);
        self.in_a_row = 0;
        self.window = Window::new(now);
        time
    }

    fn window(&mut self, now: Instant, length: Duration) -> &mut Window {
        if now.saturating_duration_since(self.window.began) > length {
            self.window = Window::new(now);
        }
        &mut self.window
    }
}

impl Window {
    fn new(began: Instant) -> Self {
        Window {
            began,
            requests: 0,
            failures: 0,
        }
    }
}

/// A request let through. Dropped without a report (its caller left, say), a trial can be had by
/// the next.
#[must_use]
#[derive(Debug)]
pub struct Pass<'a> {
    breaker: &'a Breaker,
    trial: bool,
}

impl Pass<'_> {
    /// The endpoint answered.
    pub fn succeeded(mut self, now: Instant) -> bool {
        self.trial = false;
        self.breaker.succeeded(now)
    }

    /// The endpoint failed.
    pub fn failed(mut self, now: Instant) -> Option<Duration> {
        self.trial = false;
        self.breaker.failed(now)
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        if self.trial {
            self.breaker.lock().trial = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaker() -> (Breaker, Instant) {
        let settings = Failover {
            failures_max: 3,
            failure_percent: 50,
            failure_requests_min: 10,
            window_ms: 10_000,
            open_ms: 1_000,
            open_max_ms: 3_000,
            ..Failover::default()
        };
        (Breaker::new(&settings), Instant::now())
    }

    const SECOND: Duration = Duration::from_secs(1);

    fn trip(breaker: &Breaker, now: Instant) -> Option<Duration> {
        breaker.admit(now).expect("let through").failed(now)
    }

    #[test]
    fn failures_in_a_row_open_it_and_one_trial_at_a_time_closes_it() {
        let (breaker, start) = breaker();
        assert_eq!(trip(&breaker, start), None);
        assert!(!breaker.admit(start).unwrap().succeeded(start));
        assert_eq!(trip(&breaker, start), None);
        assert_eq!(trip(&breaker, start), None);
        assert_eq!(trip(&breaker, start), Some(SECOND));
        assert_eq!(breaker.admit(start).unwrap_err(), SECOND);
        assert_eq!(breaker.state(start), (State::Open, SECOND));

        let later = start + SECOND;
        let trial = breaker.admit(later).expect("a trial");
        assert_eq!(breaker.state(later).0, State::HalfOpen);
        assert!(breaker.admit(later).is_err(), "one at a time");
        drop(trial);
        let trial = breaker.admit(later).expect("the abandoned trial's place");
        assert!(trial.succeeded(later));
        assert_eq!(breaker.state(later).0, State::Closed);
        drop(breaker.admit(later).expect("closed"));
    }

    #[test]
    fn each_failed_trial_doubles_the_time_up_to_a_bound() {
        let (breaker, mut now) = breaker();
        for _ in 0..2 {
            assert_eq!(trip(&breaker, now), None);
        }
        let mut times = Vec::new();
        for _ in 0..4 {
            let time = trip(&breaker, now).expect("opened");
            times.push(time.as_secs());
            now += time;
        }
        assert_eq!(times, [1, 2, 3, 3]);
        assert!(breaker.admit(now).unwrap().succeeded(now));
        for _ in 0..2 {
            assert_eq!(trip(&breaker, now), None);
        }
        assert_eq!(trip(&breaker, now), Some(SECOND), "a success forgives");
    }

    #[test]
    fn a_large_share_of_failures_opens_it_too_but_not_an_old_one() {
        let (breaker, mut now) = breaker();
        let mut opened = Vec::new();
        for n in 0..12 {
            // Never two failures in a row.
            if n % 2 == 0 {
                assert!(!breaker.succeeded(now));
            } else if breaker.failed(now).is_some() {
                opened.push(n);
            }
        }
        assert_eq!(opened, [9], "five of ten, and then it was open");
        now += SECOND;
        assert!(breaker.admit(now).unwrap().succeeded(now));
        for _ in 0..20 {
            assert!(!breaker.succeeded(now));
            now += 6 * SECOND;
            assert_eq!(breaker.failed(now), None, "few within one window");
        }
    }

    #[test]
    fn late_reports_change_nothing() {
        let (breaker, now) = breaker();
        for _ in 0..3 {
            let _ = breaker.failed(now);
        }
        assert!(!breaker.succeeded(now));
        assert_eq!(breaker.failed(now), None);
        assert_eq!(breaker.state(now).0, State::Open);
        assert!(breaker.readmit(now));
        assert_eq!(breaker.state(now).0, State::Closed);
        assert_eq!(breaker.eject(now), Some(SECOND));
        assert_eq!(breaker.eject(now), None);
    }
}
