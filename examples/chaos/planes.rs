//! Planes to be killed: a job of `process` that `scripts/chaos` runs, at a limited rate so that there is time to kill it.
//!
//! Whatever a `process` keeps is in it: a value, one that ends by a ttl, a list, a map, a timer that moves, rows that wait
//! for their order, and two outputs.

#[macro_use]
mod backend;

use pelton::prelude::*;

/// A row of the input.
#[derive(Record, Deserialize, Clone, Debug)]
struct Departure {
    scheduled: Timestamp,
    origin: String,
    tailnum: Option<String>,
    dep_delay: Option<i32>,
}

/// A plane, and when and how late it left.
#[derive(Record, Clone, Debug)]
struct Late {
    at: Timestamp,
    from: String,
    minutes: i32,
}

/// A plane that left late twice within a day, and what it had done until then.
#[derive(Record, Serialize, Clone, Debug)]
struct Twice {
    plane: String,
    first: Timestamp,
    first_from: String,
    second: Timestamp,
    minutes: i32,
    /// Delays of the departures before, from the oldest to the newest.
    before: String,
    /// Departures from this airport so far.
    from_here: u64,
}

/// A plane that came back.
#[derive(Record, Serialize, Clone, Debug)]
struct Back {
    plane: String,
    back: Timestamp,
    hours: i64,
}

stream! {
    /// Planes that leave late twice within a day, and planes that come back after some time, read at a limited rate.
    job ChaosPlanes<Memory> {
        /// The departures.
        param departures: PathBuf = concat!(env!("CARGO_MANIFEST_DIR"), "/data/departures-2013-01.csv.gz").into();
        /// A csv file for the planes that are late twice.
        param twice: PathBuf;
        /// A csv file for the planes that came back.
        param back: PathBuf;
        /// Rows per second.
        param per_second: Option<u64>;

        source flights: Departure = csv(departures).na("NA"),
            event_time |d| d.scheduled, late_by 24h, ordered_splits, on_error fail, rate per_second;

        let known = flights.filter(|d| d.tailnum.is_some());
        let planes = known.key_by(|d| d.tailnum.as_deref().unwrap_or_default()).process {
            in_order;
            state late: Value<Late>, ttl 24h;
            state gone: Value<Timestamp>, unbounded("one time per plane");
            state delays: List<i32>, unbounded("emptied when a plane is late twice");
            state airports: Map<String, u64>, unbounded("three airports");
            timer silence: event_time;
            output returned: Back;

            on event(d, cx) {
                if let Some(last_seen) = gone.take() {
                    let hours = (d.scheduled - last_seen).micros() / (1h).micros();
                    returned.emit(Back { plane: cx.key().to_owned(), back: d.scheduled, hours });
                }
                let from_here = airports.get(d.origin.as_str()).copied().unwrap_or(0) + 1;
                airports.insert(d.origin.clone(), from_here);
                delays.push(d.dep_delay.unwrap_or(0));
                if let Some(minutes) = d.dep_delay.filter(|minutes| *minutes >= 15) {
                    if let Some(first) = late.take() {
                        let before: Vec<String> = delays.iter().map(|delay| delay.to_string()).collect();
                        delays.clear();
                        cx.emit(Twice {
                            plane: cx.key().to_owned(),
                            first: first.at,
                            first_from: first.from,
                            second: d.scheduled,
                            minutes: first.minutes + minutes,
                            before: before.join(" "),
                            from_here,
                        });
                    }
                    late.set(Late { at: d.scheduled, from: d.origin, minutes });
                }
                cx.set(silence, d.scheduled + 2d);
            }
            on timer silence(at, cx) {
                gone.set(at - 2d);
            }
        };

        sink twice_file(planes) = csv(twice);
        sink back_file(planes.returned) = csv(back);
        drop planes.late;
    }
}

main_of!(ChaosPlanes);
