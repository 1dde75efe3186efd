//! [`Faults`]: what goes wrong with a log on request, so that a test sees what a job makes of it.
//!
//! They hold for every user of the log in this process, and for nobody in another one.

use super::error::LogError;
use crate::clock::{Clock, MachineClock};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A handle on what is to go wrong; clones are of the same log.
#[derive(Clone)]
pub struct Faults {
    wanted: Arc<Mutex<Wanted>>,
    clock: Arc<dyn Clock>,
}

#[derive(Debug, Default)]
struct Wanted {
    appends: u64,
    prepares: u64,
    commits: u64,
    answers: u64,
    delay: Duration,
    away: bool,
    away_until: Duration,
}

impl std::fmt::Debug for Faults {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.lock().fmt(f)
    }
}

impl Faults {
    pub(super) fn none() -> Self {
        Faults { wanted: Arc::default(), clock: MachineClock::start() }
    }

    fn lock(&self) -> MutexGuard<'_, Wanted> {
        // Nothing that can panic runs under the lock.
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next `n` records that are appended are refused, and nothing becomes of them.
    pub fn fail_appends(&self, n: u64) {
        self.lock().appends = n;
    }

    /// The next `n` transactions that are to be prepared fail before anything of it is done.
    pub fn fail_prepares(&self, n: u64) {
        self.lock().prepares = n;
    }

    /// The next `n` commits fail before anything of it is done.
    pub fn fail_commits(&self, n: u64) {
        self.lock().commits = n;
    }

    /// The answers to the next `n` commits are lost: they take effect, and whoever asked gets an error.
    pub fn lose_answers_to_commits(&self, n: u64) {
        self.lock().answers = n;
    }

    /// Each reading and writing takes so much longer from now on; zero ends it.
    pub fn delay(&self, by: Duration) {
        self.lock().delay = by;
    }

    /// All reading and writing fails until [`come_back`](Faults::come_back).
    pub fn go_away(&self) {
        self.lock().away = true;
    }

    /// All reading and writing fails for so long.
    pub fn go_away_for(&self, time: Duration) {
        self.lock().away_until = self.clock.now() + time;
    }

    /// Ends all that was asked for.
    pub fn come_back(&self) {
        *self.lock() = Wanted::default();
    }

    /// Called before each reading and writing.
    pub(super) fn enter(&self) -> Result<(), LogError> {
        let wanted = self.lock();
        let (delay, away) = (wanted.delay, wanted.away || wanted.away_until > self.clock.now());
        drop(wanted);
        if !delay.is_zero() {
            std::thread::sleep(delay);
        }
        if away { Err(LogError::Away) } else { Ok(()) }
    }

    pub(super) fn append(&self) -> Result<(), LogError> {
        take(&mut self.lock().appends, "a record is refused")
    }

    pub(super) fn prepare(&self) -> Result<(), LogError> {
        take(&mut self.lock().prepares, "a transaction is not prepared")
    }

    pub(super) fn commit(&self) -> Result<(), LogError> {
        take(&mut self.lock().commits, "a commit is refused")
    }

    pub(super) fn answer(&self) -> Result<(), LogError> {
        take(&mut self.lock().answers, "the answer to a commit is lost")
    }
}

fn take(left: &mut u64, what: &'static str) -> Result<(), LogError> {
    match left.checked_sub(1) {
        None => Ok(()),
        Some(less) => {
            *left = less;
            Err(LogError::Injected(what))
        }
    }
}
