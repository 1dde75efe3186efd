//! Departures out of New York: how many planes left each airport in each hour, how many were cancelled, and how late
//! they were.
//!
//! ```text
//! cargo run --release --example delay_board                                      January 2013, on the terminal
//! cargo run --release --example delay_board -- run --out board.csv --workers 2   and into a file
//! cargo run --release --example delay_board -- plan                              what runs where
//! ```

use pelton::prelude::*;

/// Where the planes leave.
#[derive(Record, Key, Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "UPPERCASE")]
enum Airport {
    Ewr,
    Jfk,
    Lga,
}

/// A row of the input. Columns that no field asks for are not even parsed.
#[derive(Record, Deserialize, Clone, Copy, Debug)]
struct Departure {
    origin: Airport,
    scheduled: Timestamp,
    /// Minutes; negative if the plane left early, `None` if it never left.
    dep_delay: Option<i32>,
}

/// The departures of an airport in an hour.
#[derive(Record, Clone, Default, Debug)]
struct Delays {
    departed: u64,
    /// Version 1 of what is stored (`pelton.lock`) has none.
    #[added]
    cancelled: u64,
    sum: i64,
    max: Option<i32>,
}

/// Adds departures up. Partial results can be merged, so each worker sums up its own rows before anything is sent.
struct DelayStats;

impl Aggregator<Departure> for DelayStats {
    type Acc = Delays;
    type Out = Delays;

    fn add(&self, acc: &mut Delays, row: &Departure) {
        match row.dep_delay {
            Some(minutes) => {
                acc.departed += 1;
                acc.sum += i64::from(minutes);
                acc.max = acc.max.max(Some(minutes));
            }
            None => acc.cancelled += 1,
        }
    }

    fn merge(&self, acc: &mut Delays, other: Delays) {
        acc.departed += other.departed;
        acc.cancelled += other.cancelled;
        acc.sum += other.sum;
        acc.max = acc.max.max(other.max);
    }

    fn finish(&self, acc: &Delays) -> Delays {
        acc.clone()
    }
}

/// A row of the board. Sum and maximum are empty for an hour in which no plane left.
#[derive(Record, Serialize, Clone, Debug)]
struct BoardRow {
    origin: Airport,
    window_start: Timestamp,
    departed: u64,
    cancelled: u64,
    delay_sum: Option<i64>,
    delay_max: Option<i32>,
}

impl BoardRow {
    fn new(hour: Windowed<Airport, Delays>) -> BoardRow {
        let Delays { departed, cancelled, sum, max } = hour.value;
        BoardRow {
            origin: hour.key,
            window_start: hour.start,
            departed,
            cancelled,
            delay_sum: max.map(|_| sum),
            delay_max: max,
        }
    }
}

/// The month that comes with the examples, wherever the program is started.
fn bundled_january() -> PathBuf {
    concat!(env!("CARGO_MANIFEST_DIR"), "/data/departures-2013-01.csv.gz").into()
}

stream! {
    /// Departures per airport and hour: how many planes left, how many were cancelled, and their delays in minutes.
    ///
    /// The hour is that of the scheduled time, in UTC.
    pub job DelayBoard<Memory> {
        /// The departures: csv, plain or packed with gzip or zstd.
        param departures: PathBuf = bundled_january();
        /// A csv file for the board, besides the terminal.
        param out: Option<PathBuf>;

        source flights: Departure = csv(departures).na("NA"),
            event_time |d| d.scheduled, late_by 24h, ordered_splits, on_error fail;

        let hourly = flights.key_by(|d| d.origin).window(tumbling 1h).aggregate(DelayStats);
        let board = hourly.map(BoardRow::new);

        sink terminal(board) = stdout();
        sink file(board) = csv(out);
        drop hourly.late;                       // with 24 hours of patience there are none
    }
}

fn main() -> ExitCode {
    DelayBoard::main()
}
