//! A job gives the same everywhere.

use pelton::Config;

/// Runs with one, two and three workers, natively and with rows in wire form.
pub fn everywhere(run: impl Fn(Config)) {
    for workers in 1..=3 {
        for wire in [false, true] {
            run(Config::default().workers(workers).wire(wire));
        }
    }
}

/// The same rows, in whatever order.
#[track_caller]
pub fn same<T: Ord + std::fmt::Debug>(mut found: Vec<T>, expected: impl IntoIterator<Item = T>) {
    let mut expected: Vec<T> = expected.into_iter().collect();
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
}
