//! A state backend that is not there.

use pelton::prelude::*;

stream! {
    job Board<Memmory> {
        param file: PathBuf;
        source lines: &str = lines(file);
        sink out(lines) = stdout();
    }
}

fn main() {}
