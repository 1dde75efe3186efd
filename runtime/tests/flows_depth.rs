//! Flows one after another and within one another: what a use of a flow costs the compiler does not grow with the number of those in front
//! of it. Where it does, this file does not come to an end. Rows go through all of them, and each operator counts its own.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "the jobs of a test, and its helpers")]

use pelton::prelude::*;

#[derive(Record, Clone, Debug)]
pub struct Trade {
    pub at: Timestamp,
    pub price: f64,
}

mod nest0 {
    pelton::stream! {
        pub flow nest(rows: Stream<super::Trade>) -> super::Trade {
            let dear = rows.filter(|t| t.price > 1.0);
            return dear;
        }
    }
}

macro_rules! nests {
    ($($name:ident around $inner:ident),+ $(,)?) => {$(
        mod $name {
            pelton::stream! {
                pub flow nest(rows: Stream<super::Trade>) -> super::Trade {
                    let inside = super::$inner::nest(rows);
                    let same = inside.map(|t| t);
                    return same;
                }
            }
        }
    )+};
}

nests! {
    nest1 around nest0, nest2 around nest1, nest3 around nest2, nest4 around nest3, nest5 around nest4, nest6 around nest5,
    nest7 around nest6, nest8 around nest7, nest9 around nest8, nest10 around nest9, nest11 around nest10, nest12 around nest11,
}

mod keyed0 {
    pelton::stream! {
        pub flow nest<K: pelton::Key>(rows: Keyed<K, super::Trade>) -> (K, u64) {
            let many = rows.aggregate(count(), emit at_end, unbounded("few")).map(|(key, many)| (K::own(key), many));
            return many;
        }
    }
}

macro_rules! keyed_nests {
    ($($name:ident around $inner:ident),+ $(,)?) => {$(
        mod $name {
            pelton::stream! {
                pub flow nest<K: pelton::Key>(rows: Keyed<K, super::Trade>) -> (K, u64) {
                    let inside = super::$inner::nest(rows);
                    let same = inside.map(|t| t);
                    return same;
                }
            }
        }
    )+};
}

keyed_nests! {
    keyed1 around keyed0, keyed2 around keyed1, keyed3 around keyed2, keyed4 around keyed3, keyed5 around keyed4, keyed6 around keyed5,
    keyed7 around keyed6, keyed8 around keyed7, keyed9 around keyed8, keyed10 around keyed9, keyed11 around keyed10, keyed12 around keyed11,
}

pelton::stream! {
    job KeyedNest<Memory> {
        param trades: Vec<Trade>;

        source rows: Trade = rows(trades);
        let keyed = rows.key_by(|t| t.price as u64);
        let inside = keyed12::nest(keyed);
        let all: (u64, u64) = inside.map(|t| t);
        sink out(all) = collect();
    }

    job Chain<Memory> {
        param trades: Vec<Trade>;

        source s0: Trade = rows(trades), event_time |t| t.at, late_by 1s;
        let s1 = nest0::nest(s0);
        let s2 = nest0::nest(s1);
        let s3 = nest0::nest(s2);
        let s4 = nest0::nest(s3);
        let s5 = nest0::nest(s4);
        let s6 = nest0::nest(s5);
        let s7 = nest0::nest(s6);
        let s8 = nest0::nest(s7);
        let s9 = nest0::nest(s8);
        let s10 = nest0::nest(s9);
        let s11 = nest0::nest(s10);
        let s12 = nest0::nest(s11);
        let all: Trade = s12.map(|t| {
            assert!(t.price.is_finite(), "a price without end");
            t
        });
        sink out(all) = collect();
    }

    job Nest<Memory> {
        param trades: Vec<Trade>;

        source rows: Trade = rows(trades);
        let inside = nest12::nest(rows);
        let all: Trade = inside.map(|t| t);
        sink out(all) = collect();
    }
}

/// As many cheap ones as dear ones.
fn trades(many: i64) -> Vec<Trade> {
    (0..many).map(|n| Trade { at: Timestamp::from_millis(n), price: (n % 2 * 2) as f64 }).collect()
}

fn config(workers: usize) -> Config {
    Config::default().workers(workers)
}

/// What the filters of a job have let through.
fn passed(summary: &Summary) -> Vec<u64> {
    summary.operators.iter().filter(|it| it.what == "filter").map(|it| it.rows_out).collect()
}

#[test]
fn rows_go_through_twelve_flows_in_a_row() {
    for workers in [1, 2, 3] {
        let mut results = Chain { trades: trades(1000) }.run(config(workers)).unwrap();
        results.out.sort_by_key(|trade| trade.at);
        let expected: Vec<i64> = (0..1000).filter(|n| n % 2 == 1).collect();
        assert_eq!(results.out.iter().map(|trade| trade.at.millis()).collect::<Vec<_>>(), expected);
        assert_eq!(passed(&results.summary), [500; 12], "{:?}", results.summary);
    }
}

#[test]
fn rows_go_through_twelve_flows_within_one_another() {
    for workers in [1, 2, 3] {
        let results = Nest { trades: trades(1000) }.run(config(workers)).unwrap();
        assert_eq!(results.out.len(), 500);
        assert_eq!(passed(&results.summary), [500], "{:?}", results.summary);
    }
}

#[test]
fn rows_go_through_twelve_flows_within_one_another_with_their_keys() {
    for workers in [1, 2, 3] {
        let mut results = KeyedNest { trades: trades(1000) }.run(config(workers)).unwrap();
        results.out.sort_unstable();
        assert_eq!(results.out, [(0, 500), (2, 500)]);
    }
}

#[test]
fn a_panic_behind_a_pointer_is_told_with_its_operator() {
    let job = Chain { trades: vec![Trade { at: Timestamp::from_millis(0), price: f64::INFINITY }] };
    match job.run(config(1)).map(drop) {
        Err(pelton::Error::Panic { operator, .. }) => assert_eq!(operator, "all"),
        other => panic!("{other:?}"),
    }
}
