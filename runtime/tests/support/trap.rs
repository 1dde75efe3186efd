//! [`Trap`]: a panic in a job, now and then.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Panics at each multiple of `every` rows, so many times in all.
#[derive(Clone)]
pub struct Trap {
    seen: Arc<AtomicU64>,
    every: u64,
    left: Arc<AtomicU64>,
}

impl Trap {
    pub fn new(every: u64, times: u64) -> Self {
        Trap { seen: Arc::default(), every, left: Arc::new(AtomicU64::new(times)) }
    }
    pub fn pass(&self) {
        let seen = self.seen.fetch_add(1, Ordering::Relaxed) + 1;
        if seen.is_multiple_of(self.every)
            && self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
        {
            panic!("trapped at row {seen}");
        }
    }
    /// Rows so far, of all attempts.
    pub fn seen(&self) -> u64 {
        self.seen.load(Ordering::Relaxed)
    }
    /// How many more times it would.
    pub fn left(&self) -> u64 {
        self.left.load(Ordering::Relaxed)
    }
}
