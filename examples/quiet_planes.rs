//! Planes out of New York, by their tail number: those that leave late twice within a day, and those that come back after
//! many days.
//!
//! ```text
//! cargo run --release --example quiet_planes                                         January 2013, on the terminal
//! cargo run --release --example quiet_planes -- run --least 180 --back back.csv      and who came back, into a file
//! cargo run --release --example quiet_planes -- plan                                 what runs where
//! ```

use pelton::prelude::*;

/// A row of the input.
#[derive(Record, Deserialize, Clone, Debug)]
struct Departure {
    scheduled: Timestamp,
    origin: String,
    /// `None` for some flights that were cancelled.
    tailnum: Option<String>,
    /// Minutes; `None` if the plane never left.
    dep_delay: Option<i32>,
}

/// A plane, and when and how late it left.
#[derive(Record, Clone, Debug)]
struct Late {
    at: Timestamp,
    from: String,
    minutes: i32,
}

/// A plane that left late twice within a day.
#[derive(Record, Serialize, Clone, Debug)]
struct Twice {
    plane: String,
    first: Timestamp,
    first_from: String,
    first_minutes: i32,
    second: Timestamp,
    second_from: String,
    second_minutes: i32,
}

/// A plane that came back.
#[derive(Record, Serialize, Clone, Debug)]
struct Back {
    plane: String,
    last_seen: Timestamp,
    back: Timestamp,
    days: i64,
}

/// The month that comes with the examples, wherever the program is started.
fn bundled_january() -> PathBuf {
    concat!(env!("CARGO_MANIFEST_DIR"), "/data/departures-2013-01.csv.gz").into()
}

stream! {
    /// Planes that leave late twice within a day, and planes that come back after many days.
    pub job QuietPlanes<Memory> {
        /// The departures: csv, plain or packed with gzip or zstd.
        param departures: PathBuf = bundled_january();
        /// From how many minutes on a departure is late.
        param least: i32 = 240;
        /// After how long without a departure a plane is quiet.
        param quiet_after: TimeSpan = 14d;
        /// A csv file for the planes that came back.
        param back: Option<PathBuf>;

        source flights: Departure = csv(departures).na("NA"),
            event_time |d| d.scheduled, late_by 24h, ordered_splits, on_error fail;

        let known = flights.filter(|d| d.tailnum.is_some());
        let planes = known.key_by(|d| d.tailnum.as_deref().unwrap_or_default()).process {
            in_order;                                       // by scheduled time, whatever the order of the file
            state late: Value<Late>, ttl 24h;               // the last late departure, as long as it matters
            state gone: Value<Timestamp>, unbounded("one time per plane, and planes are few thousand");
            timer silence: event_time;                      // it moves with each departure
            output returned: Back;

            on event(d, cx) {
                if let Some(last_seen) = gone.take() {
                    let days = (d.scheduled - last_seen).micros() / (24h).micros();
                    returned.emit(Back { plane: cx.key().to_owned(), last_seen, back: d.scheduled, days });
                }
                if let Some(minutes) = d.dep_delay.filter(|minutes| *minutes >= least) {
                    if let Some(first) = late.take() {
                        cx.emit(Twice {
                            plane: cx.key().to_owned(),
                            first: first.at,
                            first_from: first.from,
                            first_minutes: first.minutes,
                            second: d.scheduled,
                            second_from: d.origin.clone(),
                            second_minutes: minutes,
                        });
                    }
                    late.set(Late { at: d.scheduled, from: d.origin, minutes });
                }
                cx.set(silence, d.scheduled + quiet_after);
            }
            on timer silence(at, cx) {
                gone.set(at - quiet_after);
            }
        };

        sink terminal(planes) = stdout();
        sink file(planes.returned) = csv(back);
        drop planes.late;                                   // with 24 hours of patience there are none
    }
}

fn main() -> ExitCode {
    QuietPlanes::main()
}
