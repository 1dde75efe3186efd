//! Rows for which there is no output.

use pelton::prelude::*;
use pelton_ui_tests::Trade;

/// What a trade is.
enum Kind {
    Small(Trade),
    Large { trade: Trade, times: u32 },
    Odd,
}

fn kind(trade: Trade) -> Kind {
    match trade.size {
        0 => Kind::Odd,
        1..10 => Kind::Small(trade),
        size => Kind::Large { trade, times: size / 10 },
    }
}

stream! {
    job Board<Memory> {
        param file: PathBuf;
        source trades: Trade = csv(file), event_time |t| t.at, late_by 1h;

        let kind = trades.map(kind).split {
            small: Kind::Small(trade) => trade;
            large: Kind::Large { trade, times } if times > 1 => trade;
            odd: Kind::Odd => ();
        };
        sink out(kind.small, kind.large) = stdout();
        drop kind.odd;
    }
}

fn main() {}
