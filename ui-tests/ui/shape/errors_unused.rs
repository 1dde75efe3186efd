//! Diverted records go somewhere, or are dropped aloud.
use pelton::prelude::*;

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source lines: &str = lines(file), on_error divert;
        let sizes: usize = lines.map(|line| line.len());
        sink out(sizes) = collect();
    }
}

fn main() {}
