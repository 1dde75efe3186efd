//! Plans that the tests of text and pictures draw.

#![allow(dead_code, reason = "shared by several tests, and not each draws both")]

use pelton::plan::{Chain, Edge, EdgeKind, Operator, Plan};

fn op(name: &str, what: &str) -> Operator {
    Operator {
        what: what.to_owned(),
        name: name.to_owned(),
        arrival_ordered: false,
        stateful: false,
        sink: false,
        input: 0,
        counted: None,
    }
}

fn stateful(name: &str, what: &str) -> Operator {
    Operator { stateful: true, ..op(name, what) }
}

fn by_arrival(name: &str, what: &str) -> Operator {
    Operator { stateful: true, arrival_ordered: true, ..op(name, what) }
}

fn chain(operators: &[Operator]) -> Chain {
    Chain { operators: operators.to_vec() }
}

fn by_key(from: usize, to: usize, key: &str, row: &str, row_bytes: usize) -> Edge {
    Edge {
        from,
        to,
        kind: EdgeKind::ByKey,
        because: "key_by".to_owned(),
        key: key.to_owned(),
        row: row.to_owned(),
        row_bytes,
        timed: true,
        combined: false,
        bound_bytes: 4 << 20,
    }
}

fn local(from: usize, to: usize, row: &str, row_bytes: usize) -> Edge {
    let because = "union".to_owned();
    Edge {
        kind: EdgeKind::Local,
        because,
        key: String::new(),
        bound_bytes: 512 << 10,
        ..by_key(from, to, "", row, row_bytes)
    }
}

/// A union of two sources, two exchanges, two sinks.
pub(crate) fn board() -> Plan {
    Plan {
        job: "DelayBoard".to_owned(),
        backend: "Memory".to_owned(),
        workers: 2,
        chains: vec![
            chain(&[op("january", "csv data/2013-01.csv"), op("", "filter"), op("flown", "map")]),
            chain(&[op("february", "csv data/2013-02.csv")]),
            chain(&[op("all", "union"), op("late", "filter")]),
            chain(&[
                stateful("hourly", "window tumbling 1h, aggregate (count, sum)"),
                op("rows", "map"),
                op("board", "stdout"),
            ]),
            chain(&[by_arrival("newest", "reduce emit each"), op("file", "csv board.csv")]),
        ],
        edges: vec![
            local(0, 2, "Departure", 96),
            local(1, 2, "Departure", 96),
            Edge { combined: true, ..by_key(2, 3, "Airport", "(u64, i64)", 16) },
            Edge { timed: false, ..by_key(2, 4, "Option<Tail>", "Departure", 96) },
        ],
        dropped: vec!["hourly.late".to_owned()],
    }
}

/// Ten chains with edges that skip layers, and texts that need escapes or are too long.
pub(crate) fn ten_chains() -> Plan {
    let long = "window sliding 6h by 1h, allow_late 10min, refire, aggregate (count, mean, max_by)";
    Plan {
        job: "WeatherBoard".to_owned(),
        backend: "RocksDb".to_owned(),
        workers: 16,
        chains: vec![
            chain(&[op("flights", "csv departures-2013.csv"), op("", "filter"), op("", "flat_map"), op("legs", "map")]),
            chain(&[op("readings", "csv \"weather & <wind>\".csv"), op("", "filter_map")]),
            chain(&[op("planes", "csv planes.csv")]),
            chain(&[op("all", "union"), op("", "inspect")]),
            chain(&[stateful("hourly", "window tumbling 1h, aggregate (count, sum)")]),
            chain(&[stateful("rolling", long), op("smooth", "map")]),
            chain(&[by_arrival("newest", "reduce emit each"), op("", "map")]),
            chain(&[stateful("enriched", "join"), op("rows", "map")]),
            chain(&[by_arrival("totals", "fold emit every 1s"), op("board", "stdout")]),
            chain(&[
                stateful("ranks", "aggregate count emit at_end"),
                op("file", "csv out\\board.csv"),
                op("all_rows", "collect"),
            ]),
        ],
        edges: vec![
            local(0, 3, "Departure<'static, Tail>", 96),
            local(1, 3, "Departure", 96),
            Edge { combined: true, ..by_key(3, 4, "(Airport, Hour)", "(u64, i64)", 16) },
            by_key(3, 5, "Airport", "Departure", 96),
            by_key(4, 6, "Tail", "Windowed<Airport, (u64, i64)>", 56),
            by_key(5, 6, "Tail", "Windowed<Airport, (u64, f64, Option<alloc::string::String>)>", 56),
            by_key(2, 7, "Tail", "Plane", 40),
            by_key(6, 7, "Tail", "(Tail, Departure)", 104),
            by_key(7, 8, "u32", "BoardRow", 48),
            Edge { timed: false, combined: true, ..by_key(7, 9, "String", "u64", 8) },
            by_key(0, 9, "String", "u64", 8),
            by_key(1, 8, "u32", "Weather", 64),
        ],
        dropped: vec!["hourly.late".to_owned(), "rolling.late".to_owned()],
    }
}
