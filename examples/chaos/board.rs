//! A delay board to be killed: the job that `scripts/chaos` runs, at a limited rate so that there is time to kill it.
//!
//! Every kind of state is in it that a checkpoint has to keep: windows, running totals, rows that are late.

#[macro_use]
mod backend;

use pelton::prelude::*;

/// A row of the input.
#[derive(Record, Deserialize, Clone, Debug)]
struct Departure {
    origin: String,
    carrier: String,
    scheduled: Timestamp,
    dep_delay: Option<i32>,
}

/// A row of the board.
#[derive(Record, Serialize, Clone, Debug)]
struct Hour {
    origin: String,
    start: Timestamp,
    departures: u64,
    delay: i64,
}

/// What became of a carrier.
#[derive(Record, Serialize, Clone, Debug)]
struct Carrier {
    carrier: String,
    departures: u64,
    delay: i64,
}

stream! {
    /// Departures per airport and hour, and per carrier, read at a limited rate.
    job ChaosBoard<Memory> {
        /// The departures.
        param departures: PathBuf = concat!(env!("CARGO_MANIFEST_DIR"), "/data/departures-2013-01.csv.gz").into();
        /// A csv file for the hours.
        param hours: PathBuf;
        /// A csv file for the carriers.
        param carriers: PathBuf;
        /// Rows per second.
        param per_second: Option<u64>;

        source flights: Departure = csv(departures).na("NA"),
            event_time |d| d.scheduled, late_by 24h, ordered_splits, on_error fail, rate per_second;

        let hourly = flights.key_by(|d| &d.origin).window(tumbling 1h)
            .aggregate((count(), sum(|d| i64::from(d.dep_delay.unwrap_or(0)))));
        let board = hourly.map(|h| Hour { origin: h.key, start: h.start, departures: h.value.0, delay: h.value.1 });
        let totals = flights.key_by(|d| &d.carrier)
            .aggregate((count(), sum(|d| i64::from(d.dep_delay.unwrap_or(0)))), emit at_end, unbounded("one per airport"));
        let list = totals.map(|(carrier, (departures, delay))| Carrier { carrier: carrier.to_owned(), departures, delay });

        sink hours_file(board) = csv(hours);
        sink carriers_file(list) = csv(carriers);
        drop hourly.late;
    }
}

main_of!(ChaosBoard);
