//! Several operators with state in one chain: each but the last has a name of its own.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

#[path = "support/everywhere.rs"]
mod everywhere;

use everywhere::{everywhere, same};
use pelton::prelude::*;
use std::sync::Arc;

pelton::stream! {
    job Chain<Memory> {
        param data: Arc<[u64]>;

        source numbers: u64 = rows(data), event_time |n| Timestamp::from_millis(*n as i64), late_by 0s, ordered_splits;
        // per ten milliseconds how often each digit, of that the greatest, and of these how often each
        let often: (u64, u64) = numbers
            .key_by(|n| n % 7)
            .window(tumbling 10ms)
            .aggregate(count(), as windows)
            .key_by(|w| w.start)
            .aggregate(max(|w| w.value), emit at_end, unbounded("a test"), as greatest)
            .map(|(_, n)| n)
            .key_by(|n| *n)
            .process {
                as counted;
                state n: Value<u64>, unbounded("a test");
                on event(_, cx) { n.update(|n| n + 1); cx.emit((cx.key(), *n.get().unwrap_or(&0))) }
            }
            .key_by(|(n, _)| *n)
            .aggregate(max(|(_, times)| *times), emit at_end, unbounded("a test"));
        let seen: u64 = windows.map(|w| w.value);
        sink a(often) = collect();
        sink b(seen) = collect();
        drop windows.late;
    }
}

#[test]
fn each_has_its_state_and_the_names_are_streams() {
    everywhere(|config| {
        let results = Chain { data: (0..100).collect() }.run(config).unwrap();
        // ten numbers in each window, of seven digits: twice is the greatest
        same(results.a, [(2, 10)]);
        assert_eq!(results.b.iter().sum::<u64>(), 100);
    });
    let plan = Chain { data: Arc::new([]) }.plan(&Config::default().workers(2)).unwrap().to_string();
    for name in ["windows", "greatest", "counted", "often"] {
        assert!(plan.contains(name), "{name}: {plan}");
    }
}
