//! A type that is not in scope.

use pelton::prelude::*;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        sink out(trades) = stdout();
    }
}

fn main() {}
