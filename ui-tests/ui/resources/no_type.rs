//! A resource without a type.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

struct Rates(f64);

impl Rates {
    fn read() -> Result<Rates, std::io::Error> {
        Ok(Rates(1.5))
    }
}

stream! {
    job Board<Memory> {
        param file: PathBuf;
        resource rates = Rates::read()?;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        let worth = trades.map(|t| t.price * rates.0);
        sink out(worth) = stdout();
    }
}

fn main() {}
