//! A type parameter of a job that no param has, one that is none, and a backend behind it.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

stream! {
    job Board<Memory, T: Record, 'a> {
        param file: PathBuf;
        source trades: Trade = csv(file);
        sink out(trades) = stdout();
    }

    job Other<Memory T> {
        param file: PathBuf;
        source trades: Trade = csv(file);
        sink out(trades) = stdout();
    }
}

fn main() {}
