//! A row that serde cannot read.

use pelton::prelude::*;

#[derive(Record, Serialize)]
struct Tick {
    size: u32,
}

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source ticks: Tick = csv(file);
        sink out(ticks) = stdout();
    }
}

fn main() {}
