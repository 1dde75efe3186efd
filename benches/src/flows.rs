//! `ratios flows`: flows of another crate against the same operators written in the job. Both sides are Pelton.

use crate::checksum::{Total, checksum};
use crate::data::{w1, w2, w4};
use crate::measure::Side;
use crate::{Bench, data};
use pelton::prelude::*;
use pelton_bench_flows as flows;
use std::path::Path;
use std::sync::Arc;

stream! {
    job Numbers<Memory> {
        param data: Arc<[u64]>;
        param total: Total;
        source all: u64 = rows(data);
        let kept = flows::numbers(all);
        sink out(kept) = checksum(total, |x: &u64| *x);
    }

    job PastedNumbers<Memory> {
        param data: Arc<[u64]>;
        param total: Total;
        source all: u64 = rows(data);
        let kept = all.map(w1::first).filter(|x| w1::keep(*x)).map(w1::second);
        sink out(kept) = checksum(total, |x: &u64| *x);
    }

    job Row<Memory> {
        param data: Arc<[u64]>;
        param total: Total;
        source all: u64 = rows(data);
        let once = flows::numbers(all);
        let twice = flows::numbers(once);
        let thrice = flows::numbers(twice);
        let kept = flows::numbers(thrice);
        sink out(kept) = checksum(total, |x: &u64| *x);
    }

    job PastedRow<Memory> {
        param data: Arc<[u64]>;
        param total: Total;
        source all: u64 = rows(data);
        let once = all.map(w1::first).filter(|x| w1::keep(*x)).map(w1::second);
        let twice = once.map(w1::first).filter(|x| w1::keep(*x)).map(w1::second);
        let thrice = twice.map(w1::first).filter(|x| w1::keep(*x)).map(w1::second);
        let kept = thrice.map(w1::first).filter(|x| w1::keep(*x)).map(w1::second);
        sink out(kept) = checksum(total, |x: &u64| *x);
    }

    job Keyed<Memory> {
        param data: Arc<[u64]>;
        param total: Total;
        source all: u64 = rows(data);
        let sums = flows::numbers(all).key_by(|x| x % 1024).aggregate(sum(|x| x >> 20), emit at_end, unbounded("1024"));
        sink out(sums) = checksum(total, |row: &(u64, u64)| row.0 ^ row.1);
    }

    job PastedKeyed<Memory> {
        param data: Arc<[u64]>;
        param total: Total;
        source all: u64 = rows(data);
        let kept = all.map(w1::first).filter(|x| w1::keep(*x)).map(w1::second);
        let sums = kept.key_by(|x| x % 1024).aggregate(sum(|x| x >> 20), emit at_end, unbounded("1024"));
        sink out(sums) = checksum(total, |row: &(u64, u64)| row.0 ^ row.1);
    }

    job Sums<Memory> {
        param data: Arc<[(u64, i64)]>;
        param total: Total;
        source events: (u64, i64) = rows(data);
        let sums = flows::running_sums(events);
        sink out(sums) = checksum(total, |row: &(u64, (i64, u64))| w2::check(row.0, row.1.0, row.1.1));
    }

    job PastedSums<Memory> {
        param data: Arc<[(u64, i64)]>;
        param total: Total;
        source events: (u64, i64) = rows(data);
        let sums = events.key_by(|e| e.0).aggregate((sum(|e| e.1), count()), emit each, unbounded("measured"));
        sink out(sums) = checksum(total, |row: &(u64, (i64, u64))| w2::check(row.0, row.1.0, row.1.1));
    }

    job EveryWord<Memory> {
        param text: PathBuf;
        param total: Total;
        source all: &str = lines(text);
        let counts = flows::every_word(all);
        sink out(counts) = checksum(total, |row: &(&str, u64)| w4::weight(row.0).wrapping_mul(row.1));
    }

    job PastedWord<Memory> {
        param text: PathBuf;
        param total: Total;
        source all: &str = lines(text);
        let counts = all.flat_map(|l| words(l)).key_by(|word| *word).aggregate(count(), emit each, unbounded("measured"));
        sink out(counts) = checksum(total, |row: &(&str, u64)| w4::weight(row.0).wrapping_mul(row.1));
    }
}

/// Times a flow against what it was pasted from.
macro_rules! pair {
    ($bench:expr, $name:literal, $events:expr, $flow:ident, $pasted:ident, { $field:ident: $data:expr }) => {{
        let (total, data) = (Total::default(), $data);
        let flow = || {
            let job = $flow { $field: data.clone(), total: total.clone() };
            $bench.timed(&total, |config| job.run(config).map(|r| r.summary))
        };
        let pasted = || {
            let job = $pasted { $field: data.clone(), total: total.clone() };
            $bench.timed(&total, |config| job.run(config).map(|r| r.summary))
        };
        $bench.compare($name, $events, vec![Side::new("flow", flow), Side::new("pasted", pasted)]);
    }};
}

/// All of them.
pub fn report(bench: &Bench, text: &Path) {
    let numbers: Arc<[u64]> = (0..w1::N).map(data::mix).collect();
    pair!(bench, "flow: W1, then a sink", w1::N, Numbers, PastedNumbers, { data: numbers.clone() });
    pair!(bench, "flow: W1 four times", w1::N, Row, PastedRow, { data: numbers.clone() });
    pair!(bench, "flow: W1, then a key", w1::N, Keyed, PastedKeyed, { data: numbers });
    let events = (0..w2::N).map(w2::event).map(|e| (e.key, e.value)).collect::<Arc<[(u64, i64)]>>();
    pair!(bench, "flow: W2 running sums", w2::N, Sums, PastedSums, { data: events });
    let words = crate::hand::words::exchanged(text, 1).count;
    pair!(bench, "flow: W4 every word", words, EveryWord, PastedWord, { text: text.to_owned() });
}
