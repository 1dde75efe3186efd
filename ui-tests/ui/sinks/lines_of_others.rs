//! Lines as numbers.

use pelton::prelude::*;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source numbers: u64 = lines(file);
        sink out(numbers) = stdout();
    }
}

fn main() {}
