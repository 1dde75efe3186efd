//! A job is killed at each operation of its store, one by one, in each way; or frozen there while another run of it takes over, and woken.
//! What is published is what an undisturbed run publishes.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod checkpoint_kit;

use checkpoint_kit::{Job, World, expected, is_part_of};
use pelton::checkpoint::faulty::{Faulty, Mischief};
use pelton::checkpoint::history::History;
use pelton::checkpoint::store::{LocalStore, MemoryStore, Store};
use pelton::checkpoint::verify::verify;
use std::sync::Arc;
use std::time::Duration;

const JOB: Job = Job { epochs: 5, keep: 2, finishes: true };

/// The operations of an undisturbed run.
fn operations() -> u64 {
    let store = Faulty::new(MemoryStore::new());
    let world = World::default();
    JOB.run(&(Arc::clone(&store) as Arc<dyn Store>), &world).unwrap();
    assert_eq!(world.rows(), expected(JOB));
    store.operations()
}

fn newest_epoch(store: &dyn Store) -> u64 {
    let start = History::read(store).unwrap().newest(&Default::default(), false).unwrap();
    start.from.map_or(0, |(_, manifest)| manifest.epoch)
}

#[test]
fn a_crash_at_any_operation_loses_nothing_and_doubles_nothing() {
    let operations = operations();
    assert!(operations > 50, "{operations}");
    for mischief in [Mischief::FailBefore, Mischief::FailAfter] {
        for n in 1..=operations {
            let store = Faulty::new(MemoryStore::new());
            let world = World::default();
            store.crash_at(n, mischief);
            let shared = Arc::clone(&store) as Arc<dyn Store>;
            assert!(JOB.run(&shared, &world).is_err(), "{mischief:?} at {n}");
            let at = store.trace().pop().unwrap();
            store.revive();
            // Of each epoch that was published before, the checkpoint is there.
            let published = world.rows().len() as u64;
            let finished = at.starts_with("put_new") && n == operations && mischief == Mischief::FailAfter;
            assert!(newest_epoch(&*store) >= published || finished, "{mischief:?} at {n}, {at}");
            JOB.run(&shared, &world).unwrap_or_else(|fault| panic!("{mischief:?} at {n}, {at}: {fault}"));
            assert_eq!(world.rows(), expected(JOB), "{mischief:?} at {n}, {at}");
            let report = verify(&*store).unwrap();
            assert!(report.is_good(), "{mischief:?} at {n}, {at}: {report}");
        }
    }
}

#[test]
fn two_crashes_anywhere_lose_nothing_and_double_nothing() {
    let operations = operations();
    for first in (1..=operations).step_by(3) {
        for second in (1..=operations).step_by(5) {
            let store = Faulty::new(MemoryStore::new());
            let world = World::default();
            let shared = Arc::clone(&store) as Arc<dyn Store>;
            store.crash_at(first, Mischief::FailAfter);
            assert!(JOB.run(&shared, &world).is_err());
            store.revive();
            store.crash_at(store.operations() + second, Mischief::FailBefore);
            let _ = JOB.run(&shared, &world);
            store.revive();
            JOB.run(&shared, &world).unwrap_or_else(|fault| panic!("{first}, then {second}: {fault}"));
            assert_eq!(world.rows(), expected(JOB), "{first}, then {second}");
        }
    }
}

#[test]
fn a_fault_that_is_no_crash_ends_the_attempt_and_the_next_one_goes_on() {
    for mischief in [Mischief::FailBefore, Mischief::FailAfter, Mischief::Delay(Duration::from_micros(10))] {
        for n in 1..=operations() {
            let store = Faulty::new(MemoryStore::new());
            let world = World::default();
            store.plan(n, mischief);
            let shared = Arc::clone(&store) as Arc<dyn Store>;
            let mut runs = 0;
            while let Err(fault) = JOB.run(&shared, &world) {
                runs += 1;
                assert!(runs < 2, "{mischief:?} at {n}: {fault}");
            }
            assert_eq!(world.rows(), expected(JOB), "{mischief:?} at {n}");
        }
    }
}

/// A store that wrote half of something, or lost something that it had acknowledged, breaks its promise. Then a job may be refused;
/// it never publishes anything twice, and nothing wrong.
#[test]
fn a_store_that_lies_is_found_out_before_anything_is_published_twice() {
    let operations = operations();
    let (mut went_on, mut refused) = (0, 0);
    for mischief in [Mischief::Short, Mischief::Forget, Mischief::ForgetHalf] {
        for n in 1..=operations {
            // What was acknowledged is lost in a crash that comes some operations later.
            for later in if mischief == Mischief::Short { 0..1 } else { 1..8 } {
                let store = Faulty::new(MemoryStore::new());
                let world = World::default();
                let shared = Arc::clone(&store) as Arc<dyn Store>;
                if later == 0 {
                    store.crash_at(n, mischief);
                } else {
                    store.plan(n, mischief);
                    store.crash_at(n + later, Mischief::FailBefore);
                }
                let case = format!("{mischief:?} at {n}, crash {later} later");
                let _ = JOB.run(&shared, &world);
                store.crash().unwrap();
                store.revive();
                match JOB.run(&shared, &world) {
                    Ok(()) => {
                        went_on += 1;
                        assert_eq!(world.rows(), expected(JOB), "{case}");
                    }
                    Err(fault) => {
                        refused += 1;
                        assert!(fault.help.is_some(), "{case}: {fault}");
                        assert!(is_part_of(&world.rows(), JOB), "{case}");
                    }
                }
            }
        }
    }
    assert!(went_on > refused && refused > 0, "{went_on} went on, {refused} were refused");
}

#[test]
fn a_run_that_was_frozen_anywhere_and_wakes_publishes_nothing_that_another_one_has() {
    let operations = operations();
    for mischief in [Mischief::FreezeBefore, Mischief::FreezeAfter] {
        for n in 1..=operations {
            let inner = MemoryStore::new();
            let frozen = Faulty::new(Arc::clone(&inner) as Arc<dyn Store>);
            let world = World::default();
            frozen.plan(n, mischief);
            let case = format!("{mischief:?} at {n}");
            std::thread::scope(|scope| {
                let zombie = scope.spawn(|| JOB.run(&(Arc::clone(&frozen) as Arc<dyn Store>), &world));
                assert!(frozen.wait_until_frozen(Duration::from_secs(60)), "{case}");
                JOB.run(&(Arc::clone(&inner) as Arc<dyn Store>), &world).unwrap_or_else(|f| panic!("{case}: {f}"));
                assert_eq!(world.rows(), expected(JOB), "{case}, before it wakes");
                frozen.wake();
                let ended = zombie.join().unwrap();
                let at = frozen.trace().pop().unwrap();
                // One that had nothing more to do, or had not begun, ends well.
                let harmless = n == operations || n <= 3;
                assert!(ended.is_err() || harmless, "{case}: it went on to {at}");
            });
            assert_eq!(world.rows(), expected(JOB), "{case}, after it woke");
            let report = verify(&*inner).unwrap();
            assert!(report.is_good(), "{case}: {report}");
        }
    }
}

/// Two at once, without order: each number is appended once, and both learn who is to stop.
#[test]
fn runs_that_race_for_one_store_publish_each_row_once() {
    for _ in 0..20 {
        let store: Arc<dyn Store> = MemoryStore::new();
        let world = World::default();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| while JOB.run(&store, &world).is_err() {});
            }
        });
        assert_eq!(world.rows(), expected(JOB));
        assert!(verify(&*store).unwrap().is_good());
    }
}

#[test]
fn a_directory_does_as_memory_does() {
    let path = std::env::temp_dir().join(format!("pelton-crashes-{}", std::process::id()));
    let operations = operations();
    for n in (1..=operations).step_by(7) {
        let store = Faulty::new(Arc::new(LocalStore::make(&path).unwrap()));
        let world = World::default();
        store.crash_at(n, Mischief::FailAfter);
        let shared = Arc::clone(&store) as Arc<dyn Store>;
        assert!(JOB.run(&shared, &world).is_err());
        store.revive();
        JOB.run(&shared, &world).unwrap();
        assert_eq!(world.rows(), expected(JOB), "at {n}");
        assert!(verify(&*store).unwrap().is_good());
        std::fs::remove_dir_all(&path).unwrap();
    }
}
