//! A word of the prelude that was not imported.

use pelton::stream;

stream! {
    job Board<Memory> {
        param file: std::path::PathBuf;
        source trades: pelton_ui_tests::Trade = csv(file);
        sink out(trades) = pelton::sink::stdout();
    }
}

fn main() {}
