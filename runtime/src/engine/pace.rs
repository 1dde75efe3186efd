//! How much a chain does before it looks up: at the gates behind it, at the clock, at its messages.
//!
//! Rows are worked on in chunks. Where one row becomes thousands, or takes a millisecond, a chunk must be small, or a gate
//! that has closed is seen too late and a worker that is to stop does not hear of it. Which of them it is only shows
//! while it runs: a chain begins with small chunks, doubles them as long as they are cheap, and cuts them at once when
//! they are not. The alarm is what wakes it when something has waited long enough.

use crate::frame::writer::{CHUNK_ROWS, CHUNK_WRITES};
use crate::plan::Operator;
use std::time::Duration;
use timely::scheduling::Activator;

/// Rows of a chunk at most in a chain with a `flat_map`: a row that becomes very many may come at any time, and what is
/// written is only looked at between two chunks.
pub const FANNING_ROWS: usize = 256;
/// How long a chunk should take at most, and how long an operator works before others of its worker have their turn.
pub const TURN: Duration = Duration::from_millis(10);

/// The size of chunks.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    rows: usize,
    most: usize,
    written: u64,
    /// Whether one row may become many.
    fans: bool,
}

impl Pace {
    /// For chunks of at most so many rows, in a chain of these operators.
    pub fn new(most: usize, operators: &[Operator]) -> Self {
        let written = (CHUNK_WRITES * most.clamp(1, CHUNK_ROWS)) as u64;
        let fans = operators.iter().any(|operator| operator.what == "flat_map");
        let most = if fans { most.min(FANNING_ROWS) } else { most };
        Pace { rows: 1, most: most.max(1), written, fans }
    }

    /// Rows of the next chunk.
    #[inline]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Rows of the next chunk of a frame: all of it once full chunks are cheap, since to cut a frame is to copy it.
    #[inline]
    pub fn of_frame(&self, rows: usize) -> usize {
        if self.rows == self.most && !self.fans { rows } else { rows.min(self.rows) }
    }

    /// A chunk has written so many rows and has taken so long.
    #[inline]
    pub fn done(&mut self, written: u64, took: Duration) {
        if written > self.written || took > TURN {
            let by_rows = written / self.written;
            let by_time = took.as_micros() as u64 / TURN.as_micros() as u64;
            let too_much = usize::try_from(by_rows.max(by_time).saturating_add(1)).unwrap_or(usize::MAX);
            self.rows = (self.rows / too_much).max(1);
        } else if written < self.written / 2 && took < TURN / 2 {
            self.rows = (self.rows * 2).min(self.most);
        }
    }
}

/// When a chain is to look at the clock again.
#[derive(Debug, Default)]
pub struct Alarm(Option<Duration>);

impl Alarm {
    /// Wakes the chain at `at`. One alarm is enough, and is set anew where it rings too early: else there would be one per
    /// activation under way.
    pub fn set(&mut self, at: Duration, now: Duration, activator: &Activator) {
        if self.0.is_none_or(|set| set <= now || set > at) {
            self.0 = Some(at);
            activator.activate_after(at.saturating_sub(now).max(Duration::from_micros(1)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_grow_while_they_are_cheap_and_shrink_at_once() {
        let mut pace = Pace::new(1024, &[]);
        for _ in 0..11 {
            pace.done(pace.rows() as u64, Duration::from_micros(50));
        }
        assert_eq!(pace.rows(), 1024);
        pace.done(10_000 * 1024, Duration::from_millis(1));
        assert_eq!(pace.rows(), 1);
        for _ in 0..10 {
            pace.done(10_000 * pace.rows() as u64, Duration::from_millis(1));
        }
        assert_eq!(pace.rows(), 1);
        for _ in 0..4 {
            pace.done(8, Duration::ZERO);
        }
        assert_eq!(pace.rows(), 16);
        pace.done(8, Duration::from_millis(50));
        assert_eq!(pace.rows(), 2);
        assert_eq!(Pace::new(0, &[]).rows(), 1);
        let flat_map = Operator {
            what: "flat_map".to_owned(),
            name: String::new(),
            arrival_ordered: false,
            stateful: false,
            sink: false,
            counted: Some(0),
            input: 0,
        };
        assert_eq!(Pace::new(1024, &[flat_map]).most, FANNING_ROWS);
    }
}
