//! Event time that may be missing.

use pelton::prelude::*;

#[derive(Record, Serialize, Deserialize)]
struct Tick {
    at: Option<Timestamp>,
}

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source ticks: Tick = csv(file), event_time |t| t.at, late_by 1h;
        sink out(ticks) = stdout();
    }
}

fn main() {}
