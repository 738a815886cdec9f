//! How many requests an endpoint has at once, and how many wait for one of them to end.

use crate::error::Refusal;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The places at one endpoint.
#[derive(Debug)]
pub struct Slots {
    free: Arc<Semaphore>,
    max: usize,
    queued: AtomicUsize,
    queue_max: usize,
    patience: Duration,
}

/// A place at an endpoint, given back when dropped.
pub type Slot = OwnedSemaphorePermit;

impl Slots {
    /// `max` places, `queue_max` more that wait for at most `patience`.
    pub fn new(max: usize, queue_max: usize, patience: Duration) -> Self {
        Slots {
            free: Arc::new(Semaphore::new(max)),
            max,
            queued: AtomicUsize::new(0),
            queue_max,
            patience,
        }
    }

    /// A place, at once or after waiting.
    ///
    /// # Errors
    /// When too many wait already, or none became free in time.
    pub async fn take(&self) -> Result<Slot, Refusal> {
        if let Ok(slot) = Arc::clone(&self.free).try_acquire_owned() {
            return Ok(slot);
        }
        let place = Queued::join(&self.queued);
        if self.queued.load(Relaxed) > self.queue_max {
            return Err(Refusal::endpoint_busy().because("the queue is full"));
        }
        let wait = Arc::clone(&self.free).acquire_owned();
        let slot = tokio::time::timeout(self.patience, wait).await;
        drop(place);
        match slot {
            Ok(Ok(slot)) => Ok(slot),
            _ => Err(Refusal::endpoint_busy().because("no place became free in time")),
        }
    }

    /// Requests at the endpoint, and requests that wait.
    pub fn used(&self) -> (usize, usize) {
        let free = self.free.available_permits();
        (self.max - free.min(self.max), self.queued.load(Relaxed))
    }
}

/// Counted while it waits, also when it is cancelled.
struct Queued<'a>(&'a AtomicUsize);

impl<'a> Queued<'a> {
    fn join(queued: &'a AtomicUsize) -> Self {
        queued.fetch_add(1, Relaxed);
        Queued(queued)
    }
}

impl Drop for Queued<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn few_are_served_few_wait_and_the_rest_are_told_at_once() {
        let slots = Arc::new(Slots::new(1, 1, Duration::from_secs(10)));
        let first = slots.take().await.expect("free");
        let held = Arc::clone(&slots);
        let second = tokio::spawn(async move { held.take().await.map(drop) });
        while slots.used() != (1, 1) {
            tokio::task::yield_now().await;
        }
        let third = slots.take().await.expect_err("the queue is full");
        assert_eq!((third.status, third.code), (429, "endpoint_busy"));
        drop(first);
        second.await.expect("no panic").expect("its turn came");
        assert_eq!(slots.used(), (0, 0));
    }

    #[tokio::test]
    async fn patience_ends_and_who_leaves_is_not_counted() {
        let slots = Slots::new(1, 8, Duration::from_millis(20));
        let first = slots.take().await.expect("free");
        assert_eq!(slots.take().await.expect_err("in time").status, 429);
        let waiting = slots.take();
        let left = tokio::time::timeout(Duration::from_millis(2), waiting).await;
        assert!(left.is_err());
        assert_eq!(slots.used(), (1, 0));
        drop(first);
        assert_eq!(slots.used(), (0, 0));
    }
}
