//! A param that cannot go to another thread.

use pelton::prelude::*;
use pelton_ui_tests::Trade;
use std::rc::Rc;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        param limits: Rc<u32>;
        let some = trades.filter(|t| t.size > *limits);
        sink out(some) = stdout();
    }
}

fn main() {}
