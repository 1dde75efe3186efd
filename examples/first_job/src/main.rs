use pelton::prelude::*;

/// A row of the input: fields are found by the names in the header.
#[derive(Record, Deserialize)]
struct Reading {
    sensor: String,
    at: Timestamp,
    celsius: f64,
}

/// A row of the result.
#[derive(Record, Serialize)]
struct Line {
    sensor: String,
    from: Timestamp,
    readings: u64,
    warmest: f64,
}

stream! {
    /// The warmest reading of each sensor in each ten minutes.
    pub job Warmest<Memory> {
        /// The readings, in about the order in which they were taken.
        param readings: PathBuf = "readings.csv";

        source all: Reading = csv(readings), event_time |r| r.at, late_by 1min, ordered_splits, on_error fail;

        let warmest = all
            .key_by(|r| r.sensor)
            .window(tumbling 10min)
            .aggregate((count(), max(|r| r.celsius)));
        let lines = warmest.map(|w| Line { sensor: w.key, from: w.start, readings: w.value.0, warmest: w.value.1 });

        sink table(lines) = stdout();
        drop warmest.late;
    }
}

fn main() -> ExitCode {
    Warmest::main()
}
