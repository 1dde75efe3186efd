//! Taking away in the background what is over: a cursor that goes over a table, a few slots for each row that comes.
//!
//! What is over is invisible at once, whoever looks; this is about memory alone. A sweep begins when a quarter of the shortest ttl
//! has gone since the last one began, and goes faster than rows can fill a table: so at most about half of a table is over.

use super::backend::Backend;
use super::keyed::{KeyedState, Tour};
use crate::key::Key;
use crate::record::Record;

/// Slots that are swept for each row.
const SLOTS_PER_ROW: usize = 4;
/// Slots in one step; see [`KeyedState::sweep`].
const STEP_SLOTS: usize = 256;
/// Sweeps in the time of the shortest ttl.
const PER_TTL: i64 = 4;
/// Steps when no rows come, but time moves.
pub const IDLE: usize = 2 * STEP_SLOTS;

/// Where sweeps of a table are.
pub struct Sweep {
    /// The shortest ttl, in ms; `None`: there is nothing to sweep.
    ttl: Option<i64>,
    /// Where the one under way goes on.
    at: Option<Tour>,
    /// When the last one began.
    began: Option<i64>,
}

impl Sweep {
    /// For values that live so many ms at least.
    pub fn new(ttl: Option<i64>) -> Self {
        Sweep { ttl, at: None, began: None }
    }

    /// Goes on, after so many rows; or begins, if it is time. `now` is what the age of whatever comes later is judged by at
    /// the least.
    pub fn go_on<K: Key, V: Record, B: Backend>(
        &mut self,
        values: &mut KeyedState<K, V, B>,
        rows: usize,
        now: i64,
        stale: impl Fn(&V) -> bool,
        mut tidy: impl FnMut(&mut V) -> bool,
    ) {
        let Some(ttl) = self.ttl.filter(|_| now != i64::MIN) else { return };
        if self.at.is_none() {
            let began = *self.began.get_or_insert(now);
            if now.saturating_sub(began) < (ttl / PER_TTL).max(1) {
                return;
            }
            (self.at, self.began) = (Some(Tour::default()), Some(now));
        }
        for _ in 0..(rows * SLOTS_PER_ROW).div_ceil(STEP_SLOTS) {
            let Some(walk) = &mut self.at else { return };
            if !values.sweep(walk, &stale, &mut tidy) {
                self.at = None;
            }
        }
    }
}
