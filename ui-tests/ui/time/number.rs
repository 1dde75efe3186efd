//! Event time as a number.

use pelton::prelude::*;

#[derive(Record, Serialize, Deserialize)]
struct Tick {
    millis: i64,
}

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source ticks: Tick = csv(file), event_time |t| t.millis, late_by 1h;
        sink out(ticks) = stdout();
    }
}

fn main() {}
