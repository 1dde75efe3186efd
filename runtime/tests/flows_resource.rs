//! A resource of a flow: each use makes one on each worker, for what is inside of the flow.

#![allow(missing_docs, clippy::unwrap_used, reason = "helpers of tests")]

use pelton::prelude::*;
use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Something that cannot be shared by threads.
pub struct Table<T> {
    rows: Vec<T>,
    asked: Cell<u64>,
}

impl<T> Table<T> {
    fn read(rows: &str, made: &AtomicU64) -> Result<Table<T>, T::Err>
    where
        T: std::str::FromStr,
    {
        made.fetch_add(1, Ordering::SeqCst);
        let rows = rows.split(' ').map(str::parse).collect::<Result<_, _>>()?;
        Ok(Table { rows, asked: Cell::new(0) })
    }
    fn at(&self, n: usize) -> &T {
        self.asked.set(self.asked.get() + 1);
        &self.rows[n % self.rows.len()]
    }
}

stream! {
    /// Numbers by their names, and how many there are of each name.
    pub flow named<T: Record + Clone + std::str::FromStr<Err = std::num::ParseIntError> + Into<u64>>(
        numbers: Stream<u64>, names: String, made: Arc<AtomicU64>
    ) -> T, sums: (u64, u64) {
        resource table: Table<T> = Table::read(&names, &made)?;
        resource many: usize = table.rows.len();

        let found = numbers.map(|n| table.at(n as usize).clone());
        let low = numbers.filter(|n| (*n as usize) < *many);
        let sums = low.key_by(|n| n % 2).process {
            state sum: Value<u64>, unbounded("two");
            on event(n, cx) {
                let so_far = sum.get().copied().unwrap_or(0) + (*table.at(n as usize)).clone().into();
                sum.set(so_far);
                cx.emit((n % 2, so_far));
            }
        };
        return found, sums;
    }

    /// The same one inside of another.
    flow outer(numbers: Stream<u64>, names: String, made: Arc<AtomicU64>) -> u32 {
        let inner = named(numbers, names.clone(), made.clone());
        drop inner.sums;
        return inner;
    }

    job Names<Memory> {
        param names: String;
        param made: Arc<AtomicU64>;
        source numbers: u64 = rows(vec![0, 1, 2, 3, 4]);
        let small = named(numbers, names.clone(), made.clone());
        let of_small: u8 = small.map(|n| n);
        let sums: (u64, u64) = small.sums;
        let again = outer(numbers, "100 200".to_owned(), made.clone());
        let of_again: u32 = again.map(|n| n);
        sink a(of_small) = collect();
        sink b(sums) = collect();
        sink c(of_again) = collect();
    }
}

fn sorted<T: Ord>(mut all: Vec<T>) -> Vec<T> {
    all.sort();
    all
}

#[test]
fn each_use_and_worker_makes_one() {
    for workers in 1..=3 {
        for wire in [false, true] {
            let made = Arc::new(AtomicU64::new(0));
            let job = Names { names: "5 6 7".to_owned(), made: made.clone() };
            let found = job.run(Config::default().workers(workers).wire(wire)).unwrap();
            assert_eq!(made.load(Ordering::SeqCst), 2 * workers as u64);
            assert_eq!(sorted(found.a), [5, 5, 6, 6, 7]);
            assert_eq!(sorted(found.b), [(0, 5), (0, 12), (1, 6)]);
            assert_eq!(sorted(found.c), [100, 100, 100, 200, 200]);
        }
    }
    let made = Arc::new(AtomicU64::new(0));
    Names { names: "none".to_owned(), made: made.clone() }.plan(&Config::default()).unwrap();
    assert_eq!(made.load(Ordering::SeqCst), 0, "to draw a plan none is made");
}

#[test]
fn an_error_names_the_resource_and_the_use() {
    let error = Names { names: "5 x".to_owned(), made: Arc::default() }.run(Config::default()).unwrap_err();
    assert_eq!(error.to_string(), "resource `small/table`: it could not be made: invalid digit found in string");
}
