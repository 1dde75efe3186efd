//! Flows over departures: parts of pipelines in a crate of their own, for any job that reads departures. `examples/flows.rs` is
//! one.

use pelton::prelude::*;

/// Where the planes leave.
#[derive(Record, Key, Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "UPPERCASE")]
pub enum Airport {
    /// Newark.
    Ewr,
    /// Kennedy.
    Jfk,
    /// LaGuardia.
    Lga,
}

/// A departure.
#[derive(Record, Deserialize, Clone, Copy, Debug)]
pub struct Departure {
    /// From where.
    pub origin: Airport,
    /// When, by the timetable.
    pub scheduled: Timestamp,
    /// Minutes; negative if the plane left early, `None` if it never left.
    pub dep_delay: Option<i32>,
}

/// The departures of an airport in a window. Sum and maximum are empty for one in which no plane left.
#[derive(Record, Serialize, Clone, Debug)]
pub struct BoardRow {
    /// From where.
    pub origin: Airport,
    /// Where the window begins.
    pub window_start: Timestamp,
    /// Planes that left.
    pub departed: u64,
    /// Planes that never did.
    pub cancelled: u64,
    /// Minutes, of all that left.
    pub delay_sum: Option<i64>,
    /// Minutes, of the worst.
    pub delay_max: Option<i32>,
}

impl BoardRow {
    /// This crate's own: a job that uses the flow need not see it.
    fn new(w: Windowed<Airport, (u64, i64, i64, Option<i32>)>) -> BoardRow {
        let (rows, departed, sum, max) = w.value;
        BoardRow {
            origin: w.key,
            window_start: w.start,
            departed: departed as u64,
            cancelled: rows - departed as u64,
            delay_sum: max.map(|_| sum),
            delay_max: max,
        }
    }
}

stream! {
    /// Departures per airport and window: how many planes left, how many were cancelled, and their delays in minutes. And those
    /// that come when their window is closed.
    pub flow board(departures: Stream<Departure>, size: TimeSpan) -> BoardRow, late: Departure {
        let windows = departures
            .key_by(|d| d.origin)
            .window(tumbling size)
            .aggregate((
                count(),
                sum(|d| i64::from(d.dep_delay.is_some())),
                sum(|d| i64::from(d.dep_delay.unwrap_or(0))),
                max(|d| d.dep_delay.unwrap_or(i32::MIN)),
            ));
        let rows = windows.map(|w| {
            let (rows, departed, sum, max) = w.value;
            BoardRow::new(Windowed {
                key: w.key,
                start: w.start,
                end: w.end,
                value: (rows, departed, sum, Some(max).filter(|_| departed > 0)),
                firing: w.firing,
            })
        });
        return rows, late = windows.late;
    }

    /// Rows that are worth more than all before them of the same key, in the order of time. Rows of any type: `worth` says what one
    /// is worth.
    pub flow records<K: Key, R: Record + Clone, F: Fn(&R) -> i64 + Clone>(rows: Stream<(K, R)>, worth: F) -> R {
        let records = rows.key_by(|r| &r.0).process {
            in_order;
            state best: Value<i64>, unbounded("one per key");

            on event(r, cx) {
                let worth = worth(&r.1);
                if best.get().is_none_or(|best| worth > *best) {
                    best.set(worth);
                    cx.emit(r.1);
                }
            }
        };
        drop records.late;
        return records;
    }
}
