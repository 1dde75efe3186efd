//! A resource is lent, not given.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

struct Rates(f64);

impl Rates {
    fn read() -> Result<Rates, std::io::Error> {
        Ok(Rates(1.5))
    }
}

fn worth(trade: Trade, rates: Rates) -> f64 {
    trade.price * rates.0
}

stream! {
    job Board<Memory> {
        param file: PathBuf;
        resource rates: Rates = Rates::read()?;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        let worth = trades.map(|t| worth(t, *rates));
        sink out(worth) = stdout();
    }
}

fn main() {}
