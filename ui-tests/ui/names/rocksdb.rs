//! A backend that takes a feature: these cases are built without any.

use pelton::prelude::*;

stream! {
    job Board<RocksDb> {
        param file: PathBuf;
        source lines: &str = lines(file);
        sink out(lines) = stdout();
    }
}

fn main() {}
