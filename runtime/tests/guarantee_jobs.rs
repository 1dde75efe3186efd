//! Jobs that say what is to hold of their rows: connectors that keep it are taken, in jobs with type parameters, too.

#![allow(missing_docs, clippy::unwrap_used, reason = "helpers of tests")]

use pelton::channel::{Sender, bounded};
use pelton::prelude::*;

stream! {
    job Once<Memory, T: Record + Clone + Sync + Serialize> {
        param data: Vec<T>;
        param target: Option<PathBuf>;
        checkpoint every 10s, exactly_once, keep 3;
        source numbers: T = rows(data), rate 1M/s;
        sink file(numbers) = csv(target);
        sink nowhere(numbers) = null();
    }
    job Again<Memory> {
        param seen: Sender<u64>;
        checkpoint at_least_once, every 10s;
        source numbers: u64 = generate(|n| n).limit(3);
        sink shown(numbers) = for_each(move |n: u64| seen.send(n));
    }
    // nothing is said: everything is taken
    job Open<Memory> {
        checkpoint every 10s;
        source numbers: u64 = generate(|n| n).limit(3);
        sink all(numbers) = collect();
    }
}

#[test]
fn connectors_that_keep_what_is_said_are_taken() {
    let path = std::env::temp_dir().join(format!("pelton-once-{}", std::process::id()));
    let job = Once { data: vec![(1u8, 2u8), (3, 4)], target: Some(path.clone()) };
    let summary = job.run(Config::default().workers(2)).unwrap().summary;
    assert_eq!((summary.records_in, std::fs::read_to_string(&path).unwrap().as_str()), (2, "1,2\n3,4\n"));
    std::fs::remove_file(path).unwrap();
    let (seen, see) = bounded(9);
    Again { seen }.run(Config::default().workers(1)).unwrap();
    assert_eq!(see.iter().collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!(Open {}.run(Config::default().workers(1)).unwrap().all, [0, 1, 2]);
}
