//! When a run with checkpoints does not go on from the last one: what the next attempt would only meet again ends it, and says so.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests

mod support;

use pelton::prelude::*;
use pelton::{Error, Restart};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use support::{Feed, Row, Step, feed};

#[derive(Record, Serialize, Clone, Debug)]
struct Line {
    key: u64,
    value: u64,
}

/// What happens at each row.
type Each = Arc<dyn Fn(u64) + Send + Sync>;

pelton::stream! {
    job Lines<Memory> {
        param rows: Feed<Row>;
        param out: PathBuf;
        param each: Each;
        source all: Row = feed(rows), on_error fail;
        let lines = all.inspect(|r| each(r.value)).map(|r| Line { key: r.key, value: r.value });
        sink file(lines) = csv(out);
    }
}

/// Four splits of rows, with time for some checkpoints between.
fn rows() -> Vec<Vec<Step<Row>>> {
    let split = |s: u64| {
        let row = |i: u64| Step::Row(Row { key: i % 3, at: 0, value: s * 10 + i });
        std::iter::once(Step::Busy(Duration::from_millis(20))).chain((0..10).map(row)).collect()
    };
    (0..4).map(split).collect()
}

struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Place {
        let path = std::env::temp_dir().join(format!("pelton-restarts-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Place(path)
    }

    fn run(&self, rows: Vec<Vec<Step<Row>>>, restart: Restart, each: Each) -> Result<(), Error> {
        let config = Config::default()
            .workers(1)
            .checkpoints(self.0.join("checkpoints").to_string_lossy())
            .checkpoint_every(Duration::from_millis(5))
            .restart(restart);
        Lines { rows: Feed::new(rows), out: self.0.join("out.csv"), each }.run(config).map(drop)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

const LONG: Restart = Restart::Fixed { pause: Duration::ZERO, at_most: 1000 };
const WITHOUT_END: Restart = Restart::Exponential { first: Duration::ZERO, longest: Duration::ZERO };

#[test]
fn a_row_that_the_code_cannot_get_over_ends_the_run_in_the_end() {
    let place = Place::new("poison");
    let met = Arc::new(AtomicU64::new(0));
    let count = met.clone();
    let each: Each = Arc::new(move |value| {
        if value == 35 {
            count.fetch_add(1, Ordering::Relaxed);
            panic!("no way over 35");
        }
    });
    let error = place.run(rows(), WITHOUT_END, each).unwrap_err();
    let Error::GivenUp { after, .. } = &error else { panic!("{error}") };
    assert!(matches!(**after, Error::Panic { .. }));
    let said = error.to_string();
    for part in ["no way over 35", "given up: the run has failed 8 times, each time in the same way", "started again"] {
        assert!(said.contains(part), "{said}");
    }
    // A checkpoint that an attempt keeps before it fails again is a beginning, so it may have been more often.
    assert!(met.load(Ordering::Relaxed) >= 8);
    assert!(!place.0.join("out.csv").exists());
    // With code that can, the next run goes on and loses nothing.
    place.run(rows(), Restart::Never, Arc::new(|_| ())).unwrap();
    let text = std::fs::read_to_string(place.0.join("out.csv")).unwrap();
    assert_eq!(text.lines().count(), 1 + 40);
}

#[test]
fn a_row_that_cannot_be_read_ends_the_run_at_once() {
    let place = Place::new("bad");
    let mut rows = rows();
    rows[3].push(Step::Bad("no row"));
    let error = place.run(rows, LONG, Arc::new(|_| ())).unwrap_err();
    assert!(matches!(&error, Error::Source { fault, .. } if fault.lasting), "{error}");
}

#[test]
fn what_may_pass_is_tried_again() {
    let place = Place::new("passes");
    let mut rows = rows();
    rows[3].push(Step::Fail("the system does not answer"));
    let pause = Duration::ZERO;
    let error = place.run(rows, Restart::Fixed { pause, at_most: 3 }, Arc::new(|_| ())).unwrap_err();
    let said = error.to_string();
    assert!(said.contains("does not answer") && said.contains("the run has failed 4 times"), "{said}");
}

#[test]
fn a_part_of_the_result_that_is_gone_ends_the_run_at_once() {
    let place = Place::new("gone");
    let folder = place.0.clone();
    let each: Each = Arc::new(move |value| {
        if value == 35 {
            for entry in folder.read_dir().unwrap() {
                let path = entry.unwrap().path();
                if path.is_file() {
                    std::fs::remove_file(path).unwrap();
                }
            }
            panic!("somebody has cleaned up");
        }
    });
    let error = place.run(rows(), LONG, each).unwrap_err();
    let said = error.to_string();
    assert!(said.contains("that are committed") && said.contains("--fresh"), "{said}");
    assert!(matches!(error, Error::Sink { .. }), "it was not tried until the budget was spent: {said}");
}
