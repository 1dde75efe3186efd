//! Flows: parts of a pipeline that are written once and used by name, in the same block, another module or another crate.

use pelton::Config;
use pelton::prelude::*;
use std::collections::BTreeMap;

#[derive(Record, Clone, Debug, PartialEq)]
struct Trade {
    at: Timestamp,
    symbol: String,
    price: f64,
    size: u32,
}

pelton::stream! {
    /// Trades at no more than a price.
    flow cheap(trades: Stream<Trade>, most: f64) -> Trade {
        let low = trades.filter(|t| t.price <= most);
        return low;
    }

    job Cheap<Memory> {
        param trades: Vec<Trade>;
        param most: f64;

        source all: Trade = rows(trades);
        let low = cheap(all, most);
        let symbols: String = low.map(|t| t.symbol);
        sink out(symbols) = collect();
    }
}

fn trades(many: usize) -> Vec<Trade> {
    let trade = |n: usize| Trade {
        at: Timestamp::from_millis(n as i64 * 100 + (n as i64 * 7919) % 500),
        symbol: ["A", "B", "C", "D", "E"][n * 31 % 5].to_owned(),
        price: (n * 17 % 100) as f64,
        size: (n % 10) as u32,
    };
    (0..many).map(trade).collect()
}

/// Each way of running a job: so many workers, natively and as bytes.
fn ways() -> impl Iterator<Item = Config> {
    (1..=3).flat_map(|workers| [false, true].map(|wire| Config::default().workers(workers).wire(wire)))
}

#[test]
fn a_stateless_flow_of_the_same_block() {
    for config in ways() {
        let job = Cheap { trades: trades(1000), most: 20.0 };
        let mut out = job.run(config).unwrap().out;
        out.sort();
        let mut expected: Vec<String> =
            trades(1000).into_iter().filter(|t| t.price <= 20.0).map(|t| t.symbol).collect();
        expected.sort();
        assert_eq!(out, expected);
    }
}
