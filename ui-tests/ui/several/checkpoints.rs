//! Checkpoints and restarts that nobody can mean, and each statement twice.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        checkpoint every 0s, timeout 0s, pause 0s, keep 0;
        restart fixed 0s, at_most 0;
        checkpoint every 20s;
        restart none;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        sink out(trades) = stdout();
    }
}

fn main() {}
