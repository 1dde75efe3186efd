//! The delay board once more, made of flows of another crate (`examples/flows/lib.rs`), and the hours in which the worst delay of
//! an airport so far was seen.
//!
//! ```text
//! cargo run --release --example flows                                      the records of January 2013, on the terminal
//! cargo run --release --example flows -- run --out board.csv --workers 2   and the board into a file
//! cargo run --release --example flows -- plan                              what is inside of the flows, too
//! ```

use departures::{Airport, BoardRow, Departure};
use pelton::prelude::*;

/// An hour with a plane that was later than any before.
#[derive(Record, Serialize, Clone, Debug)]
struct Worst {
    origin: Airport,
    window_start: Timestamp,
    delay: i32,
}

/// The month that comes with the examples, wherever the program is started.
fn bundled_january() -> PathBuf {
    concat!(env!("CARGO_MANIFEST_DIR"), "/data/departures-2013-01.csv.gz").into()
}

stream! {
    /// Departures per airport and hour, and the hours with the worst delays so far.
    pub job Flows<Memory> {
        /// The departures: csv, plain or packed with gzip or zstd.
        param departures: PathBuf = bundled_january();
        /// How long a row of the board is.
        param size: TimeSpan = 1h;
        /// A csv file for the board.
        param out: Option<PathBuf>;

        source flights: Departure = csv(departures).na("NA"),
            event_time |d| d.scheduled, late_by 24h, ordered_splits, on_error fail;

        let hours = departures::board(flights, size);
        let rows: BoardRow = hours;

        let flown = rows.filter(|r| r.delay_max.is_some()).map(|r| (r.origin, r));
        let worst = departures::records(flown, |r| i64::from(r.delay_max.unwrap_or(0)));
        let table = worst.map(|r| Worst {
            origin: r.origin,
            window_start: r.window_start,
            delay: r.delay_max.unwrap_or(0),
        });

        sink board(rows) = csv(out);
        sink terminal(table) = stdout();
        drop hours.late;                        // with 24 hours of patience there are none
    }
}

fn main() -> ExitCode {
    Flows::main()
}
