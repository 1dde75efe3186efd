//! A type that is not in scope.

use pelton::prelude::*;

mod rows {
    #[derive(pelton::Record, serde::Deserialize, serde::Serialize)]
    pub struct Trade {
        pub size: u32,
    }
}

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file);

        sink out(trades) = stdout();
    }
}

fn main() {}
