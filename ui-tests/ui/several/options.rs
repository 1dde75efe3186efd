//! Three mistakes in one source.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_tim |t| t.at, late_by 5, on_error ignore;

        sink out(trades) = stdout();
    }
}

fn main() {}
