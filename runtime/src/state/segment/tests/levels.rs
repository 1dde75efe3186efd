//! Lists of segments against a map: deltas, merges, restarts, other widths.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::ops::RangeInclusive;

/// Few hashes, so that keys share them, and all of the range.
fn id(key: u8, namespace: i64) -> Id {
    (mix(u64::from(key) % 40), namespace, vec![key; usize::from(key % 5)])
}

fn entry<'a>(id: &'a Id, value: &'a Option<Vec<u8>>) -> Entry<'a> {
    Entry { hash: id.0, namespace: id.1, key: &id.2, value: value.as_deref() }
}

#[track_caller]
fn check(levels: &Levels, model: &Model) {
    for ((hash, namespace, key), value) in model {
        assert_eq!(levels.get(*hash, *namespace, key).unwrap(), value.as_deref());
    }
    let all: Vec<_> = levels.range(0..=u64::MAX).unwrap().map(|e| owned(e.unwrap())).collect();
    assert!(all.into_iter().map(|(id, value)| (id, value.unwrap())).eq(alive(model)));
}

/// The parts again, as a restart finds them by what a manifest noted.
fn reopened(parts: &[Part]) -> Vec<Part> {
    let open = |part: &Part| {
        let segment = Segment::open(part.segment().path()).unwrap();
        assert_eq!(segment.identity(), part.segment().identity());
        Part::new(Arc::new(segment), part.hashes())
    };
    parts.iter().map(open).collect()
}

#[derive(Clone, Debug)]
enum Step {
    Put(u8, i64, u8),
    Delete(u8, i64),
    Flush,
    MergeAll,
    Settle,
    Wait,
    Reopen,
    Range(u8, u8),
    Sweep,
}

fn step() -> impl Strategy<Value = Step> {
    let namespace = || -1i64..2;
    prop_oneof![
        12 => (any::<u8>(), namespace(), any::<u8>()).prop_map(|(k, n, v)| Step::Put(k, n, v)),
        4 => (any::<u8>(), namespace()).prop_map(|(k, n)| Step::Delete(k, n)),
        5 => Just(Step::Flush),
        1 => Just(Step::MergeAll),
        2 => Just(Step::Settle),
        1 => Just(Step::Wait),
        1 => Just(Step::Reopen),
        2 => (any::<u8>(), any::<u8>()).prop_map(|(a, b)| Step::Range(a, b)),
        1 => Just(Step::Sweep),
    ]
}

fn run(steps: Vec<Step>, split: u64) {
    let (place, merger) = (Place::new(), Merger::start().unwrap());
    let everything = 0..=u64::MAX;
    let mut levels = Levels::open(place.folder("0"), everything.clone(), [], &merger).unwrap();
    levels.split_at(split);
    let (mut flushed, mut batch, mut pending) = (Model::new(), Batch::new(), Model::new());
    for (number, step) in steps.into_iter().enumerate() {
        match step {
            Step::Put(key, namespace, value) => {
                let (id, value) = (id(key, namespace), Some(vec![value; usize::from(value % 40)]));
                batch.put(&entry(&id, &value)).unwrap();
                pending.insert(id, value);
            }
            Step::Delete(key, namespace) => {
                batch.put(&entry(&id(key, namespace), &None)).unwrap();
                pending.insert(id(key, namespace), None);
            }
            Step::Flush => {
                levels.add(&mut batch).unwrap();
                assert!(batch.is_empty());
                flushed.append(&mut pending);
            }
            Step::MergeAll => levels.merge_all(),
            Step::Settle => drop(levels.settle().unwrap()),
            Step::Wait => drop(levels.wait().unwrap()),
            Step::Reopen => {
                let parts = reopened(levels.parts());
                drop(levels);
                levels = Levels::open(place.folder(&number.to_string()), everything.clone(), parts, &merger).unwrap();
                levels.split_at(split);
            }
            Step::Range(a, b) => {
                let (from, to) = (id(a, 0).0, id(b, 0).0);
                let found = levels.range(from..=to).unwrap().map(|e| owned(e.unwrap()).0);
                let expected = alive(&flushed).into_iter().map(|(id, _)| id).filter(|id| (from..=to).contains(&id.0));
                assert!(found.eq(expected));
            }
            Step::Sweep => drop(levels.sweep(|_| false).unwrap()),
        }
        check(&levels, &flushed);
    }
    levels.merge_all();
    while levels.wait().unwrap() {}
    check(&levels, &flushed);
    levels.merge_all();
    levels.wait().unwrap();
    assert_eq!(levels.parts().iter().map(|part| part.segment().deletions()).sum::<u64>(), 0);
    levels.sweep(|_| false).unwrap();
    let listed: BTreeSet<_> = levels.parts().iter().map(|part| part.segment().path().to_owned()).collect();
    drop(merger);
    let there: BTreeSet<_> = levels.folder.segments().unwrap().into_iter().collect();
    assert_eq!(there, listed);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn levels_say_what_a_map_says(steps in proptest::collection::vec(step(), 1..120), split in 200u64..20_000) {
        run(steps, split);
    }
}

#[test]
fn many_deltas_become_few_and_the_base_is_seldom_written() {
    let (place, merger) = (Place::new(), Merger::start().unwrap());
    let mut levels = Levels::open(place.folder("s"), 0..=u64::MAX, [], &merger).unwrap();
    let mut all = model(20_000, 1);
    levels.add_delta(all.iter().map(|(id, value)| entry(id, value))).unwrap();
    levels.merge_all();
    levels.wait().unwrap();
    let base = levels.parts()[0].segment().path().to_owned();
    assert!(!levels.parts()[0].segment().has_filter());
    let mut most = 0;
    for round in 0..40 {
        let some = model(100, 100 + round);
        levels.add_delta(some.iter().map(|(id, value)| entry(id, value))).unwrap();
        all.extend(some);
        most = most.max(levels.parts().len());
        levels.wait().unwrap();
    }
    assert!(most <= 10, "{most} at once");
    assert_eq!(levels.parts()[0].segment().path(), base, "40 deltas of half a percent do not touch the base");
    check(&levels, &all);
    // What the list no longer names stays as long as somebody else names it.
    let before = levels.folder.segments().unwrap();
    assert_eq!(levels.sweep(|_| true).unwrap(), 0);
    assert_eq!(levels.folder.segments().unwrap(), before);
    let kept = before[0].clone();
    assert_eq!(levels.sweep(|path| path == kept).unwrap(), before.len() - levels.parts().len() - 1);
    assert_eq!(levels.sweep(|_| false).unwrap(), 1);
    check(&levels, &all);
}

fn share(worker: u64, workers: u64) -> RangeInclusive<u64> {
    let first = |worker: u64| u128::from(worker) * (1 << 64) / u128::from(workers);
    first(worker) as u64..=(first(worker + 1) - 1) as u64
}

/// A deletion on one worker, merged away there, must not bring back what another worker's list still names.
#[test]
fn segments_are_restored_for_other_ranges_and_back() {
    let (place, merger) = (Place::new(), Merger::start().unwrap());
    let mut all = model(3000, 11);
    let mut one = Levels::open(place.folder("a"), 0..=u64::MAX, [], &merger).unwrap();
    one.add_delta(all.iter().map(|(id, value)| entry(id, value))).unwrap();
    let mut parts = reopened(one.parts());
    for (round, workers) in [(0, 3u64), (1, 2), (2, 7), (3, 1), (4, 5)] {
        let mut lists = Vec::new();
        let mut union = Vec::new();
        for worker in 0..workers {
            let owned = share(worker, workers);
            let folder = place.folder(&format!("{round}-{worker}"));
            let mut levels = Levels::open(folder, owned.clone(), parts.clone(), &merger).unwrap();
            let mine = |id: &Id| owned.contains(&id.0);
            let before: Model = all.iter().filter(|(id, _)| mine(id)).map(|(a, b)| (a.clone(), b.clone())).collect();
            check(&levels, &before);
            // Changes and deletions of the keys that it owns.
            let changed: Model = before
                .keys()
                .enumerate()
                .filter(|(i, _)| i % 5 == round)
                .map(|(i, id)| (id.clone(), (i % 2 == 0).then(|| vec![round as u8; 9])))
                .collect();
            levels.add_delta(changed.iter().map(|(id, value)| entry(id, value))).unwrap();
            all.extend(changed);
            if worker % 2 == 0 {
                levels.merge_all();
                levels.wait().unwrap();
            }
            union.extend(reopened(levels.parts()));
            lists.push(levels);
        }
        parts = union;
    }
    let last = Levels::open(place.folder("z"), 0..=u64::MAX, parts, &merger).unwrap();
    check(&last, &all);
}

#[test]
fn windows_that_closed_are_forgotten_without_deletions() {
    let (place, merger) = (Place::new(), Merger::start().unwrap());
    let mut levels = Levels::open(place.folder("s"), 0..=u64::MAX, [], &merger).unwrap();
    let value = Some(vec![1]);
    for window in 0..6 {
        let mut batch = Batch::new();
        for key in 0..50 {
            batch.put(&entry(&id(key, window * 10), &value)).unwrap();
            batch.put(&entry(&id(key, window * 10 + 10), &value)).unwrap();
        }
        levels.add(&mut batch).unwrap();
    }
    levels.forget_below(40);
    assert_eq!(levels.parts().len(), 3, "the first three have no later windows");
    let namespaces = |levels: &Levels| -> BTreeSet<i64> {
        levels.range(0..=u64::MAX).unwrap().map(|entry| entry.unwrap().namespace).collect()
    };
    assert_eq!(namespaces(&levels), BTreeSet::from([40, 50, 60]));
    levels.merge_all();
    // While a merge is under way the list keeps its places.
    levels.forget_below(60);
    levels.wait().unwrap();
    assert_eq!(namespaces(&levels), BTreeSet::from([60]));
    assert_eq!(levels.sweep(|_| false).unwrap(), 6);
    levels.forget_below(70);
    assert!(levels.is_empty());
}

#[test]
fn a_merge_that_meets_damage_fails_and_changes_nothing() {
    let (place, merger) = (Place::new(), Merger::start().unwrap());
    let mut levels = Levels::open(place.folder("s"), 0..=u64::MAX, [], &merger).unwrap();
    for round in 0..2 {
        let some = model(300, round);
        levels.add_delta(some.iter().map(|(id, value)| entry(id, value))).unwrap();
    }
    let path = levels.parts()[0].segment().path().to_owned();
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[9000] ^= 1;
    let damaged = place.0.join("damaged");
    std::fs::write(&damaged, bytes).unwrap();
    std::fs::rename(damaged, &path).unwrap();
    levels.merge_all();
    let fault = levels.wait().unwrap_err().to_string();
    assert!(fault.contains("s-00000001.segment") && fault.contains("byte 8192"), "{fault}");
    assert_eq!(levels.parts().len(), 2);
    assert_eq!(place.names(), ["s-00000001.segment", "s-00000002.segment"]);
    // And verifying finds it, whoever looks up what.
    let mut again = Levels::open(place.folder("t"), 0..=u64::MAX, reopened(levels.parts()), &merger).unwrap();
    again.scrub();
    again.merge_all();
    // The same thread does both, one after the other.
    again.wait().unwrap_err();
    let found = again.settle().unwrap_err();
    assert!(found.to_string().contains("byte 8192"), "{found}");
}

#[test]
fn a_list_that_is_dropped_stops_its_merge() {
    let (place, merger) = (Place::new(), Merger::start().unwrap());
    let mut levels = Levels::open(place.folder("s"), 0..=u64::MAX, [], &merger).unwrap();
    for round in 0..2u64 {
        let mut batch = Batch::new();
        for i in 0..100_000 {
            batch.put(&Entry { hash: mix(i ^ round), namespace: 0, key: b"key", value: Some(&[0; 64]) }).unwrap();
        }
        levels.add(&mut batch).unwrap();
    }
    levels.merge_all();
    drop(levels);
    // The next order is taken once the first one has been given up.
    let mut other = Levels::open(place.folder("t"), 0..=u64::MAX, [], &merger).unwrap();
    other.add_delta([Entry { hash: 1, namespace: 0, key: b"", value: None }]).unwrap();
    other.merge_all();
    assert!(other.wait().unwrap());
    assert!(other.is_empty(), "a base has no deletions, so nothing is left");
    let names = place.names();
    assert!(names.iter().all(|name| !name.starts_with('.')), "{names:?}");
    assert_eq!(names, ["s-00000001.segment", "s-00000002.segment", "t-00000001.segment"]);
}
